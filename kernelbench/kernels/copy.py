"""copy: y[n] = x[n]

The ladder, each rung a line:
  naive       one element a trip
  vectorized  a unit-stride loop that the compiler turns into vector loads and stores
  streaming   whole vectors stored past the caches: no line of y is read for ownership
  parallel    the vectorized loop on every thread
  numpy       np.copyto, as a Python user calls it
  torch       Tensor.copy_, as a Python user calls it

Work of one call, s = bytes per element:
  FLOP   none                   so it has a rate in B/s only, and no intensity
  bytes  s n read + s n written  and s n more read for ownership of y's lines, but by streaming
From memory streaming moves 2 s n bytes where the others move 3 s n. While y fits a cache it loses: it throws out
what the next reader wants.
What copying reaches is what any op with one operand and one result (relu, gelu) can reach at the most.

Values go through unchanged, NaN, infinities, signed zeros and denormals among them.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _peers, _vectors
from kernelbench.kernels._check import Verification, elementwise
from kernelbench.kernels._registry import Op, Shape
from kernelbench.kernels._streaming import whole_vectors, without_ownership
from kernelbench.kernels._vectors import PARALLEL_ELEMENTS
from kernelbench.model import DTYPE_BYTES, Accuracy, Work
from kernelbench.simd import lanes as simd


def _work(shape: Shape, dtype: str) -> Work:
    n, s = shape["n"], DTYPE_BYTES[dtype]
    return Work(
        model="modelled",
        read_bytes=s * n,
        write_bytes=s * n,
        rfo_bytes=s * n,
        working_set_bytes=2 * s * n,
    )


def _check(v: Verification) -> Accuracy:
    # Nothing is computed, so any difference at all is an error.
    x = v.inputs[0]
    return elementwise(
        v.outputs[0],
        lambda part: (x[part].astype(np.float64), 1.0),
        0.0,
        metric="max |error|",
        reference="the operand",
    )


copy = Op(
    name="copy",
    summary="y[n] = x[n]",
    dims=("n",),
    sizes=_vectors.SIZES,
    inputs=_vectors.one,
    outputs=_vectors.outputs,
    work=_work,
    check=_check,
)


@copy.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, y):
    """One element a trip: the compiler is not told that neighbours follow each other."""
    # x[n], y[n]; see relu/naive for why the step is read from memory
    step = x.strides[0] // x.itemsize
    i = 0
    while i < x.size:
        y[i] = x[i]
        i += step


@copy.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def vectorized(x, y):
    """A unit-stride loop: vector loads and stores, several of each a trip."""
    # x[n], y[n]
    for i in range(x.size):
        y[i] = x[i]


@copy.variant(style="vectorized", dtypes=("f64", "f32"), work=without_ownership(_work))
@njit(nogil=True)
def streaming(x, y):
    """Whole vectors stored past the caches: for what is too large to stay there."""
    # x[n], y[n]. A streaming store needs a whole vector at its own alignment: the ends are done as usual.
    first, last = whole_vectors(y)
    vectorized(x[:first], y[:first])
    w = simd.lanes(y)
    for i in range(first, last, w):
        simd.stream(y, i, simd.load(x, i))
    vectorized(x[last:], y[last:])
    simd.fence()


@copy.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, y):
    """The vectorized loop, one contiguous part a thread."""
    # x[n], y[n]
    if x.size < PARALLEL_ELEMENTS:
        vectorized(x, y)
        return
    for i in prange(x.size):
        y[i] = x[i]


@copy.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, y):
    """np.copyto(y, x), with the cost of the Python call."""
    np.copyto(y, x)


@copy.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, y):
    """Tensor.copy_, with the cost of the Python call."""
    _peers.tensor(y).copy_(_peers.tensor(x))
