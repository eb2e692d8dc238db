"""max: y[1] = the largest of x[n]

The ladder, each rung a line:
  naive       one running maximum, behind a comparison that also lets NaN through
  vectorized  4 vectors of running maxima, and NaN looked for beside them
  parallel    vectorized on parts of x that the threads share, then the largest of the parts
  numpy       np.max, as a Python user calls it
  torch       torch.amax, as a Python user calls it

A maximum rounds nothing and may be taken in any order, so many chains give the very same answer as one. Still no
compiler makes them from the naive source: its comparison must keep a NaN once it has seen one, and an x86 vector
maximum drops it. The vectorized kernel takes the maximum of what can be compared and asks apart whether anything
differed from itself; so it needs no fast-math.

Work of one call, s = bytes per element:
  operations  n         one maximum an element, on an add's ports
  bytes       s n read  and one element written
The intensity is 1 / s: 0.25 FLOP/B in f32, so every level of memory binds before the arithmetic does.

NaN anywhere gives NaN, as np.max does. Of 0.0 and -0.0 either may come out. The maximum of nothing is -infinity, the
start of the search (np.max raises there unless it is given initial=-inf).
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _peers
from kernelbench.kernels._chains import LINE_BYTES, part, part_count
from kernelbench.kernels._check import CHUNK, Verification, close_to
from kernelbench.kernels._registry import Op
from kernelbench.kernels._vectors import SIZES, number, one, reduction
from kernelbench.model import Accuracy
from kernelbench.simd import lanes as simd


def _exact(x: np.ndarray) -> np.ndarray:
    """By selection, not by max: a sorted order has the largest last, and NaN after it."""
    last = [np.partition(x[at : at + CHUNK], -1)[-1] for at in range(0, x.size, CHUNK)]
    return np.sort(np.array([-np.inf, *last]))[-1:]


def _check(v: Verification) -> Accuracy:
    # A maximum rounds nothing: any difference at all is an error.
    exact = v.once("max", lambda: _exact(v.inputs[0]))
    return close_to(v.outputs[0], exact, 1.0, 0.0, metric="|error|", reference="last in order")


max_op = Op(
    name="max",
    summary="y[1] = the largest of x[n]",
    dims=("n",),
    sizes=SIZES,
    inputs=one,
    outputs=number,
    # A max has an add's ports and does one operation a lane, half an FMA's two.
    work=reduction(reads=1, flop=1, mix="add"),
    check=_check,
)


@max_op.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, y):
    """One running maximum; a NaN is taken when it comes and nothing compares greater than it."""
    # x[n], y[1]
    best = x.dtype.type(-np.inf)
    for i in range(x.size):
        v = x[i]
        if v > best or v != v:
            best = v
    y[0] = best


@njit(nogil=True)
def max_of(x):
    """The largest of x[n] in 4 vectors of chains, NaN if there is one."""
    step = simd.lanes(x)
    b0 = b1 = b2 = b3 = simd.fill(x, -np.inf)
    odd = b0 != b0
    whole = x.size - x.size % (4 * step)
    for i in range(0, whole, 4 * step):
        v0, v1 = simd.load(x, i), simd.load(x, i + step)
        v2, v3 = simd.load(x, i + 2 * step), simd.load(x, i + 3 * step)
        # `maximum` gives its second operand where the first is NaN: the chains stay what they were.
        b0, b1 = simd.maximum(v0, b0), simd.maximum(v1, b1)
        b2, b3 = simd.maximum(v2, b2), simd.maximum(v3, b3)
        odd = odd | (v0 != v0) | (v1 != v1) | (v2 != v2) | (v3 != v3)
    best = simd.highest(simd.maximum(simd.maximum(b0, b1), simd.maximum(b2, b3)))
    unordered = simd.sum(simd.select(odd, simd.fill(x, 1.0), 0.0)) > 0
    for i in range(whole, x.size):
        v = x[i]
        best = v if v > best else best
        unordered = unordered or v != v
    return x.dtype.type(np.nan) if unordered else best


@max_op.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def vectorized(x, y):
    """64 running maxima in vectors, with NaN looked for beside them: the same answer as one chain's."""
    # x[n], y[1]
    y[0] = max_of(x)


@max_op.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, y):
    """The vectorized search on parts that the threads share, contiguous ones each; small operands stay whole."""
    # x[n], y[1]
    parts = part_count(x.size * x.itemsize)
    if parts == 1:
        y[0] = max_of(x)
        return
    bests = np.empty((parts, LINE_BYTES // x.itemsize), x.dtype)
    for p in prange(parts):
        first, last = part(x.size, parts, p)
        bests[p, 0] = max_of(x[first:last])
    best = bests[0, 0]
    for p in range(1, parts):
        v = bests[p, 0]
        if v > best or v != v:
            best = v
    y[0] = best


@max_op.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, y):
    """np.max(x, initial=-inf), with the cost of the Python call."""
    y[0] = np.max(x, initial=-np.inf)


@max_op.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, y):
    """torch.amax(x, 0, keepdim=True, out=y), with the cost of the Python call."""
    if x.size:
        _peers.torch().amax(_peers.tensor(x), 0, keepdim=True, out=_peers.tensor(y))
    else:  # torch refuses
        y[0] = -np.inf
