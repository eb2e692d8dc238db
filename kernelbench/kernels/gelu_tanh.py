"""gelu_tanh: y[n] = x[n] / 2 (1 + tanh(u)), u = sqrt(2 / pi) (x + 0.044715 x^3): gelu as GPT-2 and many since have it

The ladder, each rung a line:
  naive       one element a trip through libm's tanh
  vectorized  x / (1 + e^-2u) on vectors: the same function, for (1 + tanh u) / 2 is a sigmoid of 2 u
  parallel    the vectorized loop, blocks of 2048 elements shared by the threads
  numpy       the formula in ufuncs with out=y, so without temporaries: eight passes
  torch       gelu of torch with approximate="tanh" and out=, as a Python user calls it

Work of one call, s = bytes per element:
  FLOP   (e + 6) n   e operations for the exponential (18 in f32, 28 in f64: see _activation.py), 4 for u, a sum, a
                     division. Declared: by another tanh it is another count.
  bytes  s n read + s n written, and s n more read for ownership of y's lines, unless the CPU evades it
24 operations for 8 bytes in f32: while x and y are cached it is the arithmetic that binds.

NaN gives NaN, inf inf; -inf gives NaN, for the formula is -inf times 0, though the limit is 0.
"""

import math

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _activation, _peers, _vectors
from kernelbench.kernels._activation import BLOCK, EXP2_FLOP, PARALLEL_ELEMENTS, over
from kernelbench.kernels._registry import Op
from kernelbench.simd import lanes as simd

ROOT = 0.7978845608028654
"""sqrt(2 / pi)"""
CUBIC = 0.044715
"""Of x^3 in u (Hendrycks and Gimpel, Gaussian Error Linear Units, 2016)."""
LOG2_E = 1.4426950408889634


def _exact(x: np.ndarray) -> np.ndarray:
    kind = x.dtype.type
    root, cubic = kind(ROOT), kind(CUBIC)
    y: np.ndarray = x / 2 * (1 + np.tanh(root * (x + cubic * x**3)))
    return y


# In units of u |x|: an error of u in tanh counts half, one of e^-2u less than 1 (both rounded arguments are damped by
# the slope, at most 3 u), then a sum, a quotient or two products. All that is cancelled for x < 0 is of the same size.
_check = _activation.check(_exact, lambda x, y: np.abs(x), 8.0, "max |error| / |x|")

gelu_tanh = Op(
    name="gelu_tanh",
    summary="y[n] = x[n] / 2 (1 + tanh(sqrt(2 / pi) (x[n] + 0.044715 x[n]^3)))",
    dims=("n",),
    sizes=_vectors.SIZES,
    inputs=_activation.inputs,
    outputs=_vectors.outputs,
    work=_activation.work(lambda dtype: EXP2_FLOP[dtype] + 6),
    check=_check,
)


@gelu_tanh.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, y):
    """One element a trip, through libm's tanh."""
    # x[n], y[n]; see relu/naive for why the step is read from memory
    step = x.strides[0] // x.itemsize
    kind = x.dtype.type
    half, one, root, cubic = kind(0.5), kind(1), kind(ROOT), kind(CUBIC)
    for i in range(0, x.size, step):
        v = x[i]
        y[i] = half * v * (one + math.tanh(root * (v + cubic * v * v * v)))


@njit(nogil=True, forceinline=True)
def formula(x):
    """x / (1 + e^-2u) of a vector."""
    # As 2^(-2u / ln 2): the base is free where the exponent has constants of its own.
    exponent = x * simd.fma(x * x, -2.0 * LOG2_E * ROOT * CUBIC, -2.0 * LOG2_E * ROOT)
    return x / (simd.exp2(exponent) + 1.0)


@gelu_tanh.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def vectorized(x, y):
    """Vectors through a polynomial exponential, read once and written once."""
    # x[n], y[n]
    over(formula, x, y, 0, x.size)


@gelu_tanh.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, y):
    """The vectorized loop, in blocks of 2048 elements."""
    # x[n], y[n]
    if x.size < PARALLEL_ELEMENTS:
        over(formula, x, y, 0, x.size)
        return
    for block in prange((x.size + BLOCK - 1) // BLOCK):
        over(formula, x, y, BLOCK * block, min(BLOCK * block + BLOCK, x.size))


@gelu_tanh.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, y):
    """The formula in ufuncs with out=y: no temporary, but eight passes over y, each a Python call."""
    np.multiply(x, x, out=y)
    np.multiply(y, CUBIC * ROOT, out=y)
    np.add(y, ROOT, out=y)
    np.multiply(y, x, out=y)
    np.tanh(y, out=y)
    np.add(y, 1, out=y)
    np.multiply(y, 0.5, out=y)
    np.multiply(y, x, out=y)


@gelu_tanh.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, y):
    """torch.nn.functional.gelu(x, approximate="tanh", out=y), with the cost of the Python call."""
    _peers.torch().nn.functional.gelu(_peers.tensor(x), approximate="tanh", out=_peers.tensor(y))
