"""Quantizing activations inside a call: f32 rows to unsigned bytes with a zero point, in vectors.

x ~ (q - zero) step, with step = (highest - lowest) / 255 over a range stretched to hold 0, which is then exact. The
arithmetic is f32's, multiplication by multiplication, so every instruction set gives the same bytes.
"""

import numpy as np
from numba import njit

from kernelbench.simd import lanes as simd

PART = np.float32(1 / 255)
TINY = np.finfo(np.float32).tiny
TO_WHOLE = np.float32(1.5 * 2**23)
"""Added and taken away again it leaves the nearest integer, halves to even, for magnitudes up to 2^22: beyond 2^23
an f32 has no fraction."""


@njit(nogil=True)
def span(x, first, count):
    """(lowest, highest, odd) of ``count`` elements from ``first`` on, counted through all of x, and of 0.

    odd is 0, or NaN where one of them is NaN or infinite, for 0 times those is NaN.
    """
    step, zero = simd.lanes(x), simd.zeros(x)
    lowest, highest, odd = zero, zero, zero
    whole = count // step * step
    for j in range(0, whole, step):
        value = simd.load(x, first + j)
        lowest, highest, odd = simd.minimum(value, lowest), simd.maximum(value, highest), odd + value * zero
    if whole < count:
        value = simd.load_part(x, first + whole, count - whole)
        lowest, highest, odd = simd.minimum(value, lowest), simd.maximum(value, highest), odd + value * zero
    return simd.lowest(lowest), simd.highest(highest), simd.sum(odd)


@njit(nogil=True)
def step_and_zero(lowest, highest):
    """(step, zero) for a range, 255 steps wide: divided first, for the width itself may be beyond f32."""
    low = lowest * PART
    step = highest * PART - low
    step = max(step, TINY) if 0 < step < np.inf else np.float32(1)
    zero = (low * np.float32(-255)) * (np.float32(1) / step)
    return step, min(max(zero + TO_WHOLE - TO_WHOLE, np.float32(0)), np.float32(255))


@njit(nogil=True)
def to_bytes(x, first, count, step, zero, q):
    """q[first : first + count] = x / step + zero in whole numbers from 0 to 255, counted through all of x and q."""
    lanes, inverse = simd.lanes(x), np.float32(1) / step
    whole = count // lanes * lanes
    for j in range(first, first + whole, lanes):
        simd.store(q, j, bytes_of(simd.load(x, j), inverse, zero))
    if whole < count:
        rest = simd.load_part(x, first + whole, count - whole)
        simd.store_part(q, first + whole, bytes_of(rest, inverse, zero), count - whole)


@njit(nogil=True)
def bytes_of(values, inverse, zero):
    """A vector of f32 as unsigned bytes; what is beyond them saturates."""
    nearest = values * inverse + TO_WHOLE - TO_WHOLE + zero
    inside = simd.minimum(simd.maximum(nearest, np.float32(0)), np.float32(255))
    return simd.convert(simd.convert(inside, np.int32), np.uint8)


@njit(nogil=True)
def quantize_rows(x, i0, i1, q, steps, zeros):
    """Rows i0..i1 of q[m,k] uint8, steps[m] f32 and zeros[m] int32 from x[m,k] f32, each row with its own range."""
    k = x.shape[1]
    for i in range(i0, i1):
        lowest, highest, odd = span(x, i * k, k)
        step, zero = step_and_zero(lowest, highest)
        to_bytes(x, i * k, k, step, zero, q)
        # NaN or infinity makes the row's results NaN: no byte stands for either.
        steps[i], zeros[i] = step + odd, np.int32(zero)


@njit(nogil=True)
def quantize_all(x, q, steps, zeros):
    """q[m,k] uint8, steps[m] and zeros[m], all the same, from x[m,k] f32 with one range."""
    lowest, highest, odd = span(x, 0, x.size)
    step, zero = step_and_zero(lowest, highest)
    to_bytes(x, 0, x.size, step, zero, q)
    for i in range(x.shape[0]):
        steps[i], zeros[i] = step + odd, np.int32(zero)
