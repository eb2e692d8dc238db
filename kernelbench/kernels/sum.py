"""sum: y[1] = sum of x[n]

The ladder, each rung a line:
  naive        one running total: every addition waits for the one before
  many_chains  64 totals, each with its own terms: the source says which addition comes when, and vectors do it
  vectorized   one total again, but the compiler may reassociate: it makes the chains itself (fast-math)
  parallel     many_chains on parts of x that the threads share, then the sum of the parts
  numpy        np.sum: by halves, in 8 scalar or vector chains (pairwise)
  torch        torch.sum, as a Python user calls it

Why one chain is slow: an addition takes 3 or 4 cycles and the next one needs its result. At 3.5 GHz that is about 1
element a nanosecond, 4 GB/s in f32, while L1 delivers 200 GB/s. Vectors of 8 give 8 chains, and 8 such vectors in
flight hide the latency. IEEE addition is not associative, so no compiler does this by itself.

Work of one call, s = bytes per element:
  FLOP   n             n - 1 additions and one to the empty sum
  bytes  s n read      and one element written
The intensity is 1 / s: 0.25 FLOP/B in f32, so every level of memory binds before the arithmetic does.

NaN, and infinities of both signs together, give NaN. The sum of nothing is 0.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _peers
from kernelbench.kernels._chains import LINE_BYTES, chains, part, part_count, total_of
from kernelbench.kernels._check import Verification, close_to
from kernelbench.kernels._exact_sum import exact_sum, signed_tolerance
from kernelbench.kernels._registry import Op
from kernelbench.kernels._vectors import SIZES, number, one, reduction
from kernelbench.model import Accuracy


def _check(v: Verification) -> Accuracy:
    (x,) = v.inputs
    exact, magnitude = v.once("sum", lambda: exact_sum(x.size, v.dtype, lambda at, wider: x[at].astype(wider)))
    # Worst case (n - 1) u sum|x| in one chain, (n / 64 + 6) u in 64; these operands have random signs.
    tolerance = signed_tolerance(x.size - 1, v.dtype)
    return close_to(
        v.outputs[0], exact, magnitude, tolerance, metric="|error| / sum|x|", reference="wider type, by halves"
    )


sum_op = Op(
    name="sum",
    summary="y[1] = sum of x[n]",
    dims=("n",),
    sizes=SIZES,
    inputs=one,
    outputs=number,
    work=reduction(reads=1, flop=1, mix="add"),
    check=_check,
)


@sum_op.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, y):
    """One running total: each addition waits 3 or 4 cycles for the one before."""
    # x[n], y[1]
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i]
    y[0] = total


@njit(nogil=True)
def sum_of(x):
    """The sum of x[n] in 64 chains: total j takes elements j, j + 64, j + 128, ..."""
    totals = chains(x)
    for j in range(totals.size):
        totals[j] = x.dtype.type(0)
    whole = x.size // totals.size * totals.size
    for i in range(0, whole, totals.size):
        for j in range(totals.size):
            totals[j] += x[i + j]
    for j in range(x.size - whole):
        totals[j] += x[whole + j]
    return total_of(totals)


@sum_op.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def many_chains(x, y):
    """64 totals in vectors, no addition reordered: the source says which term goes to which total."""
    # x[n], y[1]
    y[0] = sum_of(x)


@sum_op.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True, fastmath={"reassoc"})
def vectorized(x, y):
    """The naive source with leave to reassociate: the compiler makes the chains, and another CPU other ones."""
    # x[n], y[1]
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i]
    y[0] = total


@sum_op.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, y):
    """many_chains on parts that the threads share, contiguous ones each; small operands stay whole."""
    # x[n], y[1]
    parts = part_count(x.size * x.itemsize)
    if parts == 1:
        y[0] = sum_of(x)
        return
    totals = np.empty((parts, LINE_BYTES // x.itemsize), x.dtype)
    for p in prange(parts):
        first, last = part(x.size, parts, p)
        totals[p, 0] = sum_of(x[first:last])
    total = x.dtype.type(0)
    for p in range(parts):
        total += totals[p, 0]
    y[0] = total


@sum_op.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, y):
    """np.sum(x), with the cost of the Python call."""
    y[0] = np.sum(x)


@sum_op.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, y):
    """torch.sum(x, 0, keepdim=True, out=y), with the cost of the Python call."""
    _peers.torch().sum(_peers.tensor(x), 0, keepdim=True, out=_peers.tensor(y))
