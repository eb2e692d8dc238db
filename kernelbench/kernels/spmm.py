"""spmm: y[m,n] = a[m,k] b[k,n] with a pruned to its largest elements, b dense, both row-major

The ladder, each rung a line:
  naive       CSR (compressed sparse rows): for each y[i,j] the row's stored elements, into one running sum
  vectorized  a row of y at a time: each stored a[i,p] times a row of b, 4 vectors of y in registers
  tiled       a in blocks of 128 columns: the panel of b that a block meets is copied to L1 and stays there for all rows
  parallel    tiled, as many stored elements for each thread
  scipy       scipy.sparse, as a Python user calls it
  torch       torch's CSR tensor
  dense       the same product with its zeros multiplied out, by BLAS: what sparsity has to beat

Work of one call, s = bytes per element, nnz = (1 - sparsity) m k stored elements:
  FLOP   2 nnz n            a multiply and an add for each stored element and column of b
  bytes  nnz (s + 4) + 4 (m + 1)   a: values, columns of 4 bytes and where each row starts
       + s k n read + s m n written
`tiled` stores a column in one byte, and where each row of each block starts.

Why the panel: a stored element takes a vector of b from memory for each FMA, where a dense tile has each vector
for many. From L1 that is one load for one FMA, which a CPU can do; from L2 it takes twice as long. So `tiled` runs
near the FMA rate on what is stored and passes BLAS at a low sparsity, while `vectorized` reads b from where it lies,
rows of it a page apart: benchmarks/break_even.py finds where each of them passes BLAS.

NaN and infinity reach y where they are stored; an infinity in b that meets only zeros that are not stored does
not, where dense code would make it NaN.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _blas, _compressed, _csr, _peers
from kernelbench.kernels._column_blocks import (
    VECTORS,
    add_rows,
    block_bytes,
    bounds_of_rows,
    panels,
    product,
    store_four,
    to_column_blocks,
)
from kernelbench.kernels._registry import Arrays, Op, Shape, random_values
from kernelbench.model import DTYPE_BYTES, Work
from kernelbench.simd import lanes as simd


def stored(shape: Shape) -> int:
    """How many elements of a[m,k] are kept, rounded up."""
    return _csr.kept(shape["m"] * shape["k"], shape)


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    m, n, k = shape["m"], shape["n"], shape["k"]
    a = _csr.prune(random_values(rng, (m, k), dtype), stored(shape))
    return a, random_values(rng, (k, n), dtype)


def _work(shape: Shape, dtype: str) -> Work:
    nnz = stored(shape)
    return _compressed.matrix_work(_csr.csr_bytes(shape["m"], nnz, DTYPE_BYTES[dtype]), nnz, shape, dtype)


spmm = Op(
    name="spmm",
    summary="y[m,n] = a[m,k] b[k,n], a pruned to its largest elements",
    dims=("m", "n", "k"),
    inputs=_inputs,
    outputs=_compressed.matrix_outputs,
    work=_work,
    check=_compressed.check_matrix,
    params={"sparsity": _csr.SPARSITIES},
)


def _rows(inputs: Arrays, shape: Shape) -> Arrays:
    """(values[nnz], columns[nnz], starts[m+1], b[k,n]) of (a[m,k], b[k,n])."""
    return (*_csr.to_csr(inputs[0]), inputs[1])


@spmm.variant(style="naive", dtypes=("f64", "f32"), prepare=_rows)
@njit(nogil=True)
def naive(values, columns, starts, b, y):
    """One product at a time, one running sum for each element of y, walking b down its columns."""
    # values[nnz], columns[nnz], starts[m+1], b[k,n], y[m,n]
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            total = b.dtype.type(0)
            for p in range(starts[i], starts[i + 1]):
                total += values[p] * b[columns[p], j]
            y[i, j] = total


@spmm.variant(style="vectorized", dtypes=("f64", "f32"), prepare=_rows)
@njit(nogil=True)
def vectorized(values, columns, starts, b, y):
    """4 vectors of a row of y in registers while the row's stored elements go by, b read from where it lies."""
    # values[nnz], columns[nnz], starts[m+1], b[k,n], y[m,n]
    n, step, zero = y.shape[1], simd.lanes(b), simd.zeros(b)
    whole = n - n % (VECTORS * step)
    for j in range(0, whole, VECTORS * step):
        for i in range(y.shape[0]):
            first, end = np.intp(starts[i]), np.intp(starts[i + 1])
            sums = add_rows(values, columns, first, end, b, n, j, (zero, zero, zero, zero))
            store_four(y, i * n + j, VECTORS * step, sums)
    for j in range(whole, n, step):
        for i in range(y.shape[0]):
            total = zero
            for p in range(np.intp(starts[i]), np.intp(starts[i + 1])):
                total = simd.fma(simd.load_part(b, np.intp(columns[p]) * n + j, n - j), values[p], total)
            simd.store_part(y, i * n + j, total, n - j)


def _blocks(inputs: Arrays, shape: Shape) -> Arrays:
    """(values[nnz], columns[nnz], starts[blocks m + 1], b[k,n], scratch memory for one panel of b)."""
    a, b = inputs
    return *to_column_blocks(a), b, panels(b.dtype, 1)


def _blocks_work(shape: Shape, dtype: str) -> Work:
    nnz = stored(shape)
    return _compressed.matrix_work(block_bytes(shape["m"], shape["k"], nnz, DTYPE_BYTES[dtype]), nnz, shape, dtype)


@spmm.variant(style="tiled", dtypes=("f64", "f32"), prepare=_blocks, work=_blocks_work)
@njit(nogil=True)
def tiled(values, columns, starts, b, panels, y):
    """A panel of b, 128 rows by 4 vectors, is copied to L1 and met by a block of columns of every row of a."""
    # values[nnz], columns[nnz], starts[blocks m + 1], b[k,n], panels[1,128 x 4 x lanes], y[m,n]
    product(values, columns, starts, b, panels[0], y, 0, y.shape[0])


CROSSOVER = 1 << 17
"""Products below which one thread is faster: at 30 a nanosecond half of them are 2 us, what entering a parallel
region takes."""
CROSSOVERS = {"crossover": (CROSSOVER, 0, 1 << 15, 1 << 16, 1 << 18, 1 << 19, 1 << 20)}
"""Other pools of threads are entered faster or slower; 0: always all threads."""


def _shared(inputs: Arrays, shape: Shape) -> Arrays:
    """(values[nnz], columns[nnz], starts[blocks m + 1], bounds[threads+1], b[k,n], crossover, panels of b)."""
    a, b = inputs
    bounds = bounds_of_rows(a)
    return *to_column_blocks(a), bounds, b, shape["crossover"], panels(b.dtype, bounds.size - 1)


@spmm.variant(
    style="parallel",
    dtypes=("f64", "f32"),
    prepare=_shared,
    work=_blocks_work,
    parallel=True,
    tunable=CROSSOVERS,
)
@njit(nogil=True, parallel=True)
def parallel(values, columns, starts, bounds, b, crossover, panels, y):
    """Tiled, as many stored elements for each thread; one thread for few products."""
    # values[nnz], columns[nnz], starts[blocks m + 1], bounds[threads+1], b[k,n], panels[threads,...], y[m,n]; for
    # fewer than ``crossover`` products
    if values.size * y.shape[1] < crossover:
        product(values, columns, starts, b, panels[0], y, 0, y.shape[0])
    else:
        for t in prange(bounds.size - 1):
            product(values, columns, starts, b, panels[t], y, bounds[t], bounds[t + 1])


@spmm.variant(style="library", dtypes=("f64", "f32"), prepare=_csr.for_scipy, unavailable=_peers.missing("scipy"))
def scipy(a, b, y):
    """y[:] = a @ b with a scipy.sparse.csr_array: one thread, and the cost of the Python call and a copy of y."""
    y[:] = a @ b


@spmm.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_csr.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(a, b, y):
    """torch.mm(a, b, out=y) with a CSR tensor made ahead, and the cost of the Python call."""
    _peers.torch().mm(a, _peers.tensor(b), out=_peers.tensor(y))


@spmm.variant(
    style="library",
    dtypes=("f64", "f32"),
    parallel=True,
    work=_compressed.dense_matrix_work,
    check=_compressed.check_dense_matrix,
    prepare=_blas.with_gemm,
    unavailable=_blas.unavailable,
)
@njit(nogil=True)
def dense(a, b, gemm, y):
    """OpenBLAS's gemm on a with its zeros: the time that storing a sparse has to beat."""
    # a[m,k], b[k,n], y[m,n]; gemm is the symbol's address. BLAS returns without writing y when k is 0.
    if b.shape[0]:
        _blas.call_gemm(gemm, a, b, y)
    else:
        y[:] = 0
