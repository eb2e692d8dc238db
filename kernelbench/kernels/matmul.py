"""matmul: c[m,n] = a[m,k] @ b[k,n], all row-major

The ladder, each rung a line:
  python      three Python loops over lists
  naive       i-j-k compiled: a dot product for each element of c, walking b down its columns
  vectorized  i-k-j: the inner loop runs along rows of b and c, so the compiler emits vectors of FMAs
  tiled       4 rows of c by 4 steps of k at once, over blocks of b that stay in cache
  parallel    tiled, a band of rows a thread
  numpy       np.matmul, as a Python user calls it
  openblas    the BLAS inside NumPy through its C symbol, without Python's dispatch

Work of one call, s = bytes per element:
  FLOP   2 m n k              a multiply and an add for each of m n k products
  bytes  s (m k + k n) read + s m n written, each operand counted once
For m = n = k that is n / (1.5 s) FLOP/B: 85 for n = 512 in f32, so a good kernel is bound by arithmetic.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _blas
from kernelbench.kernels._check import EPS, Verification
from kernelbench.kernels._product import check_product
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.model import DTYPE_BYTES, Accuracy, Work


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    m, n, k = shape["m"], shape["n"], shape["k"]
    # The quantized variants start from the same f32 operands that the others get.
    kind = "f32" if dtype == "i8" else dtype
    return random_values(rng, (m, k), kind), random_values(rng, (k, n), kind)


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return (((shape["m"], shape["n"]), dtype),)


def _work(shape: Shape, dtype: str) -> Work:
    m, n, k, s = shape["m"], shape["n"], shape["k"], DTYPE_BYTES[dtype]
    return Work(
        model="modelled",
        flop=2 * m * n * k,
        mix="fma",
        read_bytes=s * (m * k + k * n),
        write_bytes=s * m * n,
        rfo_bytes=s * m * n,
        working_set_bytes=s * (m * k + k * n + m * n),
    )


def _check(v: Verification) -> Accuracy:
    a, b = v.inputs
    # Summing k products in any order errs by about sqrt(k) u of |a||b| when roundings are random
    # (Higham, Accuracy and Stability, 2002, sec. 2.8). A single product lost would be off by 1/k.
    tolerance = max(8.0, v.shape["k"] ** 0.5) * EPS[v.dtype]
    return check_product(v, a, b, v.outputs[0], tolerance)


matmul = Op(
    name="matmul",
    summary="c[m,n] = a[m,k] @ b[k,n]",
    dims=("m", "n", "k"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
)


@matmul.variant(
    style="python",
    dtypes=("f32",),
    python_flops=3e7,  # assumed, only to skip sizes that would take minutes
    prepare=lambda inputs, shape: tuple(x.tolist() for x in inputs),
)
def python(a, b, c):
    """Three loops over Python lists: every number a boxed object."""
    # a[m][k], b[k][n] lists; c[m,n] array
    n, k = len(b[0]), len(b)
    for i in range(len(a)):
        row = a[i]
        for j in range(n):
            total = 0.0
            for p in range(k):
                total += row[p] * b[p][j]
            c[i, j] = total


@matmul.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(a, b, c):
    """i-j-k: one running sum an element, b read down its columns, a cache line for each number."""
    # a[m,k], b[k,n], c[m,n]
    m, k = a.shape
    n = b.shape[1]
    for i in range(m):
        for j in range(n):
            total = a.dtype.type(0)
            for p in range(k):
                total += a[i, p] * b[p, j]
            c[i, j] = total


@matmul.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True, fastmath={"contract"})
def vectorized(a, b, c):
    """i-k-j: the inner loop runs along rows, so one instruction does a vector of multiply-adds."""
    # a[m,k], b[k,n], c[m,n]. No sum is reordered: each c[i,j] still adds its products in order of p.
    m, k = a.shape
    n = b.shape[1]
    for i in range(m):
        for j in range(n):
            c[i, j] = 0
        for p in range(k):
            factor = a[i, p]
            for j in range(n):
                c[i, j] += factor * b[p, j]


KC, NC = 64, 512
"""A block of b is kc x nc: 64 x 512 x 4 B = 128 KiB in f32, which a 256 KiB L2 keeps for every row of a."""
BLOCKS = {"kc": (KC, 16, 32, 128, 256), "nc": (NC, 64, 128, 256, 1024, 2048)}
"""Other caches want other blocks: from 4 KiB, which a small L1 keeps, to 2 MiB, which only a large L2 does."""


def _with_blocks(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k], b[k,n], kc, nc)"""
    return (*inputs, shape["kc"], shape["nc"])


@njit(nogil=True, fastmath={"contract"})
def band(a, b, c, first, last, kc, nc):
    """Rows first..last of c[m,n] = a[m,k] @ b[k,n], in blocks of b, 4 rows by 4 steps of k at once."""
    # Each trip of the inner loop loads 4 vectors of b and 4 of c for 16 FMAs: a load for every two
    # FMAs, where i-k-j needs two loads and a store for each one.
    k = a.shape[1]
    n = b.shape[1]
    for i in range(first, last):
        for j in range(n):
            c[i, j] = 0
    for j0 in range(0, n, nc):
        j1 = min(j0 + nc, n)
        for p0 in range(0, k, kc):
            p1 = min(p0 + kc, k)
            quads = p0 + (p1 - p0) // 4 * 4
            i = first
            while i + 4 <= last:
                for p in range(p0, quads, 4):
                    four_by_four(a, b, c, i, p, j0, j1)
                for p in range(quads, p1):
                    for r in range(i, i + 4):
                        for j in range(j0, j1):
                            c[r, j] += a[r, p] * b[p, j]
                i += 4
            for r in range(i, last):
                for p in range(p0, p1):
                    for j in range(j0, j1):
                        c[r, j] += a[r, p] * b[p, j]


@njit(nogil=True, fastmath={"contract"}, inline="always")
def four_by_four(a, b, c, i, p, j0, j1):
    """c[i:i+4, j0:j1] += a[i:i+4, p:p+4] @ b[p:p+4, j0:j1]"""
    a00, a01, a02, a03 = a[i, p], a[i, p + 1], a[i, p + 2], a[i, p + 3]
    a10, a11, a12, a13 = a[i + 1, p], a[i + 1, p + 1], a[i + 1, p + 2], a[i + 1, p + 3]
    a20, a21, a22, a23 = a[i + 2, p], a[i + 2, p + 1], a[i + 2, p + 2], a[i + 2, p + 3]
    a30, a31, a32, a33 = a[i + 3, p], a[i + 3, p + 1], a[i + 3, p + 2], a[i + 3, p + 3]
    b0, b1, b2, b3 = b[p, j0:j1], b[p + 1, j0:j1], b[p + 2, j0:j1], b[p + 3, j0:j1]
    c0, c1, c2, c3 = c[i, j0:j1], c[i + 1, j0:j1], c[i + 2, j0:j1], c[i + 3, j0:j1]
    for j in range(j1 - j0):
        x0, x1, x2, x3 = b0[j], b1[j], b2[j], b3[j]
        c0[j] = c0[j] + a00 * x0 + a01 * x1 + a02 * x2 + a03 * x3
        c1[j] = c1[j] + a10 * x0 + a11 * x1 + a12 * x2 + a13 * x3
        c2[j] = c2[j] + a20 * x0 + a21 * x1 + a22 * x2 + a23 * x3
        c3[j] = c3[j] + a30 * x0 + a31 * x1 + a32 * x2 + a33 * x3


@matmul.variant(style="tiled", dtypes=("f64", "f32"), prepare=_with_blocks, tunable=BLOCKS)
@njit(nogil=True, fastmath={"contract"})
def tiled(a, b, kc, nc, c):
    """Blocks of b that stay in cache, 4 rows by 4 steps of k at once: 16 FMAs for 8 loads."""
    # a[m,k], b[k,n], c[m,n]
    band(a, b, c, 0, a.shape[0], kc, nc)


def _with_bands(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k], b[k,n], kc, nc, rows of a band)"""
    return (*_with_blocks(inputs, shape), shape["rows"])


@matmul.variant(
    style="parallel",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_with_bands,
    tunable={**BLOCKS, "rows": (32, 8, 16, 64, 128)},
)
@njit(nogil=True, parallel=True, fastmath={"contract"})
def parallel(a, b, kc, nc, rows, c):
    """Tiled, in bands of 32 rows: no two threads write the same row, so none shares a cache line for long."""
    # a[m,k], b[k,n], c[m,n]. 32 rows is 8 quads: few enough that 2 to 64 threads all find work at m = 2048.
    m = a.shape[0]
    for i in prange((m + rows - 1) // rows):
        band(a, b, c, rows * i, min(rows * i + rows, m), kc, nc)


@matmul.variant(style="library", dtypes=("f64", "f32"), parallel=True)
def numpy(a, b, c):
    """np.matmul(a, b, out=c), with the cost of the Python call."""
    np.matmul(a, b, out=c)


@matmul.variant(
    style="library", dtypes=("f64", "f32"), parallel=True, prepare=_blas.with_gemm, unavailable=_blas.unavailable
)
@njit(nogil=True)
def openblas(a, b, gemm, c):
    """cblas_gemm of the OpenBLAS bundled with NumPy, entered through its C symbol."""
    # a[m,k], b[k,n], c[m,n]; gemm is the symbol's address
    _blas.call_gemm(gemm, a, b, c)
