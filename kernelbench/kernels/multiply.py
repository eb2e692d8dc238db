"""multiply: z[n] = x[n] * y[n], element by element

The ladder, each rung a line:
  naive       one element a trip
  vectorized  a unit-stride loop that the compiler turns into vectors
  streaming   whole vectors stored past the caches: no line of z is read for ownership
  parallel    the vectorized loop on every thread
  numpy       np.multiply, as a Python user calls it
  torch       torch.mul, as a Python user calls it

Work of one call, s = bytes per element:
  FLOP   n                       a multiply an element
  bytes  2 s n read + s n written  and s n more read for ownership of z's lines
The intensity is 1 / (3 s): 0.083 FLOP/B in f32. That a multiply takes longer than an add does not show:
memory binds both at the same rate.

Special values follow IEEE 754: NaN gives NaN, 0 * inf is NaN, products beyond the type's range are infinite,
those below it denormal or zero.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _peers, _vectors
from kernelbench.kernels._registry import Op
from kernelbench.kernels._streaming import whole_vectors, without_ownership
from kernelbench.kernels._vectors import PARALLEL_ELEMENTS
from kernelbench.simd import lanes as simd

# A multiply does one operation a lane, as an add does: half of an FMA's two.
_work = _vectors.work(reads=2, flop=1, mix="add")

multiply = Op(
    name="multiply",
    summary="z[n] = x[n] * y[n]",
    dims=("n",),
    sizes=_vectors.SIZES,
    inputs=_vectors.two,
    outputs=_vectors.outputs,
    work=_work,
    # One rounding, by at most u of the product, or half a denormal step.
    check=_vectors.check(
        lambda x, y: x * y,
        lambda x, y: np.abs(x) * np.abs(y),
        roundings=1,
        metric="max |error| / |x y|",
    ),
)


@multiply.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, y, z):
    """One element a trip: the compiler is not told that neighbours follow each other."""
    # x[n], y[n], z[n]; see relu/naive for why the step is read from memory
    step = x.strides[0] // x.itemsize
    i = 0
    while i < x.size:
        z[i] = x[i] * y[i]
        i += step


@multiply.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def vectorized(x, y, z):
    """A unit-stride loop: one multiply for a whole vector of elements."""
    # x[n], y[n], z[n]
    for i in range(x.size):
        z[i] = x[i] * y[i]


@multiply.variant(style="vectorized", dtypes=("f64", "f32"), work=without_ownership(_work))
@njit(nogil=True)
def streaming(x, y, z):
    """Whole vectors stored past the caches: for what is too large to stay there."""
    # x[n], y[n], z[n]. A streaming store needs a whole vector at its own alignment: the ends are done as usual.
    first, last = whole_vectors(z)
    vectorized(x[:first], y[:first], z[:first])
    w = simd.lanes(z)
    for i in range(first, last, w):
        simd.stream(z, i, simd.load(x, i) * simd.load(y, i))
    vectorized(x[last:], y[last:], z[last:])
    simd.fence()


@multiply.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, y, z):
    """The vectorized loop, one contiguous part a thread."""
    # x[n], y[n], z[n]
    if x.size < PARALLEL_ELEMENTS:
        vectorized(x, y, z)
        return
    for i in prange(x.size):
        z[i] = x[i] * y[i]


@multiply.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, y, z):
    """np.multiply(x, y, out=z), with the cost of the Python call."""
    np.multiply(x, y, out=z)


@multiply.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, y, z):
    """torch.mul(x, y, out=z), with the cost of the Python call."""
    _peers.torch().mul(_peers.tensor(x), _peers.tensor(y), out=_peers.tensor(z))
