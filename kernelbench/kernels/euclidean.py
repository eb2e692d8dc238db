"""euclidean: y[1] = |a[n] - b[n]|, the distance of two points

The ladder, each rung a line:
  naive        one running total of squares: every addition waits for the one before
  many_chains  64 totals, each with its own squares: subtract, fused multiply-add, in vectors
  vectorized   one total, but the compiler may reassociate: it makes the chains itself (fast-math)
  parallel     many_chains on parts of both vectors that the threads share, then the root of the sum of the parts
  numpy        np.linalg.norm(a - b): the differences are written to memory and read again
  torch        torch.dist

Work of one call, s = bytes per element:
  FLOP   3 n + 1         a subtraction, a multiply and an add an element, and one root
  bytes  2 s n read      and one element written; NumPy's form moves 2 s n more, which are not counted as work
The intensity is 3 / (2 s): 0.375 FLOP/B in f32. The loads bind even in L1: two for each subtraction and FMA. See
sum.py for why one chain is slow and 64 are not.

All terms are positive, so the total grows and each addition rounds off more: in f32 one chain over 16 million
elements has lost everything below 1. Many short chains are not only faster but closer to the truth.

NaN gives NaN; a difference of infinities as well. Squares are not scaled, as np.linalg.norm does not: distances
beyond the root of the largest number are infinite. The distance of nothing is 0.
"""

from collections.abc import Mapping
from math import sqrt

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _peers
from kernelbench.kernels._chains import CHAINS, LINE_BYTES, chains, part, part_count, total_of
from kernelbench.kernels._check import EPS, Check, Verification, close_to
from kernelbench.kernels._exact_sum import ANY_VECTOR, ONE_CHAIN, exact_sum, longest, positive_tolerance
from kernelbench.kernels._registry import Op
from kernelbench.kernels._vectors import SIZES, number, reduction, two
from kernelbench.model import Accuracy


def _exact(v: Verification) -> np.ndarray:
    a, b = v.inputs
    squares, _ = exact_sum(a.size, v.dtype, lambda at, wider: (a[at].astype(wider) - b[at].astype(wider)) ** 2)
    root: np.ndarray = np.sqrt(squares)
    return root


def _checked_for(chain_counts: Mapping[str, int]) -> Check:
    """A check with the tolerance of so many chains per type."""

    def check(v: Verification) -> Accuracy:
        exact = v.once("euclidean", lambda: _exact(v))
        # n / k additions along a chain, log2 k to add k chains up. The root halves the relative error of the sum;
        # 3 u more for the difference (twice its rounding in the square), the square and the root itself.
        additions = longest(v.shape["n"], chain_counts[v.dtype])
        tolerance = 0.5 * positive_tolerance(additions, v.dtype) + 3 * EPS[v.dtype]
        return close_to(
            v.outputs[0], exact, exact, tolerance, metric="|error| / |a - b|", reference="wider type, by halves"
        )

    return check


one_chain, any_vector = _checked_for(ONE_CHAIN), _checked_for(ANY_VECTOR)
many = _checked_for({"f64": CHAINS, "f32": CHAINS})

euclidean = Op(
    name="euclidean",
    summary="y[1] = |a[n] - b[n]|",
    dims=("n",),
    sizes=SIZES,
    inputs=two,
    outputs=number,
    work=reduction(reads=2, flop=3, mix="fma_add", at_end=1),
    check=one_chain,
)


@euclidean.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(a, b, y):
    """One running total: each addition waits 3 or 4 cycles for the one before."""
    # a[n], b[n], y[1]
    total = a.dtype.type(0)
    for i in range(a.size):
        difference = a[i] - b[i]
        total += difference * difference
    y[0] = sqrt(total)


@njit(nogil=True, fastmath={"contract"})
def squared_distance(a, b):
    """The sum of (a[n] - b[n])**2 in 64 chains: total j takes elements j, j + 64, j + 128, ..."""
    totals = chains(a)
    for j in range(totals.size):
        totals[j] = a.dtype.type(0)
    whole = a.size // totals.size * totals.size
    for i in range(0, whole, totals.size):
        for j in range(totals.size):
            difference = a[i + j] - b[i + j]
            totals[j] += difference * difference
    for j in range(a.size - whole):
        difference = a[whole + j] - b[whole + j]
        totals[j] += difference * difference
    return total_of(totals)


@euclidean.variant(style="vectorized", dtypes=("f64", "f32"), check=many)
@njit(nogil=True)
def many_chains(a, b, y):
    """64 totals in vectors of subtractions and fused multiply-adds, no addition reordered."""
    # a[n], b[n], y[1]
    y[0] = sqrt(squared_distance(a, b))


@euclidean.variant(style="vectorized", dtypes=("f64", "f32"), check=any_vector)
@njit(nogil=True, fastmath={"reassoc", "contract"})
def vectorized(a, b, y):
    """The naive source with leave to reassociate and to fuse: the compiler makes the chains."""
    # a[n], b[n], y[1]
    total = a.dtype.type(0)
    for i in range(a.size):
        difference = a[i] - b[i]
        total += difference * difference
    y[0] = sqrt(total)


@euclidean.variant(style="parallel", dtypes=("f64", "f32"), parallel=True, check=many)
@njit(nogil=True, parallel=True)
def parallel(a, b, y):
    """many_chains on parts that the threads share, contiguous ones each; small operands stay whole."""
    # a[n], b[n], y[1]
    parts = part_count(2 * a.size * a.itemsize)
    if parts == 1:
        y[0] = sqrt(squared_distance(a, b))
        return
    totals = np.empty((parts, LINE_BYTES // a.itemsize), a.dtype)
    for p in prange(parts):
        first, last = part(a.size, parts, p)
        totals[p, 0] = squared_distance(a[first:last], b[first:last])
    total = a.dtype.type(0)
    for p in range(parts):
        total += totals[p, 0]
    y[0] = sqrt(total)


# NumPy's norm is a dot product: BLAS keeps at least the lanes of a vector apart, as the compiler does.
@euclidean.variant(style="library", dtypes=("f64", "f32"), parallel=True, check=any_vector)
def numpy(a, b, y):
    """np.linalg.norm(a - b), with the cost of two Python calls and of the differences in memory."""
    y[0] = np.linalg.norm(a - b)


@euclidean.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
    check=any_vector,
)
def with_torch(a, b, y):
    """torch.dist(a, b), with the cost of the Python call and of the differences in memory."""
    y[0] = _peers.torch().dist(_peers.tensor(a), _peers.tensor(b)).item()
