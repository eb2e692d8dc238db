"""block_sparse: y[m,n] = a[m,k] b[k,n] with whole blocks of 16 x 16 of a pruned away, b dense, both row-major

The ladder, each rung a line:
  naive       BSR (block sparse rows): for each y[i,j] the blocks of its row, one product after the other
  vectorized  8 rows of y by 2 vectors (1 before AVX-512) in registers while the blocks of these rows go by
  parallel    vectorized, as many blocks for each thread
  scipy       scipy.sparse's bsr_array, as a Python user calls it
  torch       torch's BSR tensor
  dense       the same product with its zeros multiplied out, by BLAS: what sparsity has to beat

Work of one call, s = bytes per element, blocks = (1 - sparsity) (m / 16) (k / 16):
  FLOP   2 256 blocks n     a multiply and an add for each stored element and column of b
  bytes  blocks (256 s + 4) + 4 (m / 16 + 1)   a: one column for 256 values, so hardly more than the values
       + s k n read + s m n written

Why blocks: an element alone takes a vector of b from memory for each FMA (see spmm). A block's column of 8 elements
meets a vector of b that is loaded once, as in a dense tile, so it runs near a dense product's rate from the first
block that is left out on; what it costs is freedom: a block of small elements goes as a whole, or stays.

NaN and infinity reach y where they are stored, and in b where a block is.
"""

import importlib

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _blas, _compressed, _csr, _peers
from kernelbench.kernels._blocks import BLOCK, block_grid, bsr_bytes, in_blocks, panel_of, product, to_bsr
from kernelbench.kernels._registry import Arrays, Op, Shape, random_values
from kernelbench.model import DTYPE_BYTES, Work


def stored(shape: Shape) -> int:
    """How many blocks of a[m,k] are kept, rounded up; those that stick out of a count as whole ones."""
    down, across = block_grid(shape["m"], shape["k"])
    return _csr.kept(down * across, shape)


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    m, n, k = shape["m"], shape["n"], shape["k"]
    a = random_values(rng, (m, k), dtype)
    # Magnitude pruning of blocks: those of the largest sum of squares stay (Narang, Undersander, Diamos 2017).
    norms = np.square(in_blocks(a).astype(np.float64)).sum(axis=(2, 3))
    kept = _csr.prune(norms, stored(shape)) > 0
    a[~np.kron(kept, np.ones((BLOCK, BLOCK), bool))[:m, :k]] = 0
    return a, random_values(rng, (k, n), dtype)


def _work(shape: Shape, dtype: str) -> Work:
    blocks = stored(shape)
    down, _ = block_grid(shape["m"], shape["k"])
    return _compressed.matrix_work(bsr_bytes(down, blocks, DTYPE_BYTES[dtype]), blocks * BLOCK * BLOCK, shape, dtype)


block_sparse = Op(
    name="block_sparse",
    summary="y[m,n] = a[m,k] b[k,n], a pruned to its largest blocks of 16 x 16",
    dims=("m", "n", "k"),
    inputs=_inputs,
    outputs=_compressed.matrix_outputs,
    work=_work,
    check=_compressed.check_matrix,
    params={"sparsity": _csr.SPARSITIES},
)


def _bsr(inputs: Arrays, shape: Shape) -> Arrays:
    """(values[blocks,16,16], columns[blocks], starts[m/16+1], b[k,n]) of (a[m,k], b[k,n])."""
    return *to_bsr(inputs[0]), inputs[1]


@block_sparse.variant(style="naive", dtypes=("f64", "f32"), prepare=_bsr)
@njit(nogil=True)
def naive(values, columns, starts, b, y):
    """One product at a time, one running sum for each element of y."""
    # values[blocks,16 columns,16 rows], columns[blocks], starts[m/16+1], b[k,n], y[m,n]
    for i in range(y.shape[0]):
        band, r = i // BLOCK, i % BLOCK
        for j in range(y.shape[1]):
            total = b.dtype.type(0)
            for block in range(starts[band], starts[band + 1]):
                first = np.intp(columns[block]) * BLOCK
                for p in range(min(BLOCK, b.shape[0] - first)):
                    total += values[block, p, r] * b[first + p, j]
            y[i, j] = total


def _with_panel(inputs: Arrays, shape: Shape) -> Arrays:
    """BSR, b[k,n] and scratch memory for as many columns of b as a tile spans."""
    return *_bsr(inputs, shape), panel_of(inputs[1], 1)


@block_sparse.variant(style="vectorized", dtypes=("f64", "f32"), prepare=_with_panel)
@njit(nogil=True)
def vectorized(values, columns, starts, b, panels, y):
    """8 rows of y by 2 vectors in registers (1 before AVX-512): each vector of b is loaded once for 8 FMAs."""
    # values[blocks,16 columns,16 rows], columns[blocks], starts[m/16+1], b[k,n], panels[1,k,tile], y[m,n]
    product(values, columns, starts, b, panels[0], y, 0, starts.size - 1)


def _shared(inputs: Arrays, shape: Shape) -> Arrays:
    """BSR, rows of blocks for each thread, b[k,n] and scratch memory for each thread."""
    values, columns, starts, b = _bsr(inputs, shape)
    bounds = _csr.even_bounds(starts)
    return values, columns, starts, bounds, b, panel_of(b, bounds.size - 1)


CROSSOVER = 1 << 18
"""Products below which one thread is faster: at 50 a nanosecond half of them are 2.6 us, entering a parallel
region takes about 2."""


@block_sparse.variant(style="parallel", dtypes=("f64", "f32"), prepare=_shared, parallel=True)
@njit(nogil=True, parallel=True)
def parallel(values, columns, starts, bounds, b, panels, y):
    """Vectorized, as many blocks for each thread; one thread for few products."""
    # values[blocks,16 columns,16 rows], columns[blocks], starts[m/16+1], bounds[threads+1], b[k,n], panels, y[m,n]
    if values.size * y.shape[1] < CROSSOVER:
        product(values, columns, starts, b, panels[0], y, 0, starts.size - 1)
    else:
        for t in prange(bounds.size - 1):
            product(values, columns, starts, b, panels[t], y, bounds[t], bounds[t + 1])


def _library_bsr(inputs: Arrays) -> Arrays:
    """(values[blocks,16,16] rows first, columns, starts, a's shape in whole blocks), b with zeros to whole blocks."""
    a, b = inputs
    values, columns, starts = to_bsr(a)
    down, across = block_grid(*a.shape)
    padded = np.zeros((across * BLOCK, b.shape[1]), b.dtype)
    padded[: b.shape[0]] = b
    parts = (np.ascontiguousarray(values.swapaxes(1, 2)), columns.astype(np.int32), starts.astype(np.int32))
    return parts, (down * BLOCK, across * BLOCK), padded


def _scipy_bsr(inputs: Arrays, shape: Shape) -> Arrays:
    parts, whole, padded = _library_bsr(inputs)
    return importlib.import_module("scipy.sparse").bsr_array(parts, shape=whole, blocksize=(BLOCK, BLOCK)), padded


@block_sparse.variant(style="library", dtypes=("f64", "f32"), prepare=_scipy_bsr, unavailable=_peers.missing("scipy"))
def scipy(a, b, y):
    """y[:] = a @ b with a scipy.sparse.bsr_array: one thread, and the cost of the Python call and a copy of y."""
    y[:] = (a @ b)[: y.shape[0]]


@block_sparse.variant(
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
    """OpenBLAS's gemm on a with its zeros: the time that leaving out blocks has to beat."""
    # a[m,k], b[k,n], y[m,n]; gemm is the symbol's address. BLAS returns without writing y when k is 0.
    if b.shape[0]:
        _blas.call_gemm(gemm, a, b, y)
    else:
        y[:] = 0
