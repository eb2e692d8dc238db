"""bias_relu: y[m,n] = max(x[m,n] + b[n], 0), what follows a dense layer: m rows of n features

The ladder, each rung a line:
  naive       one element a trip, sum and comparison together
  vectorized  two passes, as a framework without fusion runs it: y = x + b, then y = max(y, 0)
  fused       one pass: the sum stays in a register until it is clipped
  parallel    the fused loop, a band of rows a thread
  numpy       np.add then np.maximum: the two passes, as a Python user calls them
  torch       torch.add then clamp_min_: the same two passes

Work of one call, s = bytes per element:
  FLOP           2 m n                            an add and a comparison an element
  bytes, fused   s (m n + n) read + s m n written      and s m n read for ownership of y's lines
  two passes     s (2 m n + n) read + 2 s m n written  the second pass reads y back and writes it again; the
                                                       lines it writes it has just read, so ownership as before
Fused moves 2 s m n bytes where two passes move 4 s m n. While y fits a near cache the second pass is cheap; from
memory fusing saves up to half of the time. It changes no bit of the result.

NaN gives NaN in every variant, as np.maximum does; inf + -inf is NaN.
"""

import numpy as np
from msgspec import structs
from numba import njit, prange

from kernelbench.kernels import _peers
from kernelbench.kernels._check import EPS, Exact, Verification, elementwise
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.kernels._vectors import PARALLEL_ELEMENTS, in_range
from kernelbench.model import DTYPE_BYTES, Accuracy, Work


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    m, n = shape["m"], shape["n"]
    return random_values(rng, (m, n), dtype), random_values(rng, (n,), dtype)


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return (((shape["m"], shape["n"]), dtype),)


def _work(shape: Shape, dtype: str) -> Work:
    m, n, s = shape["m"], shape["n"], DTYPE_BYTES[dtype]
    return Work(
        model="modelled",
        flop=2 * m * n,
        mix="add",  # neither the add nor the max has a multiply to share an FMA with
        read_bytes=s * (m * n + n),
        write_bytes=s * m * n,
        rfo_bytes=s * m * n,
        working_set_bytes=s * (2 * m * n + n),
    )


def _two_passes(shape: Shape, dtype: str) -> Work:
    m, n, s = shape["m"], shape["n"], DTYPE_BYTES[dtype]
    return structs.replace(_work(shape, dtype), read_bytes=s * (2 * m * n + n), write_bytes=2 * s * m * n)


def _check(v: Verification) -> Accuracy:
    x, b = v.inputs
    flat, n = x.reshape(-1), v.shape["n"]

    def exact(part: slice) -> Exact:
        column = np.arange(part.start, min(part.stop, flat.size)) % n
        left, right = flat[part].astype(np.float64), b[column].astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):  # inf - inf is NaN, and meant
            total = in_range(left + right, v.dtype)
            return np.where(total < 0, 0.0, total), np.abs(left) + np.abs(right)

    # The sum rounds once, by at most u of it; clipping rounds nothing.
    return elementwise(
        v.outputs[0], exact, EPS[v.dtype], metric="max |error| / (|x| + |b|)", reference="float64 by comparison"
    )


bias_relu = Op(
    name="bias_relu",
    summary="y[m,n] = max(x[m,n] + b[n], 0)",
    dims=("m", "n"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
)


@bias_relu.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, b, y):
    """One element a trip, each behind a branch of its own."""
    # x[m,n], b[n], y[m,n]; see relu/naive for why the step is read from memory
    m, n = x.shape
    step = b.strides[0] // b.itemsize
    for i in range(m):
        j = 0
        while j < n:
            v = x[i, j] + b[j]
            if v < 0:
                v = x.dtype.type(0)
            y[i, j] = v
            j += step


@bias_relu.variant(style="vectorized", dtypes=("f64", "f32"), work=_two_passes)
@njit(nogil=True)
def vectorized(x, b, y):
    """Two passes of vectors: all sums are written to y, then read back to be clipped."""
    # x[m,n], b[n], y[m,n]
    m, n = x.shape
    for i in range(m):
        for j in range(n):
            y[i, j] = x[i, j] + b[j]
    zero = x.dtype.type(0)
    for i in range(m):
        for j in range(n):
            v = y[i, j]
            y[i, j] = zero if v < zero else v


@bias_relu.variant(style="fused", dtypes=("f64", "f32"))
@njit(nogil=True)
def fused(x, b, y):
    """One pass: each sum is clipped while it is in a register, and y is written once."""
    # x[m,n], b[n], y[m,n]
    m, n = x.shape
    zero = x.dtype.type(0)
    for i in range(m):
        for j in range(n):
            v = x[i, j] + b[j]
            y[i, j] = zero if v < zero else v


@bias_relu.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, b, y):
    """The fused loop, one contiguous band of rows a thread."""
    # x[m,n], b[n], y[m,n]
    if x.size < PARALLEL_ELEMENTS:
        fused(x, b, y)
        return
    m, n = x.shape
    zero = x.dtype.type(0)
    for i in prange(m):
        for j in range(n):
            v = x[i, j] + b[j]
            y[i, j] = zero if v < zero else v


@bias_relu.variant(style="library", dtypes=("f64", "f32"), work=_two_passes)
def numpy(x, b, y):
    """np.add(x, b, out=y); np.maximum(y, 0, out=y), with the cost of two Python calls."""
    np.add(x, b, out=y)
    np.maximum(y, 0, out=y)


@bias_relu.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
    work=_two_passes,
)
def with_torch(x, b, y):
    """torch.add(x, b, out=y); torch.clamp_min_(y, 0): the two passes, with the cost of two Python calls."""
    total = _peers.tensor(y)
    _peers.torch().add(_peers.tensor(x), _peers.tensor(b), out=total)
    total.clamp_min_(0)
