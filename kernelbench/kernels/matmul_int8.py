"""matmul in 8-bit integers: c[m,n] int32 = a[m,k] int8 @ b[k,n] int8, four products an instruction lane

  int8                     packed as the f32 matmul is, in words of four bytes; packing b is part of the call
  int8_parallel            int8, a part of c for each thread
  int8_prepacked           b, a layer's weights, packed ahead as inference does; a is taken as it comes
  int8_prepacked_parallel  int8_prepacked, a part of c for each thread
  torch_int8               torch._int_mm, which packs b in the call too
  onnxruntime              MatMulInteger with b a constant of the model, which it packs ahead

The operands are quantized ahead with one scale each (_quantize.py); quantizing inside the call is
matmul_quantized.py's matter. Sums are exact while they fit 32 bits: k <= 131071 for any operands, -128 among them.

The instruction multiplies unsigned by signed bytes, so a is taken as a + 128 and every sum begins with -128 x the sum
of its column of b. That is exact, wraps included, and costs one XOR per byte of a and one more dot product per word
of b, both while they are copied to where the tile wants them.

Which to use for few rows (m = 1 ... 16, a model answering): int8_prepacked. Its tile has a height for every m up to 14
on AVX-512, so nothing is multiplied in vain. int8 costs then as much as reading and packing b does; its panels follow
one another in one place of L1.
"""

from typing import Any

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _int8_product, _peers
from kernelbench.kernels._dot_gemm import (
    CROSSOVER,
    HEAD_BYTES,
    NC,
    SLIVER_BYTES,
    block_of_rows,
    columns_at_once,
    panel_rows,
    part_of,
    parts_of_rows,
    work_bytes,
)
from kernelbench.kernels._dot_tile import MR_I8, NR, memory_at
from kernelbench.kernels._onnx_integer import IntegerProduct
from kernelbench.kernels.matmul import matmul
from kernelbench.model import Dtypes
from kernelbench.simd.vector import element_pointer, moved

_INTEGERS: dict[str, Any] = {
    "style": "quantized",
    "dtypes": ("i8",),
    "types": Dtypes(weights="i8", activations="i8", accumulator="i32"),
    "outputs": lambda shape, dtype: (((shape["m"], shape["n"]), "i32"),),
    "work": _int8_product.work,
    "check": _int8_product.check,
}
_ON_PANELS: dict[str, Any] = {**_INTEGERS, "work": _int8_product.work_on_panels}


@njit(nogil=True)
def part(a, b, ready, fresh, c, i0, i1, j0, j1, work):
    """c[i0:i1, j0:j1] = a[i0:i1] @ b[:, j0:j1], where not ``fresh`` from all of b's panels at ``ready``."""
    k, n = a.shape[1], c.shape[1]
    blocks, nc = (i1 - i0 + MR_I8 - 1) // MR_I8, columns_at_once(k, 1)
    sums = memory_at(work + SLIVER_BYTES, c)
    for j in range(j0, j1, nc):
        columns = min(nc, j1 - j)
        panels = memory_at(work + HEAD_BYTES, ready) if fresh else moved(ready, j * panel_rows(k, 1))
        for block in range(blocks):
            # Heights differ by one at most: 64 rows are 13 + 13 + 13 + 13 + 12, not 14 x 4 + 8.
            top = i0 + (i1 - i0) * block // blocks
            rows = i0 + (i1 - i0) * (block + 1) // blocks - top
            first, lone = fresh and block == 0, fresh and blocks == 1
            target = element_pointer(c, top * n + j)
            block_of_rows(a, b, top, rows, j, columns, first, lone, work, panels, target, n)
            # A panel that sticks out of c left its sums aside.
            for r in range(rows):
                for s in range(columns // NR * NR, columns):
                    c[top + r, j + s] = sums[r * NC + s]


@matmul.variant(**_INTEGERS, prepare=_int8_product.with_scratch)
@njit(nogil=True)
def int8(a, b, work, c):
    """Words of four bytes, 64 products an instruction with VNNI; b is packed in the call, four rows into words."""
    # a[m,k] int8, b[k,n] int8, c[m,n] int32; work is the address of scratch memory
    part(a, b, memory_at(work, c), True, c, 0, c.shape[0], 0, c.shape[1], work)


@matmul.variant(
    **{**_INTEGERS, "style": "parallel"}, name="int8_parallel", parallel=True, prepare=_int8_product.with_scratches
)
@njit(nogil=True, parallel=True)
def parallel(a, b, work, threads, c):
    """int8, a part of c for each thread: strips of columns, so that each panel of b is packed once."""
    # a[m,k] int8, b[k,n] int8, c[m,n] int32; work is the address of scratch memory of every thread
    m, n = c.shape
    k = a.shape[1]
    if m * n * k < CROSSOVER:
        part(a, b, memory_at(work, c), True, c, 0, m, 0, n, work)
    else:
        bands, strips = parts_of_rows(threads, n)
        for i in prange(bands * strips):
            i0, i1, j0, j1 = part_of(i, bands, strips, m, n)
            part(a, b, memory_at(work, c), True, c, i0, i1, j0, j1, work + i * work_bytes(k, 1))


@matmul.variant(**_ON_PANELS, prepare=_int8_product.with_panels)
@njit(nogil=True)
def int8_prepacked(a, panels, work, c):
    """int8 with b packed ahead, as a layer's weights are; a is copied, with its sign turned, a sliver at a time."""
    # a[m,k] int8, panels of b[k,n] as int32[n/NR,rows,NR], c[m,n] int32; work is the address of scratch memory
    part(a, a, element_pointer(panels, 0), False, c, 0, c.shape[0], 0, c.shape[1], work)


@matmul.variant(
    **{**_ON_PANELS, "style": "parallel"},
    name="int8_prepacked_parallel",
    parallel=True,
    prepare=_int8_product.with_panels_and_scratches,
)
@njit(nogil=True, parallel=True)
def prepacked_parallel(a, panels, work, threads, c):
    """int8_prepacked, a part of c for each thread."""
    # a[m,k] int8, panels of b[k,n] as int32[n/NR,rows,NR], c[m,n] int32; work: scratch memory of every thread
    m, n = c.shape
    k = a.shape[1]
    if m * n * k < CROSSOVER:
        part(a, a, element_pointer(panels, 0), False, c, 0, m, 0, n, work)
    else:
        bands, strips = parts_of_rows(threads, n)
        for i in prange(bands * strips):
            i0, i1, j0, j1 = part_of(i, bands, strips, m, n)
            part(a, a, element_pointer(panels, 0), False, c, i0, i1, j0, j1, work + i * work_bytes(k, 1))


def _for_torch(inputs, shape):
    return _peers.for_torch(_int8_product.quantized(inputs, shape), shape)


@matmul.variant(
    **{**_INTEGERS, "style": "library"},
    name="torch_int8",
    parallel=True,
    prepare=_for_torch,
    unavailable=_peers.missing("torch"),
)
def torch_int8(a, b, c):
    """torch._int_mm(a, b, out=c) on int8: oneDNN's kernel, packing included."""
    _peers.torch()._int_mm(_peers.tensor(a), _peers.tensor(b), out=_peers.tensor(c))


def _for_onnxruntime(inputs, shape):
    a, b = _int8_product.quantized(inputs, shape)
    return IntegerProduct(b), a.view(np.uint8) ^ np.uint8(128)


@matmul.variant(
    **{**_ON_PANELS, "style": "library"},
    name="onnxruntime",
    parallel=True,
    prepare=_for_onnxruntime,
    unavailable=_peers.missing("onnxruntime", "onnx"),
)
def onnxruntime(product, a, c):
    """MatMulInteger, exact on every CPU, b packed ahead, a made unsigned ahead (+ 128); in our memory, no copies."""
    product(a, c)
