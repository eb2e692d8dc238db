"""gemv with weights of 8 and 4 bits: a model answering one token reads every weight once, so bytes are time

The ladder, each rung a line; what is prepared ahead is said, all else is timed:
  int8           8-bit weights with a step a row, widened to f32 on the way: a quarter of the bytes
  int8_dot       x becomes 8-bit integers as well, inside the call: the CPU's dot-product instruction multiplies
                 four at a time, and nothing is widened
  int4           4-bit weights with a step for every ``group`` of 32 or 128: an eighth of the bytes, unpacked to f32
  int4_dot       4-bit weights, x in 8-bit integers: two masks for 128 weights are all the unpacking there is
  ..._parallel   the same, some panels of rows a thread
  onnxruntime    its MatMulNBits on the same weights, x in 8-bit integers too (accuracy_level 4)
  onnxruntime_f32  the same with x in f32 (accuracy_level 1), the peer of int4

Work of one call:
  OP     2 m n              a multiply and an add a weight
  bytes  weights, their steps of 4 bytes, 4 n and 4 m: a 4-bit weight in groups of 32 is 0.5 + 4 / 32 = 0.625 bytes
The intensity is 1.9 with 8 bits, 3.2 with 4 bits in groups of 32 and 3.8 in groups of 128. The _dot variants are
bound by memory from L3 on; the others by unpacking.

Weights with NaN or infinity have no integers: refused ahead. In x, where it stays f32, they pass as in any sum;
where it is quantized, NaN and infinity both make every y NaN. (onnxruntime makes some finite number of a NaN.)
"""

from typing import Any

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _onnx, _peers, _weights
from kernelbench.kernels._gemv_rows import four_by_four
from kernelbench.kernels._int4_dot import float_panel
from kernelbench.kernels._int8_vector import int4_panel, int8_panel, quantize_vector, store_rows
from kernelbench.kernels._registry import Arrays, Shape
from kernelbench.kernels._scratch import Scratch
from kernelbench.kernels._weights import CHUNK, GROUPS, groups_of
from kernelbench.kernels._weights_check import check
from kernelbench.kernels.gemv import gemv
from kernelbench.model import Dtypes
from kernelbench.simd import lanes as simd

SERIAL_BELOW = 1 << 19
"""Weights below which one thread is faster: it multiplies 512 Ki of 4 or 8 bits in about 5 us; to wake the others,
hand out panels and wait for the last takes 2 to 4."""


def _whole_row(shape: Shape) -> int:
    """One step a row."""
    return max(1, int(shape["n"]))


def _int8_rows(inputs: Arrays, shape: Shape) -> Arrays:
    a, x = inputs
    q, steps = _weights.quantize(a, 8, _whole_row(shape))
    return np.ascontiguousarray(q[:, : x.size]), steps.reshape(-1), x


def _int8_bytes(m: int, n: int, shape: Shape) -> int:
    return m * n + 4 * m


@gemv.variant(
    style="quantized",
    dtypes=("f32",),
    types=Dtypes(weights="i8", activations="f32", accumulator="f32"),
    prepare=_int8_rows,
    work=_weights.work(_int8_bytes),
    check=check(8, _whole_row),
)
@njit(nogil=True)
def int8(a, steps, x, y):
    """8-bit weights with a step a row (quantized ahead), widened to f32 in lanes: a quarter of the bytes."""
    # a[m,n] int8, steps[m], x[n], y[m]
    four_by_four(a, x, y, 0, y.size)
    for i in range(y.size):
        y[i] *= steps[i]


def _int8_panels(inputs: Arrays, shape: Shape) -> Arrays:
    a, x = inputs
    q, steps = _weights.quantize(a, 8, _whole_row(shape))
    padded = np.zeros((q.shape[0], groups_of(x.size, CHUNK) * CHUNK), np.int8)
    padded[:, : x.size] = q[:, : x.size]
    panels = _weights.pack_bytes(padded), _weights.panels_of(steps)
    return (*panels, x, Scratch.of(_weights.scratch_bytes(x.size, CHUNK)))


_INT8_DOT: dict[str, Any] = {
    "style": "quantized",
    "dtypes": ("f32",),
    "types": Dtypes(weights="i8", activations="i8", accumulator="i32"),
    "prepare": _int8_panels,
    "work": _weights.work(_int8_bytes, mix="dot"),
    "check": check(8, _whole_row, lambda shape: CHUNK),
}


@gemv.variant(**_INT8_DOT)
@njit(nogil=True)
def int8_dot(packed, steps, x, scratch, y):
    """8-bit weights (packed ahead), x quantized in groups of 32 inside the call: four products a lane at once."""
    # packed[panels,chunks,8,lanes] int32, steps[panels,1,lanes], x[n], y[m]
    quantize_vector(x, packed.shape[1], CHUNK, scratch)
    for p in range(packed.shape[0]):
        store_rows(y, p * simd.lanes(y), int8_panel(packed, steps, scratch, p))


@gemv.variant(**_INT8_DOT, parallel=True)
@njit(nogil=True, parallel=True)
def int8_dot_parallel(packed, steps, x, scratch, y):
    """int8_dot, panels shared out; below 512 Ki weights on one thread."""
    # packed[panels,chunks,8,lanes] int32, steps[panels,1,lanes], x[n], y[m]
    if y.size * x.size < SERIAL_BELOW:
        int8_dot(packed, steps, x, scratch, y)
    else:
        quantize_vector(x, packed.shape[1], CHUNK, scratch)
        for p in prange(packed.shape[0]):
            store_rows(y, p * simd.lanes(y), int8_panel(packed, steps, scratch, p))


def _group(shape: Shape) -> int:
    return int(shape["group"])


def _int4_panels(inputs: Arrays, shape: Shape) -> Arrays:
    a, x = inputs
    q, steps = _weights.quantize(a, 4, _group(shape))
    return _weights.pack_nibbles(q), _weights.panels_of(steps), x


def _int4_panels_and_scratch(inputs: Arrays, shape: Shape) -> Arrays:
    packed, steps, x = _int4_panels(inputs, shape)
    return packed, steps, x, Scratch.of(_weights.scratch_bytes(x.size, _group(shape)))


def _int4_bytes(m: int, n: int, shape: Shape) -> int:
    group = _group(shape)
    return m * groups_of(n, group) * (group // 2 + 4)


_INT4: dict[str, Any] = {
    "style": "quantized",
    "dtypes": ("f32",),
    "params": {"group": GROUPS},
    "types": Dtypes(weights="i4", activations="f32", accumulator="f32"),
    "prepare": _int4_panels,
    "work": _weights.work(_int4_bytes),
    "check": check(4, _group),
}
_INT4_DOT = _INT4 | {
    "types": Dtypes(weights="i4", activations="i8", accumulator="i32"),
    "prepare": _int4_panels_and_scratch,
    "work": _weights.work(_int4_bytes, mix="dot"),
    "check": check(4, _group, _group),
}


@gemv.variant(**_INT4)
@njit(nogil=True)
def int4(packed, steps, x, y):
    """4-bit weights, 8 of a row a lane (quantized and packed ahead), unpacked into f32: exact but for the weights."""
    # packed[panels,chunks,4,lanes] int32, steps[panels,groups,lanes], x[n], y[m]
    for p in range(packed.shape[0]):
        store_rows(y, p * simd.lanes(y), float_panel(packed, steps, x, p))


@gemv.variant(**_INT4, parallel=True)
@njit(nogil=True, parallel=True)
def int4_parallel(packed, steps, x, y):
    """int4, panels shared out; below 512 Ki weights on one thread."""
    # packed[panels,chunks,4,lanes] int32, steps[panels,groups,lanes], x[n], y[m]
    if y.size * x.size < SERIAL_BELOW:
        int4(packed, steps, x, y)
    else:
        for p in prange(packed.shape[0]):
            store_rows(y, p * simd.lanes(y), float_panel(packed, steps, x, p))


@gemv.variant(**_INT4_DOT)
@njit(nogil=True)
def int4_dot(packed, steps, x, scratch, y):
    """4-bit weights (packed ahead), x in 8-bit integers by the same groups, made inside the call: integer products."""
    # packed[panels,chunks,4,lanes] int32, steps[panels,groups,lanes], x[n], y[m]
    quantize_vector(x, steps.shape[1], packed.shape[1] // steps.shape[1] * CHUNK, scratch)
    for p in range(packed.shape[0]):
        store_rows(y, p * simd.lanes(y), int4_panel(packed, steps, scratch, p))


@gemv.variant(**_INT4_DOT, parallel=True)
@njit(nogil=True, parallel=True)
def int4_dot_parallel(packed, steps, x, scratch, y):
    """int4_dot, panels shared out; below 512 Ki weights on one thread."""
    # packed[panels,chunks,4,lanes] int32, steps[panels,groups,lanes], x[n], y[m]
    if y.size * x.size < SERIAL_BELOW:
        int4_dot(packed, steps, x, scratch, y)
    else:
        quantize_vector(x, steps.shape[1], packed.shape[1] // steps.shape[1] * CHUNK, scratch)
        for p in prange(packed.shape[0]):
            store_rows(y, p * simd.lanes(y), int4_panel(packed, steps, scratch, p))


def _session(level: int) -> Any:
    """What prepares onnxruntime's product at one ``accuracy_level``."""

    def prepare(inputs: Arrays, shape: Shape) -> Arrays:
        a, x = inputs
        q, steps = _weights.quantize(a, 4, _group(shape))
        return _onnx.product(q, steps, x.size, _group(shape), level), x

    return prepare


_ONNX: dict[str, Any] = {
    "style": "library",
    "dtypes": ("f32",),
    "params": {"group": GROUPS},
    "parallel": True,
    "unavailable": _peers.missing("onnxruntime", "onnx"),
}


@gemv.variant(
    **_ONNX,
    types=_INT4_DOT["types"],
    work=_INT4_DOT["work"],
    prepare=_session(_onnx.INTEGERS),
    check=_INT4_DOT["check"],
)
def onnxruntime(product, x, y):
    """MatMulNBits with x in 8-bit integers (weights laid out ahead, its own way), with the cost of the Python call."""
    product(x, y)


@gemv.variant(**_ONNX, types=_INT4["types"], work=_INT4["work"], prepare=_session(_onnx.FLOATS), check=_INT4["check"])
def onnxruntime_f32(product, x, y):
    """MatMulNBits in f32 (weights laid out ahead, its own way), with the cost of the Python call."""
    product(x, y)
