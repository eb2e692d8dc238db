"""Reductions: what comes out of nothing, of one, of NaN and infinity; which order is promised; what a check sees."""

import math
import platform
import warnings
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernelbench.kernels._chains import CHAINS, PARALLEL_BYTES, part, part_count
from kernelbench.kernels._check import EPS, Verification, WrongResult
from kernelbench.kernels._exact_sum import exact_sum, longest, positive_tolerance, signed_tolerance
from kernelbench.kernels._registry import NUMPY
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran

OPS = ("sum", "dot", "max", "euclidean", "cosine")
EVERY = [pair for op in OPS for pair in of_op(op)]
AWKWARD = (1, 2, 3, 7, 31, 33, CHAINS - 1, CHAINS, CHAINS + 1, 2 * CHAINS - 1, 2 * CHAINS + 1, 3 * CHAINS, 1009)
OF_NOTHING = {"sum": 0.0, "dot": 0.0, "max": -math.inf, "euclidean": 0.0, "cosine": math.nan}


def of(name: str, dtype: str, *vectors: Any) -> float:
    """What variant ``name`` gives for these operands."""
    inputs = tuple(np.asarray(x, NUMPY[dtype]) for x in vectors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy warns of infinities and NaN that are meant here
        return float(ran(name, dtype, {"n": inputs[0].size}, inputs=inputs).outputs[0][0])


def operands(name: str) -> int:
    return 1 if name.split("/")[0] in ("sum", "max") else 2


@pytest.mark.parametrize(("name", "dtype"), EVERY)
@pytest.mark.parametrize("offset", [0, 1])
def test_a_reduction_is_right_at_awkward_lengths_and_places(name: str, dtype: str, offset: int) -> None:
    for n in AWKWARD:
        VARIANTS[name].check(ran(name, dtype, {"n": n}, seed=n, offset=offset))


@pytest.mark.parametrize(("name", "dtype"), EVERY)
def test_a_reduction_of_nothing_is_what_its_file_says(name: str, dtype: str) -> None:
    found = ran(name, dtype, {"n": 0})
    np.testing.assert_array_equal(found.outputs[0], [OF_NOTHING[name.split("/")[0]]])
    VARIANTS[name].check(found)


@pytest.mark.parametrize(("name", "dtype"), EVERY)
def test_a_nan_anywhere_gives_nan(name: str, dtype: str) -> None:
    # Within the pairs of rows, the single row and the rest.
    for n, at in ((1, 0), (300, 0), (300, CHAINS + 5), (300, 4 * CHAINS + 1), (300, 299)):
        x = np.linspace(1, 2, n)
        x[at] = np.nan
        assert math.isnan(of(name, dtype, *[x] * operands(name)))


@pytest.mark.parametrize(("name", "dtype"), of_op("sum"))
def test_a_sum_with_an_infinity_is_infinite_and_with_both_is_nan(name: str, dtype: str) -> None:
    assert of(name, dtype, [1, -math.inf, 3]) == -math.inf
    assert math.isnan(of(name, dtype, [1, math.inf, 3, -math.inf]))


@pytest.mark.parametrize(("name", "dtype"), of_op("dot"))
def test_infinity_times_zero_in_a_dot_product_is_nan(name: str, dtype: str) -> None:
    assert of(name, dtype, [1, math.inf, 3], [2, 2, 2]) == math.inf
    assert math.isnan(of(name, dtype, [1, math.inf, 3], [2, 0, 2]))


@pytest.mark.parametrize(("name", "dtype"), of_op("euclidean"))
def test_a_distance_to_infinity_is_infinite_and_between_infinities_nan(name: str, dtype: str) -> None:
    assert of(name, dtype, [3, 1, math.inf], [0, 1, 0]) == math.inf
    assert math.isnan(of(name, dtype, [3, math.inf], [0, math.inf]))
    assert of(name, dtype, [3, 1, 4], [0, 1, 0]) == 5


@pytest.mark.parametrize(("name", "dtype"), of_op("cosine"))
def test_a_vector_without_a_direction_has_no_cosine(name: str, dtype: str) -> None:
    assert math.isnan(of(name, dtype, [0, 0, 0], [1, 2, 3]))
    assert math.isnan(of(name, dtype, [1, math.inf, 0], [1, 2, 3]))


@pytest.mark.parametrize(("name", "dtype"), of_op("cosine"))
def test_the_cosine_of_parallel_opposite_and_orthogonal_vectors_is_one_minus_one_and_zero(
    name: str, dtype: str
) -> None:
    assert of(name, dtype, [3, 0, 4], [6, 0, 8]) == pytest.approx(1)
    assert of(name, dtype, [3, 0, 4], [-3, 0, -4]) == pytest.approx(-1)
    assert of(name, dtype, [3, 0, 4], [0, 7, 0]) == 0


@pytest.mark.parametrize(("name", "dtype"), of_op("max"))
@few
@given(data=st.data())
def test_the_maximum_is_np_maxs_for_any_values(name: str, dtype: str, data: st.DataObject) -> None:
    kind = NUMPY[dtype]
    elements = st.floats(width=8 * kind.itemsize)
    x = data.draw(arrays(kind, st.integers(1, 5 * CHAINS), elements=elements, fill=st.just(1)))
    np.testing.assert_array_equal(of(name, dtype, x), np.max(x))


@pytest.mark.parametrize(("name", "dtype"), of_op("max"))
def test_the_maximum_is_found_wherever_it_is(name: str, dtype: str) -> None:
    for at in range(0, 5 * CHAINS, 7):
        x = np.full(5 * CHAINS - 3, -3.0)
        x[at % x.size] = -2.0
        assert of(name, dtype, x) == -2


@pytest.mark.parametrize("op", OPS)
def test_parts_make_the_whole_and_a_nan_in_the_last_is_seen(op: str) -> None:
    name, least = f"{op}/parallel", PARALLEL_BYTES // 4 // operands(f"{op}/parallel")
    for n in (least - 1, least, least + CHAINS + 1):
        VARIANTS[name].check(ran(name, "f32", {"n": n}, seed=n))
    x = np.ones(least + 3)
    x[-1] = np.nan
    assert math.isnan(of(name, "f32", *[x] * operands(name)))


@pytest.mark.parametrize("op", OPS)
def test_no_bit_of_a_result_depends_on_the_number_of_threads(op: str) -> None:
    name, before = f"{op}/parallel", numba.get_num_threads()
    shape = {"n": PARALLEL_BYTES // 4 + 5}
    every = ran(name, "f32", shape).outputs[0].tobytes()
    numba.set_num_threads(1)
    try:
        assert ran(name, "f32", shape).outputs[0].tobytes() == every
    finally:
        numba.set_num_threads(before)


def test_small_operands_stay_on_one_thread() -> None:
    assert part_count.py_func(PARALLEL_BYTES - 1) == 1
    assert part_count.py_func(PARALLEL_BYTES) == 8
    assert part_count.py_func(1 << 40) == 256


@given(size=st.integers(0, 10**6), parts=st.integers(1, 9))
def test_parts_follow_each_other_and_cover_everything(size: int, parts: int) -> None:
    cuts = [part.py_func(size, parts, t) for t in range(parts)]
    assert cuts[0][0] == 0
    assert cuts[-1][1] == size
    assert all(first <= last for first, last in cuts)
    assert all(end == begin for (_, end), (begin, _) in pairwise(cuts))


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_many_chains_add_in_the_order_the_source_says(dtype: str) -> None:
    found = ran("sum/many_chains", dtype, {"n": 7 * CHAINS}, seed=3)
    totals = np.zeros(CHAINS, NUMPY[dtype])
    for row in found.inputs[0].reshape(-1, CHAINS):
        totals = totals + row
    while totals.size > 1:
        totals = totals[: totals.size // 2] + totals[totals.size // 2 :]
    assert totals.tobytes() == found.outputs[0].tobytes()


@pytest.mark.parametrize("op", OPS)
def test_only_the_variant_the_compiler_may_reassociate_is_labelled_fast_math(op: str) -> None:
    labelled = {name for name, _ in of_op(op) if VARIANTS[name].info.fastmath}
    assert labelled == ({f"{op}/vectorized"} if op != "max" else set())


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")
@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("op", OPS)
def test_one_chain_is_scalar_code_and_many_are_vectors(op: str, dtype: str) -> None:
    assert isa_used(assembly(f"{op}/naive", dtype)) == "scalar"
    for name in {name for name, _ in of_op(op) if VARIANTS[name].style == "vectorized"}:
        assert isa_used(assembly(name, dtype)) != "scalar", name


def without(found: Verification, at: int) -> Verification:
    """``found`` as if the kernel had left out element ``at``: computed exactly from the rest."""
    name = f"{found.memo['op']}/naive"
    rest = tuple(np.delete(x, at) for x in found.inputs)
    lost = ran(name, found.dtype, {"n": found.shape["n"] - 1}, inputs=rest)
    return replace(found, outputs=lost.outputs, memo={})


@pytest.mark.parametrize(("name", "dtype"), [pair for pair in EVERY if not pair[0].startswith("max/")])
def test_a_lost_element_is_wrong(name: str, dtype: str) -> None:
    n = 1000
    found = replace(ran(name, dtype, {"n": n}, seed=4), memo={"op": name.split("/")[0]})
    for at in (0, 1, n // 2, n - 1):
        with pytest.raises(WrongResult):
            VARIANTS[name].check(without(found, at))


@pytest.mark.parametrize(("name", "dtype"), EVERY)
def test_an_output_never_written_is_wrong(name: str, dtype: str) -> None:
    found = ran(name, dtype, {"n": 37}, seed=4)
    with pytest.raises(WrongResult):
        VARIANTS[name].check(replace(found, outputs=(np.full_like(found.outputs[0], np.nan),)))


@pytest.mark.parametrize(("name", "dtype"), EVERY)
def test_a_reduction_reads_its_operands_and_writes_one_element(name: str, dtype: str) -> None:
    work, s = VARIANTS[name].work({"n": 24}, dtype), NUMPY[dtype].itemsize
    read = operands(name) * 24 * s
    assert (work.read_bytes, work.write_bytes, work.rfo_bytes) == (read, s, s)
    assert work.working_set_bytes == read + s


def test_the_reference_sum_is_exact_beyond_the_kernels_type() -> None:
    x = np.array([1.0, 1e-9, -1.0] * 20_000, np.float32)
    total, magnitude = exact_sum(x.size, "f32", lambda at, wider: x[at].astype(wider))
    assert float(total[0]) == pytest.approx(math.fsum(x.tolist()), rel=1e-6)
    assert float(magnitude[0]) == pytest.approx(math.fsum(np.abs(x).tolist()))


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_a_tolerance_never_exceeds_the_worst_case_and_grows_with_the_chain(dtype: str) -> None:
    additions = [2.0**k for k in range(40)]
    allowed = [positive_tolerance(h, dtype) for h in additions]
    assert allowed == sorted(allowed)
    assert all(t <= h * EPS[dtype] for t, h in zip(allowed, additions, strict=True))
    assert all(signed_tolerance(h, dtype) <= h * EPS[dtype] for h in additions)


def test_many_chains_are_short() -> None:
    assert longest(6400, 64) == 106
    assert longest(6400, 1) == 6400
