"""gemv: y[m] = a[m,n] x[n], a row-major: one layer of a model answering one token

The ladder, each rung a line:
  naive          a dot product a row, one running sum: every add waits for the one before
  vectorized     the sum of a row in lanes, several vectors of them, added up at its end
  tiled          4 rows at once: each vector of x is loaded once for 4 rows. That pays while loads bind, with a in
                 L1; from farther out it is up to the prefetchers whether 4 streams of a come faster than one
  parallel       vectorized, a band of rows a thread
  int8           weights of 8 bits with a step a row, widened on the way: a quarter of the bytes
  int4           weights of 4 bits in groups of 32 with a step each: an eighth, and unpacking to do
  int4_parallel  int4, a band of rows a thread
  numpy          np.matmul, as a Python user calls it
  openblas       the BLAS inside NumPy through its C symbol, without Python's dispatch

Work of one call, s = bytes per element:
  FLOP   2 m n              a multiply and an add a weight
  bytes  s (m n + n) read + s m written: each weight is used once, so nothing can be saved but its size
The intensity is about 2 / s: 0.5 FLOP/B in f32, 1.9 with int8 and 3.2 with int4 (0.5 byte and 4 / 32 of a step
a weight). Memory binds every variant that does its arithmetic in vectors.

NaN and infinity in a or x reach y as in any sum of products. The quantized variants have no integer for them in
a and refuse; in x they pass.
"""

from typing import Any

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _blas_gemv, _weights
from kernelbench.kernels._check import EPS, Verification, close_to
from kernelbench.kernels._int4_dot import dot_four_rows, dot_row
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.kernels._weights import GROUP, HALF
from kernelbench.model import DTYPE_BYTES, Accuracy, Dtypes, Work


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    m, n = shape["m"], shape["n"]
    return random_values(rng, (m, n), dtype), random_values(rng, (n,), dtype)


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return (((shape["m"],), dtype),)


def _work(shape: Shape, dtype: str) -> Work:
    m, n, s = shape["m"], shape["n"], DTYPE_BYTES[dtype]
    return Work(
        model="modelled",
        flop=2 * m * n,
        mix="fma",
        read_bytes=s * (m * n + n),
        write_bytes=s * m,
        rfo_bytes=s * m,
        working_set_bytes=s * (m * n + n + m),
    )


def _check(v: Verification) -> Accuracy:
    exact, scale = v.once("gemv", lambda: _weights.products(*v.inputs))
    # Summing n products in any order, lanes included, errs by about sqrt(n) u of |a||x| when roundings are
    # random (Higham, Accuracy and Stability, 2002, sec. 2.8). A single product lost would be off by 1/n.
    tolerance = max(8.0, v.shape["n"] ** 0.5) * EPS[v.dtype]
    metric = "max |error| / (|a| |x|)"
    return close_to(v.outputs[0], exact, scale, tolerance, metric=metric, reference="float64 einsum")


gemv = Op(
    name="gemv",
    summary="y[m] = a[m,n] x[n]",
    dims=("m", "n"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
)


@gemv.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(a, x, y):
    """One running sum a row: bound by the latency of an add, 3 or 4 cycles a weight."""
    # a[m,n], x[n], y[m]
    for i in range(a.shape[0]):
        total = a.dtype.type(0)
        for j in range(a.shape[1]):
            total += a[i, j] * x[j]
        y[i] = total


@njit(nogil=True, fastmath={"contract", "reassoc"})
def one_by_one(a, x, y, first, last):
    """y[first:last] = a[first:last] x, a row at a time; weights of any type are widened to x's."""
    wide = x.dtype.type
    for i in range(first, last):
        row = a[i]
        total = wide(0)
        for j in range(x.size):
            total += wide(row[j]) * x[j]
        y[i] = total


@gemv.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True, fastmath={"contract", "reassoc"})
def vectorized(a, x, y):
    """`reassoc` lets the compiler keep a row's sum in many lanes: fast-math, though no less exact than one sum."""
    # a[m,n], x[n], y[m]
    one_by_one(a, x, y, 0, a.shape[0])


ROWS = 4
"""Rows at once: 5 loads for 4 FMAs where a single row has 2 for 1."""


@njit(nogil=True, fastmath={"contract", "reassoc"})
def by_fours(a, x, y, first, last):
    """y[first:last] = a[first:last] x, ROWS rows at once and one by one what is left over."""
    wide = x.dtype.type
    i = first
    while i + ROWS <= last:
        a0, a1, a2, a3 = a[i], a[i + 1], a[i + 2], a[i + 3]
        y0, y1, y2, y3 = wide(0), wide(0), wide(0), wide(0)
        for j in range(x.size):
            v = x[j]
            y0 += wide(a0[j]) * v
            y1 += wide(a1[j]) * v
            y2 += wide(a2[j]) * v
            y3 += wide(a3[j]) * v
        y[i], y[i + 1], y[i + 2], y[i + 3] = y0, y1, y2, y3
        i += ROWS
    one_by_one(a, x, y, i, last)


@gemv.variant(style="tiled", dtypes=("f64", "f32"))
@njit(nogil=True, fastmath={"contract", "reassoc"})
def tiled(a, x, y):
    """4 rows at once, each sum in lanes (fast-math): a vector of x is loaded once for 4 of a."""
    # a[m,n], x[n], y[m]
    by_fours(a, x, y, 0, a.shape[0])


BAND = 32
"""Rows a thread takes at a time: 128 bytes of y in f32, so that threads share a line of it only at a band's ends."""


@gemv.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True, fastmath={"contract", "reassoc"})
def parallel(a, x, y):
    """Vectorized (fast-math), in bands of 32 rows."""
    # a[m,n], x[n], y[m]
    m = a.shape[0]
    for band in prange((m + BAND - 1) // BAND):
        one_by_one(a, x, y, BAND * band, min(BAND * band + BAND, m))


def _whole_row(n: int) -> int:
    """One step a row."""
    return max(1, n)


def _int8_rows(inputs: Arrays) -> Arrays:
    a, x = inputs
    q, steps = _weights.quantize(a, 8, _whole_row(a.shape[1]))
    return np.ascontiguousarray(q[:, : a.shape[1]]), steps.reshape(-1), x


@gemv.variant(
    style="quantized",
    dtypes=("f32",),
    types=Dtypes(weights="i8", activations="f32", accumulator="f32"),
    prepare=_int8_rows,
    work=_weights.work(lambda m, n: m * n + 4 * m),
    check=_weights.check(8, _whole_row),
)
@njit(nogil=True, fastmath={"contract", "reassoc"})
def int8(a, steps, x, y):
    """8-bit weights with a step a row (quantized ahead), f32 sums in lanes (fast-math): a quarter of the bytes."""
    # a[m,n] int8, steps[m], x[n], y[m]
    by_fours(a, x, y, 0, a.shape[0])
    for i in range(y.size):
        y[i] *= steps[i]


def _int4_groups(inputs: Arrays) -> Arrays:
    a, x = inputs
    q, steps = _weights.quantize(a, 4, GROUP)
    return _weights.pack_nibbles(q), steps, x


def _int4_bytes(m: int, n: int) -> int:
    groups = max(1, -(-n // GROUP))
    return m * groups * (HALF + 4)


@njit(nogil=True, fastmath={"contract"})
def int4_rows(packed, steps, x, y, first, last):
    """y[first:last] = the 4-bit rows first..last times x, 4 rows at once."""
    whole = x.size // GROUP
    i = first
    while i < last:
        if i + ROWS <= last:
            dot_four_rows(packed[i:], steps[i:], x, y[i:])
            end = i + ROWS
        else:
            dot_row(packed[i:], steps[i:], x, y[i:])
            end = i + 1
        if whole < steps.shape[1]:
            for r in range(i, end):
                y[r] += steps[r, whole] * last_group(packed[r, whole * HALF :], x[whole * GROUP :])
        i = end


@njit(nogil=True, fastmath={"contract"})
def last_group(packed, x):
    """The dot product of fewer than 32 weights with what is left of x; low halves of the bytes come first."""
    total = np.float32(0)
    for j in range(x.size):
        nibble = packed[j] & 15 if j < HALF else packed[j - HALF] >> 4
        total += np.float32(np.int32(nibble) - 8) * x[j]
    return total


_INT4: dict[str, Any] = {
    "style": "quantized",
    "dtypes": ("f32",),
    "types": Dtypes(weights="i4", activations="f32", accumulator="f32"),
    "prepare": _int4_groups,
    "work": _weights.work(_int4_bytes),
    "check": _weights.check(4, lambda n: GROUP),
}
"""What both 4-bit variants declare."""


@gemv.variant(**_INT4)
@njit(nogil=True, fastmath={"contract"})
def int4(packed, steps, x, y):
    """4-bit weights, two a byte, a step for every 32 (quantized and packed ahead), unpacked into lanes of f32."""
    # packed[m,groups*16] uint8, steps[m,groups], x[n], y[m]
    int4_rows(packed, steps, x, y, 0, y.size)


@gemv.variant(**_INT4, parallel=True)
@njit(nogil=True, parallel=True, fastmath={"contract"})
def int4_parallel(packed, steps, x, y):
    """int4, in bands of 32 rows."""
    # packed[m,groups*16] uint8, steps[m,groups], x[n], y[m]
    m = y.size
    for band in prange((m + BAND - 1) // BAND):
        int4_rows(packed, steps, x, y, BAND * band, min(BAND * band + BAND, m))


@gemv.variant(style="library", dtypes=("f64", "f32"), parallel=True)
def numpy(a, x, y):
    """np.matmul(a, x, out=y), with the cost of the Python call."""
    np.matmul(a, x, out=y)


@gemv.variant(
    style="library",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_blas_gemv.with_gemv,
    unavailable=_blas_gemv.unavailable,
)
@njit(nogil=True)
def openblas(a, x, gemv, y):
    """cblas_gemv of the OpenBLAS bundled with NumPy, entered through its C symbol."""
    # a[m,n], x[n], y[m]; gemv is the symbol's address. BLAS returns without writing y when n is 0.
    if x.size:
        _blas_gemv.call_gemv(gemv, a, x, y)
    else:
        y[:] = 0
