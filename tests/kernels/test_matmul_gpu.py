"""The CUDA-shaped matmul: edges of its blocks and tiles, any shape, more blocks than cores."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels.matmul_gpu import BLOCK_COLUMNS, BLOCK_ROWS, STEPS
from tests.kernels.running import VARIANTS, few, ran, sizes

NAME = "matmul/gpu_style"


@pytest.mark.parametrize("off", [-1, 0, 1])
@pytest.mark.parametrize("offset", [0, 1])
def test_blocks_and_tiles_are_right_one_off_their_edges(off: int, offset: int) -> None:
    shape = sizes("matmul", BLOCK_ROWS + off, BLOCK_COLUMNS + off, STEPS + off)
    VARIANTS[NAME].check(ran(NAME, "f32", shape, seed=off + 1, offset=offset))


def test_a_grid_of_more_blocks_than_cores_is_worked_off() -> None:
    blocks = numba.get_num_threads() + 1
    VARIANTS[NAME].check(ran(NAME, "f32", sizes("matmul", blocks * BLOCK_ROWS + 3, BLOCK_COLUMNS + 7, 2 * STEPS + 5)))


@few
@given(m=st.integers(1, 70), n=st.integers(1, 140), k=st.integers(1, 140), seed=st.integers(0, 99))
def test_a_grid_of_blocks_is_right_at_any_shape(m: int, n: int, k: int, seed: int) -> None:
    VARIANTS[NAME].check(ran(NAME, "f32", sizes("matmul", m, n, k), seed=seed, offset=seed % 3))


def test_no_steps_make_a_product_of_zeros() -> None:
    assert not ran(NAME, "f32", sizes("matmul", 5, 9, 0)).outputs[0].any()


def test_nan_in_an_operand_stays_in_its_row_and_column() -> None:
    a, b = VARIANTS[NAME].op.inputs(sizes("matmul", 9, 70, 70), "f32", np.random.default_rng(1))
    a[4, 69], b[66, 68] = np.nan, np.inf
    c = ran(NAME, "f32", sizes("matmul", 9, 70, 70), inputs=(a, b)).outputs[0]
    rows, columns = np.nonzero(~np.isfinite(c))
    assert set(rows.tolist()) == set(range(9))
    assert all(row == 4 or column == 68 for row, column in zip(rows, columns, strict=True))
