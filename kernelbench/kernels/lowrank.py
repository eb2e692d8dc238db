"""lowrank: y[m] = w[m,n] x[n] with w replaced by u[m,r] v[r,n], its best two factors of rank r

The ladder, each rung a line:
  naive     t = v x, then y = u t: a dot product a row, one running sum
  factored  v x four rows at a time in lanes; u in panels 4 vectors wide, so that y's sums need no adding up of lanes
  parallel  factored, rows of v and then panels of u shared among the threads
  numpy     two np.matmul of the same factors, as a Python user calls them
  dense     BLAS's gemv on w itself: what the factors have to beat

Work of one call, s = bytes per element:
  FLOP   2 r (m + n)           instead of 2 m n
  bytes  s (r (m + n) + n) read + s m written; the r numbers of t stay in L1
For m = n the factors win by n / (2 r): 8 times at n = 1024 and r = 64. Both are as memory-bound as a gemv.

How exact: what is left out. The weights made here are a sum of 3 rank terms of random directions whose sizes fall by
a factor of 100 every `rank` terms, as trained layers' do before they level off. The factors are those of the largest
singular values, found by random projection (Halko, Martinsson, Tropp 2011, algorithm 4.4 with 2 power iterations),
so that |w - u v|_2 is about 1/100 of |w|_2. The check judges the arithmetic against float64 on the same factors,
which a rounding error passes and a lost product does not, and then reports the error against w itself.

NaN in x reaches all of y, infinity too, as NaN where signs of v or u differ. w must be finite to be factored.
"""

import numpy as np
from numba import njit, prange

from kernelbench.errors import UsageError
from kernelbench.kernels import _blas_gemv, _compressed
from kernelbench.kernels._lowrank import check, factors
from kernelbench.kernels._registry import NUMPY, Arrays, Op, Shape, random_values
from kernelbench.kernels._scratch import workspace
from kernelbench.model import DTYPE_BYTES, Work
from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import lanes_of

DECAY = 100.0
"""What the terms of w fall by over ``rank`` of them."""
TERMS = 3
"""Times ``rank`` terms: the last is a millionth of the first, about what f32 still tells apart."""


def rank_of(shape: Shape) -> int:
    """r = min(rank, m, n). Raises UsageError for a rank below 1."""
    rank, m, n = int(shape["rank"]), int(shape["m"]), int(shape["n"])
    if rank < 1:
        raise UsageError(f"rank {rank!r} is below 1; give a whole number from 1 on")
    return min(rank, m, n)


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    m, n = shape["m"], shape["n"]
    terms = min(TERMS * shape["rank"], m, n)
    sizes = DECAY ** (-np.arange(terms) / shape["rank"])
    w = (random_values(rng, (m, terms), "f64") * sizes) @ random_values(rng, (terms, n), "f64")
    return w.astype(NUMPY[dtype]), random_values(rng, (n,), dtype)


def _work(shape: Shape, dtype: str) -> Work:
    factors = rank_of(shape) * (shape["m"] + shape["n"])
    return _compressed.vector_work(factors * DTYPE_BYTES[dtype], factors, shape, dtype)


lowrank = Op(
    name="lowrank",
    summary="y[m] = w[m,n] x[n], w replaced by two factors of rank r",
    dims=("m", "n"),
    inputs=_inputs,
    outputs=_compressed.vector_outputs,
    work=_work,
    check=check,
    params={"rank": (16, 64)},
)


def _factors(inputs: Arrays, shape: Shape) -> Arrays:
    """(u[m,r], v[r,n], x[n], scratch memory t[r]) of (w[m,n], x[n])."""
    w, x = inputs
    r = rank_of(shape)
    return *factors(w, r), x, workspace((r,), w.dtype)


@lowrank.variant(style="naive", dtypes=("f64", "f32"), prepare=_factors)
@njit(nogil=True)
def naive(u, v, x, t, y):
    """Both products as a dot product a row, one running sum each."""
    # u[m,r], v[r,n], x[n], t[r], y[m]
    for i in range(t.size):
        total = x.dtype.type(0)
        for j in range(x.size):
            total += v[i, j] * x[j]
        t[i] = total
    for i in range(y.size):
        total = x.dtype.type(0)
        for j in range(t.size):
            total += u[i, j] * t[j]
        y[i] = total


VECTORS, ROWS = 4, 4
"""Vectors across a panel of u, rows of v at once: 4 chains of FMAs each."""


def _panels(inputs: Arrays, shape: Shape) -> Arrays:
    """(u[panels,r,4 vectors], v[r,n], x[n], t[r]): a panel's rows lie together, zeros beyond the last row of u."""
    u, v, x, t = _factors(inputs, shape)
    width = VECTORS * lanes_of(u.itemsize)
    count = -(-u.shape[0] // width)
    padded = np.zeros((count * width, u.shape[1]), u.dtype)
    padded[: u.shape[0]] = u
    return np.ascontiguousarray(padded.reshape(count, width, u.shape[1]).swapaxes(1, 2)), v, x, t


@njit(nogil=True)
def four_rows(v, x, t, i):
    """t[i:i+4] = 4 rows of v times x, or as many as there are."""
    n, step, zero = x.size, simd.lanes(x), simd.zeros(x)
    s0, s1, s2, s3 = zero, zero, zero, zero
    # Rows beyond the last repeat it: they cost what they would, and there are seldom any.
    last = t.size - 1
    a0, a1, a2, a3 = i * n, min(i + 1, last) * n, min(i + 2, last) * n, min(i + 3, last) * n
    whole = n - n % step
    for j in range(0, whole, step):
        part = simd.load(x, j)
        s0 = simd.fma(simd.load(v, a0 + j), part, s0)
        s1 = simd.fma(simd.load(v, a1 + j), part, s1)
        s2 = simd.fma(simd.load(v, a2 + j), part, s2)
        s3 = simd.fma(simd.load(v, a3 + j), part, s3)
    if whole < n:
        rest = n - whole
        part = simd.load_part(x, whole, rest)
        s0 = simd.fma(simd.load_part(v, a0 + whole, rest), part, s0)
        s1 = simd.fma(simd.load_part(v, a1 + whole, rest), part, s1)
        s2 = simd.fma(simd.load_part(v, a2 + whole, rest), part, s2)
        s3 = simd.fma(simd.load_part(v, a3 + whole, rest), part, s3)
    sums = (simd.sum(s0), simd.sum(s1), simd.sum(s2), simd.sum(s3))
    for r in range(min(ROWS, t.size - i)):
        t[i + r] = sums[r]


@njit(nogil=True)
def panel_rows(u, t, y, panel):
    """The 4 vectors of y that ``panel`` makes: each t[r] times the panel's row r."""
    step, r, zero = simd.lanes(y), t.size, simd.zeros(y)
    width = VECTORS * step
    s0, s1, s2, s3 = zero, zero, zero, zero
    for p in range(r):
        at, factor = (panel * r + p) * width, t[p]
        s0 = simd.fma(simd.load(u, at), factor, s0)
        s1 = simd.fma(simd.load(u, at + step), factor, s1)
        s2 = simd.fma(simd.load(u, at + 2 * step), factor, s2)
        s3 = simd.fma(simd.load(u, at + 3 * step), factor, s3)
    first, rest = panel * width, y.size - panel * width
    simd.store_part(y, first, s0, rest)
    simd.store_part(y, first + min(step, rest), s1, max(0, rest - step))
    simd.store_part(y, first + min(2 * step, rest), s2, max(0, rest - 2 * step))
    simd.store_part(y, first + min(3 * step, rest), s3, max(0, rest - 3 * step))


@njit(nogil=True)
def both(u, v, x, t, y):
    """t = v x, y = u t."""
    for i in range(0, t.size, ROWS):
        four_rows(v, x, t, i)
    for panel in range(u.shape[0]):
        panel_rows(u, t, y, panel)


@lowrank.variant(style="lowrank", dtypes=("f64", "f32"), prepare=_panels)
@njit(nogil=True)
def factored(u, v, x, t, y):
    """4 rows of v at a time in lanes, then 4 vectors of y at a time out of panels of u."""
    # u[panels,r,4 vectors], v[r,n], x[n], t[r], y[m]
    both(u, v, x, t, y)


CROSSOVER = 1 << 17
"""Elements of both factors below which one thread is faster: at 0.07 ns each half of them are 5 us, entering two
parallel regions takes about 4."""


@lowrank.variant(style="parallel", dtypes=("f64", "f32"), prepare=_panels, parallel=True)
@njit(nogil=True, parallel=True)
def parallel(u, v, x, t, y):
    """Factored, rows of v and then panels of u shared among the threads; one thread for small factors."""
    # u[panels,r,4 vectors], v[r,n], x[n], t[r], y[m]
    if u.size + v.size < CROSSOVER:
        both(u, v, x, t, y)
    else:
        for four in prange((t.size + ROWS - 1) // ROWS):
            four_rows(v, x, t, ROWS * four)
        for panel in prange(u.shape[0]):
            panel_rows(u, t, y, panel)


@lowrank.variant(style="library", dtypes=("f64", "f32"), prepare=_factors, parallel=True)
def numpy(u, v, x, t, y):
    """np.matmul(v, x, out=t) and np.matmul(u, t, out=y), with the cost of two Python calls."""
    np.matmul(v, x, out=t)
    np.matmul(u, t, out=y)


@lowrank.variant(
    style="library",
    dtypes=("f64", "f32"),
    parallel=True,
    work=_compressed.dense_vector_work,
    check=_compressed.check_dense_vector,
    prepare=_blas_gemv.with_gemv,
    unavailable=_blas_gemv.unavailable,
)
@njit(nogil=True)
def dense(w, x, gemv, y):
    """OpenBLAS's gemv on w itself: exact, and the time that the factors have to beat."""
    # w[m,n], x[n], y[m]; gemv is the symbol's address. BLAS returns without writing y when n is 0.
    if x.size:
        _blas_gemv.call_gemv(gemv, w, x, y)
    else:
        y[:] = 0
