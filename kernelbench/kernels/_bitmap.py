"""Sparse rows as a bit for each element and the values alone, as the lanes of a vector take them."""

import numpy as np
from numba import njit

from kernelbench.kernels._sparse_lanes import mask_of, ones, spread
from kernelbench.simd import lanes as simd

WORD_COLUMNS = 16
"""Columns of a word of 16 bits: one vector of f32 with AVX-512, two of f64."""


def to_bitmap(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(values[nnz + 16], words[m,ceil(n / 16)] uint16): bit j of word w of a row says if column 16 w + j is stored.

    The last 16 values are zeros that ``spread`` may read and never uses.
    """
    m, n = a.shape
    bits = np.zeros((m, -(-n // WORD_COLUMNS) * WORD_COLUMNS), bool)
    bits[:, :n] = a != 0
    words = np.packbits(bits, axis=1, bitorder="little").view("<u2")
    return np.append(a[a != 0], np.zeros(WORD_COLUMNS, a.dtype)), np.ascontiguousarray(words, np.uint16)


def bitmap_bytes(m: int, n: int, nnz: int, itemsize: int) -> int:
    """The values, and 2 bytes for every 16 columns."""
    return nnz * itemsize + 2 * m * -(-n // WORD_COLUMNS)


@njit(nogil=True)
def dot_bitmap(values, p, words, at, x, whole):
    """(sum, next value) of the row whose values begin at p and whose words at ``at`` of flat ``words``.

    ``whole`` words stand for 16 columns of x each, one more for what x has left.
    """
    step, left, right = simd.lanes(x), simd.zeros(x), simd.zeros(x)
    for w in range(whole):
        # An unsigned index cannot count from the end, which the compiler would have to ask each time.
        word = np.int64(words[np.uintp(at + w)])
        for j in range(0, WORD_COLUMNS, step):
            mask = mask_of(x, word)
            # Lanes without a value keep their sum: 0 times what x has there could be NaN. Two sums take turns.
            added = simd.fma(spread(values, p, mask), simd.load(x, WORD_COLUMNS * w + j), left)
            left, right = right, simd.select(mask, added, left)
            p += ones(word & (np.int64(1) << step) - 1)
            word >>= step
    total = simd.sum(left + right)
    if WORD_COLUMNS * whole < x.size:
        word = np.int64(words[at + whole])
        for j in range(WORD_COLUMNS * whole, x.size):
            if word & 1:
                total += values[p] * x[j]
                p += 1
            word >>= 1
    return total, p
