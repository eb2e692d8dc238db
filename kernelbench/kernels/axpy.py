"""axpy: z[n] = alpha * x[n] + y[n], the vector update of BLAS level 1 (Lawson et al. 1979)

BLAS updates y in place. Repeated a million times, as a benchmark does, y would grow until it overflows and
the operands of each call would differ from those that were checked. So the result goes to a vector of its own:
every call does the same work on the same operands, at the cost of reading z's lines for ownership.

The ladder, each rung a line:
  naive       one element a trip
  vectorized  a unit-stride loop that the compiler turns into vectors with a fused multiply-add
  streaming   whole vectors stored past the caches: no line of z is read for ownership
  parallel    the vectorized loop on every thread
  numpy       np.multiply then np.add: two calls, so z is written twice and read once more
  torch       torch.add with its alpha: one call, one pass

Work of one call, s = bytes per element:
  FLOP   2 n                       a multiply and an add an element
  bytes  2 s n read + s n written  and s n more read for ownership of z's lines (in place there is none)
The intensity is 2 / (3 s): 0.167 FLOP/B in f32. Memory binds at every level.

NaN gives NaN, inf - inf is NaN. Where alpha * x alone is beyond the type's range, a fused multiply-add may still
give a finite sum and the others infinity.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _peers, _vectors
from kernelbench.kernels._registry import Op
from kernelbench.kernels._streaming import whole_vectors, without_ownership
from kernelbench.kernels._vectors import PARALLEL_ELEMENTS
from kernelbench.simd import lanes as simd

ALPHA = 0.75
"""Exact in every float type, and 0.75 x + y of operands below 1 stays below 2."""

_work = _vectors.work(reads=2, flop=2, mix="fma")

axpy = Op(
    name="axpy",
    summary="z[n] = alpha x[n] + y[n]",
    dims=("n",),
    sizes=_vectors.SIZES,
    inputs=_vectors.two,
    outputs=_vectors.outputs,
    work=_work,
    # One rounding with an FMA; two without, each at most u of alpha |x| + |y|, or half a denormal step.
    check=_vectors.check(
        lambda x, y: ALPHA * x + y,
        lambda x, y: ALPHA * np.abs(x) + np.abs(y),
        roundings=2,
        metric="max |error| / (alpha |x| + |y|)",
    ),
)


@axpy.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, y, z):
    """One element a trip: the compiler is not told that neighbours follow each other."""
    # x[n], y[n], z[n]; see relu/naive for why the step is read from memory
    alpha = x.dtype.type(ALPHA)
    step = x.strides[0] // x.itemsize
    i = 0
    while i < x.size:
        z[i] = alpha * x[i] + y[i]
        i += step


@axpy.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True, fastmath={"contract"})
def vectorized(x, y, z):
    """A unit-stride loop; `contract` lets alpha*x + y become one fused multiply-add."""
    # x[n], y[n], z[n]
    alpha = x.dtype.type(ALPHA)
    for i in range(x.size):
        z[i] = alpha * x[i] + y[i]


@axpy.variant(style="vectorized", dtypes=("f64", "f32"), work=without_ownership(_work))
@njit(nogil=True)
def streaming(x, y, z):
    """Whole vectors stored past the caches: for what is too large to stay there."""
    # x[n], y[n], z[n]. A streaming store needs a whole vector at its own alignment: the ends are done as usual.
    alpha = x.dtype.type(ALPHA)
    first, last = whole_vectors(z)
    vectorized(x[:first], y[:first], z[:first])
    w = simd.lanes(z)
    for i in range(first, last, w):
        simd.stream(z, i, simd.fma(simd.load(x, i), alpha, simd.load(y, i)))
    vectorized(x[last:], y[last:], z[last:])
    simd.fence()


@axpy.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True, fastmath={"contract"})
def parallel(x, y, z):
    """The vectorized loop, one contiguous part a thread."""
    # x[n], y[n], z[n]
    if x.size < PARALLEL_ELEMENTS:
        vectorized(x, y, z)
        return
    alpha = x.dtype.type(ALPHA)
    for i in prange(x.size):
        z[i] = alpha * x[i] + y[i]


@axpy.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, y, z):
    """np.multiply(x, alpha, out=z); np.add(z, y, out=z), with the cost of two Python calls."""
    np.multiply(x, ALPHA, out=z)
    np.add(z, y, out=z)


@axpy.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, y, z):
    """torch.add(y, x, alpha=alpha, out=z), in one pass, with the cost of the Python call."""
    _peers.torch().add(_peers.tensor(y), _peers.tensor(x), alpha=ALPHA, out=_peers.tensor(z))
