"""matmul in bf16: c[m,n] = a[m,k] @ b[k,n], numbers of 16 bits, sums in f32, each rounded to bf16 once

  bf16_naive     i-j-k, one product at a time, both factors widened to f32
  bf16           packed as the f32 matmul is, in words of two neighbours along k; packing b is part of the call
  bf16_parallel  bf16, a part of c for each thread
  torch_bf16     torch.mm on torch.bfloat16: oneDNN's kernel, packing included

bf16 is the upper half of an f32: its range, with 8 bits of significand. ``vdpbf16ps`` (AVX512-BF16) adds two products
to each f32 sum, twice the rate of an FMA; it takes denormals as 0, which torch's kernel, on the same instruction,
does too. Elsewhere a pair is widened by a shift and a mask for two FMAs, at f32's rate.

A sum stays in f32 from its first product to its last, through all slices of k: in registers, then in a block of
scratch as high as the tile. NaN and infinity reach c as in any sum of products.

For few rows (m = 1 ... 16) bf16 is bound by reading b, half the bytes of f32; a tile has a height for every m.
"""

from typing import Any

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _bf16_product, _peers
from kernelbench.kernels._dot_gemm import (
    CROSSOVER,
    HEAD_BYTES,
    NC,
    SLIVER_BYTES,
    block_of_rows,
    columns_at_once,
    part_of,
    parts_of_rows,
    work_bytes,
)
from kernelbench.kernels._dot_tile import MR_BF16, memory_at
from kernelbench.kernels.matmul import matmul
from kernelbench.model import Dtypes
from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import moved

_PAIRS: dict[str, Any] = {
    "dtypes": ("bf16",),
    "types": Dtypes(weights="bf16", activations="bf16", accumulator="f32"),
    "work": _bf16_product.work,
    "check": _bf16_product.check,
}
SIXTEEN, HALF, LAST, QUIET = np.uint32(16), np.uint32(0x7FFF), np.uint32(1), np.uint32(0x0040_0000)


@njit(nogil=True)
def widened(x):
    """The f32 whose upper half is ``x``."""
    return np.uint32(np.uint32(x) << SIXTEEN).view(np.float32)


@njit(nogil=True)
def narrowed(x):
    """The bf16 nearest to ``x``, halves to even."""
    bits = np.float32(x).view(np.uint32)
    # A NaN whose bits lie all in the lower half must not become infinity.
    return (bits | QUIET if x != x else bits + HALF + ((bits >> SIXTEEN) & LAST)) >> SIXTEEN


@matmul.variant(style="naive", name="bf16_naive", **_PAIRS)
@njit(nogil=True)
def naive(a, b, c):
    """i-j-k, one product at a time: both factors are widened, and b is read down its columns."""
    # a[m,k], b[k,n], c[m,n], all bf16 as uint16
    m, k = a.shape
    for i in range(m):
        for j in range(b.shape[1]):
            total = np.float32(0)
            for p in range(k):
                total += widened(a[i, p]) * widened(b[p, j])
            c[i, j] = narrowed(total)


@njit(nogil=True)
def rounded(sums, at):
    """``narrowed`` of the vector of f32 ``sums`` from ``at`` on."""
    total = simd.load(sums, at)
    bits = simd.reinterpret(total, np.uint32)
    nearest = bits + ((bits >> SIXTEEN) & LAST) + HALF
    return simd.convert(simd.select(total == total, nearest, bits | QUIET) >> SIXTEEN, np.uint16)


@njit(nogil=True)
def part(a, b, c, i0, i1, j0, j1, work):
    """c[i0:i1, j0:j1] = a[i0:i1] @ b[:, j0:j1]"""
    k, n = a.shape[1], c.shape[1]
    blocks, nc = (i1 - i0 + MR_BF16 - 1) // MR_BF16, columns_at_once(k, 2)
    sums, panels = memory_at(work + SLIVER_BYTES, np.float32), memory_at(work + HEAD_BYTES, np.int32)
    for j in range(j0, j1, nc):
        columns = min(nc, j1 - j)
        for block in range(blocks):
            top = i0 + (i1 - i0) * block // blocks
            rows = i0 + (i1 - i0) * (block + 1) // blocks - top
            block_of_rows(a, b, top, rows, j, columns, block == 0, blocks == 1, work, panels, sums, NC)
            for r in range(rows):
                round_row(moved(sums, r * NC), columns, c, (top + r) * n + j)


@njit(nogil=True)
def round_row(sums, count, c, at):
    """c[at : at + count], counted through all of c, = sums[count] in bf16."""
    lanes = simd.lanes(sums)
    whole = count // lanes * lanes
    for s in range(0, whole, lanes):
        simd.store(c, at + s, rounded(sums, s))
    if whole < count:
        simd.store_part(c, at + whole, rounded(sums, whole), count - whole)


@matmul.variant(style="packed", prepare=_bf16_product.with_scratch, **_PAIRS)
@njit(nogil=True)
def bf16(a, b, work, c):
    """Words of two neighbours along k, 32 products an instruction with AVX512-BF16; b is packed in the call."""
    # a[m,k], b[k,n], c[m,n], all bf16 as uint16; work is the address of scratch memory
    part(a, b, c, 0, c.shape[0], 0, c.shape[1], work)


@matmul.variant(style="parallel", name="bf16_parallel", parallel=True, prepare=_bf16_product.with_scratches, **_PAIRS)
@njit(nogil=True, parallel=True)
def parallel(a, b, work, threads, c):
    """bf16, a part of c for each thread: strips of columns, so that each panel of b is packed once."""
    # a[m,k], b[k,n], c[m,n], all bf16 as uint16; work is the address of scratch memory of every thread
    m, n = c.shape
    k = a.shape[1]
    if m * n * k < CROSSOVER:
        part(a, b, c, 0, m, 0, n, work)
    else:
        bands, strips = parts_of_rows(threads, n)
        for i in prange(bands * strips):
            i0, i1, j0, j1 = part_of(i, bands, strips, m, n)
            part(a, b, c, i0, i1, j0, j1, work + i * work_bytes(k, 2))


@matmul.variant(
    style="library",
    name="torch_bf16",
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
    **_PAIRS,
)
def torch_bf16(a, b, c):
    """torch.mm(a, b, out=c) on bfloat16."""
    _peers.torch().mm(*(_peers.tensor(x, "bfloat16") for x in (a, b)), out=_peers.tensor(c, "bfloat16"))
