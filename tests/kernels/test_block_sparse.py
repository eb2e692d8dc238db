"""Products with a matrix of which whole blocks are pruned away: blocks that stick out, edges, sparsities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels._blocks import BLOCK, to_bsr
from kernelbench.kernels.block_sparse import CROSSOVER, stored
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

OP = VARIANTS["block_sparse/naive"].op
SHAPES = (
    *((0, 0, 0), (0, 5, 3), (5, 0, 4), (5, 4, 0), (1, 1, 1), (7, 1, 30)),
    # One off the edges of a block, of half a block's rows and of 2 vectors.
    *((15, 31, 17), (17, 33, 15), (16, 32, 16), (8, 65, 33), (9, 130, 47), (40, 9, 64)),
)


def sized(m: int, n: int, k: int, sparsity: float = 0.5) -> dict[str, float]:
    return {**sizes("block_sparse", m, n, k), "sparsity": sparsity}


@pytest.mark.parametrize(("name", "dtype"), of_op("block_sparse"))
@pytest.mark.parametrize("offset", [0, 1])
def test_a_block_sparse_product_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for size in SHAPES:
        VARIANTS[name].check(ran(name, dtype, sized(*size), seed=sum(size), offset=offset))


@pytest.mark.parametrize(("name", "dtype"), of_op("block_sparse"))
@pytest.mark.parametrize("sparsity", [0, 0.95, 1])
def test_a_block_sparse_product_is_right_at_any_sparsity(name: str, dtype: str, sparsity: float) -> None:
    found = ran(name, dtype, sized(50, 35, 100, sparsity))
    VARIANTS[name].check(found)
    assert sparsity < 1 or not found.outputs[0].any()


@few
@given(
    m=st.integers(1, 50), n=st.integers(1, 80), k=st.integers(1, 70), sparsity=st.floats(0, 1), seed=st.integers(0, 99)
)
def test_a_block_sparse_product_is_right_at_any_shape(m: int, n: int, k: int, sparsity: float, seed: int) -> None:
    name = "block_sparse/vectorized"
    VARIANTS[name].check(ran(name, "f32", sized(m, n, k, sparsity), seed=seed, offset=seed % 3))


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_threads_are_right_where_the_product_is_large_enough_to_share(dtype: str) -> None:
    found = ran("block_sparse/parallel", dtype, sized(100, 90, 70))
    assert found.prepared[0].size * 90 >= CROSSOVER
    VARIANTS["block_sparse/parallel"].check(found)


@few
@given(m=st.integers(0, 40), k=st.integers(0, 70), sparsity=st.floats(0, 1), seed=st.integers(0, 99))
def test_the_blocks_hold_the_matrix(m: int, k: int, sparsity: float, seed: int) -> None:
    shape = sized(m, 1, k, sparsity)
    a, _ = OP.inputs(shape, "f32", np.random.default_rng(seed))
    values, columns, starts = to_bsr(a)
    again = np.zeros((BLOCK * (starts.size - 1), k + BLOCK), np.float32)
    for band in range(starts.size - 1):
        for block in range(starts[band], starts[band + 1]):
            down, across = BLOCK * band, BLOCK * int(columns[block])
            part = again[down : down + BLOCK, across : across + BLOCK]
            part[...] = values[block].T[:, : part.shape[1]]
    assert np.array_equal(again[:m, :k], a)
    assert len(values) == stored(shape)


def test_the_blocks_of_largest_norm_are_kept() -> None:
    shape = sized(64, 1, 96, 0.5)
    whole = VARIANTS["matmul/naive"].op.inputs(sizes("matmul", 64, 1, 96), "f64", np.random.default_rng(3))[0]
    kept = OP.inputs(shape, "f64", np.random.default_rng(3))[0]
    norms = (whole.reshape(4, BLOCK, 6, BLOCK) ** 2).sum(axis=(1, 3))
    there = (kept.reshape(4, BLOCK, 6, BLOCK) != 0).any(axis=(1, 3))
    assert there.sum() == 12
    assert norms[there].min() > norms[~there].max()
    assert np.array_equal(kept[kept != 0], whole[kept != 0])


@pytest.mark.parametrize(("name", "dtype"), of_op("block_sparse"))
@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_not_finite_in_a_block_reaches_its_row_only(name: str, dtype: str, odd: float) -> None:
    a, b = OP.inputs(sized(20, 24, 40, 0), dtype, np.random.default_rng(1))
    a[18, 33] = odd
    with np.errstate(invalid="ignore"):
        found = ran(name, dtype, sized(20, 24, 40, 0), inputs=(a, b))
        VARIANTS[name].check(found)
    assert np.flatnonzero(~np.isfinite(found.outputs[0]).all(axis=1)).tolist() == [18]


@pytest.mark.parametrize(("name", "dtype"), [p for p in of_op("block_sparse") if p[0] != "block_sparse/dense"])
def test_infinity_in_b_does_not_meet_blocks_that_are_not_stored(name: str, dtype: str) -> None:
    a, b = OP.inputs(sized(32, 24, 40, 0), dtype, np.random.default_rng(1))
    a[16:, 16:32], b[20, 5] = 0, np.inf
    with np.errstate(invalid="ignore"):
        found = ran(name, dtype, sized(32, 24, 40, 0), inputs=(a, b))
        VARIANTS[name].check(found)
    assert np.isfinite(found.outputs[0][16:]).all()


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_the_work_counts_what_is_stored(dtype: str) -> None:
    shape = sized(32, 33, 64, 0.5)
    work = VARIANTS["block_sparse/naive"].work(shape, dtype)
    prepared = VARIANTS["block_sparse/naive"].make_inputs(shape, dtype).arrays
    assert work.read_bytes == sum(array.nbytes for array in prepared)
    assert work.flop == 2 * prepared[0].size * 33


def test_the_vectorized_kernel_computes_in_vectors_and_the_naive_one_does_not() -> None:
    assert isa_used(assembly("block_sparse/naive", "f32")) == "scalar"
    assert isa_used(assembly("block_sparse/vectorized", "f32")) != "scalar"
