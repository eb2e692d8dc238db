"""A sparse matrix cut into blocks of columns, and its product with a panel of a dense one that lies in L1."""

import numpy as np
from numba import njit

from kernelbench.kernels._csr import Csr, even_bounds, to_csr
from kernelbench.kernels._scratch import workspace
from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import lanes_of

KC = 128
"""Columns of a block, so that a column takes a byte. A panel is KC rows of b by VECTORS vectors: 128 x 256 B fill a
32 KiB L1 with AVX-512, half of it with AVX2. Half as deep, each row's sum is loaded and stored twice as often for the
same products: measured at n = 512, 64 is a fifth slower at a sparsity of 0.9, 256 a quarter at 0.5."""
VECTORS = 4
"""Of y, held in registers while a row of a goes by: 4 chains of FMAs keep a unit with a latency of 4 cycles busy."""


def to_column_blocks(a: np.ndarray) -> Csr:
    """(values[nnz], columns[nnz] uint8, starts[blocks m + 1]) of a[m,k]: CSR of each KC columns, one after the other.

    Columns count from their block's first. Row i of block c is starts[c m + i]..starts[c m + i + 1].
    """
    m, k = a.shape
    blocks = -(-k // KC)
    padded = np.zeros((m, blocks * KC), a.dtype)
    padded[:, :k] = a
    values, columns, starts = to_csr(padded.reshape(m, blocks, KC).swapaxes(0, 1).reshape(blocks * m, KC))
    return values, columns.astype(np.uint8), starts


def block_bytes(m: int, k: int, nnz: int, itemsize: int) -> int:
    """A value and a column of one byte for each element stored, and where each row of each block starts."""
    return nnz * (itemsize + 1) + 4 * (m * -(-k // KC) + 1)


def bounds_of_rows(a: np.ndarray) -> np.ndarray:
    """Rows for each thread, of about as many stored elements (see ``even_bounds``)."""
    starts = np.zeros(a.shape[0] + 1, np.int64)
    np.cumsum(np.count_nonzero(a, axis=1), out=starts[1:])
    return even_bounds(starts)


def panels(kind: np.dtype, threads: int) -> np.ndarray:
    """Scratch memory panels[threads, KC x VECTORS x lanes] of this type, each thread's own."""
    return workspace((threads, KC * VECTORS * lanes_of(kind.itemsize)), kind)


@njit(nogil=True)
def pack(b, row, rows, column, width, panel):
    """panel[rows, VECTORS x lanes] = b[row : row + rows, column : column + width], zeros beyond."""
    n, step = b.shape[1], simd.lanes(b)
    for p in range(rows):
        at, to = (row + p) * n + column, p * VECTORS * step
        for v in range(0, VECTORS * step, step):
            if v + step <= width:
                simd.store(panel, to + v, simd.load(b, at + v))
            else:
                simd.store(panel, to + v, simd.load_part(b, at + min(v, width), max(0, width - v)))


@njit(nogil=True)
def add_rows(values, columns, p, end, b, n, j, sums):
    """``sums`` (VECTORS vectors) + values[p..end] x the columns j.. of b's rows columns[p..end], n elements apart."""
    s0, s1, s2, s3 = sums
    step = simd.lanes(b)
    for q in range(p, end):
        value, at = values[q], np.intp(columns[q]) * n + j
        s0 = simd.fma(simd.load(b, at), value, s0)
        s1 = simd.fma(simd.load(b, at + step), value, s1)
        s2 = simd.fma(simd.load(b, at + 2 * step), value, s2)
        s3 = simd.fma(simd.load(b, at + 3 * step), value, s3)
    return s0, s1, s2, s3


@njit(nogil=True)
def load_four(y, at, width):
    """VECTORS vectors from index ``at`` on, zeros beyond ``width`` elements."""
    step = simd.lanes(y)
    if width == VECTORS * step:
        return (
            simd.load(y, at),
            simd.load(y, at + step),
            simd.load(y, at + 2 * step),
            simd.load(y, at + 3 * step),
        )
    return (
        simd.load_part(y, at, width),
        simd.load_part(y, at + min(step, width), max(0, width - step)),
        simd.load_part(y, at + min(2 * step, width), max(0, width - 2 * step)),
        simd.load_part(y, at + min(3 * step, width), max(0, width - 3 * step)),
    )


@njit(nogil=True)
def store_four(y, at, width, sums):
    """Write the first ``width`` elements of VECTORS vectors from index ``at`` on."""
    step = simd.lanes(y)
    if width == VECTORS * step:
        simd.store(y, at, sums[0])
        simd.store(y, at + step, sums[1])
        simd.store(y, at + 2 * step, sums[2])
        simd.store(y, at + 3 * step, sums[3])
    else:
        simd.store_part(y, at, sums[0], width)
        simd.store_part(y, at + min(step, width), sums[1], max(0, width - step))
        simd.store_part(y, at + min(2 * step, width), sums[2], max(0, width - 2 * step))
        simd.store_part(y, at + min(3 * step, width), sums[3], max(0, width - 3 * step))


@njit(nogil=True)
def product(values, columns, starts, b, panel, y, first, last):
    """y[first:last] = a[first:last] b, for a in column blocks; a block of b goes through ``panel``."""
    m, n = y.shape
    k, width = b.shape[0], VECTORS * simd.lanes(b)
    if k == 0:
        y[first:last] = 0
    zero = simd.zeros(b)
    for j in range(0, n, width):
        here = min(width, n - j)
        for c in range((k + KC - 1) // KC):
            pack(b, c * KC, min(KC, k - c * KC), j, here, panel)
            for i in range(first, last):
                p, end = np.intp(starts[c * m + i]), np.intp(starts[c * m + i + 1])
                sums = load_four(y, i * n + j, here) if c > 0 else (zero, zero, zero, zero)
                store_four(y, i * n + j, here, add_rows(values, columns, p, end, panel, width, 0, sums))
