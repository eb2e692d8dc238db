"""Sparse matrix times dense: column blocks, panels and their edges, every sparsity from none to all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels._column_blocks import KC, block_bytes, bounds_of_rows, to_column_blocks
from kernelbench.kernels.spmm import CROSSOVER, stored
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

OP = VARIANTS["spmm/naive"].op
SHAPES = (
    *((0, 0, 0), (0, 5, 3), (5, 0, 4), (5, 4, 0), (1, 1, 1), (1, 7, 1), (7, 1, 30)),
    # One off the edges of a block of columns and of 4 vectors at every width.
    *((3, 65, KC - 1), (5, 63, KC + 1), (31, 130, 2 * KC), (9, 17, 2 * KC + 1)),
)


def sized(m: int, n: int, k: int, sparsity: float = 0.9) -> dict[str, float]:
    return {**sizes("spmm", m, n, k), "sparsity": sparsity}


@pytest.mark.parametrize(("name", "dtype"), of_op("spmm"))
@pytest.mark.parametrize("offset", [0, 1])
def test_a_sparse_product_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for size in SHAPES:
        VARIANTS[name].check(ran(name, dtype, sized(*size), seed=sum(size), offset=offset))


@pytest.mark.parametrize(("name", "dtype"), of_op("spmm"))
@pytest.mark.parametrize("sparsity", [0, 0.5, 0.95, 1])
def test_a_sparse_product_is_right_at_any_sparsity(name: str, dtype: str, sparsity: float) -> None:
    shape = sized(13, 70, 150, sparsity)
    found = ran(name, dtype, shape)
    VARIANTS[name].check(found)
    assert np.count_nonzero(found.inputs[0]) == stored(shape)
    assert sparsity < 1 or not found.outputs[0].any()


@pytest.mark.parametrize("name", ["spmm/vectorized", "spmm/tiled"])
@few
@given(
    m=st.integers(1, 20),
    n=st.integers(1, 140),
    k=st.integers(1, 300),
    sparsity=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_a_sparse_product_is_right_at_any_shape(name: str, m: int, n: int, k: int, sparsity: float, seed: int) -> None:
    VARIANTS[name].check(ran(name, "f32", sized(m, n, k, sparsity), seed=seed, offset=seed % 3))


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_threads_are_right_where_the_product_is_large_enough_to_share(dtype: str) -> None:
    found = ran("spmm/parallel", dtype, sized(41, 100, 150, 0.5))
    assert found.prepared[0].size * 100 >= CROSSOVER
    VARIANTS["spmm/parallel"].check(found)


@few
@given(m=st.integers(0, 6), k=st.integers(0, 300), sparsity=st.floats(0, 1), seed=st.integers(0, 99))
def test_the_column_blocks_hold_the_matrix(m: int, k: int, sparsity: float, seed: int) -> None:
    a, _ = OP.inputs(sized(m, 1, k, sparsity), "f32", np.random.default_rng(seed))
    values, columns, starts = to_column_blocks(a)
    again = np.zeros_like(a)
    for row in range(starts.size - 1):
        for p in range(starts[row], starts[row + 1]):
            again[row % m, row // m * KC + int(columns[p])] = values[p]
    assert np.array_equal(again, a)


def test_a_row_of_all_the_elements_is_one_threads() -> None:
    a = np.zeros((9, 50), np.float32)
    a[6] = 1
    bounds = bounds_of_rows(a)
    assert bounds[0] == 0
    assert bounds[-1] == 9


@pytest.mark.parametrize(("name", "dtype"), of_op("spmm"))
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_in_b_reaches_its_column_where_it_is_stored(name: str, dtype: str, odd: float) -> None:
    a, b = OP.inputs(sized(9, 40, 200), dtype, np.random.default_rng(1))
    a[:, 150] = 0
    a[2, 150], b[150, 33] = 1, odd
    with np.errstate(invalid="ignore"):
        found = ran(name, dtype, sized(9, 40, 200), inputs=(a, b))
        VARIANTS[name].check(found)
    wrong = np.argwhere(~np.isfinite(found.outputs[0])).tolist()
    assert wrong == ([[i, 33] for i in range(9)] if name == "spmm/dense" else [[2, 33]])


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_the_work_counts_what_is_stored(dtype: str) -> None:
    shape = sized(20, 33, 300, 0.9)
    for name, operands in (("spmm/naive", 4), ("spmm/tiled", 4)):
        work = VARIANTS[name].work(shape, dtype)
        prepared = VARIANTS[name].make_inputs(shape, dtype).arrays
        assert work.read_bytes == sum(array.nbytes for array in prepared[:operands])
        assert work.flop == 2 * prepared[0].size * 33
    values, columns, starts = to_column_blocks(OP.inputs(shape, dtype, np.random.default_rng(0))[0])
    assert block_bytes(20, 300, values.size, values.itemsize) == values.nbytes + columns.nbytes + starts.nbytes


def test_the_vectorized_kernels_compute_in_vectors_and_the_naive_one_does_not() -> None:
    assert isa_used(assembly("spmm/naive", "f32")) == "scalar"
    for name in ("spmm/vectorized", "spmm/tiled"):
        assert isa_used(assembly(name, "f32")) != "scalar"
