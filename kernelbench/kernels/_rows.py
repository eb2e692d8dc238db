"""What the normalisations do with one row of a matrix, in lanes: its sum, its squares, its moments in one read.

A row is given by the matrix, the index of its first element (rows lie one after the other) and its length. Sums run
in four vectors, which hide the latency of an addition; the lanes are added up at the row's end.
"""

from numba import njit

from kernelbench.simd import lanes as simd

PARALLEL_ELEMENTS = 1 << 15
"""Elements of a matrix from which more threads than one pay: entering a team of two takes 2 to 3 microseconds, in which
one core normalises about 16 thousand elements of f32 (0.15 to 0.2 ns each): twice that."""

BLOCK = 8
"""Vectors whose moments are taken together, from registers, before they are merged with those of the row so far."""


@njit(nogil=True)
def row_sum(x, first, n):
    """The sum of x[first:first+n]."""
    w = simd.lanes(x)
    a, b, c, d = simd.zeros(x), simd.zeros(x), simd.zeros(x), simd.zeros(x)
    i, end = first, first + n
    while i + 4 * w <= end:
        a += simd.load(x, i)
        b += simd.load(x, i + w)
        c += simd.load(x, i + 2 * w)
        d += simd.load(x, i + 3 * w)
        i += 4 * w
    while i + w <= end:
        a += simd.load(x, i)
        i += w
    b += simd.load_part(x, i, end - i)
    return simd.sum((a + b) + (c + d))


@njit(nogil=True)
def squares_about(x, first, n, centre):
    """The sum of (x[first:first+n] - centre)^2."""
    w = simd.lanes(x)
    a, b, c, d = simd.zeros(x), simd.zeros(x), simd.zeros(x), simd.zeros(x)
    i, end = first, first + n
    while i + 4 * w <= end:
        p, q = simd.load(x, i) - centre, simd.load(x, i + w) - centre
        r, s = simd.load(x, i + 2 * w) - centre, simd.load(x, i + 3 * w) - centre
        a, b, c, d = simd.fma(p, p, a), simd.fma(q, q, b), simd.fma(r, r, c), simd.fma(s, s, d)
        i += 4 * w
    while i + w <= end:
        p = simd.load(x, i) - centre
        a = simd.fma(p, p, a)
        i += w
    # Beyond the row's end are zeros, which lie as far from the centre as it is from 0: they may not count.
    here = simd.first(x, end - i)
    p = simd.select(here, simd.load_part(x, i, end - i) - centre, simd.zeros(x))
    return simd.sum((a + simd.fma(p, p, b)) + (c + d))


@njit(nogil=True)
def block_moments(x, i):
    """(means, sums of squares about them) of the BLOCK vectors of x from element i on, lane by lane."""
    w = simd.lanes(x)
    a, b, c, d = simd.load(x, i), simd.load(x, i + w), simd.load(x, i + 2 * w), simd.load(x, i + 3 * w)
    i += 4 * w
    e, f, g, h = simd.load(x, i), simd.load(x, i + w), simd.load(x, i + 2 * w), simd.load(x, i + 3 * w)
    mean = (((a + b) + (c + d)) + ((e + f) + (g + h))) * x.dtype.type(1 / BLOCK)
    a, b, c, d = a - mean, b - mean, c - mean, d - mean
    e, f, g, h = e - mean, f - mean, g - mean, h - mean
    even = simd.fma(a, a, simd.fma(c, c, simd.fma(e, e, g * g)))
    odd = simd.fma(b, b, simd.fma(d, d, simd.fma(f, f, h * h)))
    return mean, even + odd


@njit(nogil=True, error_model="numpy")
def moments(x, first, n):
    """(mean, sum of squares about it) of x[first:first+n] in one read.

    Blocks are merged by the formula of Chan, Golub and LeVeque (1979): with k blocks before, the means m and the sums
    s of squares become m + (m' - m) / (k + 1) and s + s' + (m' - m)^2 BLOCK k / (k + 1). Squares are always taken
    about a mean nearby, so nothing cancels. What is left over is read twice.
    """
    t, step = x.dtype.type, BLOCK * simd.lanes(x)
    means, squares = simd.zeros(x), simd.zeros(x)
    blocks = n // step
    for k in range(blocks):
        mean, square = block_moments(x, first + k * step)
        shift, share = mean - means, t(1) / t(k + 1)
        means = simd.fma(shift, share, means)
        squares = simd.fma(shift * shift, t(BLOCK * k) * share, squares + square)
    count = t(BLOCK * blocks)
    rest, left = first + blocks * step, n - blocks * step
    mean = (simd.sum(means) * count + row_sum(x, rest, left)) / t(n)
    shift = means - mean
    return mean, simd.sum(simd.fma(shift * shift, count, squares)) + squares_about(x, rest, left, mean)
