"""transpose: y[n,m] = x[m,n] transposed, both row-major

The ladder, each rung a line:
  naive       row after row of x: reads neighbours, but every store goes to another line of y
  blocked     squares of one cache line a side, so that every line is used whole while it is there
  vectorized  squares of one vector a side, turned in registers: loads and stores of whole vectors
  parallel    the vectorized squares, a band of rows of y a thread
  numpy       np.copyto(y, x.T), as a Python user calls it
  torch       Tensor.copy_ of x.t(), as a Python user calls it

Work of one call, s = bytes per element:
  FLOP   none                        so it has a rate in B/s only, and no intensity
  bytes  s m n read + s m n written  and s m n more read for ownership of y's lines
It moves what a copy moves, and a copy is what it is measured against. What costs it more is the order: naive
touches a line of y for each element, and comes back to it only a row of x later. With m a power of two those lines
fall into few sets of the cache and evict each other before the next row comes, and each lies in another page.

Values go through unchanged, NaN, infinities, signed zeros and denormals among them.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _peers
from kernelbench.kernels._check import Verification, elementwise
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.kernels._transpose_tile import tile_rows, transpose_tile
from kernelbench.model import DTYPE_BYTES, Accuracy, Work


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    return (random_values(rng, (shape["m"], shape["n"]), dtype),)


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return (((shape["n"], shape["m"]), dtype),)


def _work(shape: Shape, dtype: str) -> Work:
    moved = DTYPE_BYTES[dtype] * shape["m"] * shape["n"]
    return Work(
        model="modelled",
        read_bytes=moved,
        write_bytes=moved,
        rfo_bytes=moved,
        working_set_bytes=2 * moved,
    )


def _check(v: Verification) -> Accuracy:
    x, m = v.inputs[0], max(1, v.shape["m"])

    def exact(part: slice) -> tuple[np.ndarray, float]:
        # Element k of y lies in its row k // m, which is x's column, and its column k % m.
        k = np.arange(part.start, min(part.stop, x.size))
        return x[k % m, k // m].astype(np.float64), 1.0

    # Nothing is computed, so any difference at all is an error.
    return elementwise(v.outputs[0], exact, 0.0, metric="max |error|", reference="the operand")


transpose = Op(
    name="transpose",
    summary="y[n,m] = x[m,n] transposed",
    dims=("m", "n"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
)


@transpose.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, y):
    """Row after row of x, one element a trip: every store goes to another line of y."""
    # x[m,n], y[n,m]; see relu/naive for why the step is read from memory
    m, n = x.shape
    step = x.strides[1] // x.itemsize
    for i in range(m):
        j = 0
        while j < n:
            y[j, i] = x[i, j]
            j += step


LINE_BYTES = 64
"""A cache line of every x86-64 and most ARM CPUs."""


@transpose.variant(style="tiled", dtypes=("f64", "f32"))
@njit(nogil=True)
def blocked(x, y):
    """Squares of one cache line a side: each line of x stays in L1 until all of it is used."""
    # x[m,n], y[n,m]. While a square is written, a line of y at a time, its lines of x must stay: 16 in f32, 8 in
    # f64, of the 512 in an L1 of 32 KiB. A larger square uses no line better. It holds more of them, and when a row
    # is a power of two long they fall into one set of the cache, which has room for 8 to 12.
    m, n = x.shape
    side = LINE_BYTES // x.itemsize
    for j0 in range(0, n, side):
        for i0 in range(0, m, side):
            for j in range(j0, min(j0 + side, n)):
                for i in range(i0, min(i0 + side, m)):
                    y[j, i] = x[i, j]


BAND = 64
"""Rows of y made together. Whole squares for vectors of any width; and 64 columns of x are 4 lines (f32) side by
side, so that a row of DRAM or a prefetched neighbour is used at once."""
BANDS = {"rows": (BAND, 16, 32, 128, 256, 512)}
"""Whole vectors and lines of any width. Wider bands read longer stretches of x; narrower ones write fewer rows of y."""


def _with_rows(inputs: Arrays, shape: Shape) -> Arrays:
    """(x[m,n], rows of a band)"""
    return (*inputs, shape["rows"])


@njit(nogil=True)
def band(x, y, first, last):
    """Rows first..last of y[n,m] from columns first..last of x[m,n], in squares of one vector a side."""
    m = x.shape[0]
    w = tile_rows(x)
    rows, columns = m // w * w, first + (last - first) // w * w
    for i in range(0, rows, w):
        for j in range(first, columns, w):
            transpose_tile(x, i, j, y)
    for j in range(first, columns):
        for i in range(rows, m):
            y[j, i] = x[i, j]
    for j in range(columns, last):
        for i in range(m):
            y[j, i] = x[i, j]


@transpose.variant(style="vectorized", dtypes=("f64", "f32"), prepare=_with_rows, tunable=BANDS)
@njit(nogil=True)
def vectorized(x, rows, y):
    """Squares of one vector a side turned by shuffles in registers: whole vectors are loaded and stored."""
    # x[m,n], y[n,m]. No line has to stay in the cache, so it does not matter into which set it falls.
    n = x.shape[1]
    for first in range(0, n, rows):
        band(x, y, first, min(first + rows, n))


@transpose.variant(style="parallel", dtypes=("f64", "f32"), parallel=True, prepare=_with_rows, tunable=BANDS)
@njit(nogil=True, parallel=True)
def parallel(x, rows, y):
    """The vectorized squares, in bands of rows of y: no two threads write the same row."""
    # x[m,n], y[n,m]
    n = x.shape[1]
    for b in prange((n + rows - 1) // rows):
        band(x, y, rows * b, min(rows * b + rows, n))


@transpose.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, y):
    """np.copyto(y, x.T), with the cost of the Python call."""
    np.copyto(y, x.T)


@transpose.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, y):
    """Tensor.copy_ of x.t(), with the cost of two Python calls."""
    _peers.tensor(y).copy_(_peers.tensor(x).t())
