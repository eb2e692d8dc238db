"""dot: y[1] = a[n] . b[n]

The ladder, each rung a line:
  naive        one running total: every addition waits for the one before
  many_chains  64 totals, each with its own products: fused multiply-adds in vectors, in an order the source fixes
  vectorized   one total, but the compiler may reassociate: it makes the chains itself (fast-math)
  parallel     many_chains on parts of both vectors that the threads share, then the sum of the parts
  numpy        np.dot, as a Python user calls it: the BLAS below, and the call
  openblas     the BLAS inside NumPy through its C symbol, without Python's dispatch
  torch        torch.dot, as a Python user calls it

Work of one call, s = bytes per element:
  FLOP   2 n             a multiply and an add an element
  bytes  2 s n read      and one element written
The intensity is 1 / s: 0.25 FLOP/B in f32. A fused multiply-add needs two loads, which is what a core can do in the
time of one: the loads bind even in L1. See sum.py for why one chain is slow and 64 are not.

NaN gives NaN, as do infinities of both signs together and 0 x infinity. The product of nothing is 0.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _blas_dot, _peers
from kernelbench.kernels._chains import LINE_BYTES, chains, part, part_count, total_of
from kernelbench.kernels._check import Verification, close_to
from kernelbench.kernels._exact_sum import exact_sum, signed_tolerance
from kernelbench.kernels._registry import Op
from kernelbench.kernels._vectors import SIZES, number, reduction, two
from kernelbench.model import Accuracy


def _check(v: Verification) -> Accuracy:
    a, b = v.inputs
    exact, magnitude = v.once(
        "dot", lambda: exact_sum(a.size, v.dtype, lambda at, wider: a[at].astype(wider) * b[at].astype(wider))
    )
    # Without an FMA the product rounds as well: n roundings for a term at worst (Higham 2002, eq. 3.5), n / 64 + 7
    # in 64 chains. The products have random signs.
    tolerance = signed_tolerance(a.size, v.dtype)
    return close_to(
        v.outputs[0], exact, magnitude, tolerance, metric="|error| / sum|a b|", reference="wider type, by halves"
    )


dot = Op(
    name="dot",
    summary="y[1] = a[n] . b[n]",
    dims=("n",),
    sizes=SIZES,
    inputs=two,
    outputs=number,
    work=reduction(reads=2, flop=2, mix="fma"),
    check=_check,
)


@dot.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(a, b, y):
    """One running total: each addition waits 3 or 4 cycles for the one before."""
    # a[n], b[n], y[1]
    total = a.dtype.type(0)
    for i in range(a.size):
        total += a[i] * b[i]
    y[0] = total


@njit(nogil=True, fastmath={"contract"})
def dot_of(a, b):
    """a[n] . b[n] in 64 chains: total j takes products j, j + 64, j + 128, ..."""
    totals = chains(a)
    for j in range(totals.size):
        totals[j] = a.dtype.type(0)
    whole = a.size // totals.size * totals.size
    for i in range(0, whole, totals.size):
        for j in range(totals.size):
            totals[j] += a[i + j] * b[i + j]
    for j in range(a.size - whole):
        totals[j] += a[whole + j] * b[whole + j]
    return total_of(totals)


@dot.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def many_chains(a, b, y):
    """64 totals in vectors of fused multiply-adds, no addition reordered."""
    # a[n], b[n], y[1]
    y[0] = dot_of(a, b)


@dot.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True, fastmath={"reassoc", "contract"})
def vectorized(a, b, y):
    """The naive source with leave to reassociate and to fuse: the compiler makes the chains."""
    # a[n], b[n], y[1]
    total = a.dtype.type(0)
    for i in range(a.size):
        total += a[i] * b[i]
    y[0] = total


@dot.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(a, b, y):
    """many_chains on parts that the threads share, contiguous ones each; small operands stay whole."""
    # a[n], b[n], y[1]
    parts = part_count(2 * a.size * a.itemsize)
    if parts == 1:
        y[0] = dot_of(a, b)
        return
    totals = np.empty((parts, LINE_BYTES // a.itemsize), a.dtype)
    for p in prange(parts):
        first, last = part(a.size, parts, p)
        totals[p, 0] = dot_of(a[first:last], b[first:last])
    total = a.dtype.type(0)
    for p in range(parts):
        total += totals[p, 0]
    y[0] = total


@dot.variant(style="library", dtypes=("f64", "f32"), parallel=True)
def numpy(a, b, y):
    """np.dot(a, b), with the cost of the Python call."""
    y[0] = np.dot(a, b)


@dot.variant(
    style="library",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_blas_dot.with_dot,
    unavailable=_blas_dot.unavailable,
)
@njit(nogil=True)
def openblas(a, b, dot, y):
    """cblas_sdot or cblas_ddot of the OpenBLAS bundled with NumPy, entered through its C symbol."""
    # a[n], b[n], y[1]; dot is the symbol's address
    y[0] = _blas_dot.call_dot(dot, a, b)


@dot.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(a, b, y):
    """torch.dot(a, b), with the cost of the Python call."""
    y[0] = _peers.torch().dot(_peers.tensor(a), _peers.tensor(b)).item()
