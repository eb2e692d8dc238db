"""quantize: q[m,n] int8 = x[m,n] / scale[m] rounded, scale[m] = max |x[m,:]| / 127: symmetric absmax, a scale a row

The ladder, each rung a line:
  naive       two passes over a row, one element a time: the largest magnitude, the integers
  vectorized  the same passes in vectors; the magnitudes are compared as integers, which keeps a NaN in sight
  parallel    the vectorized form, a band of rows a thread
  numpy       np.max of np.abs, a product, np.rint and a cast: two temporaries as large as x
  torch       torch.linalg.vector_norm for the largest, a product, a round in place and a converting copy

torch.quantize_per_channel is no peer: it takes the scales as given and makes a tensor of a type of its own.

Work of one call:
  operations  5 m n                                 magnitude, maximum, multiply, round, narrow; no mix of ours has them
  bytes       4 m n read + m n written, 4 m scales  and m n + 4 m more read for ownership
The second pass over a row finds it in L1 or L2 (a row of 1024 is 4 KiB), so x is counted once.

Exactly what is computed, so that every variant gives the same integers: scale = max |x| / 127 in f32, but no less
than the smallest normal number, and 1 for a row of zeros; inverse = 1 / scale; q = x inverse rounded to the nearest
integer, half to even. The quotient of the largest is within 2 roundings of 127, so nothing passes 127, and -128 does
not occur: -q is always valid.
A row with NaN or infinity has no integers: its scale is NaN and its q are 0. That holds for our variants; what
libraries make of such a row is their own.
"""

import numpy as np
from msgspec import structs
from numba import njit, prange

from kernelbench.kernels import _peers
from kernelbench.kernels._check import Verification, WrongResult, elementwise, exactly
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.kernels._rows import PARALLEL_ELEMENTS
from kernelbench.model import Accuracy, Dtypes, Work
from kernelbench.simd import lanes as simd

TOP = np.float32(127)
LEAST = np.float32(2.0**-126)
"""Smallest normal f32: the inverse of a smaller scale could be infinite, and its quotients coarse."""
LARGEST = np.float32(3.4028234663852886e38)
MAGIC = np.float32(1.5 * 2**23)
"""Added to a small number it leaves no bit below 1, so the sum is rounded to an integer, half to even as any sum, which
then stands in its low bits in two's complement. Works without a rounding instruction, which SSE2 lacks."""


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    return (random_values(rng, (shape["m"], shape["n"]), "f32"),)


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return ((shape["m"], shape["n"]), "i8"), ((shape["m"], 1), "f32")


def _work(shape: Shape, dtype: str) -> Work:
    m, n = shape["m"], shape["n"]
    return Work(
        model="modelled",
        flop=5 * m * n,
        read_bytes=4 * m * n,
        write_bytes=m * n + 4 * m,
        rfo_bytes=m * n + 4 * m,
        working_set_bytes=5 * m * n + 4 * m,
    )


def _oracle(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(q, scale) in float64, rounded to f32 where the definition has f32; half to even by hand."""
    wide = x.astype(np.float64)
    peak = np.max(np.abs(wide), axis=1, initial=0.0, keepdims=True)
    fit = np.isfinite(peak)
    scale = np.where(peak > 0, np.maximum((peak / 127).astype(np.float32), LEAST), np.float32(1))
    inverse = (1 / scale.astype(np.float64)).astype(np.float32)
    with np.errstate(invalid="ignore"):  # infinity times 0, in the rows without integers
        quotient = np.where(fit, (wide * inverse.astype(np.float64)).astype(np.float32), 0).astype(np.float64)
    below = np.floor(quotient)
    up = (quotient - below > 0.5) | ((quotient - below == 0.5) & (below % 2 == 1))
    return (below + up).astype(np.int64), np.where(fit, scale, np.float32(np.nan))


def _check(v: Verification) -> Accuracy:
    x = v.inputs[0]
    exact, scale = v.once("quantize", lambda: _oracle(x))
    exactly(v.outputs[0], exact)
    if not np.array_equal(v.outputs[1], scale, equal_nan=True):
        raise WrongResult("a row's scale is not max |x| / 127")
    flat, across, n = x.reshape(-1), scale.reshape(-1).astype(np.float64), max(1, v.shape["n"])

    def in_steps(part: slice) -> tuple[np.ndarray, float]:
        row = np.arange(part.start, min(part.stop, flat.size)) // n
        with np.errstate(invalid="ignore"):  # rows without integers
            steps = flat[part].astype(np.float64) / across[row]
        return np.where(np.isnan(across[row]), 0.0, steps), 1.0

    # Rounding to the nearest errs by half a step, and the inverse and the product by 2 u of 127 steps.
    accuracy = elementwise(v.outputs[0], in_steps, 0.5 + 1e-4, metric="max |error| / scale", reference="float64")
    return structs.replace(accuracy, reference="exact integers, then float64")


quantize = Op(
    name="quantize",
    summary="q[m,n] int8, scale[m] = max |x[m,:]| / 127",
    dims=("m", "n"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
    sizes=("64x256", "512x1024", "1024x4096"),
)

_TYPES = Dtypes(weights="i8", activations="f32", accumulator="f32")


@njit(nogil=True)
def steps_of(peak):
    """(scale, inverse) of a row whose largest magnitude is ``peak``, a finite f32."""
    scale = max(peak / TOP, LEAST) if peak > 0 else np.float32(1)
    return scale, np.float32(1) / scale


@quantize.variant(style="naive", dtypes=("i8",), types=_TYPES)
@njit(nogil=True)
def naive(x, q, scale):
    """Two passes over a row, one element a time."""
    # x[m,n], q[m,n] int8, scale[m,1]; see relu/naive for why the step is read from memory
    m, n = x.shape
    step = x.strides[1] // x.itemsize
    i = 0
    while i < m:
        peak, fit, j = np.float32(0), True, 0
        while j < n:
            v = abs(x[i, j])
            fit = fit and v <= LARGEST
            peak = max(peak, v)
            j += step
        row_scale, inverse = steps_of(peak)
        scale[i, 0] = row_scale if fit else np.float32(np.nan)
        j = 0
        while j < n:
            # NaN and infinity times anything have no integer.
            q[i, j] = np.int32(np.rint(x[i, j] * inverse)) if fit else 0
            j += step
        i += step


@njit(nogil=True)
def row_peak(x, first, n):
    """(largest |x[first:first+n]|, whether all of them are finite)."""
    # Magnitudes compare as their bits do, and NaN's are the largest of all: an integer maximum does not lose it.
    w, sign_off = simd.lanes(x), np.int32(0x7FFFFFFF)
    a = simd.zeros(np.int32)
    b, c, d = a, a, a
    i, end = first, first + n
    while i + 4 * w <= end:
        a = simd.maximum(a, simd.reinterpret(simd.load(x, i), np.int32) & sign_off)
        b = simd.maximum(b, simd.reinterpret(simd.load(x, i + w), np.int32) & sign_off)
        c = simd.maximum(c, simd.reinterpret(simd.load(x, i + 2 * w), np.int32) & sign_off)
        d = simd.maximum(d, simd.reinterpret(simd.load(x, i + 3 * w), np.int32) & sign_off)
        i += 4 * w
    while i + w <= end:
        a = simd.maximum(a, simd.reinterpret(simd.load(x, i), np.int32) & sign_off)
        i += w
    b = simd.maximum(b, simd.reinterpret(simd.load_part(x, i, end - i), np.int32) & sign_off)
    largest = simd.maximum(simd.maximum(a, b), simd.maximum(c, d))
    return simd.highest(simd.reinterpret(largest, np.float32)), simd.highest(largest) < 0x7F800000


@njit(nogil=True)
def rounded(v):
    """A vector of f32 within +-127 as one of int8."""
    return simd.convert(simd.reinterpret(v + MAGIC, np.int32), np.int8)


@njit(nogil=True)
def quantize_row(x, i, q, scale):
    """Row i of q[m,n] and of scale[m,1]."""
    n, w = x.shape[1], simd.lanes(x)
    first, whole = i * n, n - n % w
    peak, fit = row_peak(x, first, n)
    if not fit:
        scale[i, 0] = np.float32(np.nan)
        for j in range(n):
            q[i, j] = 0
        return
    scale[i, 0], inverse = steps_of(peak)
    for j in range(0, whole, w):
        simd.store(q, first + j, rounded(simd.load(x, first + j) * inverse))
    if whole < n:
        simd.store_part(q, first + whole, rounded(simd.load_part(x, first + whole, n - whole) * inverse), n - whole)


@quantize.variant(style="vectorized", dtypes=("i8",), types=_TYPES)
@njit(nogil=True)
def vectorized(x, q, scale):
    """The two passes in vectors; a number is rounded and cast by adding 1.5 x 2^23 and keeping the low byte."""
    # x[m,n], q[m,n] int8, scale[m,1]
    for i in range(x.shape[0]):
        quantize_row(x, i, q, scale)


@quantize.variant(style="parallel", dtypes=("i8",), types=_TYPES, parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, q, scale):
    """The vectorized form, one contiguous band of rows a thread; a small matrix stays with one."""
    # x[m,n], q[m,n] int8, scale[m,1]
    if x.size < PARALLEL_ELEMENTS:
        vectorized(x, q, scale)
        return
    for i in prange(x.shape[0]):
        quantize_row(x, i, q, scale)


@quantize.variant(style="library", dtypes=("i8",), types=_TYPES)
def numpy(x, q, scale):
    """np.abs, np.max, np.multiply, np.rint and a cast, with two temporaries as large as x."""
    peak = np.max(np.abs(x), axis=1, initial=0, keepdims=True)
    np.divide(peak, TOP, out=scale)
    np.maximum(scale, LEAST, out=scale)
    scale[peak == 0] = 1
    quotient = np.multiply(x, np.float32(1) / scale)
    np.rint(quotient, out=quotient)
    np.copyto(q, quotient, casting="unsafe")


@quantize.variant(
    style="library",
    name="torch",
    dtypes=("i8",),
    types=_TYPES,
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, q, scale):
    """vector_norm(inf), div, mul, round_ and a converting copy_, with one temporary as large as x."""
    torch, rows, steps = _peers.torch(), _peers.tensor(x), _peers.tensor(scale)
    if not x.size:  # torch finds no largest of nothing
        scale[:] = 1
        return
    peak = torch.linalg.vector_norm(rows, np.inf, dim=1, keepdim=True)
    torch.div(peak, 127, out=steps)
    steps.clamp_min_(float(LEAST)).masked_fill_(peak == 0, 1)
    _peers.tensor(q).copy_(torch.mul(rows, steps.reciprocal()).round_())
