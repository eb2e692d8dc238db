"""Sparse matrix times vector: what is pruned, how it is stored, and every sparsity from none to all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernelbench.kernels.spmv import BAND, KEPT, stored, to_csr
from tests.kernels.running import VARIANTS, few, of_op, ran, sizes

SHAPES = ((0, 0), (0, 5), (5, 0), (1, 1), (1, 7), (7, 1), (2, 1009), (301, 3), (BAND - 1, 40), (BAND + 1, 170))
SPARSE = [pair for pair in of_op("spmv") if pair[0] != "spmv/dense"]
OP = VARIANTS["spmv/naive"].op


@pytest.mark.parametrize(("name", "dtype"), of_op("spmv"))
@pytest.mark.parametrize("offset", [0, 1])
def test_a_sparse_product_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for m, n in SHAPES:
        VARIANTS[name].check(ran(name, dtype, sizes("spmv", m, n), seed=m + n, offset=offset))


@pytest.mark.parametrize(("name", "dtype"), of_op("spmv"))
@pytest.mark.parametrize("sparsity", [0.0, 0.5, 1.0])
def test_a_sparse_product_is_right_at_any_sparsity(name: str, dtype: str, sparsity: float) -> None:
    rng = np.random.default_rng(6)
    a, x = OP.inputs(sizes("spmv", 37, 60), dtype, rng)
    a[...] = 1.5
    a[rng.random(a.shape) < sparsity] = 0
    found = ran(name, dtype, sizes("spmv", 37, 60), inputs=(a, x))
    VARIANTS[name].check(found)
    assert sparsity < 1 or not found.outputs[0].any()


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("size", [(1, 1), (5, 9), (40, 50)])
def test_exactly_the_largest_tenth_is_kept(dtype: str, size: tuple[int, int]) -> None:
    shape = sizes("spmv", *size)
    whole = np.abs(VARIANTS["gemv/naive"].op.inputs(shape, dtype, np.random.default_rng(4))[0])
    kept = np.abs(OP.inputs(shape, dtype, np.random.default_rng(4))[0])
    count = stored(shape)
    assert count == int(np.ceil(size[0] * size[1] / KEPT))
    assert np.sort(kept[kept > 0]).tolist() == np.sort(whole.reshape(-1))[-count:].tolist()


@few
@given(arrays(np.float32, st.tuples(st.integers(0, 7), st.integers(0, 9)), elements=st.sampled_from([0.0, 1.0, -2.5])))
def test_the_stored_rows_hold_the_matrix(a: np.ndarray) -> None:
    values, columns, starts, _ = to_csr((a, np.ones(a.shape[1], np.float32)))
    again = np.zeros_like(a)
    for i in range(a.shape[0]):
        for p in range(starts[i], starts[i + 1]):
            again[i, columns[p]] = values[p]
    assert np.array_equal(again, a)
    assert starts[-1] == values.size == np.count_nonzero(a)


@pytest.mark.parametrize(("name", "dtype"), of_op("spmv"))
def test_an_infinity_in_the_vector_reaches_the_rows_that_store_its_column_and_dense_ones_all(
    name: str, dtype: str
) -> None:
    a, x = OP.inputs(sizes("spmv", 6, 20), dtype, np.random.default_rng(1))
    a[...] = 0
    a[2, 7], a[3, 8], x[7] = 1, 1, np.inf
    found = ran(name, dtype, sizes("spmv", 6, 20), inputs=(a, x))
    VARIANTS[name].check(found)
    rows = np.flatnonzero(~np.isfinite(found.outputs[0])).tolist()
    assert rows == ([0, 1, 2, 3, 4, 5] if name == "spmv/dense" else [2])


@pytest.mark.parametrize(("name", "dtype"), SPARSE)
def test_nan_stored_in_a_row_reaches_that_row_only(name: str, dtype: str) -> None:
    a, x = OP.inputs(sizes("spmv", 6, 20), dtype, np.random.default_rng(1))
    a[4, 19] = np.nan
    found = ran(name, dtype, sizes("spmv", 6, 20), inputs=(a, x))
    VARIANTS[name].check(found)
    assert np.flatnonzero(np.isnan(found.outputs[0])).tolist() == [4]


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_the_work_counts_what_is_stored(dtype: str) -> None:
    shape = sizes("spmv", 20, 30)
    work = VARIANTS["spmv/naive"].work(shape, dtype)
    prepared = VARIANTS["spmv/naive"].make_inputs(shape, dtype).arrays
    assert work.read_bytes == sum(array.nbytes for array in prepared)
    assert work.flop == 2 * prepared[0].size


def test_scipy_runs_or_says_why_not() -> None:
    reason = VARIANTS["spmv/scipy"].unavailable()
    assert reason == "" or "pip install scipy" in reason
