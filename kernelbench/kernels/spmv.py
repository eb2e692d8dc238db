"""spmv: y[m] = a[m,n] x[n] with a pruned to its largest elements (sparsity 0.9 keeps a tenth)

The ladder, each rung a line:
  naive       CSR (compressed sparse rows): a row's stored elements one after the other, into one running sum
  vectorized  a row's sum in lanes: a vector of values, and the elements of x that its columns name
  sliced      a row a lane: nothing to add up across lanes and no rests, which is most of the time of short rows
  bitmap      a bit for each element says whether it is stored: no columns, and x comes in whole vectors
  parallel    sliced, as many stored elements for each thread
  scipy       scipy.sparse, as a Python user calls it
  torch       torch's CSR tensor
  dense       the same product with its zeros multiplied out, by BLAS: what sparsity has to beat

Work of one call, s = bytes per element, nnz = (1 - sparsity) m n stored elements:
  FLOP   2 nnz              a multiply and an add a stored element
  bytes  nnz (s + 4)        a value and a column of 4 bytes each
       + 4 (m + 1)          where each row starts
       + s n read           x once: as if all that rows share of it stayed in cache
       + s m written
The intensity is about 2 / (s + 4): 0.25 FLOP/B in f32, half of a dense gemv's. The bitmap takes nnz s + m n / 8
bytes: less than CSR below a sparsity of 31/32.

The break-even: where bytes alone count, CSR wins while nnz (s + 4) < s m n, from a sparsity of 1/2 on in f32 and
1/3 in f64, and the bitmap from 1/32 on. In L1 and L2 time counts per element: CSR loads each x at an address of its
own, one a cycle or so, where dense code takes a whole vector, which puts the break-even at 0.8; the bitmap takes the
time of two or three dense vectors however few are stored. benchmarks/break_even.py finds where each of them passes
BLAS: from L3 on the bitmap is ahead of it at every sparsity, and behind `sliced` from about 0.8 on.

NaN and infinity reach y where they are stored; an infinity in x that meets only zeros that are not stored does
not, where dense code would make it NaN.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _blas_gemv, _compressed, _csr, _peers
from kernelbench.kernels._bitmap import WORD_COLUMNS, bitmap_bytes, dot_bitmap, to_bitmap
from kernelbench.kernels._registry import Arrays, Op, Shape, random_values
from kernelbench.kernels._scratch import workspace
from kernelbench.kernels._sliced import dot_slices, slices_bytes, to_slices
from kernelbench.kernels._sparse_lanes import take
from kernelbench.model import DTYPE_BYTES, Work
from kernelbench.simd import lanes as simd


def stored(shape: Shape) -> int:
    """How many elements of a[m,n] are kept, rounded up."""
    return _csr.kept(shape["m"] * shape["n"], shape)


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    m, n = shape["m"], shape["n"]
    a = _csr.prune(random_values(rng, (m, n), dtype), stored(shape))
    return a, random_values(rng, (n,), dtype)


def _work(shape: Shape, dtype: str) -> Work:
    nnz = stored(shape)
    return _compressed.vector_work(_csr.csr_bytes(shape["m"], nnz, DTYPE_BYTES[dtype]), nnz, shape, dtype)


spmv = Op(
    name="spmv",
    summary="y[m] = a[m,n] x[n], a pruned to its largest elements",
    dims=("m", "n"),
    inputs=_inputs,
    outputs=_compressed.vector_outputs,
    work=_work,
    check=_compressed.check_vector,
    params={"sparsity": _csr.SPARSITIES},
)


def _rows(inputs: Arrays, shape: Shape) -> Arrays:
    """(values[nnz], columns[nnz], starts[m+1], x[n]) of (a[m,n], x[n])."""
    return (*_csr.to_csr(inputs[0]), inputs[1])


@spmv.variant(style="naive", dtypes=("f64", "f32"), prepare=_rows)
@njit(nogil=True)
def naive(values, columns, starts, x, y):
    """One stored element at a time, one running sum a row."""
    # values[nnz], columns[nnz], starts[m+1], x[n], y[m]
    for i in range(y.size):
        total = x.dtype.type(0)
        for p in range(starts[i], starts[i + 1]):
            total += values[p] * x[columns[p]]
        y[i] = total


@njit(nogil=True)
def gathered(values, columns, p, x, total):
    """total + values[p..] x[columns[p..]] in lanes."""
    return simd.fma(simd.load(values, p), take(x, columns, p), total)


@njit(nogil=True)
def dot_rows(values, columns, starts, x, y, first, last):
    """y[first:last], each row's sum in two vectors of lanes; what fills none goes into four sums."""
    step = simd.lanes(x)
    for i in range(first, last):
        p, end = np.intp(starts[i]), np.intp(starts[i + 1])
        left, right = simd.zeros(x), simd.zeros(x)
        while p + 2 * step <= end:
            left = gathered(values, columns, p, x, left)
            right = gathered(values, columns, p + step, x, right)
            p += 2 * step
        if p + step <= end:
            left = gathered(values, columns, p, x, left)
            p += step
        y[i] = simd.sum(left + right) + dot_rest(values, columns, p, end, x)


@njit(nogil=True, fastmath={"contract"})
def dot_rest(values, columns, p, end, x):
    """The sum of the elements p..end, fewer than a vector: in four sums, which wait for one another less."""
    zero = x.dtype.type(0)
    s0, s1, s2, s3 = zero, zero, zero, zero
    while p + 4 <= end:
        s0 += values[p] * x[columns[p]]
        s1 += values[p + 1] * x[columns[p + 1]]
        s2 += values[p + 2] * x[columns[p + 2]]
        s3 += values[p + 3] * x[columns[p + 3]]
        p += 4
    while p < end:
        s0 += values[p] * x[columns[p]]
        p += 1
    return (s0 + s1) + (s2 + s3)


@spmv.variant(style="vectorized", dtypes=("f64", "f32"), prepare=_rows)
@njit(nogil=True)
def vectorized(values, columns, starts, x, y):
    """A row's sum in two vectors of lanes: x is gathered into vectors by the columns."""
    # values[nnz], columns[nnz], starts[m+1], x[n], y[m]
    dot_rows(values, columns, starts, x, y, 0, y.size)


def _slices(inputs: Arrays, shape: Shape) -> Arrays:
    """(values, columns, starts[slices+1], lengths[slices,C], rows[slices C], x[n], scratch memory for a vector)."""
    a, x = inputs
    return *to_slices(a), x, workspace((WORD_COLUMNS,), x.dtype)


def _slices_work(shape: Shape, dtype: str) -> Work:
    nnz = stored(shape)
    return _compressed.vector_work(slices_bytes(shape["m"], nnz, DTYPE_BYTES[dtype]), nnz, shape, dtype)


@spmv.variant(style="tiled", dtypes=("f64", "f32"), prepare=_slices, work=_slices_work)
@njit(nogil=True)
def sliced(values, columns, starts, lengths, rows, x, scratch, y):
    """A row a lane (SELL-C-sigma): every lane sums its own row in order, none has a rest, rows sorted by length."""
    # values[stored], columns[stored], starts[slices+1], lengths[slices,C], rows[slices C], x[n], scratch[16], y[m]
    dot_slices(values, columns, starts, lengths, rows, x, scratch, y, 0, starts.size - 1)


CROSSOVER = 16384
"""Stored elements below which one thread is faster: at 0.3 ns each half of them are 2.5 us, entering a parallel
region takes about 2."""


def _shared(inputs: Arrays, shape: Shape) -> Arrays:
    """As ``_slices``, with bounds[threads+1], thread t's slices, before x, and a row of scratch for each thread."""
    a, x = inputs
    slices = to_slices(a)
    bounds = _csr.even_bounds(slices[2])
    return *slices, bounds, x, workspace((bounds.size - 1, WORD_COLUMNS), x.dtype)


@spmv.variant(style="parallel", dtypes=("f64", "f32"), prepare=_shared, work=_slices_work, parallel=True)
@njit(nogil=True, parallel=True)
def parallel(values, columns, starts, lengths, rows, bounds, x, scratch, y):
    """Sliced, as many stored elements for each thread; one thread for few elements."""
    # as sliced's; bounds[threads+1], scratch[threads,16]
    if values.size < CROSSOVER:
        dot_slices(values, columns, starts, lengths, rows, x, scratch[0], y, 0, starts.size - 1)
    else:
        for t in prange(bounds.size - 1):
            dot_slices(values, columns, starts, lengths, rows, x, scratch[t], y, bounds[t], bounds[t + 1])


def _bitmap(inputs: Arrays, shape: Shape) -> Arrays:
    """(values[nnz + 16], words[m,ceil(n / 16)], x[n])"""
    return (*to_bitmap(inputs[0]), inputs[1])


def _bitmap_work(shape: Shape, dtype: str) -> Work:
    nnz = stored(shape)
    return _compressed.vector_work(bitmap_bytes(shape["m"], shape["n"], nnz, DTYPE_BYTES[dtype]), nnz, shape, dtype)


@spmv.variant(style="sparse", dtypes=("f64", "f32"), prepare=_bitmap, work=_bitmap_work)
@njit(nogil=True)
def bitmap(values, words, x, y):
    """A bit an element instead of a column: values are spread over the lanes that they belong to (AVX-512 has that)."""
    # values[nnz + 16], words[m,ceil(n / 16)], x[n], y[m]
    p, flat = 0, words.reshape(-1)
    for i in range(y.size):
        y[i], p = dot_bitmap(values, p, flat, i * words.shape[1], x, x.size // WORD_COLUMNS)


@spmv.variant(style="library", dtypes=("f64", "f32"), prepare=_csr.for_scipy, unavailable=_peers.missing("scipy"))
def scipy(a, x, y):
    """y[:] = a @ x with a scipy.sparse.csr_array: one thread, and the cost of the Python call and a copy of y."""
    y[:] = a @ x


@spmv.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_csr.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(a, x, y):
    """torch.mv(a, x, out=y) with a CSR tensor made ahead, and the cost of the Python call."""
    _peers.torch().mv(a, _peers.tensor(x), out=_peers.tensor(y))


@spmv.variant(
    style="library",
    dtypes=("f64", "f32"),
    parallel=True,
    work=_compressed.dense_vector_work,
    check=_compressed.check_dense_vector,
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
