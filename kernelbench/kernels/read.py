"""read: y[1] = the sum of x[n], 32-bit integers that wrap: what merely reading memory costs

The ladder, each rung a line:
  naive       one word a trip
  vectorized  eight vectors a trip, each with a sum of its own
  parallel    vectorized on parts of x that the threads share
  numpy       np.sum in 32 bits, as a Python user calls it
  torch       torch.sum in 32 bits, as a Python user calls it

An integer addition takes one cycle, and vectors of them run beside two loads a cycle: no arithmetic is in the way.
And it may be taken in any order, so unlike sum/naive its loop would become vectors without fast-math; the naive rung
has to hide its step to stay what it is.

Work of one call:
  operations  none counted   so it has a rate in B/s only
  bytes       4 n read       and one word written
What reading reaches is what any reduction (sum, dot, max) can reach at the most.

Every bit pattern is as good as another. The sum of nothing is 0.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _peers
from kernelbench.kernels._chains import part, part_count
from kernelbench.kernels._check import CHUNK, Verification, exactly
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape
from kernelbench.model import Accuracy, Work
from kernelbench.simd import lanes as simd


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    return (rng.integers(-(2**31), 2**31 - 1, shape["n"], dtype=np.int32, endpoint=True),)


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return (((1,), "i32"),)


def _work(shape: Shape, dtype: str) -> Work:
    read = 4 * shape["n"]
    return Work(model="modelled", read_bytes=read, write_bytes=4, rfo_bytes=4, working_set_bytes=read + 4)


def _exact(x: np.ndarray) -> np.ndarray:
    """By halves of 16 bits, so that no sum on the way can wrap; then modulo 2^32."""
    low = high = 0
    for first in range(0, x.size, CHUNK):
        words = x[first : first + CHUNK].view(np.uint32).astype(np.int64)
        low, high = low + int((words & 0xFFFF).sum()), high + int((words >> 16).sum())
    return np.array([(low + (high << 16)) % 2**32], np.uint32).view(np.int32)


def _check(v: Verification) -> Accuracy:
    exactly(v.outputs[0], v.once("read", lambda: _exact(v.inputs[0])))
    return Accuracy(metric="integers that differ", value=0.0, reference="exact integers", tolerance=0.0)


read = Op(
    name="read",
    summary="y[1] = sum of x[n], wrapping integers",
    dims=("n",),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
)


@read.variant(style="naive", dtypes=("i32",))
@njit(nogil=True)
def naive(x, y):
    """One word a trip: the compiler is not told that neighbours follow each other."""
    # x[n], y[1]; see relu/naive for why the step is read from memory
    step = x.strides[0] // x.itemsize
    total, i = 0, 0
    while i < x.size:
        total += x[i]
        i += step
    y[0] = np.int32(total)


@njit(nogil=True)
def sum_of(x):
    """The sum of x[n] in eight vectors, modulo 2^32."""
    w = simd.lanes(x)
    a = simd.zeros(x)
    b, c, d, e, f, g, h = a, a, a, a, a, a, a
    i = 0
    while i + 8 * w <= x.size:
        a, b = a + simd.load(x, i), b + simd.load(x, i + w)
        c, d = c + simd.load(x, i + 2 * w), d + simd.load(x, i + 3 * w)
        e, f = e + simd.load(x, i + 4 * w), f + simd.load(x, i + 5 * w)
        g, h = g + simd.load(x, i + 6 * w), h + simd.load(x, i + 7 * w)
        i += 8 * w
    while i + w <= x.size:
        a += simd.load(x, i)
        i += w
    b += simd.load_part(x, i, x.size - i)
    return simd.sum(((a + b) + (c + d)) + ((e + f) + (g + h)))


@read.variant(style="vectorized", dtypes=("i32",))
@njit(nogil=True)
def vectorized(x, y):
    """Eight vectors a trip: one load and one addition each."""
    # x[n], y[1]
    y[0] = sum_of(x)


@read.variant(style="parallel", dtypes=("i32",), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, y):
    """Parts that the threads share, contiguous ones each; small operands stay whole."""
    # x[n], y[1]. Integers may be added in any order, so the threads' sums may be combined as they come.
    parts = part_count(x.size * x.itemsize)
    if parts == 1:
        y[0] = sum_of(x)
        return
    total = 0
    for p in prange(parts):
        first, last = part(x.size, parts, p)
        total += sum_of(x[first:last])
    y[0] = np.int32(total)


@read.variant(style="library", dtypes=("i32",))
def numpy(x, y):
    """np.sum(x, dtype=np.int32), with the cost of the Python call."""
    y[0] = np.sum(x, dtype=np.int32)


@read.variant(
    style="library",
    name="torch",
    dtypes=("i32",),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, y):
    """torch.sum(x, 0, keepdim=True, dtype=torch.int32, out=y), with the cost of the Python call."""
    torch = _peers.torch()
    torch.sum(_peers.tensor(x), 0, keepdim=True, dtype=torch.int32, out=_peers.tensor(y))
