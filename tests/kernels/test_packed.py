"""The packed matmul at the borders of its own blocks: tiles, slivers, panels and the choice to pack."""

import numpy as np
import pytest

from kernelbench.kernels import _gemm
from kernelbench.kernels._scratch import Scratch
from kernelbench.simd.vector import lanes_of
from tests.kernels.running import VARIANTS, ran, sizes

KC, NC = _gemm.KC_BYTES // 4, _gemm.NC_BYTES // 4
LANES, MR = lanes_of(4), _gemm.MR
NR = _gemm.VECTORS * LANES
PACKED_ROWS = _gemm.PACK_FROM_BLOCKS * MR
NAMES = ("matmul/packed", "matmul/packed_parallel")
BORDERS = (
    (MR - 1, NR - 1, KC - 1),
    (MR + 1, LANES + 1, KC + 1),
    (MR, NC + 1, 2),
    (2, NC - 1, KC),
    # In place below this many rows, packed from here on.
    (PACKED_ROWS - MR, NR + 1, 3),
    (PACKED_ROWS, NR + LANES, KC + 1),
    (PACKED_ROWS + 1, NC + LANES - 1, 5),
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["f64", "f32"])
@pytest.mark.parametrize("size", BORDERS)
def test_a_packed_product_is_right_at_the_borders_of_its_blocks(
    name: str, dtype: str, size: tuple[int, int, int]
) -> None:
    VARIANTS[name].check(ran(name, dtype, sizes("matmul", *size), seed=sum(size), offset=1))


@pytest.mark.parametrize("name", NAMES)
def test_every_height_and_width_of_the_tile_is_right(name: str) -> None:
    for rows in range(1, MR + 1):
        for columns in {1, LANES, LANES + 1, NR}:
            VARIANTS[name].check(ran(name, "f32", sizes("matmul", rows, columns, 4), seed=rows, offset=2))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(0, 3, 2), (3, 0, 2), (3, 2, 0), (0, 0, 0)])
def test_an_empty_product_is_empty_and_an_empty_sum_is_zero(name: str, size: tuple[int, int, int]) -> None:
    made = ran(name, "f32", sizes("matmul", *size)).outputs[0]
    assert made.shape == size[:2]
    assert (made == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_finite_stays_in_its_own_row_and_column(name: str) -> None:
    m, n, k = 2 * MR + 1, NR + 3, 5
    a, b = np.ones((m, k), np.float32), np.ones((k, n), np.float32)
    a[MR, 2], b[3, n - 1] = np.nan, np.inf
    made = ran(name, "f32", sizes("matmul", m, n, k), inputs=(a, b)).outputs[0]
    expected = np.full((m, n), k, np.float32)
    expected[:, n - 1] = np.inf
    expected[MR] = np.nan
    np.testing.assert_array_equal(made, expected)


def test_more_parts_than_rows_or_columns_give_the_same_product() -> None:
    variant = VARIANTS["matmul/packed_parallel"]
    for size in ((1, 5, 3), (9 * MR, 100, 7), (40 * MR, 3, 2)):
        a, b = variant.op.inputs(sizes("matmul", *size), "f32", np.random.default_rng(1))
        c = np.full((size[0], size[1]), np.nan, np.float32)
        each = _gemm.WORKSPACE_BYTES
        blocks = (_gemm.KC_BYTES, _gemm.NC_BYTES, _gemm.PACK_FROM_BLOCKS)
        variant.function(a, b, *blocks, 8, Scratch.of(7 * each), each, 7, c)
        np.testing.assert_allclose(c, a.astype(np.float64) @ b, rtol=1e-4, atol=1e-5)
