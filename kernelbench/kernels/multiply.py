"""multiply: z[n] = x[n] * y[n], element by element

The ladder, each rung a line:
  naive       one element a trip
  vectorized  a unit-stride loop that the compiler turns into vectors
  parallel    the vectorized loop on every thread
  numpy       np.multiply, as a Python user calls it

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

from kernelbench.kernels import _vectors
from kernelbench.kernels._registry import Op

multiply = Op(
    name="multiply",
    summary="z[n] = x[n] * y[n]",
    dims=("n",),
    inputs=_vectors.two,
    outputs=_vectors.outputs,
    # A multiply does one operation a lane, as an add does: half of an FMA's two.
    work=_vectors.work(reads=2, flop=1, mix="add"),
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


@multiply.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, y, z):
    """The vectorized loop, one contiguous part a thread."""
    # x[n], y[n], z[n]
    for i in prange(x.size):
        z[i] = x[i] * y[i]


@multiply.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, y, z):
    """np.multiply(x, y, out=z), with the cost of the Python call."""
    np.multiply(x, y, out=z)
