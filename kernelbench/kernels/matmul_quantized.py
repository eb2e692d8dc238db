"""matmul as a quantized model does it: a[m,k] f32 in, c[m,n] out, 8-bit integers in between, all in one call

  int8_affine                a in unsigned bytes with one step and zero point, b in int8 with one step
  int8_per_channel           a step and zero point for each row of a (a token), a step for each column of b
  int8_per_channel_parallel  int8_per_channel, first rows, then parts of c for each thread
  int8_requantized           int8_per_channel, c rounded to int8 for the next layer, saturating

    a ~ (qa - za) sa,  b ~ qb sb    =>    c = sa sb (sum of qa qb - za x sum of qb)

b is a layer's weights: quantized symmetrically, packed and its columns summed ahead. a is quantized in the call: one
pass finds its range, one writes its bytes to scratch. Ranges by row and column follow data whose rows differ in size,
for the price of reading a step for each element of c; one outlier then spoils its own row only.

Integers are exact: sums fit 32 bits up to k = 66000 (255 x 127 each). An all-zero row has step 1 and gives zeros.
NaN or infinity in a makes NaN of all that shares its range: its row, or all of c for int8_affine; in an int8 result
it is -127. b must be finite. Errors are reported against float64; the tolerance is half a step of every factor.
"""

from typing import Any

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _quantized_product
from kernelbench.kernels._activations import TO_WHOLE, quantize_all, quantize_rows
from kernelbench.kernels._dot_gemm import (
    CROSSOVER,
    NC,
    SLIVER_BYTES,
    block_of_rows,
    columns_at_once,
    panel_rows,
    part_of,
    parts_of_rows,
    work_bytes,
)
from kernelbench.kernels._dot_tile import MR_I8, memory_at
from kernelbench.kernels.matmul import matmul
from kernelbench.model import Dtypes
from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import element_pointer, moved

_TYPES: dict[str, Any] = {"dtypes": ("i8",), "types": Dtypes(weights="i8", activations="u8", accumulator="i32")}
_FLOATS: dict[str, Any] = {
    **_TYPES,
    "outputs": lambda shape, dtype: (((shape["m"], shape["n"]), "f32"),),
    "work": _quantized_product.work(4),
}
_BYTES: dict[str, Any] = {
    **_TYPES,
    "outputs": lambda shape, dtype: (((shape["m"], shape["n"]), "i8"),),
    "work": _quantized_product.work(1),
    "check": _quantized_product.check_result_bytes,
}
LEAST, MOST = np.float32(-127), np.float32(127)


@njit(nogil=True)
def scale_row(sums, count, column_sums, b_steps, j, zero, step, row):
    """row[count] f32 = the integer ``sums`` of columns j ... less the zero point's share, times both steps.

    Whole vectors are read: scratch and what belongs to columns are padded to them. ``row`` may be where the sums are.
    """
    lanes = simd.lanes(sums)
    for s in range(0, count, lanes):
        whole = simd.load(sums, s) - simd.load(column_sums, j + s) * zero
        value = simd.convert(whole, np.float32) * step * simd.load(b_steps, j + s)
        if s + lanes <= count:
            simd.store(row, s, value)
        else:
            simd.store_part(row, s, value, count - s)


@njit(nogil=True)
def round_row(row, count, c, at):
    """c[at : at + count] int8, counted through all of c, from row[count] f32: to the nearest, halves to even,
    saturating at +-127; NaN becomes -127."""
    lanes = simd.lanes(row)
    for s in range(0, count, lanes):
        inside = simd.minimum(simd.maximum(simd.load(row, s), LEAST), MOST)
        value = simd.convert(simd.convert(inside + TO_WHOLE - TO_WHOLE, np.int32), np.int8)
        if s + lanes <= count:
            simd.store(c, at + s, value)
        else:
            simd.store_part(c, at + s, value, count - s)


@njit(nogil=True)
def sums_of_block(q, panels, top, rows, j, columns, work):
    """sums[rows, columns], rows NC apart, of q[top : top + rows] and columns j ... of b; a pointer to them."""
    sums = memory_at(work + SLIVER_BYTES, np.int32)
    ready = moved(element_pointer(panels, 0), j * panel_rows(q.shape[1], 1))
    block_of_rows(q, q, top, rows, j, columns, False, False, work, ready, sums, NC)
    return sums


@njit(nogil=True)
def part(q, panels, column_sums, b_steps, steps, zeros, c, i0, i1, j0, j1, work):
    """c[i0:i1, j0:j1] f32 from the bytes of a and the panels of b."""
    k, n = q.shape[1], c.shape[1]
    blocks, nc = (i1 - i0 + MR_I8 - 1) // MR_I8, columns_at_once(k, 1)
    for j in range(j0, j1, nc):
        columns = min(nc, j1 - j)
        for block in range(blocks):
            top = i0 + (i1 - i0) * block // blocks
            rows = i0 + (i1 - i0) * (block + 1) // blocks - top
            sums = sums_of_block(q, panels, top, rows, j, columns, work)
            for r in range(rows):
                i, row = top + r, moved(sums, r * NC)
                target = element_pointer(c, i * n + j)
                scale_row(row, columns, column_sums, b_steps, j, zeros[i], steps[i], target)


@matmul.variant(
    **_FLOATS,
    style="quantized",
    prepare=_quantized_product.prepared(False),
    check=_quantized_product.check(False, False),
)
@njit(nogil=True)
def int8_affine(a, panels, column_sums, b_steps, q, steps, zeros, work, c):
    """One range for all of a, quantized in the call to unsigned bytes; b quantized and packed ahead, one step."""
    # a[m,k] f32, b[k,n] as panels int32[n/NR,rows,NR], c[m,n] f32; q[m,k], steps[m], zeros[m], work: scratch
    quantize_all(a, q, steps, zeros)
    part(q, panels, column_sums, b_steps, steps, zeros, c, 0, c.shape[0], 0, c.shape[1], work)


@matmul.variant(
    **_FLOATS, style="quantized", prepare=_quantized_product.prepared(True), check=_quantized_product.check(True, True)
)
@njit(nogil=True)
def int8_per_channel(a, panels, column_sums, b_steps, q, steps, zeros, work, c):
    """A range for each row of a, quantized in the call; b quantized and packed ahead, a step for each column."""
    # a[m,k] f32, b[k,n] as panels int32[n/NR,rows,NR], c[m,n] f32; q[m,k], steps[m], zeros[m], work: scratch
    quantize_rows(a, 0, a.shape[0], q, steps, zeros)
    part(q, panels, column_sums, b_steps, steps, zeros, c, 0, c.shape[0], 0, c.shape[1], work)


@matmul.variant(
    **_FLOATS,
    style="parallel",
    parallel=True,
    prepare=_quantized_product.prepared(True, threads=True),
    check=_quantized_product.check(True, True),
)
@njit(nogil=True, parallel=True)
def int8_per_channel_parallel(a, panels, column_sums, b_steps, q, steps, zeros, work, threads, c):
    """int8_per_channel: every thread quantizes some rows, then computes a part of c."""
    # a[m,k] f32, b[k,n] as panels int32[n/NR,rows,NR], c[m,n] f32; q[m,k], steps[m], zeros[m], work: scratch
    m, k = a.shape
    n = c.shape[1]
    if m * n * k < CROSSOVER:
        quantize_rows(a, 0, m, q, steps, zeros)
        part(q, panels, column_sums, b_steps, steps, zeros, c, 0, m, 0, n, work)
    else:
        for i in prange(threads):
            quantize_rows(a, m * i // threads, m * (i + 1) // threads, q, steps, zeros)
        bands, strips = parts_of_rows(threads, n)
        for i in prange(bands * strips):
            i0, i1, j0, j1 = part_of(i, bands, strips, m, n)
            own = work + i * work_bytes(k, 1)
            part(q, panels, column_sums, b_steps, steps, zeros, c, i0, i1, j0, j1, own)


@matmul.variant(**_BYTES, style="quantized", prepare=_quantized_product.prepared(True, result=True))
@njit(nogil=True)
def int8_requantized(a, panels, column_sums, b_steps, q, steps, zeros, work, result_step, c):
    """int8_per_channel with c rounded to int8, saturating, for a step found ahead: what the next layer reads."""
    # a[m,k] f32, b[k,n] as panels int32[n/NR,rows,NR], c[m,n] int8; q[m,k], steps[m], zeros[m], work: scratch
    m, n = c.shape
    quantize_rows(a, 0, m, q, steps, zeros)
    blocks, nc = (m + MR_I8 - 1) // MR_I8, columns_at_once(a.shape[1], 1)
    inverse = np.float32(1) / result_step[0]
    for j in range(0, n, nc):
        columns = min(nc, n - j)
        for block in range(blocks):
            top = m * block // blocks
            rows = m * (block + 1) // blocks - top
            sums = sums_of_block(q, panels, top, rows, j, columns, work)
            floats = memory_at(work + SLIVER_BYTES, np.float32)
            for r in range(rows):
                i, row = top + r, moved(floats, r * NC)
                scale_row(moved(sums, r * NC), columns, column_sums, b_steps, j, zeros[i], steps[i] * inverse, row)
                round_row(row, columns, c, i * n + j)
