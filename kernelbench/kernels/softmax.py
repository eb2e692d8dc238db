"""softmax: y[m,n] = e^(x[m,n] - max_n x) / sum_n e^(x[m,n] - max_n x), each of m rows of n by itself

The ladder, each rung a line:
  naive       three passes a row, one element a trip: the largest, the exponentials and their sum, the quotients
  three_pass  the same on vectors, the exponentials kept in y and scaled there
  online      largest and sum found together in one pass, each lane for itself; a second pass writes y
  parallel    three_pass, rows shared by the threads
  numpy       the formula in five calls with out=, as a Python user who minds temporaries writes it
  torch       torch.softmax with out=, as a Python user calls it

Subtracting the largest changes no quotient and keeps every exponential in 0 .. 1.

Work of one call, s = bytes per element:
  FLOP   (e + 4) m n   a maximum, a difference, an exponential of e operations (22 in f32, 32 in f64: see
                       _activation.py), a sum, a product. Counting the exponential as one it is the 5 m n of textbooks.
                       Declared: another exponential has another count.
  bytes  s m n read + s m n written, and s m n more read for ownership of y's lines, unless the CPU evades it
That is for rows that stay in a cache near the core. Of longer ones three_pass reads x twice, writes y twice and reads
it once; online reads x twice and writes y once, for which it computes every exponential twice.

NaN anywhere in a row makes the whole row NaN, and so does inf (inf - inf); -inf gives 0, and NaN where the whole row
is -inf: as in torch. Rows of no elements give nothing.
"""

import math

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _peers, _softmax_check
from kernelbench.kernels._activation import EXP_FLOP
from kernelbench.kernels._registry import NUMPY, Arrays, Op, Outputs, Shape
from kernelbench.kernels._scratch import workspace
from kernelbench.model import DTYPE_BYTES, Work
from kernelbench.simd import lanes as simd


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    return (rng.uniform(-6, 6, (shape["m"], shape["n"])).astype(NUMPY[dtype]),)


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return (((shape["m"], shape["n"]), dtype),)


def _work(shape: Shape, dtype: str) -> Work:
    elements = shape["m"] * shape["n"]
    size_bytes = DTYPE_BYTES[dtype] * elements
    return Work(
        model="declared",
        flop=(EXP_FLOP[dtype] + 4) * elements,
        mix="fma_add",
        read_bytes=size_bytes,
        write_bytes=size_bytes,
        rfo_bytes=size_bytes,
        working_set_bytes=2 * size_bytes,
    )


softmax = Op(
    name="softmax",
    summary="y[m,n] = e^(x[m,n] - max_n x) / sum_n e^(x[m,n] - max_n x)",
    dims=("m", "n"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_softmax_check.check,
    sizes=("64x128", "512x1024", "64x32768"),
)


@softmax.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, y):
    """Three passes a row, one element a trip, through libm's exp."""
    # x[m,n], y[m,n]; see relu/naive for why the step is read from memory
    m, n = x.shape
    step = x.strides[1] // x.itemsize
    for i in range(m):
        largest = x.dtype.type(-np.inf)
        for j in range(0, n, step):
            if x[i, j] > largest:
                largest = x[i, j]
        # In f64: one chain of 32,768 sums in f32 is wrong by 4e-5, and libm's exp hides what the conversion costs.
        total = 0.0
        for j in range(0, n, step):
            y[i, j] = math.exp(x[i, j] - largest)
            total += y[i, j]
        divisor = x.dtype.type(total)
        for j in range(0, n, step):
            y[i, j] /= divisor


@njit(nogil=True)
def largest_of(x, first, last):
    """The largest of x[first:last], its NaN passed over: the exponentials bring it back."""
    step = simd.lanes(x)
    a = b = c = d = simd.fill(x, -np.inf)
    i = first
    # Four at once: a maximum waits for the one before it, and nothing else does.
    while i + 4 * step <= last:
        a = simd.maximum(simd.load(x, i), a)
        b = simd.maximum(simd.load(x, i + step), b)
        c = simd.maximum(simd.load(x, i + 2 * step), c)
        d = simd.maximum(simd.load(x, i + 3 * step), d)
        i += 4 * step
    while i + step <= last:
        a = simd.maximum(simd.load(x, i), a)
        i += step
    if i < last:
        b = simd.maximum(rest_of(x, i, last), b)
    return simd.highest(simd.maximum(simd.maximum(a, b), simd.maximum(c, d)))


@njit(nogil=True, forceinline=True)
def rest_of(x, first, last):
    """x[first:last], less than a vector, and -inf in the other lanes: no largest, and 0 as exponential."""
    count = last - first
    return simd.select(simd.first(x, count), simd.load_part(x, first, count), simd.fill(x, -np.inf))


@njit(nogil=True)
def row(x, y, first, last):
    """The softmax of x[first:last] into y[first:last], both seen as one long array."""
    step = simd.lanes(x)
    whole = last - (last - first) % step
    largest = largest_of(x, first, last)
    totals = rest = simd.zeros(x)
    for i in range(first, whole, step):
        e = simd.exp(simd.load(x, i) - largest)
        simd.store(y, i, e)
        totals += e
    if whole < last:
        rest = simd.exp(rest_of(x, whole, last) - largest)
    # A vector: dividing a number by 0 raises in Numba, and a row of no elements is none.
    scale = 1.0 / simd.fill(x, simd.sum(totals + rest))
    for i in range(first, whole, step):
        simd.store(y, i, simd.load(y, i) * scale)
    if whole < last:
        simd.store_part(y, whole, rest * scale, last - whole)


@softmax.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def three_pass(x, y):
    """The largest; exponentials, kept in y, and their sum in lanes; y scaled. One exponential an element."""
    # x[m,n], y[m,n]
    m, n = x.shape
    for i in range(m):
        row(x, y, i * n, i * n + n)


@njit(nogil=True, forceinline=True)
def joined(largest, total, v):
    """Each lane's sum of e^(x - largest) with one more x; both old and new scale by the same exponential."""
    # One of e^(v - new) and e^(old - new) is 1, the other e^-|v - old|.
    e = simd.exp(-simd.absolute(v - largest))
    total = simd.select(v > largest, simd.fma(total, e, 1.0), total + e)
    return simd.maximum(v, largest), total


@njit(nogil=True)
def online_row(x, y, first, last):
    """The softmax of x[first:last] into y[first:last], x read twice and y written once."""
    step = simd.lanes(x)
    whole = last - (last - first) % step
    # The lowest number, not -inf: -inf - -inf would be NaN.
    largests, totals = simd.fill(x, -np.finfo(x.dtype).max), simd.zeros(x)
    for i in range(first, whole, step):
        largests, totals = joined(largests, totals, simd.load(x, i))
    if whole < last:
        largests, totals = joined(largests, totals, rest_of(x, whole, last))
    largest = simd.highest(largests)
    scale = 1.0 / simd.fill(x, simd.sum(totals * simd.exp(largests - largest)))
    for i in range(first, whole, step):
        simd.store(y, i, simd.exp(simd.load(x, i) - largest) * scale)
    if whole < last:
        simd.store_part(y, whole, simd.exp(rest_of(x, whole, last) - largest) * scale, last - whole)


@softmax.variant(style="fused", dtypes=("f64", "f32"))
@njit(nogil=True)
def online(x, y):
    """Largest and sum in one pass, a lane's sum rescaled when its largest grows; another pass writes y."""
    # x[m,n], y[m,n]
    m, n = x.shape
    for i in range(m):
        online_row(x, y, i * n, i * n + n)


PARALLEL_ELEMENTS = 1 << 14
"""From here on more threads than one pay: one alone takes 5 to 10 microseconds, entering a team of two 2 to 3."""


@softmax.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, y):
    """three_pass, rows shared by the threads."""
    # x[m,n], y[m,n]
    m, n = x.shape
    if x.size < PARALLEL_ELEMENTS:
        three_pass(x, y)
        return
    for i in prange(m):
        row(x, y, i * n, i * n + n)


def _with_column(inputs: Arrays, shape: Shape) -> Arrays:
    """x[m,n] and scratch for a number a row."""
    return (*inputs, workspace((shape["m"], 1), inputs[0].dtype))


@softmax.variant(style="library", dtypes=("f64", "f32"), prepare=_with_column)
def numpy(x, column, y):
    """np.max, np.subtract, np.exp, np.sum, np.divide with out=, with the cost of five Python calls."""
    # x[m,n], column[m,1]: scratch, y[m,n]
    np.max(x, axis=1, keepdims=True, initial=-np.inf, out=column)
    np.subtract(x, column, out=y)
    np.exp(y, out=y)
    np.sum(y, axis=1, keepdims=True, out=column)
    np.divide(y, column, out=y)


@softmax.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, y):
    """torch.softmax(x, 1, out=y), with the cost of the Python call."""
    _peers.torch().softmax(_peers.tensor(x), 1, out=_peers.tensor(y))
