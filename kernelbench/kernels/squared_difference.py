"""squared_difference: z[n] = (x[n] - y[n])^2, the terms of a squared distance or error

The ladder, each rung a line:
  naive       one element a trip
  vectorized  a unit-stride loop that the compiler turns into vectors; the difference stays in a register
  streaming   whole vectors stored past the caches: no line of z is read for ownership
  parallel    the vectorized loop on every thread
  numpy       np.subtract then np.square: two calls, so z is written twice and read once more
  torch       torch.sub then torch.square: the same two passes

Work of one call, s = bytes per element:
  FLOP   2 n                       a subtract and a multiply an element
  bytes  2 s n read + s n written  and s n more read for ownership of z's lines
The intensity is 2 / (3 s): 0.167 FLOP/B in f32. Memory binds at every level.

Special values follow IEEE 754: NaN gives NaN, as does inf - inf; a square beyond the type's range is infinite,
one below it denormal or zero.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _peers, _vectors
from kernelbench.kernels._registry import Op
from kernelbench.kernels._streaming import whole_vectors, without_ownership
from kernelbench.kernels._vectors import PARALLEL_ELEMENTS
from kernelbench.simd import lanes as simd

# The square needs the difference first, so no FMA does both. CPUs with separate adders and multipliers run
# the two side by side, two operations a lane as an FMA: its ceiling is the one that none can pass.
_work = _vectors.work(reads=2, flop=2, mix="fma")

squared_difference = Op(
    name="squared_difference",
    summary="z[n] = (x[n] - y[n])^2",
    dims=("n",),
    sizes=_vectors.SIZES,
    inputs=_vectors.two,
    outputs=_vectors.outputs,
    work=_work,
    # The difference and the square round once each, and the square doubles what the difference erred by:
    # (1 + u)^3 - 1 < 4 u.
    check=_vectors.check(
        lambda x, y: (x - y) ** 2,
        lambda x, y: (x - y) ** 2,
        roundings=4,
        metric="max |error| / (x - y)^2",
    ),
)


@squared_difference.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, y, z):
    """One element a trip: the compiler is not told that neighbours follow each other."""
    # x[n], y[n], z[n]; see relu/naive for why the step is read from memory
    step = x.strides[0] // x.itemsize
    i = 0
    while i < x.size:
        difference = x[i] - y[i]
        z[i] = difference * difference
        i += step


@squared_difference.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def vectorized(x, y, z):
    """A unit-stride loop: a subtract and a multiply for a whole vector of elements."""
    # x[n], y[n], z[n]
    for i in range(x.size):
        difference = x[i] - y[i]
        z[i] = difference * difference


@squared_difference.variant(style="vectorized", dtypes=("f64", "f32"), work=without_ownership(_work))
@njit(nogil=True)
def streaming(x, y, z):
    """Whole vectors stored past the caches: for what is too large to stay there."""
    # x[n], y[n], z[n]. A streaming store needs a whole vector at its own alignment: the ends are done as usual.
    first, last = whole_vectors(z)
    vectorized(x[:first], y[:first], z[:first])
    w = simd.lanes(z)
    for i in range(first, last, w):
        difference = simd.load(x, i) - simd.load(y, i)
        simd.stream(z, i, difference * difference)
    vectorized(x[last:], y[last:], z[last:])
    simd.fence()


@squared_difference.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, y, z):
    """The vectorized loop, one contiguous part a thread."""
    # x[n], y[n], z[n]
    if x.size < PARALLEL_ELEMENTS:
        vectorized(x, y, z)
        return
    for i in prange(x.size):
        difference = x[i] - y[i]
        z[i] = difference * difference


@squared_difference.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, y, z):
    """np.subtract(x, y, out=z); np.square(z, out=z), with the cost of two Python calls."""
    np.subtract(x, y, out=z)
    np.square(z, out=z)


@squared_difference.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, y, z):
    """torch.sub(x, y, out=z); torch.square(z, out=z), with the cost of two Python calls."""
    difference = _peers.tensor(z)
    _peers.torch().sub(_peers.tensor(x), _peers.tensor(y), out=difference)
    _peers.torch().square(difference, out=difference)
