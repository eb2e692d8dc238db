"""gelu: y[n] = x[n] Phi(x[n]), Phi the normal distribution: x / 2 (1 + erf(x / sqrt 2))

The ladder, each rung a line:
  naive       one element a trip through libm's erf
  vectorized  max(x, 0) - |x| Phi(-|x|) on vectors: the same function by the tail of Phi, in which nothing cancels
  parallel    the vectorized loop, blocks of 2048 elements shared by the threads
  torch       gelu of torch with out=, as a Python user calls it (NumPy has no erf)

Work of one call, s = bytes per element:
  FLOP   (e + 4) n   e operations for Phi (35 in f32, 70 in f64: see _activation.py), two extremes, a product, a
                     difference. Declared: by another erf it is another count.
  bytes  s n read + s n written, and s n more read for ownership of y's lines, unless the CPU evades it
39 operations for 8 bytes in f32: while x and y are cached it is the arithmetic that binds.

For x well below 0 the sum 1 + erf cancels: what is left of y is exact to roundoff of x, not of y, in naive and torch;
the tail keeps 4 digits of f32 down to -4. NaN gives NaN, inf inf. -inf gives the limit 0 in our vectors; in naive
and torch it gives NaN, -inf times 0.
"""

import math

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _activation, _erf_reference, _peers, _vectors
from kernelbench.kernels._activation import BLOCK, PARALLEL_ELEMENTS, TAIL_FLOP, over
from kernelbench.kernels._registry import Op
from kernelbench.simd import lanes as simd

SQRT_HALF = 0.7071067811865476


def _exact(x: np.ndarray) -> np.ndarray:
    # erf to float64's last digits: its error is one more u for f64, and nothing for f32.
    y: np.ndarray = x / 2 * (1 + _erf_reference.erf((x * np.sqrt(x.dtype.type(0.5))).astype(np.float64)))
    return y


# In units of u |x|: an erf within 3 ulp gives 1.5, its argument's rounding less than 0.5, the sum 1 and the product 1;
# the tail of Phi gives no more, and torch's less exact erf 6.4 (found over 2 million values).
_check = _activation.check(_exact, lambda x, y: np.abs(x), 8.0, "max |error| / |x|")

gelu = Op(
    name="gelu",
    summary="y[n] = x[n] / 2 (1 + erf(x[n] / sqrt 2))",
    dims=("n",),
    sizes=_vectors.SIZES,
    inputs=_activation.inputs,
    outputs=_vectors.outputs,
    work=_activation.work(lambda dtype: TAIL_FLOP[dtype] + 4),
    check=_check,
)


@gelu.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, y):
    """One element a trip, through libm's erf."""
    # x[n], y[n]; see relu/naive for why the step is read from memory
    step = x.strides[0] // x.itemsize
    half, one, root = x.dtype.type(0.5), x.dtype.type(1), x.dtype.type(SQRT_HALF)
    for i in range(0, x.size, step):
        y[i] = half * x[i] * (one + math.erf(x[i] * root))


@njit(nogil=True, forceinline=True)
def formula(x):
    """max(x, 0) - |x| Phi(-|x|) of a vector."""
    # From 30 on the tail is 0, and infinity times 0 would be NaN.
    return simd.maximum(x, 0.0) - simd.minimum(30.0, simd.absolute(x)) * simd.normal_tail(x)


@gelu.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def vectorized(x, y):
    """Vectors through the tail of the normal distribution, read once and written once."""
    # x[n], y[n]
    over(formula, x, y, 0, x.size)


@gelu.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, y):
    """The vectorized loop, in blocks of 2048 elements."""
    # x[n], y[n]
    if x.size < PARALLEL_ELEMENTS:
        over(formula, x, y, 0, x.size)
        return
    for block in prange((x.size + BLOCK - 1) // BLOCK):
        over(formula, x, y, BLOCK * block, min(BLOCK * block + BLOCK, x.size))


@gelu.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, y):
    """torch.nn.functional.gelu(x, out=y), with the cost of the Python call."""
    _peers.torch().nn.functional.gelu(_peers.tensor(x), out=_peers.tensor(y))
