"""Sparse matrix times vector: what is pruned, how it is stored, and every sparsity from none to all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernelbench.errors import UsageError
from kernelbench.kernels._bitmap import to_bitmap
from kernelbench.kernels._csr import SPARSITIES, even_bounds, to_csr
from kernelbench.kernels.spmv import CROSSOVER, stored
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

SHAPES = ((0, 0), (0, 5), (5, 0), (1, 1), (1, 7), (7, 1), (2, 1009), (301, 3), (31, 40), (33, 170))
SPARSE = [pair for pair in of_op("spmv") if pair[0] != "spmv/dense"]
OP = VARIANTS["spmv/naive"].op


def sized(m: int, n: int, sparsity: float = 0.9) -> dict[str, float]:
    return {**sizes("spmv", m, n), "sparsity": sparsity}


@pytest.mark.parametrize(("name", "dtype"), of_op("spmv"))
@pytest.mark.parametrize("offset", [0, 1])
def test_a_sparse_product_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for m, n in SHAPES:
        VARIANTS[name].check(ran(name, dtype, sized(m, n), seed=m + n, offset=offset))


@pytest.mark.parametrize(("name", "dtype"), of_op("spmv"))
@pytest.mark.parametrize("sparsity", [0, 0.5, 0.95, 1])
def test_a_sparse_product_is_right_at_any_sparsity(name: str, dtype: str, sparsity: float) -> None:
    found = ran(name, dtype, sized(37, 160, sparsity))
    VARIANTS[name].check(found)
    assert np.count_nonzero(found.inputs[0]) == stored(sized(37, 160, sparsity))
    assert sparsity < 1 or not found.outputs[0].any()


@pytest.mark.parametrize("sparsity", [-0.1, 1.1, float("nan")])
def test_a_sparsity_that_is_no_share_is_refused(sparsity: float) -> None:
    with pytest.raises(UsageError, match="is not between 0"):
        OP.inputs(sized(3, 4, sparsity), "f32", np.random.default_rng(0))


@pytest.mark.parametrize("name", ["spmv/vectorized", "spmv/bitmap", "spmv/sliced"])
@few
@given(m=st.integers(1, 40), n=st.integers(1, 140), sparsity=st.floats(0, 1), seed=st.integers(0, 99))
def test_a_sparse_product_is_right_at_any_shape(name: str, m: int, n: int, sparsity: float, seed: int) -> None:
    VARIANTS[name].check(ran(name, "f32", sized(m, n, sparsity), seed=seed, offset=seed % 3))


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("size", [(1, 1), (5, 9), (40, 50)])
@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_exactly_the_largest_are_kept(dtype: str, size: tuple[int, int], sparsity: float) -> None:
    shape = sized(*size, sparsity)
    whole = np.abs(VARIANTS["gemv/naive"].op.inputs(shape, dtype, np.random.default_rng(4))[0])
    kept = np.abs(OP.inputs(shape, dtype, np.random.default_rng(4))[0])
    count = stored(shape)
    assert count == int(np.ceil(round(size[0] * size[1] * (1 - sparsity), 6)))
    assert np.sort(kept[kept > 0]).tolist() == np.sort(whole.reshape(-1))[-count:].tolist()


pruned = arrays(
    np.float32, st.tuples(st.integers(0, 7), st.integers(0, 37)), elements=st.sampled_from([0.0, 1.0, -2.5])
)


@few
@given(pruned)
def test_the_stored_rows_hold_the_matrix(a: np.ndarray) -> None:
    values, columns, starts = to_csr(a)
    again = np.zeros_like(a)
    for i in range(a.shape[0]):
        for p in range(starts[i], starts[i + 1]):
            again[i, columns[p]] = values[p]
    assert np.array_equal(again, a)
    assert starts[-1] == values.size == np.count_nonzero(a)


@few
@given(pruned)
def test_the_bitmap_has_a_bit_for_each_value(a: np.ndarray) -> None:
    values, words = to_bitmap(a)
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little", count=a.shape[1])
    assert np.array_equal(bits, a != 0)
    assert values[: np.count_nonzero(a)].tolist() == a[a != 0].tolist()


@few
@given(st.lists(st.integers(0, 9), max_size=30))
def test_threads_share_the_stored_elements_and_every_row_is_somebodys(lengths: list[int]) -> None:
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.uint32)]).astype(np.uint32)
    bounds = even_bounds(starts)
    assert bounds[0] == 0
    assert bounds[-1] == len(lengths)
    assert (np.diff(bounds) >= 0).all()
    each = np.diff(starts[bounds].astype(int))
    assert each.max() - each.min() <= 2 * max(lengths, default=0)


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_threads_are_right_where_the_product_is_large_enough_to_share(dtype: str) -> None:
    found = ran("spmv/parallel", dtype, sized(300, 150, 0.5))
    assert found.prepared[0].size >= CROSSOVER
    VARIANTS["spmv/parallel"].check(found)


@pytest.mark.parametrize(("name", "dtype"), of_op("spmv"))
def test_an_infinity_in_the_vector_reaches_the_rows_that_store_its_column_and_dense_ones_all(
    name: str, dtype: str
) -> None:
    a, x = OP.inputs(sized(6, 20), dtype, np.random.default_rng(1))
    a[...] = 0
    a[2, 7], a[3, 8], x[7] = 1, 1, np.inf
    found = ran(name, dtype, sized(6, 20), inputs=(a, x))
    VARIANTS[name].check(found)
    rows = np.flatnonzero(~np.isfinite(found.outputs[0])).tolist()
    assert rows == ([0, 1, 2, 3, 4, 5] if name == "spmv/dense" else [2])


@pytest.mark.parametrize(("name", "dtype"), of_op("spmv"))
def test_infinity_and_nan_all_over_the_vector_stay_with_the_rows_that_store_them(name: str, dtype: str) -> None:
    a, x = OP.inputs(sized(40, 70), dtype, np.random.default_rng(1))
    x[::3], x[1::3] = np.inf, np.nan
    with np.errstate(invalid="ignore"):
        VARIANTS[name].check(ran(name, dtype, sized(40, 70), inputs=(a, x)))


@pytest.mark.parametrize(("name", "dtype"), SPARSE)
def test_nan_stored_in_a_row_reaches_that_row_only(name: str, dtype: str) -> None:
    a, x = OP.inputs(sized(6, 20), dtype, np.random.default_rng(1))
    a[4, 19] = np.nan
    found = ran(name, dtype, sized(6, 20), inputs=(a, x))
    VARIANTS[name].check(found)
    assert np.flatnonzero(np.isnan(found.outputs[0])).tolist() == [4]


@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_the_work_counts_what_is_stored(dtype: str, sparsity: float) -> None:
    shape = sized(20, 30, sparsity)
    work = VARIANTS["spmv/naive"].work(shape, dtype)
    prepared = VARIANTS["spmv/naive"].make_inputs(shape, dtype).arrays
    assert work.read_bytes == sum(array.nbytes for array in prepared)
    assert work.flop == 2 * prepared[0].size


def test_the_vectorized_kernels_compute_in_vectors_and_the_naive_one_does_not() -> None:
    assert isa_used(assembly("spmv/naive", "f32")) == "scalar"
    for name in ("spmv/vectorized", "spmv/bitmap", "spmv/sliced"):
        assert isa_used(assembly(name, "f32")) != "scalar"


def test_scipy_runs_or_says_why_not() -> None:
    reason = VARIANTS["spmv/scipy"].unavailable()
    assert reason == "" or "pip install" in reason
