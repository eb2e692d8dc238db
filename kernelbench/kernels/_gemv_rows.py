"""Rows of a matrix times a vector in lanes, one and four at a time, for weights of any type.

Weights narrower than x (bf16 as uint16, int8) are widened as they are loaded, so memory sends only their own bytes.
Each sum is kept in a few vectors and added up at the end: an order that is written down here, so that no fast-math
is needed and every run gives the same bits.
"""

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

from kernelbench.simd import lanes as simd

ROWS = 4
"""Rows at once: a vector of x loaded for them serves 4 multiply-adds."""


def vector_of(a: Any, at: Any, x: Any) -> Any:
    """A vector of a[m,n] from the ``at``-th of its m n elements on, as numbers of x's type; for compiled code."""
    raise NotImplementedError("compiled code only")


@overload(vector_of)
def _vector_of(a, at, x):
    if a.dtype == types.uint16:
        return lambda a, at, x: simd.load_bf16(a, at)
    return lambda a, at, x: simd.load_as(a, at, x)  # noqa: PLW0108 - Numba takes a function, not an intrinsic


def number_of(weight: Any, like: Any) -> Any:
    """One weight as a number of the type of the array ``like``; for compiled code."""
    raise NotImplementedError("compiled code only")


@overload(number_of)
def _number_of(weight, like):
    if weight == types.uint16:
        return lambda weight, like: np.uint32(np.uint32(weight) << np.uint32(16)).view(np.float32)
    return lambda weight, like: like.dtype.type(weight)


def last_of(a: Any, i: Any, x: Any, j: Any) -> Any:
    """a[i,j:] x[j:], fewer numbers than a vector has lanes; for compiled code."""
    raise NotImplementedError("compiled code only")


@overload(last_of)
def _last_of(a, i, x, j):
    if a.dtype == x.dtype:

        def in_lanes(a, i, x, j):
            left = x.size - j
            return simd.sum(simd.load_part(a, i * x.size + j, left) * simd.load_part(x, j, left))

        return in_lanes

    def one_by_one(a, i, x, j):
        total = x.dtype.type(0)
        for k in range(j, x.size):
            total += number_of(a[i, k], x) * x[k]
        return total

    return one_by_one


@njit(nogil=True)
def row_by_row(a, x, y, first, last):
    """y[first:last] = a[first:last] x, a row at a time, its sum in four vectors: one alone waits 4 cycles an FMA."""
    n, step = x.size, simd.lanes(x)
    whole, fours = n - n % step, n - n % (4 * step)
    for i in range(first, last):
        row = i * n
        s0, s1, s2, s3 = simd.zeros(x), simd.zeros(x), simd.zeros(x), simd.zeros(x)
        for j in range(0, fours, 4 * step):
            at = row + j
            s0 = simd.fma(vector_of(a, at, x), simd.load(x, j), s0)
            s1 = simd.fma(vector_of(a, at + step, x), simd.load(x, j + step), s1)
            s2 = simd.fma(vector_of(a, at + 2 * step, x), simd.load(x, j + 2 * step), s2)
            s3 = simd.fma(vector_of(a, at + 3 * step, x), simd.load(x, j + 3 * step), s3)
        for j in range(fours, whole, step):
            s0 = simd.fma(vector_of(a, row + j, x), simd.load(x, j), s0)
        total = simd.sum((s0 + s1) + (s2 + s3))
        y[i] = total + last_of(a, i, x, whole) if whole < n else total


@njit(nogil=True)
def four_by_four(a, x, y, first, last):
    """y[first:last] = a[first:last] x, ROWS rows at once, two vectors a sum; what is left over row by row."""
    n, step = x.size, simd.lanes(x)
    whole, twos = n - n % step, n - n % (2 * step)
    i = first
    while i + ROWS <= last:
        p0 = i * n
        p1, p2, p3 = p0 + n, p0 + 2 * n, p0 + 3 * n
        s0, s1, s2, s3 = simd.zeros(x), simd.zeros(x), simd.zeros(x), simd.zeros(x)
        t0, t1, t2, t3 = s0, s1, s2, s3
        for j in range(0, twos, 2 * step):
            v, w, k = simd.load(x, j), simd.load(x, j + step), j + step
            s0 = simd.fma(vector_of(a, p0 + j, x), v, s0)
            s1 = simd.fma(vector_of(a, p1 + j, x), v, s1)
            s2 = simd.fma(vector_of(a, p2 + j, x), v, s2)
            s3 = simd.fma(vector_of(a, p3 + j, x), v, s3)
            t0 = simd.fma(vector_of(a, p0 + k, x), w, t0)
            t1 = simd.fma(vector_of(a, p1 + k, x), w, t1)
            t2 = simd.fma(vector_of(a, p2 + k, x), w, t2)
            t3 = simd.fma(vector_of(a, p3 + k, x), w, t3)
        if twos < whole:
            v = simd.load(x, twos)
            s0 = simd.fma(vector_of(a, p0 + twos, x), v, s0)
            s1 = simd.fma(vector_of(a, p1 + twos, x), v, s1)
            s2 = simd.fma(vector_of(a, p2 + twos, x), v, s2)
            s3 = simd.fma(vector_of(a, p3 + twos, x), v, s3)
        y[i], y[i + 1], y[i + 2], y[i + 3] = simd.sum(s0 + t0), simd.sum(s1 + t1), simd.sum(s2 + t2), simd.sum(s3 + t3)
        if whole < n:
            for r in range(i, i + ROWS):
                y[r] += last_of(a, r, x, whole)
        i += ROWS
    row_by_row(a, x, y, i, last)


LONG_BYTES = 24 << 10
"""Of x. Up to here x stays in L1 beside the weights that pass, and one stream of weights comes from farther out
faster than four; a longer x comes from L2 again for each row, so that 4 rows a trip pay."""


@njit(nogil=True)
def best_of_both(a, x, y, first, last):
    """y[first:last] = a[first:last] x, a row at a time or four as x is short or long."""
    if x.size * x.itemsize <= LONG_BYTES:
        row_by_row(a, x, y, first, last)
    else:
        four_by_four(a, x, y, first, last)
