"""A vector of activations as 8-bit integers, made inside the call, and products of packed weights with it.

x is quantized by groups of neighbours, each with a step of its own, as the weights are. A group's sum of products
is then an exact integer, and one multiply-add by the two steps takes it to f32: what rounds is x, ahead of it all,
and one f32 sum over the groups.

Weights lie in panels of as many rows as a vector of 32-bit sums has lanes, four neighbours of a row to a lane
(see _weights.py). One instruction then does 4 products for each row of the panel, by 4 bytes of x that all rows
share, and no lanes are ever added up: a lane's sum is its row's.
"""

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from kernelbench.kernels._weights import CHUNK
from kernelbench.simd import lanes as simd
from kernelbench.simd.dot import dot4
from kernelbench.simd.vectortype import element_of

TOP = np.float32(127)
LEAST = np.finfo(np.float32).tiny
SHIFT = np.float32(1.5 * 2**23)
"""Added to a number below 2^22, it leaves its nearest integer, halves to even, in the last bits of the sum."""
SHIFT_BITS = np.int32(SHIFT.view(np.int32))
LOW, HIGH = np.int32(0x0F0F0F0F), np.int32(0xF0F0F0F0 - (1 << 32))
"""Masks of the four low and the four high halves of a lane's bytes."""


@intrinsic
def memory_at(typingctx: Any, address: Any, kind: Any) -> Any:
    """The integer ``address`` as a pointer to elements of ``kind`` (np.int8 ...)."""
    element = element_of(kind)
    if element is None:
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return types.CPointer(element)(types.intp, kind), codegen


@njit(nogil=True)
def parts_of(scratch, groups, size):
    """(words, steps, sums) of a quantized x[groups * size] in ``scratch``: int32 of 4 numbers each, f32, int32."""
    after = scratch + groups * size
    return memory_at(scratch, np.int32), memory_at(after, np.float32), memory_at(after + 4 * groups, np.int32)


@njit(nogil=True)
def some(x, j):
    """A vector of x[n] from j on, zeros beyond n."""
    left = x.size - j
    return simd.load(x, j) if left >= simd.lanes(x) else simd.load_part(x, j, max(left, 0))


@njit(nogil=True)
def quantize_vector(x, groups, size, scratch):
    """x[n] to integers -127..127 with a step for every ``size`` of them, max|x| / 127, and their sums, in ``scratch``.

    The step of a group with NaN or infinity in it is NaN, so that every product with it is.
    """
    _, steps, sums = parts_of(scratch, groups, size)
    integers, lanes = memory_at(scratch, np.int8), simd.lanes(x)
    for g in range(groups):
        peak, odd = simd.zeros(x), simd.zeros(x)
        for j in range(g * size, (g + 1) * size, lanes):
            v = some(x, j)
            peak = simd.maximum(peak, simd.maximum(v, -v))
            odd = simd.fma(v, np.float32(0), odd)  # 0, but NaN of infinity and NaN
        top = simd.highest(peak)
        step = max(top / TOP, LEAST) if top > 0 else np.float32(1)
        per_step = np.float32(1) / step
        total = simd.zeros(np.int32)
        for j in range(g * size, (g + 1) * size, lanes):
            q = simd.reinterpret(some(x, j) * per_step + SHIFT, np.int32) - SHIFT_BITS
            total += q
            simd.store(integers, j, simd.convert(q, np.int8))
        steps[g] = step + simd.sum(odd)
        sums[g] = simd.sum(total)


@njit(nogil=True)
def int4_panel(packed, steps, scratch, p):
    """Sums of the rows of panel p of packed[panels,chunks,4,lanes] int32 with steps[panels,groups,lanes].

    A byte holds weights + 8, 0..15, so each group's sum starts at -8 times the sum of x. High halves stay where
    they are in their bytes, 16 times what they mean: one shift of their sum replaces a shift of every byte.
    """
    groups, lanes = steps.shape[1], simd.lanes(packed)
    chunks = packed.shape[1] // groups
    words, steps_x, sums = parts_of(scratch, groups, chunks * CHUNK)
    at, w, total = p * groups * chunks * 4 * lanes, 0, simd.zeros(np.float32)
    for g in range(groups):
        low, high = simd.fill(np.int32, -8 * sums[g]), simd.zeros(np.int32)
        for _ in range(chunks):
            for t in range(4):
                both = simd.load(packed, at + t * lanes)
                low = dot4(low, simd.reinterpret(both & LOW, np.uint8), four(words, w + t))
                high = dot4(high, simd.reinterpret(both & HIGH, np.uint8), four(words, w + 4 + t))
            at += 4 * lanes
            w += 8
        step = simd.load(steps, (p * groups + g) * lanes) * steps_x[g]
        total = simd.fma(simd.convert(low + (high >> 4), np.float32), step, total)
    return total


@njit(nogil=True)
def int8_panel(packed, steps, scratch, p):
    """Sums of the rows of panel p of packed[panels,chunks,8,lanes] int32, 4 bytes of weights + 128 a lane.

    A row has one step; x has one for each chunk, so integers become f32 once a chunk and cannot overflow.
    """
    chunks, lanes = packed.shape[1], simd.lanes(packed)
    words, steps_x, sums = parts_of(scratch, chunks, CHUNK)
    at, w, total = p * chunks * 8 * lanes, 0, simd.zeros(np.float32)
    for g in range(chunks):
        even, odd = simd.fill(np.int32, -128 * sums[g]), simd.zeros(np.int32)
        for t in range(0, 8, 2):
            first, second = simd.load(packed, at + t * lanes), simd.load(packed, at + (t + 1) * lanes)
            even = dot4(even, simd.reinterpret(first, np.uint8), four(words, w + t))
            odd = dot4(odd, simd.reinterpret(second, np.uint8), four(words, w + t + 1))
        at += 8 * lanes
        w += 8
        total = simd.fma(simd.convert(even + odd, np.float32), steps_x[g], total)
    return total * simd.load(steps, p * lanes)


@njit(nogil=True)
def four(words, at):
    """Four neighbours of x, the same in every lane."""
    return simd.reinterpret(simd.fill(np.int32, words[at]), np.int8)


@njit(nogil=True)
def store_rows(y, row, sums):
    """y[row:] = sums, as many as y has."""
    left = y.size - row
    if left >= simd.lanes(y):
        simd.store(y, row, sums)
    else:
        simd.store_part(y, row, sums, left)
