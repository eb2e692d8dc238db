"""Sparse rows cut into slices, one row a lane: SELL-C-sigma (Kreutzer, Hager, Wellein, Fehske, Bishop 2014).

C rows, as many as a vector has lanes, lie side by side: first the first stored element of each, then the second ...
Every lane sums its own row in order, so that nothing is added up across lanes and no row has a rest. Rows of a window
(sigma) are sorted by their lengths first, for a slice takes as long as its longest.
"""

import numpy as np
from numba import njit

from kernelbench.kernels._csr import to_csr
from kernelbench.kernels._sparse_lanes import take
from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import lanes_of

WINDOW = 256
"""Rows sorted among themselves (sigma): 16 slices of f32 with AVX-512, whose y still lie in a few lines of L1."""

Sliced = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def to_slices(a: np.ndarray) -> Sliced:
    """(values[stored], columns[stored] uint32, starts[slices+1] int64, lengths[slices,C], rows[slices C] int64).

    Lane l of slice s is row rows[s C + l] of a, of lengths[s,l] elements; these fall from lane to lane. Lanes that
    are shorter than their slice are filled with zeros of column 0; lanes beyond the last row are empty.
    """
    values, columns, starts = to_csr(a)
    c = lanes_of(a.itemsize)
    count = -(-a.shape[0] // c)
    lengths = np.zeros(count * c, np.int64)
    lengths[: a.shape[0]] = np.diff(starts.astype(np.int64))
    # Stable, so that equal rows keep their order and empty lanes stay behind the last row.
    window = np.arange(lengths.size) // WINDOW
    rows = np.lexsort((-lengths, window))
    apart = lengths[rows].reshape(count, c)
    ends = np.concatenate([[0], np.cumsum(apart.max(axis=1, initial=0) * c)]).astype(np.int64)
    filled, at = np.zeros(ends[-1], a.dtype), np.zeros(ends[-1], np.uint32)
    # Element p of the row in lane l of slice s goes to ends[s] + p C + l.
    lane_of = np.empty_like(rows)
    lane_of[rows] = np.arange(rows.size)
    row_of = np.repeat(np.arange(lengths.size), lengths)
    order = np.arange(values.size) - starts.astype(np.int64)[row_of]
    place = ends[lane_of[row_of] // c] + order * c + lane_of[row_of] % c
    filled[place], at[place] = values, columns
    return filled, at, ends, apart.astype(np.int32 if a.itemsize == 4 else np.int64), rows


def slices_bytes(m: int, nnz: int, itemsize: int) -> int:
    """As if every slice were full: values and columns, where slices start, and each row's length and place."""
    c = lanes_of(itemsize)
    slices = -(-m // c)
    return nnz * (itemsize + 4) + 8 * (slices + 1) + slices * c * (itemsize + 8)


@njit(nogil=True)
def dot_slices(values, columns, starts, lengths, rows, x, scratch, y, first, last):
    """y of the rows in the slices first..last; ``scratch`` has room for a vector."""
    c = simd.lanes(x)
    for s in range(first, last):
        at, end, total = starts[s], starts[s + 1], simd.zeros(x)
        whole = at + c * np.intp(lengths[s, c - 1])
        while at < whole:
            total = simd.fma(simd.load(values, at), take(x, columns, at), total)
            at += c
        # Some lanes have ended: what they would meet in x may be infinite, and zero times that is NaN.
        count, p = simd.load(lengths, s * c), np.intp(lengths[s, c - 1])
        while at < end:
            met = simd.select(count > p, take(x, columns, at), x.dtype.type(0))
            total = simd.fma(simd.load(values, at), met, total)
            at += c
            p += 1
        simd.store(scratch, 0, total)
        for lane in range(c):
            row = rows[s * c + lane]
            if row < y.size:
                y[row] = scratch[lane]
