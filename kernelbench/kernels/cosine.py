"""cosine: y[1] = a[n] . b[n] / (|a| |b|), the cosine of the angle between two vectors

The ladder, each rung a line:
  naive        three running totals in one pass: every addition waits for the one before
  many_chains  64 totals of each kind: fused multiply-adds in vectors, in an order the source fixes
  vectorized   three totals, but the compiler may reassociate: it makes the chains itself (fast-math)
  parallel     many_chains on parts of both vectors that the threads share, then the parts' totals together
  numpy        np.dot and two np.linalg.norm: three passes, so each vector is read twice
  torch        torch.dot and two torch.linalg.vector_norm: three passes as well

Work of one call, s = bytes per element:
  FLOP   6 n + 4         a . b, a . a and b . b at a multiply and an add an element; two roots, a product, a ratio
  bytes  2 s n read      and one element written
The intensity is 3 / s: 0.75 FLOP/B in f32. Three fused multiply-adds for two loads: in L1 the arithmetic binds, beyond
it memory. Even one element a time is kinder here than in a sum: its three chains wait side by side.

NaN gives NaN, and so does a vector of zeros or an infinite one, for it has no direction; the empty vector as well.
The squares are not scaled: norms beyond the root of the largest number are infinite.
"""

from collections.abc import Mapping
from math import sqrt

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _peers
from kernelbench.kernels._chains import CHAINS, LINE_BYTES, chains, part, part_count, total_of
from kernelbench.kernels._check import EPS, Check, Verification, close_to
from kernelbench.kernels._exact_sum import ANY_VECTOR, ONE_CHAIN, exact_sum, longest, positive_tolerance
from kernelbench.kernels._registry import Arrays, Op, Shape, random_values
from kernelbench.kernels._vectors import SIZES, number, reduction
from kernelbench.model import Accuracy


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    """b agrees with a in sign three times out of four: a cosine near 0.48, in which a wrong norm shows."""
    size = (shape["n"],)
    a, b = random_values(rng, size, dtype), random_values(rng, size, dtype)
    return a, np.copysign(b, np.where(rng.random(size) < 0.75, a, -a))


def _exact(v: Verification) -> np.ndarray:
    a, b = v.inputs

    def product(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return exact_sum(x.size, v.dtype, lambda at, wider: x[at].astype(wider) * y[at].astype(wider))[0]

    with np.errstate(invalid="ignore", divide="ignore"):  # a vector without a direction gives NaN
        ratio: np.ndarray = product(a, b) / (np.sqrt(product(a, a)) * np.sqrt(product(b, b)))
    return ratio


def _checked_for(chain_counts: Mapping[str, int]) -> Check:
    """A check with the tolerance of so many chains per type."""

    def check(v: Verification) -> Accuracy:
        exact = v.once("cosine", lambda: _exact(v))
        # sum|a b| <= |a| |b|, so the numerator's error relative to it is one of the cosine itself; it and the two
        # norms (half of their sums' errors each) add up. 6 u for the products, roots and the ratio.
        additions = longest(v.shape["n"], chain_counts[v.dtype])
        tolerance = 2 * positive_tolerance(additions, v.dtype) + 6 * EPS[v.dtype]
        return close_to(v.outputs[0], exact, 1.0, tolerance, metric="|error|", reference="wider type, by halves")

    return check


one_chain, any_vector = _checked_for(ONE_CHAIN), _checked_for(ANY_VECTOR)
many = _checked_for({"f64": CHAINS, "f32": CHAINS})

cosine = Op(
    name="cosine",
    summary="y[1] = a[n] . b[n] / (|a| |b|)",
    dims=("n",),
    sizes=SIZES,
    inputs=_inputs,
    outputs=number,
    work=reduction(reads=2, flop=6, mix="fma", at_end=4),
    check=one_chain,
)


# error_model: 0 / 0 is NaN, as IEEE 754 has it, not Python's ZeroDivisionError.
@cosine.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True, error_model="numpy")
def naive(a, b, y):
    """Three running totals, one element a time."""
    # a[n], b[n], y[1]
    ab = a.dtype.type(0)
    aa = a.dtype.type(0)
    bb = a.dtype.type(0)
    for i in range(a.size):
        ab += a[i] * b[i]
        aa += a[i] * a[i]
        bb += b[i] * b[i]
    y[0] = ab / (sqrt(aa) * sqrt(bb))


@njit(nogil=True, fastmath={"contract"})
def three_products(a, b):
    """(a . b, a . a, b . b) of a[n], b[n] in 64 chains each: total j takes elements j, j + 64, j + 128, ..."""
    ab, aa, bb = chains(a), chains(a), chains(a)
    for j in range(ab.size):
        ab[j] = aa[j] = bb[j] = a.dtype.type(0)
    whole = a.size // ab.size * ab.size
    for i in range(0, whole, ab.size):
        for j in range(ab.size):
            ab[j] += a[i + j] * b[i + j]
            aa[j] += a[i + j] * a[i + j]
            bb[j] += b[i + j] * b[i + j]
    for j in range(a.size - whole):
        ab[j] += a[whole + j] * b[whole + j]
        aa[j] += a[whole + j] * a[whole + j]
        bb[j] += b[whole + j] * b[whole + j]
    return total_of(ab), total_of(aa), total_of(bb)


@cosine.variant(style="vectorized", dtypes=("f64", "f32"), check=many)
@njit(nogil=True, error_model="numpy")
def many_chains(a, b, y):
    """64 totals of each kind in vectors of fused multiply-adds, no addition reordered."""
    # a[n], b[n], y[1]
    ab, aa, bb = three_products(a, b)
    y[0] = ab / (sqrt(aa) * sqrt(bb))


@cosine.variant(style="vectorized", dtypes=("f64", "f32"), check=any_vector)
@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def vectorized(a, b, y):
    """The naive source with leave to reassociate and to fuse: the compiler makes the chains."""
    # a[n], b[n], y[1]
    ab = a.dtype.type(0)
    aa = a.dtype.type(0)
    bb = a.dtype.type(0)
    for i in range(a.size):
        ab += a[i] * b[i]
        aa += a[i] * a[i]
        bb += b[i] * b[i]
    y[0] = ab / (sqrt(aa) * sqrt(bb))


@cosine.variant(style="parallel", dtypes=("f64", "f32"), parallel=True, check=many)
@njit(nogil=True, parallel=True, error_model="numpy")
def parallel(a, b, y):
    """many_chains on parts that the threads share, contiguous ones each; small operands stay whole."""
    # a[n], b[n], y[1]
    parts = part_count(2 * a.size * a.itemsize)
    if parts == 1:
        ab, aa, bb = three_products(a, b)
        y[0] = ab / (sqrt(aa) * sqrt(bb))
        return
    totals = np.empty((parts, LINE_BYTES // a.itemsize), a.dtype)
    for p in prange(parts):
        first, last = part(a.size, parts, p)
        totals[p, 0], totals[p, 1], totals[p, 2] = three_products(a[first:last], b[first:last])
    ab, aa, bb = totals[0, 0], totals[0, 1], totals[0, 2]
    for p in range(1, parts):
        ab += totals[p, 0]
        aa += totals[p, 1]
        bb += totals[p, 2]
    y[0] = ab / (sqrt(aa) * sqrt(bb))


# NumPy's norm is a dot product: BLAS keeps at least the lanes of a vector apart, as the compiler does.
@cosine.variant(style="library", dtypes=("f64", "f32"), parallel=True, check=any_vector)
def numpy(a, b, y):
    """np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b)), with the cost of three Python calls."""
    # A vector without a direction is meant to give NaN here, not a warning.
    with np.errstate(invalid="ignore"):
        y[0] = np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b))


@cosine.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
    check=any_vector,
)
def with_torch(a, b, y):
    """torch.dot and two torch.linalg.vector_norm, with the cost of three Python calls."""
    torch, left, right = _peers.torch(), _peers.tensor(a), _peers.tensor(b)
    norms = torch.linalg.vector_norm(left) * torch.linalg.vector_norm(right)
    y[0] = (torch.dot(left, right) / norms).item()
