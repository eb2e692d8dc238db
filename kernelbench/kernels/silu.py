"""silu: y[n] = x[n] / (1 + e^-x[n]), the gate of today's language models (also called swish)

The ladder, each rung a line:
  naive       one element a trip through libm's exp
  vectorized  the same formula on vectors: e^-x as 2^n times a polynomial, in registers from load to store
  parallel    the vectorized loop, blocks of 2048 elements shared by the threads
  numpy       four ufuncs, each a pass over y: as a Python user writes it without temporaries
  torch       the silu of torch with out=

Work of one call, s = bytes per element:
  FLOP   (e + 2) n   e operations for the exponential (22 in f32, 32 in f64: see _activation.py), a sum, a division.
                     Declared: another exponential has another count.
  bytes  s n read + s n written, and s n more read for ownership of y's lines, unless the CPU evades it
One division does for both x times and 1 over: it costs no more than sigmoid alone.

NaN gives NaN, inf inf. -inf gives NaN, as in torch: the formula is -inf / inf, though the limit is 0. Where e^-x
overflows (x < -88.7 in f32) the answer is -0, the exact one below |x| times the smallest normal number.
"""

import math

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _activation, _peers, _vectors
from kernelbench.kernels._activation import BLOCK, EXP_FLOP, PARALLEL_ELEMENTS, over
from kernelbench.kernels._registry import Op
from kernelbench.simd import lanes as simd

# As for sigmoid: e^-x errs by less than 3 u, the sum and the quotient by u each; a library that multiplies by a
# sigmoid rounds once more.
_check = _activation.check(lambda x: x / (1 + np.exp(-x)), lambda x, y: np.abs(y), 7.0, "max |error| / |y|")

silu = Op(
    name="silu",
    summary="y[n] = x[n] / (1 + e^-x[n])",
    dims=("n",),
    sizes=_vectors.SIZES,
    inputs=_activation.inputs,
    outputs=_vectors.outputs,
    work=_activation.work(lambda dtype: EXP_FLOP[dtype] + 2),
    check=_check,
)


@silu.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, y):
    """One element a trip, through libm's exp."""
    # x[n], y[n]; see relu/naive for why the step is read from memory
    step = x.strides[0] // x.itemsize
    one = x.dtype.type(1)
    for i in range(0, x.size, step):
        y[i] = x[i] / (one + math.exp(-x[i]))


@njit(nogil=True, forceinline=True)
def formula(x):
    """x / (1 + e^-x) of a vector."""
    return x / (simd.exp(-x) + 1.0)


@silu.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def vectorized(x, y):
    """Vectors through a polynomial exponential, read once and written once."""
    # x[n], y[n]
    over(formula, x, y, 0, x.size)


@silu.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, y):
    """The vectorized loop, in blocks of 2048 elements."""
    # x[n], y[n]
    if x.size < PARALLEL_ELEMENTS:
        over(formula, x, y, 0, x.size)
        return
    for block in prange((x.size + BLOCK - 1) // BLOCK):
        over(formula, x, y, BLOCK * block, min(BLOCK * block + BLOCK, x.size))


@silu.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, y):
    """np.negative, np.exp, np.add, np.divide, each with out=y, with the cost of four Python calls."""
    np.negative(x, out=y)
    np.exp(y, out=y)
    np.add(y, 1, out=y)
    np.divide(x, y, out=y)


@silu.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, y):
    """torch.ops.aten.silu.out(x, out=y), since functional.silu has no out=; with the cost of the Python call."""
    _peers.torch().ops.aten.silu.out(_peers.tensor(x), out=_peers.tensor(y))
