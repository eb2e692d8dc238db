"""spmv: y[m] = a[m,n] x[n] with a pruned to its largest tenth and kept as CSR (compressed sparse rows)

The ladder, each rung a line:
  naive       a row's stored elements one after the other, into one running sum
  vectorized  a row's sum in lanes: elements of x are gathered by their columns, as the compiler can
  parallel    vectorized, a band of rows a thread
  scipy       scipy.sparse, as a Python user calls it
  dense       the same product with its zeros multiplied out, by BLAS: what sparsity has to beat

Work of one call, s = bytes per element, nnz = m n / 10 stored elements:
  FLOP   2 nnz              a multiply and an add a stored element
  bytes  nnz (s + 4)        a value and a column of 4 bytes each
       + 4 (m + 1)          where each row starts
       + s n read           x once: as if all that rows share of it stayed in cache
       + s m written
The intensity is about 2 / (s + 4): 0.25 FLOP/B in f32, half of a dense gemv's.

The break-even: where bytes alone count, sparse wins while nnz (s + 4) < s m n, below a density of 1/2 in f32 and
2/3 in f64. In L1 and L2 each stored element costs a load at an address of its own (a gather does one a lane),
where dense code takes a whole vector: with 16 lanes the break-even falls to about 1/10 and `dense` can win. Rows
of fewer stored elements than a few vectors hold leave lanes empty, and `naive` is the fastest of the sparse ones.
Run `dense` beside them across sizes to see the break-even move.

NaN and infinity reach y where they are stored; an infinity in x that meets only zeros that are not stored does
not, where dense code would make it NaN.
"""

import importlib
import importlib.util

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _blas_gemv, _weights
from kernelbench.kernels._check import EPS, Exact, Verification, close_to
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.model import DTYPE_BYTES, Accuracy, Work

KEPT = 10
"""One element in this many is kept: 90% sparsity, what magnitude pruning reaches before models lose much
(Gale, Elsen, Hooker 2019)."""


def stored(shape: Shape) -> int:
    """How many elements of a[m,n] are kept: a tenth, rounded up."""
    return -(-shape["m"] * shape["n"] // KEPT)


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    m, n = shape["m"], shape["n"]
    a = random_values(rng, (m, n), dtype)
    flat = a.reshape(-1)
    dropped = flat.size - stored(shape)
    if dropped:
        # Magnitude pruning: rows keep what they have among the largest of all, so their lengths differ.
        flat[np.argpartition(np.abs(flat), dropped)[:dropped]] = 0
    return a, random_values(rng, (n,), dtype)


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return (((shape["m"],), dtype),)


def _csr_bytes(shape: Shape, dtype: str) -> int:
    return stored(shape) * (DTYPE_BYTES[dtype] + 4) + 4 * (shape["m"] + 1)


def _work(shape: Shape, dtype: str) -> Work:
    m, n, s = shape["m"], shape["n"], DTYPE_BYTES[dtype]
    a = _csr_bytes(shape, dtype)
    return Work(
        model="modelled",
        flop=2 * stored(shape),
        mix="fma",
        read_bytes=a + s * n,
        write_bytes=s * m,
        rfo_bytes=s * m,
        working_set_bytes=a + s * n + s * m,
        prepared_bytes=a,
    )


def _products(a: np.ndarray, x: np.ndarray) -> Exact:
    """As ``products``, but what is not finite in x meets only what is not zero in a: zeros are not stored."""
    odd = np.flatnonzero(~np.isfinite(x))
    tame = x.copy()
    tame[odd] = 0
    exact, scale = _weights.products(a, tame)
    met = a[:, odd].astype(np.float64)
    with np.errstate(invalid="ignore"):  # infinities of both signs give NaN, as they should
        exact += np.where(met != 0, met * x[odd], 0.0).sum(axis=1)
    return exact, scale


def _check(v: Verification) -> Accuracy:
    return _judge(v, *v.once("stored", lambda: _products(*v.inputs)))


def _dense_check(v: Verification) -> Accuracy:
    return _judge(v, *v.once("dense", lambda: _weights.products(*v.inputs)))


def _judge(v: Verification, exact: np.ndarray, scale: np.ndarray | float) -> Accuracy:
    # As gemv's: any order of at most n products (Higham 2002, sec. 2.8).
    tolerance = max(8.0, v.shape["n"] ** 0.5) * EPS[v.dtype]
    metric = "max |error| / (|a| |x|)"
    return close_to(v.outputs[0], exact, scale, tolerance, metric=metric, reference="float64 einsum with the zeros")


spmv = Op(
    name="spmv",
    summary="y[m] = a[m,n] x[n], a tenth of a not zero",
    dims=("m", "n"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
)


def to_csr(inputs: Arrays) -> Arrays:
    """(values[nnz], columns[nnz] uint32, starts[m+1] uint32, x[n]) of (a[m,n], x[n]); row i is starts[i]..starts[i+1].

    Unsigned, so that no index can be negative and the compiler need not ask.
    """
    a, x = inputs
    flat = np.flatnonzero(a)
    counts = np.count_nonzero(a, axis=1)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)
    return a.reshape(-1)[flat], (flat % max(1, a.shape[1])).astype(np.uint32), starts, x


@spmv.variant(style="naive", dtypes=("f64", "f32"), prepare=to_csr)
@njit(nogil=True)
def naive(values, columns, starts, x, y):
    """One stored element at a time, one running sum a row."""
    # values[nnz], columns[nnz], starts[m+1], x[n], y[m]
    for i in range(y.size):
        total = x.dtype.type(0)
        for p in range(starts[i], starts[i + 1]):
            total += values[p] * x[columns[p]]
        y[i] = total


@njit(nogil=True, fastmath={"contract", "reassoc"})
def rows(values, columns, starts, x, y, first, last):
    """y[first:last], each row's sum in lanes."""
    for i in range(first, last):
        begin, end = np.intp(starts[i]), np.intp(starts[i + 1])
        row, at = values[begin:end], columns[begin:end]
        total = x.dtype.type(0)
        for p in range(row.size):
            total += row[p] * x[at[p]]
        y[i] = total


@spmv.variant(style="vectorized", dtypes=("f64", "f32"), prepare=to_csr)
@njit(nogil=True, fastmath={"contract", "reassoc"})
def vectorized(values, columns, starts, x, y):
    """A row's sum in lanes (fast-math): x is gathered into vectors by the columns."""
    # values[nnz], columns[nnz], starts[m+1], x[n], y[m]
    rows(values, columns, starts, x, y, 0, y.size)


BAND = 32
"""Rows a thread takes at a time: 128 bytes of y in f32. Bands of so many rows differ little in their elements."""


@spmv.variant(style="parallel", dtypes=("f64", "f32"), prepare=to_csr, parallel=True)
@njit(nogil=True, parallel=True, fastmath={"contract", "reassoc"})
def parallel(values, columns, starts, x, y):
    """Vectorized (fast-math), in bands of 32 rows."""
    # values[nnz], columns[nnz], starts[m+1], x[n], y[m]
    m = y.size
    for band in prange((m + BAND - 1) // BAND):
        rows(values, columns, starts, x, y, BAND * band, min(BAND * band + BAND, m))


def _no_scipy() -> str:
    return "" if importlib.util.find_spec("scipy") else "scipy is not installed; pip install scipy"


def _scipy_csr(inputs: Arrays) -> Arrays:
    return importlib.import_module("scipy.sparse").csr_array(inputs[0]), inputs[1]


@spmv.variant(style="library", dtypes=("f64", "f32"), prepare=_scipy_csr, unavailable=_no_scipy)
def scipy(a, x, y):
    """y[:] = a @ x with a scipy.sparse.csr_array: one thread, and the cost of the Python call."""
    y[:] = a @ x


def _dense_work(shape: Shape, dtype: str) -> Work:
    m, n, s = shape["m"], shape["n"], DTYPE_BYTES[dtype]
    return Work(
        model="modelled",
        flop=2 * m * n,  # what it does, zeros and all; compare times, not rates
        mix="fma",
        read_bytes=s * (m * n + n),
        write_bytes=s * m,
        rfo_bytes=s * m,
        working_set_bytes=s * (m * n + n + m),
    )


@spmv.variant(
    style="library",
    dtypes=("f64", "f32"),
    parallel=True,
    work=_dense_work,
    check=_dense_check,
    prepare=_blas_gemv.with_gemv,
    unavailable=_blas_gemv.unavailable,
)
@njit(nogil=True)
def dense(a, x, gemv, y):
    """OpenBLAS's gemv on a with its zeros: the time that storing a sparse has to beat."""
    # a[m,n], x[n], y[m]; gemv is the symbol's address. BLAS returns without writing y when n is 0.
    if x.size:
        _blas_gemv.call_gemv(gemv, a, x, y)
    else:
        y[:] = 0
