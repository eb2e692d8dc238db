"""2:4 sparsity: which two of four are kept, their bits, and rows that do not divide."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernelbench.kernels.structured_sparse import CROSSOVER, PAIRS, stored, two_of_four
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

OP = VARIANTS["structured_sparse/naive"].op
SPARSE = [pair for pair in of_op("structured_sparse") if pair[0] != "structured_sparse/dense"]
SHAPES = ((0, 0), (0, 5), (5, 0), (1, 1), (1, 2), (7, 3), (2, 1009), (33, 31), (3, 32), (4, 33), (5, 64), (31, 170))


def sized(m: int, n: int) -> dict[str, int]:
    return sizes("structured_sparse", m, n)


@pytest.mark.parametrize(("name", "dtype"), of_op("structured_sparse"))
@pytest.mark.parametrize("offset", [0, 1])
def test_a_product_of_two_in_four_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for m, n in SHAPES:
        VARIANTS[name].check(ran(name, dtype, sized(m, n), seed=m + n, offset=offset))


@pytest.mark.parametrize("name", ["structured_sparse/vectorized", "structured_sparse/tiled"])
@few
@given(m=st.integers(1, 40), n=st.integers(1, 140), seed=st.integers(0, 99))
def test_a_product_of_two_in_four_is_right_at_any_shape(name: str, m: int, n: int, seed: int) -> None:
    VARIANTS[name].check(ran(name, "f32", sized(m, n), seed=seed, offset=seed % 3))


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_threads_are_right_where_the_product_is_large_enough_to_share(dtype: str) -> None:
    found = ran("structured_sparse/parallel", dtype, sized(230, 600))
    assert found.prepared[0].size >= CROSSOVER
    VARIANTS["structured_sparse/parallel"].check(found)


@few
@given(n=st.integers(1, 70), seed=st.integers(0, 99))
def test_of_four_neighbours_the_two_largest_are_kept(n: int, seed: int) -> None:
    whole = VARIANTS["gemv/naive"].op.inputs(sizes("gemv", 3, n), "f32", np.random.default_rng(seed))[0]
    kept = OP.inputs(sized(3, n), "f32", np.random.default_rng(seed))[0]
    assert np.array_equal(kept[kept != 0], whole[kept != 0])
    for first in range(0, n, 4):
        group, left = np.abs(whole[:, first : first + 4]), np.abs(kept[:, first : first + 4])
        two = np.sort(group, axis=1)[:, -2:]
        assert np.array_equal(np.sort(left, axis=1)[:, -2:], two)
        assert (np.count_nonzero(left, axis=1) == min(2, group.shape[1])).all()


@few
@given(
    arrays(np.float32, st.tuples(st.integers(0, 4), st.integers(0, 90)), elements=st.sampled_from([0.0, 1.0, -2.5])),
    st.integers(0, 3),
)
def test_values_and_bits_hold_the_matrix_also_where_groups_have_fewer_than_two(a: np.ndarray, zero: int) -> None:
    a[:, zero::4] = 0
    a[:, (zero + 1) % 4 :: 4] = 0
    values, bits = two_of_four(a)
    assert values.shape == (a.shape[0], stored(a.shape[1]))
    again = np.zeros_like(a)
    for i, p in np.ndindex(*values.shape):
        column = 4 * (p // 2) + (int(bits[i, p // PAIRS]) >> 2 * (p % PAIRS) & 3)
        assert column < a.shape[1]
        again[i, column] = values[i, p]
    assert np.array_equal(again, a)


def test_three_of_four_are_refused() -> None:
    with pytest.raises(ValueError, match="prune a to 2:4 first"):
        two_of_four(np.array([[0, 0, 1, 1, 1, 0, 1, 1]], np.float32))


@pytest.mark.parametrize(("name", "dtype"), SPARSE)
@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_not_finite_in_x_reaches_the_rows_that_store_its_column(name: str, dtype: str, odd: float) -> None:
    a, x = OP.inputs(sized(20, 70), dtype, np.random.default_rng(1))
    x[13], x[67] = odd, odd
    found = ran(name, dtype, sized(20, 70), inputs=(a, x))
    VARIANTS[name].check(found)
    hit = (a[:, [13, 67]] != 0).any(axis=1)
    assert np.array_equal(~np.isfinite(found.outputs[0]), hit)
    assert 0 < hit.sum() < 20


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_the_work_counts_what_is_stored(dtype: str) -> None:
    for n in (32, 50):
        work = VARIANTS["structured_sparse/naive"].work(sized(20, n), dtype)
        prepared = VARIANTS["structured_sparse/naive"].make_inputs(sized(20, n), dtype).arrays
        assert work.read_bytes == sum(array.nbytes for array in prepared)
        assert work.flop == 2 * prepared[0].size


def test_the_vectorized_kernels_compute_in_vectors_and_the_naive_one_does_not() -> None:
    assert isa_used(assembly("structured_sparse/naive", "f32")) == "scalar"
    for name in ("structured_sparse/vectorized", "structured_sparse/tiled"):
        assert isa_used(assembly(name, "f32")) != "scalar"
