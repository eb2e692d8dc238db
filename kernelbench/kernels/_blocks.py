"""Matrices of which whole blocks of 16 x 16 are stored (BSR, block sparse rows), and their product's tile."""

import numpy as np
from numba import njit

from kernelbench.kernels._csr import to_csr
from kernelbench.kernels._scratch import workspace
from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import element_pointer, lanes_of, vector_bytes

BLOCK = 16
"""Rows and columns of a block, as pruning for matrix units keeps them (Gray, Radford, Kingma 2017, use 8 to 32)."""
HALF = 8
"""Rows of a tile: 8 x 2 vectors of sums are half of AVX-512's 32 registers, 8 x 1 half of AVX2's 16."""
VECTORS = 2 if vector_bytes() == 64 else 1
"""Vectors across a tile: 8 rows by 2 take 10 loads for 16 FMAs, which the load units keep up with."""


def block_grid(rows: int, columns: int) -> tuple[int, int]:
    """Blocks down and across; those at the edges may stick out."""
    return -(-rows // BLOCK), -(-columns // BLOCK)


def in_blocks(a: np.ndarray) -> np.ndarray:
    """a[m,k] as [down,across,16,16], zeros beyond its edges."""
    down, across = block_grid(*a.shape)
    padded = np.zeros((down * BLOCK, across * BLOCK), a.dtype)
    padded[: a.shape[0], : a.shape[1]] = a
    return padded.reshape(down, BLOCK, across, BLOCK).swapaxes(1, 2)


def to_bsr(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(values[blocks,16,16], columns[blocks] uint32, starts[down+1] uint32) of the blocks of a that are not all zero.

    values[block, p, r] is row r, column p of its block: what one row of b meets lies together. Columns count blocks.
    """
    apart = in_blocks(a)
    kept = (apart != 0).any(axis=(2, 3))
    _, columns, starts = to_csr(kept)
    return np.ascontiguousarray(apart[kept].swapaxes(1, 2)), columns, starts


def bsr_bytes(down: int, blocks: int, itemsize: int) -> int:
    """Whole blocks with a column of 4 bytes each, and where each row of blocks starts."""
    return blocks * (BLOCK * BLOCK * itemsize + 4) + 4 * (down + 1)


def panel_of(b: np.ndarray, threads: int) -> np.ndarray:
    """Scratch memory panels[threads, k, VECTORS x lanes] for the columns of b[k,n] that a tile spans."""
    return workspace((threads, max(1, b.shape[0]), VECTORS * lanes_of(b.itemsize)), b.dtype)


@njit(nogil=True)
def eight(column, x, sums):
    """sums[r] + column[r] x for 8 rows r; ``column`` is a pointer."""
    return (
        simd.fma(x, column[0], sums[0]),
        simd.fma(x, column[1], sums[1]),
        simd.fma(x, column[2], sums[2]),
        simd.fma(x, column[3], sums[3]),
        simd.fma(x, column[4], sums[4]),
        simd.fma(x, column[5], sums[5]),
        simd.fma(x, column[6], sums[6]),
        simd.fma(x, column[7], sums[7]),
    )


@njit(nogil=True)
def store_eight(sums, y, i, j):
    """Write 8 sums to rows i.. of y, from column j on, as far as y goes."""
    m, n = y.shape
    if n > j:
        for row, total in enumerate(sums):
            if i + row < m:
                simd.store_part(y, (i + row) * n + j, total, n - j)


@njit(nogil=True)
def tile(values, columns, first, last, half, panel, y, i, j):
    """y[i:i+8, j: VECTORS x lanes] = the rows half..half+8 of the blocks first..last, times the panel of b."""
    depth, step, zero = panel.shape[0], simd.lanes(y), simd.zeros(y)
    left = (zero, zero, zero, zero, zero, zero, zero, zero)
    right = left
    for block in range(first, last):
        row = np.intp(columns[block]) * BLOCK
        # The last block's columns may stick out of a, where b has no rows.
        for p in range(min(BLOCK, depth - row)):
            column = element_pointer(values, (block * BLOCK + p) * BLOCK + half)
            of_b = (row + p) * VECTORS * step
            left = eight(column, simd.load(panel, of_b), left)
            if VECTORS == 2:
                right = eight(column, simd.load(panel, of_b + step), right)
    store_eight(left, y, i, j)
    if VECTORS == 2:
        store_eight(right, y, i, j + step)


@njit(nogil=True)
def product(values, columns, starts, b, panel, y, first, last):
    """Rows of blocks first..last of y = a b; the columns of b that a tile spans are copied to ``panel``."""
    n, step, flat = y.shape[1], simd.lanes(y), values.reshape(-1)
    for j in range(0, n, VECTORS * step):
        for p in range(b.shape[0]):
            for v in range(0, VECTORS * step, step):
                part = simd.load_part(b, p * n + min(j + v, n), max(0, n - j - v))
                simd.store(panel, p * VECTORS * step + v, part)
        for band in range(first, last):
            for half in range(0, BLOCK, HALF):
                i = band * BLOCK + half
                tile(flat, columns, np.intp(starts[band]), np.intp(starts[band + 1]), half, panel, y, i, j)
