"""dequantize: y[m,n] = q[m,n] scale[m], int8 to f32 with a scale a row

The ladder, each rung a line:
  naive       one element a trip
  vectorized  a vector of bytes widened to integers, to floats, and multiplied, on the way from load to store
  parallel    the vectorized form, a band of rows a thread
  numpy       np.multiply with a cast inside, as a Python user calls it
  torch       torch.mul with a cast inside, as a Python user calls it

Work of one call:
  FLOP   m n                                   one multiply an element; the widening is not counted
  bytes  m n + 4 m read + 4 m n written        and 4 m n more read for ownership of y's lines
Writing binds: a result four times as large as its operand. That is why kernels that compute with 8-bit weights widen
them in registers (gemv/int8) and do not write them out.

Every int8 is exact in f32, so a product rounds once. -128 is as good as any other; NaN or infinity as a scale makes
its row NaN where q is 0, and NaN or infinite elsewhere.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _peers
from kernelbench.kernels._check import EPS, Exact, Verification, elementwise
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.kernels._rows import PARALLEL_ELEMENTS
from kernelbench.kernels._vectors import TINY, in_range
from kernelbench.model import Accuracy, Dtypes, Work
from kernelbench.simd import lanes as simd


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    m, n = shape["m"], shape["n"]
    return rng.integers(-128, 127, (m, n), dtype=np.int8, endpoint=True), np.abs(random_values(rng, (m, 1), "f32"))


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return (((shape["m"], shape["n"]), "f32"),)


def _work(shape: Shape, dtype: str) -> Work:
    m, n = shape["m"], shape["n"]
    return Work(
        model="modelled",
        flop=m * n,
        mix="add",  # a multiply does one operation a lane, as an add does
        read_bytes=m * n + 4 * m,
        write_bytes=4 * m * n,
        rfo_bytes=4 * m * n,
        working_set_bytes=5 * m * n + 4 * m,
    )


def _check(v: Verification) -> Accuracy:
    q, scale = v.inputs
    flat, steps, n = q.reshape(-1), scale.reshape(-1).astype(np.float64), max(1, v.shape["n"])

    def exact(part: slice) -> Exact:
        row = np.arange(part.start, min(part.stop, flat.size)) // n
        with np.errstate(invalid="ignore"):  # 0 times infinity is NaN, and meant
            product = flat[part].astype(np.float64) * steps[row]
            return in_range(product, "f32"), np.abs(product) + TINY["f32"]

    # One rounding, by at most u of the product, or half a denormal step.
    return elementwise(v.outputs[0], exact, EPS["f32"], metric="max |error| / |q scale|", reference="float64")


dequantize = Op(
    name="dequantize",
    summary="y[m,n] f32 = q[m,n] int8 scale[m]",
    dims=("m", "n"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
    sizes=("64x256", "512x1024", "1024x4096"),
)

_TYPES = Dtypes(weights="i8", activations="f32", accumulator="f32")


@dequantize.variant(style="naive", dtypes=("f32",), types=_TYPES)
@njit(nogil=True)
def naive(q, scale, y):
    """One element a trip: the compiler is not told that neighbours follow each other."""
    # q[m,n] int8, scale[m,1], y[m,n]; see relu/naive for why the step is read from memory
    m, n = q.shape
    step = q.strides[1] // q.itemsize
    for i in range(m):
        j = 0
        while j < n:
            y[i, j] = np.float32(q[i, j]) * scale[i, 0]
            j += step


@njit(nogil=True)
def widen_row(q, i, factor, y):
    """Row i of y[m,n]."""
    n, w = q.shape[1], simd.lanes(y)
    first, whole = i * n, n - n % w
    for j in range(first, first + whole, w):
        simd.store(y, j, simd.load_as(q, j, np.float32) * factor)
    for j in range(whole, n):
        y[i, j] = np.float32(q[i, j]) * factor


@dequantize.variant(style="vectorized", dtypes=("f32",), types=_TYPES)
@njit(nogil=True)
def vectorized(q, scale, y):
    """Bytes widened in registers: a vector of them is loaded, converted, multiplied and stored."""
    # q[m,n] int8, scale[m,1], y[m,n]
    for i in range(q.shape[0]):
        widen_row(q, i, scale[i, 0], y)


@dequantize.variant(style="parallel", dtypes=("f32",), types=_TYPES, parallel=True)
@njit(nogil=True, parallel=True)
def parallel(q, scale, y):
    """The vectorized form, one contiguous band of rows a thread; a small matrix stays with one."""
    # q[m,n] int8, scale[m,1], y[m,n]
    if q.size < PARALLEL_ELEMENTS:
        vectorized(q, scale, y)
        return
    for i in prange(q.shape[0]):
        widen_row(q, i, scale[i, 0], y)


@dequantize.variant(style="library", dtypes=("f32",), types=_TYPES)
def numpy(q, scale, y):
    """np.multiply(q, scale, out=y), which casts q piece by piece, with the cost of the Python call."""
    np.multiply(q, scale, out=y)


@dequantize.variant(
    style="library",
    name="torch",
    dtypes=("f32",),
    types=_TYPES,
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(q, scale, y):
    """torch.mul(q, scale, out=y), which casts q on the way, with the cost of the Python call."""
    _peers.torch().mul(_peers.tensor(q), _peers.tensor(scale), out=_peers.tensor(y))
