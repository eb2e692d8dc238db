"""bias_gelu: y[m,n] = gelu(x[m,n] + b[n]), gelu in its tanh form: what follows the wide layer of a transformer's MLP

The ladder, each rung a line:
  naive       one element a trip through libm's tanh, sum and gelu together
  vectorized  two passes of vectors, as a framework without fusion runs it: y = x + b, then y = gelu(y)
  fused       one pass: the sum stays in a register until gelu is done with it
  parallel    the fused loop, a band of rows a thread
  numpy       np.add, then gelu_tanh's eight passes and a copy of the sum
  torch       torch.add, then its gelu: the two passes, as a Python user calls them

Work of one call, s = bytes per element:
  FLOP           (e + 7) m n                      the sum, and gelu_tanh's e + 6 (declared, see there)
  bytes, fused   s (m n + n) read + s m n written      and s m n read for ownership of y's lines
  two passes     s (2 m n + n) read + 2 s m n written  the second pass reads y back and writes it again; the
                                                       lines it writes it has just read, so ownership as before
Fused moves 2 s m n bytes where two passes move 4 s m n. With 29 operations an element the arithmetic binds while y is
in a cache, and fusing gains little more than a loop's overhead there; from memory the traffic binds, and it gains what
bias_relu gains. It changes no bit of the result.

NaN gives NaN, a sum of inf gives inf, of -inf NaN (gelu_tanh says why); inf + -inf is NaN.
"""

from math import tanh

import numpy as np
from msgspec import structs
from numba import njit, prange

from kernelbench.kernels import _peers
from kernelbench.kernels._activation import EXP_FLOP
from kernelbench.kernels._check import EPS, Exact, Verification, elementwise
from kernelbench.kernels._exact_sum import WIDER
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.kernels._rows import PARALLEL_ELEMENTS
from kernelbench.kernels._vectors import TINY
from kernelbench.kernels.gelu_tanh import CUBIC, ROOT, formula
from kernelbench.kernels.gelu_tanh import numpy as numpy_gelu
from kernelbench.model import DTYPE_BYTES, Accuracy, Work
from kernelbench.simd import lanes as simd


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    m, n = shape["m"], shape["n"]
    return random_values(rng, (m, n), dtype), random_values(rng, (n,), dtype)


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return (((shape["m"], shape["n"]), dtype),)


def _work(shape: Shape, dtype: str) -> Work:
    m, n, s = shape["m"], shape["n"], DTYPE_BYTES[dtype]
    return Work(
        model="declared",
        flop=(EXP_FLOP[dtype] + 7) * m * n,
        mix="fma",
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
    flat, n, wider = x.reshape(-1), v.shape["n"], WIDER[v.dtype]

    def exact(part: slice) -> Exact:
        column = np.arange(part.start, min(part.stop, flat.size)) % n
        left, right = flat[part].astype(wider), b[column].astype(wider)
        with np.errstate(invalid="ignore", over="ignore"):  # inf - inf is NaN, and meant
            t = left + right
            value = t / 2 * (1 + np.tanh(wider(ROOT) * (t + wider(CUBIC) * t**3)))
            return value.astype(np.float64), (np.abs(left) + np.abs(right) + TINY[v.dtype]).astype(np.float64)

    # The sum errs by u of |x| + |b|, and gelu passes that on at a slope of at most 1.13; gelu's own 8 u (see
    # gelu_tanh) are of |x + b|, which is no more.
    metric = "max |error| / (|x| + |b|)"
    return elementwise(v.outputs[0], exact, 9.2 * EPS[v.dtype], metric=metric, reference="a wider type's tanh")


bias_gelu = Op(
    name="bias_gelu",
    summary="y[m,n] = gelu(x[m,n] + b[n]), tanh form",
    dims=("m", "n"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
    sizes=("64x256", "512x1024", "1024x4096"),
)


@bias_gelu.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, b, y):
    """One element a trip, through libm's tanh."""
    # x[m,n], b[n], y[m,n]
    kind = x.dtype.type
    half, one, root, cubic = kind(0.5), kind(1), kind(ROOT), kind(CUBIC)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            v = x[i, j] + b[j]
            y[i, j] = half * v * (one + tanh(root * (v + cubic * v * v * v)))


@njit(nogil=True)
def add_row(x, b, i, y):
    """Row i of y[m,n] = x[m,n] + b[n]."""
    for j in range(x.shape[1]):
        y[i, j] = x[i, j] + b[j]


@bias_gelu.variant(style="vectorized", dtypes=("f64", "f32"), work=_two_passes)
@njit(nogil=True)
def vectorized(x, b, y):
    """Two passes of vectors: all sums are written to y, then read back for gelu."""
    # x[m,n], b[n], y[m,n]
    for i in range(x.shape[0]):
        add_row(x, b, i, y)
    w = simd.lanes(y)
    whole = y.size - y.size % w
    for i in range(0, whole, w):
        simd.store(y, i, formula(simd.load(y, i)))
    simd.store_part(y, whole, formula(simd.load_part(y, whole, y.size - whole)), y.size - whole)


@njit(nogil=True)
def fused_row(x, b, i, y):
    """Row i of y[m,n]."""
    n, w = x.shape[1], simd.lanes(x)
    first, whole = i * n, n - n % w
    for j in range(0, whole, w):
        simd.store(y, first + j, formula(simd.load(x, first + j) + simd.load(b, j)))
    left = n - whole
    if left:
        v = simd.load_part(x, first + whole, left) + simd.load_part(b, whole, left)
        simd.store_part(y, first + whole, formula(v), left)


@bias_gelu.variant(style="fused", dtypes=("f64", "f32"))
@njit(nogil=True)
def fused(x, b, y):
    """One pass: each sum goes through gelu while it is in a register, and y is written once."""
    # x[m,n], b[n], y[m,n]
    for i in range(x.shape[0]):
        fused_row(x, b, i, y)


@bias_gelu.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, b, y):
    """The fused loop, one contiguous band of rows a thread; a small matrix stays with one."""
    # x[m,n], b[n], y[m,n]
    if x.size < PARALLEL_ELEMENTS:
        fused(x, b, y)
        return
    for i in prange(x.shape[0]):
        fused_row(x, b, i, y)


@bias_gelu.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, b, y):
    """np.add, then gelu_tanh/numpy: the sum is a temporary, and y is passed over eight times."""
    numpy_gelu(np.add(x, b), y)


@bias_gelu.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    work=_two_passes,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, b, y):
    """torch.add(x, b, out=y), then gelu with approximate="tanh" and out=y, with the cost of two Python calls."""
    torch, total = _peers.torch(), _peers.tensor(y)
    torch.add(_peers.tensor(x), _peers.tensor(b), out=total)
    torch.nn.functional.gelu(total, approximate="tanh", out=total)
