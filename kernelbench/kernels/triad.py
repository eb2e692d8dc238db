"""triad: a[n] = b[n] + alpha * c[n], STREAM's kernel (McCalpin 1995)

The ladder, each rung a line:
  naive       one element a trip
  vectorized  a unit-stride loop that the compiler turns into vectors with a fused multiply-add
  streaming   whole vectors stored past the caches: no line of a is read for ownership
  parallel    the vectorized loop on every thread
  numpy       np.multiply then np.add: two calls, so a is written twice and read once more
  torch       torch.add with its alpha: one call, one pass

Work of one call, s = bytes per element:
  FLOP   2 n                       a multiply and an add an element
  bytes  2 s n read + s n written  and s n more read for ownership of a's lines
The intensity is 2 / (3 s): 0.167 FLOP/B in f32. Memory binds at every level.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _peers
from kernelbench.kernels._check import EPS, Exact, Verification, elementwise
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.kernels._streaming import whole_vectors, without_ownership
from kernelbench.kernels._vectors import PARALLEL_ELEMENTS, SIZES
from kernelbench.model import DTYPE_BYTES, Accuracy, Work
from kernelbench.simd import lanes as simd

ALPHA = 3.0
"""STREAM's scalar; exact in every float type."""


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    size = (shape["n"],)
    return random_values(rng, size, dtype), random_values(rng, size, dtype)


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return (((shape["n"],), dtype),)


def _work(shape: Shape, dtype: str) -> Work:
    n, s = shape["n"], DTYPE_BYTES[dtype]
    return Work(
        model="modelled",
        flop=2 * n,
        mix="fma",
        read_bytes=2 * s * n,
        write_bytes=s * n,
        rfo_bytes=s * n,
        working_set_bytes=3 * s * n,
    )


def _check(v: Verification) -> Accuracy:
    def exact(part: slice) -> Exact:
        b, c = (x[part].astype(np.float64) for x in v.inputs)
        return b + ALPHA * c, np.abs(b) + ALPHA * np.abs(c)

    # One rounding with an FMA, two without; each at most u of |b| + alpha |c|.
    tolerance = 2 * EPS[v.dtype]
    metric = "max |error| / (|b| + alpha |c|)"
    return elementwise(v.outputs[0], exact, tolerance, metric=metric, reference="float64")


triad = Op(
    name="triad",
    summary="a[n] = b[n] + alpha c[n]",
    dims=("n",),
    sizes=SIZES,
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
)


@triad.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(b, c, a):
    """One element a trip: the compiler is not told that neighbours follow each other."""
    # a[n], b[n], c[n]; see relu/naive for why the step is read from memory
    alpha = b.dtype.type(ALPHA)
    step = b.strides[0] // b.itemsize
    i = 0
    while i < b.size:
        a[i] = b[i] + alpha * c[i]
        i += step


@triad.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True, fastmath={"contract"})
def vectorized(b, c, a):
    """A unit-stride loop; `contract` lets b + alpha*c become one fused multiply-add."""
    # a[n], b[n], c[n]
    alpha = b.dtype.type(ALPHA)
    for i in range(b.size):
        a[i] = b[i] + alpha * c[i]


@triad.variant(style="vectorized", dtypes=("f64", "f32"), work=without_ownership(_work))
@njit(nogil=True)
def streaming(b, c, a):
    """Whole vectors stored past the caches: for what is too large to stay there."""
    # b[n], c[n], a[n]. A streaming store needs a whole vector at its own alignment: the ends are done as usual.
    alpha = b.dtype.type(ALPHA)
    first, last = whole_vectors(a)
    vectorized(b[:first], c[:first], a[:first])
    w = simd.lanes(a)
    for i in range(first, last, w):
        simd.stream(a, i, simd.fma(simd.load(c, i), alpha, simd.load(b, i)))
    vectorized(b[last:], c[last:], a[last:])
    simd.fence()


@triad.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True, fastmath={"contract"})
def parallel(b, c, a):
    """The vectorized loop, one contiguous part a thread."""
    # a[n], b[n], c[n]
    if b.size < PARALLEL_ELEMENTS:
        vectorized(b, c, a)
        return
    alpha = b.dtype.type(ALPHA)
    for i in prange(b.size):
        a[i] = b[i] + alpha * c[i]


@triad.variant(style="library", dtypes=("f64", "f32"))
def numpy(b, c, a):
    """np.multiply(c, alpha, out=a); np.add(b, a, out=a), with the cost of two Python calls."""
    np.multiply(c, ALPHA, out=a)
    np.add(b, a, out=a)


@triad.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(b, c, a):
    """torch.add(b, c, alpha=alpha, out=a), in one pass, with the cost of the Python call."""
    _peers.torch().add(_peers.tensor(b), _peers.tensor(c), alpha=ALPHA, out=_peers.tensor(a))
