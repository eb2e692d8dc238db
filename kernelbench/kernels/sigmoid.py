"""sigmoid: y[n] = 1 / (1 + e^-x[n])

The ladder, each rung a line:
  naive       one element a trip through libm's exp
  vectorized  the same formula on vectors: e^-x as 2^n times a polynomial, in registers from load to store
  parallel    the vectorized loop, blocks of 2048 elements shared by the threads
  numpy       four ufuncs, each a pass over y: as a Python user writes it without temporaries
  torch       torch.sigmoid with out=, as a Python user calls it

Work of one call, s = bytes per element:
  FLOP   (e + 2) n   e operations for the exponential (22 in f32, 32 in f64: see _activation.py), a sum, a division.
                     Declared: another exponential has another count.
  bytes  s n read + s n written, and s n more read for ownership of y's lines, unless the CPU evades it
24 operations for 8 bytes in f32: while x and y are cached it is the arithmetic that binds.

NaN gives NaN, inf 1, -inf 0. Where e^-x overflows (x < -88.7 in f32) the answer is 0, the exact one denormal.
"""

import math

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _activation, _peers, _vectors
from kernelbench.kernels._activation import BLOCK, EXP_FLOP, PARALLEL_ELEMENTS, over
from kernelbench.kernels._registry import Op
from kernelbench.simd import lanes as simd

# e^-x errs by less than 3 u, which counts with 1 - y < 1; the sum and the quotient round by u each. A little more for
# libraries that count on 2 ulp of exp.
_check = _activation.check(lambda x: 1 / (1 + np.exp(-x)), lambda x, y: np.abs(y), 6.0, "max |error| / y")

sigmoid = Op(
    name="sigmoid",
    summary="y[n] = 1 / (1 + e^-x[n])",
    dims=("n",),
    sizes=_vectors.SIZES,
    inputs=_activation.inputs,
    outputs=_vectors.outputs,
    work=_activation.work(lambda dtype: EXP_FLOP[dtype] + 2),
    check=_check,
)


@sigmoid.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, y):
    """One element a trip, through libm's exp."""
    # x[n], y[n]; see relu/naive for why the step is read from memory
    step = x.strides[0] // x.itemsize
    one = x.dtype.type(1)
    for i in range(0, x.size, step):
        y[i] = one / (one + math.exp(-x[i]))


@njit(nogil=True, forceinline=True)
def formula(x):
    """1 / (1 + e^-x) of a vector."""
    return simd.sigmoid(x)


@sigmoid.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def vectorized(x, y):
    """Vectors through a polynomial exponential, read once and written once."""
    # x[n], y[n]
    over(formula, x, y, 0, x.size)


@sigmoid.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, y):
    """The vectorized loop, in blocks of 2048 elements."""
    # x[n], y[n]
    if x.size < PARALLEL_ELEMENTS:
        over(formula, x, y, 0, x.size)
        return
    for block in prange((x.size + BLOCK - 1) // BLOCK):
        over(formula, x, y, BLOCK * block, min(BLOCK * block + BLOCK, x.size))


@sigmoid.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, y):
    """np.negative, np.exp, np.add, np.reciprocal, each with out=y, with the cost of four Python calls."""
    np.negative(x, out=y)
    np.exp(y, out=y)
    np.add(y, 1, out=y)
    np.reciprocal(y, out=y)


@sigmoid.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, y):
    """torch.sigmoid(x, out=y), with the cost of the Python call."""
    _peers.torch().sigmoid(_peers.tensor(x), out=_peers.tensor(y))
