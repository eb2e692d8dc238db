"""Weights replaced by two factors: ranks, edges, how close the factors are and what the check catches."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.errors import UsageError
from kernelbench.kernels._check import WrongResult
from kernelbench.kernels._lowrank import TRUNCATED, factors
from kernelbench.kernels.lowrank import CROSSOVER
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

OP = VARIANTS["lowrank/naive"].op
FACTORED = [pair for pair in of_op("lowrank") if pair[0] != "lowrank/dense"]
SHAPES = ((0, 0), (0, 5), (5, 0), (1, 1), (1, 7), (7, 1), (2, 257), (63, 31), (64, 32), (65, 33))


def sized(m: int, n: int, rank: int = 5) -> dict[str, int]:
    return {**sizes("lowrank", m, n), "rank": rank}


@pytest.mark.parametrize(("name", "dtype"), of_op("lowrank"))
@pytest.mark.parametrize("offset", [0, 1])
def test_a_low_rank_product_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for m, n in SHAPES:
        VARIANTS[name].check(ran(name, dtype, sized(m, n), seed=m + n, offset=offset))


@few
@given(m=st.integers(1, 90), n=st.integers(1, 90), rank=st.integers(1, 20), seed=st.integers(0, 99))
def test_a_low_rank_product_is_right_at_any_shape_and_rank(m: int, n: int, rank: int, seed: int) -> None:
    name = "lowrank/factored"
    VARIANTS[name].check(ran(name, "f32", sized(m, n, rank), seed=seed, offset=seed % 3))


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_threads_are_right_where_the_factors_are_large_enough_to_share(dtype: str) -> None:
    found = ran("lowrank/parallel", dtype, sized(1100, 1000, 64))
    assert found.prepared[0].size + found.prepared[1].size >= CROSSOVER
    VARIANTS["lowrank/parallel"].check(found)


@few
@given(m=st.integers(1, 80), n=st.integers(1, 80), rank=st.integers(1, 12), seed=st.integers(0, 99))
def test_factors_are_nearly_as_close_as_any_of_their_rank(m: int, n: int, rank: int, seed: int) -> None:
    w, _ = OP.inputs(sized(m, n, rank), "f64", np.random.default_rng(seed))
    u, v = factors(w, min(rank, m, n))
    values = np.append(np.linalg.svd(w, compute_uv=False), np.zeros(rank))
    error = np.linalg.norm(w - u @ v, 2)
    assert error <= 1.2 * values[rank] + 1e-12 * values[0]
    assert error <= TRUNCATED * np.linalg.norm(w)


def test_weights_of_the_rank_asked_for_lose_nothing() -> None:
    found = ran("lowrank/factored", "f64", sized(5, 40, 16))
    truth = found.inputs[0] @ found.inputs[1]
    np.testing.assert_allclose(found.outputs[0], truth, rtol=1e-12, atol=1e-12)


def test_a_rank_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match="give a whole number from 1 on"):
        VARIANTS["lowrank/naive"].work(sized(4, 4, 0), "f32")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_without_factors_are_refused(bad: float) -> None:
    w = np.ones((3, 4), np.float32)
    w[1, 2] = bad
    with pytest.raises(ValueError, match="NaN or infinity"):
        factors(w, 2)


@pytest.mark.parametrize(("name", "dtype"), FACTORED)
def test_nan_in_the_vector_reaches_every_row(name: str, dtype: str) -> None:
    w, x = OP.inputs(sized(9, 37), dtype, np.random.default_rng(3))
    x[11] = np.nan
    found = ran(name, dtype, sized(9, 37), inputs=(w, x))
    VARIANTS[name].check(found)
    assert np.isnan(found.outputs[0]).all()


@pytest.mark.parametrize(("name", "dtype"), FACTORED)
def test_an_error_far_below_what_truncation_leaves_is_caught(name: str, dtype: str) -> None:
    found = ran(name, dtype, sized(40, 50))
    wrong = found.outputs[0].copy()
    wrong[7] += 1e-4
    with pytest.raises(WrongResult, match="on the same factors"):
        VARIANTS[name].check(replace(found, outputs=(wrong,)))


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_the_work_counts_the_factors(dtype: str) -> None:
    shape = sized(20, 30, 4)
    work = VARIANTS["lowrank/naive"].work(shape, dtype)
    u, v, x, _ = VARIANTS["lowrank/naive"].make_inputs(shape, dtype).arrays
    assert work.read_bytes == u.nbytes + v.nbytes + x.nbytes
    assert work.flop == 2 * (u.size + v.size)


def test_the_factored_kernel_computes_in_vectors_and_the_naive_one_does_not() -> None:
    assert isa_used(assembly("lowrank/naive", "f32")) == "scalar"
    assert isa_used(assembly("lowrank/factored", "f32")) != "scalar"
