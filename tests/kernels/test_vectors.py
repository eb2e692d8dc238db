"""copy, add, multiply, axpy and squared_difference: awkward lengths and places, special values, what is wrong."""

import platform
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from msgspec import structs

from kernelbench.kernels import _vectors, axpy
from kernelbench.kernels._check import WrongResult
from kernelbench.kernels._registry import NUMPY
from kernelbench.model import DTYPE_BYTES
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran

NAMES = ("copy", "add", "multiply", "axpy", "squared_difference")
ALL = [pair for op in NAMES for pair in of_op(op)]
TWO = [pair for op in NAMES[1:] for pair in of_op(op)]
LENGTHS = (0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 63, 65, 127, 257, 1009)
READS_AND_FLOP = {"copy": (1, 0), "add": (2, 1), "multiply": (2, 1), "axpy": (2, 2), "squared_difference": (2, 2)}


def special(dtype: str) -> tuple[np.ndarray, np.ndarray]:
    info = np.finfo(NUMPY[dtype])
    tiny, small, large, largest = (float(x) for x in (info.smallest_subnormal, info.tiny, info.max / 8, info.max))
    values = [np.nan, np.inf, -np.inf, 0.0, -0.0, tiny, -tiny, small, 1.0, -1.0, large, -large, largest]
    first, second = np.meshgrid(values, values)
    return first.ravel().astype(NUMPY[dtype]), second.ravel().astype(NUMPY[dtype])


def expected(op: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What NumPy gives in the operands' own type."""
    with np.errstate(all="ignore"):
        return {
            "add": lambda: x + y,
            "multiply": lambda: x * y,
            "axpy": lambda: x.dtype.type(axpy.ALPHA) * x + y,
            "squared_difference": lambda: np.square(x - y),
        }[op]()


@pytest.mark.parametrize(("name", "dtype"), ALL)
@pytest.mark.parametrize("offset", [0, 1])
def test_a_vector_op_is_right_at_awkward_lengths_and_places(name: str, dtype: str, offset: int) -> None:
    for n in LENGTHS:
        VARIANTS[name].check(ran(name, dtype, {"n": n}, seed=n, offset=offset))


@pytest.mark.parametrize(("name", "dtype"), of_op("copy"))
def test_a_copy_has_every_bit_of_its_operand(name: str, dtype: str) -> None:
    x, _ = special(dtype)
    found = ran(name, dtype, {"n": x.size}, inputs=(x,))
    assert found.outputs[0].tobytes() == x.tobytes()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's own variants meet inf - inf and overflow here
@pytest.mark.parametrize(("name", "dtype"), TWO)
def test_special_values_give_what_numpy_gives(name: str, dtype: str) -> None:
    x, y = special(dtype)
    found = ran(name, dtype, {"n": x.size}, inputs=(x, y))
    VARIANTS[name].check(found)
    np.testing.assert_allclose(
        found.outputs[0],
        expected(VARIANTS[name].op.name, x, y),
        rtol=4 * np.finfo(NUMPY[dtype]).eps,
        atol=2 * np.finfo(NUMPY[dtype]).smallest_subnormal,
    )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "dtype"), [(op + "/vectorized", d) for op in NAMES[1:] for d in ("f64", "f32")])
@few
@given(data=st.data())
def test_any_finite_values_within_range_pass_the_check(name: str, dtype: str, data: st.DataObject) -> None:
    bound = float(NUMPY[dtype].type(1e18))  # its square is finite in f32 as well
    elements = st.floats(-bound, bound, width=8 * DTYPE_BYTES[dtype])
    n = data.draw(st.integers(1, 40))
    x, y = (data.draw(arrays(NUMPY[dtype], n, elements=elements)) for _ in range(2))
    VARIANTS[name].check(ran(name, dtype, {"n": n}, inputs=(x, y)))


@pytest.mark.parametrize(("name", "dtype"), TWO)
def test_an_error_of_eight_units_in_the_last_place_is_wrong(name: str, dtype: str) -> None:
    found = ran(name, dtype, {"n": 37}, seed=3)
    for at in (0, 1, 18, 36):
        wrong = found.outputs[0].copy()
        x, y = (abs(float(v[at])) for v in found.inputs)
        scale = abs(float(wrong[at])) if VARIANTS[name].op.name in ("multiply", "squared_difference") else x + y
        wrong[at] += 8 * np.finfo(wrong.dtype).eps * max(scale, 1e-3)
        with pytest.raises(WrongResult, match="1 of 37 elements wrong"):
            VARIANTS[name].check(replace(found, outputs=(wrong,)))


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_a_copy_off_by_one_bit_is_wrong(dtype: str) -> None:
    found = ran("copy/vectorized", dtype, {"n": 37})
    wrong = found.outputs[0].copy()
    wrong[36] = np.nextafter(wrong[36], NUMPY[dtype].type(2))
    with pytest.raises(WrongResult, match=r"worst at \[36\]"):
        VARIANTS["copy/vectorized"].check(replace(found, outputs=(wrong,)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_the_work_is_that_of_the_formula(name: str, dtype: str) -> None:
    reads, flop = READS_AND_FLOP[name]
    work = VARIANTS[f"{name}/vectorized"].work({"n": 100}, dtype)
    vector_bytes = 100 * DTYPE_BYTES[dtype]
    assert (work.read_bytes, work.write_bytes, work.rfo_bytes) == (reads * vector_bytes, vector_bytes, vector_bytes)
    assert work.working_set_bytes == (reads + 1) * vector_bytes
    assert (work.flop or 0) == 100 * flop


def test_a_sum_beyond_the_range_of_the_type_must_be_infinite() -> None:
    exact = np.array([1e38, 3.5e38, -1e300])
    assert _vectors.in_range(exact, "f32").tolist() == [1e38, np.inf, -np.inf]
    assert _vectors.in_range(exact, "f64").tolist() == exact.tolist()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")
@pytest.mark.parametrize("op", NAMES)
@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_the_naive_rung_is_scalar_and_the_next_one_is_not(op: str, dtype: str) -> None:
    assert isa_used(assembly(f"{op}/naive", dtype)) == "scalar"
    assert isa_used(assembly(f"{op}/vectorized", dtype)) != "scalar"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")
def test_a_vectorized_copy_is_compiled_here_and_no_call_of_the_c_library() -> None:
    assert "memcpy" not in assembly("copy/vectorized", "f32")


STREAMING = (*NAMES, "relu", "triad")


@pytest.mark.parametrize("op", STREAMING)
@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_streaming_reads_no_line_for_ownership(op: str, dtype: str) -> None:
    plain, streaming = (VARIANTS[f"{op}/{name}"].work({"n": 100}, dtype) for name in ("vectorized", "streaming"))
    assert streaming == structs.replace(plain, rfo_bytes=0)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")
@pytest.mark.parametrize("op", STREAMING)
def test_streaming_stores_past_the_caches(op: str) -> None:
    assert "movnt" in assembly(f"{op}/streaming", "f32")


@pytest.mark.parametrize("op", STREAMING)
@pytest.mark.parametrize("offset", range(17))
def test_streaming_is_right_wherever_its_result_begins(op: str, offset: int) -> None:
    name = f"{op}/streaming"
    for n in (5, 64, 100):
        VARIANTS[name].check(ran(name, "f32", {"n": n}, seed=n, offset=offset))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("op", STREAMING)
@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_streaming_changes_no_bit_of_the_result(op: str, dtype: str) -> None:
    operands = special(dtype)[: 1 if op in ("copy", "relu") else 2]
    shape = {"n": operands[0].size}
    plain, streaming = (ran(f"{op}/{name}", dtype, shape, inputs=operands) for name in ("vectorized", "streaming"))
    np.testing.assert_array_equal(streaming.outputs[0], plain.outputs[0])


@pytest.mark.parametrize("op", STREAMING)
def test_a_parallel_vector_op_is_right_on_both_sides_of_its_crossover(op: str) -> None:
    for n in (_vectors.PARALLEL_ELEMENTS - 1, _vectors.PARALLEL_ELEMENTS + 3):
        VARIANTS[f"{op}/parallel"].check(ran(f"{op}/parallel", "f32", {"n": n}, seed=n))
