"""structured_sparse: y[m] = a[m,n] x[n] with a pruned 2:4: of every 4 neighbours in a row the 2 largest are kept

The ladder, each rung a line:
  naive       a value and its two bits at a time, into one running sum
  vectorized  a vector of values at a time: its x are picked out of two vectors by their bits (one permutation with
              AVX-512, a load for each lane elsewhere)
  tiled       vectorized, 4 rows at once: the two vectors of x are loaded once for 4 rows
  parallel    tiled, a band of rows a thread
  dense       the same product with its zeros multiplied out, by BLAS: what 2:4 has to beat

Work of one call, s = bytes per element; half of a is stored:
  FLOP   m n                a multiply and an add a stored element
  bytes  m n (s / 2 + 1/8)  values, and two bits for each that say which of its 4 neighbours it is
       + s n read + s m written
In f32 that is 2.1 bytes for each element of a instead of 4, so a memory-bound product takes 0.53 of the time. The
pattern is that of NVIDIA's sparse tensor cores (Mishra et al. 2021), which skip half of the multiplications too;
a CPU multiplies half as much but has to pick, which an L1 shows.

NaN and infinity reach y where they are stored; an infinity in x that meets only zeros that are not stored does
not, where dense code would make it NaN. A group with fewer than 2 elements that are not zero stores zeros as well.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _blas_gemv, _compressed
from kernelbench.kernels._registry import Arrays, Op, Shape, random_values
from kernelbench.kernels._sparse_lanes import pick
from kernelbench.model import DTYPE_BYTES, Work
from kernelbench.simd import lanes as simd

GROUP, OF_GROUP = 4, 2
"""Neighbours in a row, and how many of them are kept."""
PAIRS = 16
"""Values whose two bits fill a word of 32: they come from 32 columns."""


def stored(n: int) -> int:
    """Values stored of a row of n: half, and of a group that is cut short by the row's end at most 2."""
    return n // GROUP * OF_GROUP + min(OF_GROUP, n % GROUP)


def _groups(a: np.ndarray) -> np.ndarray:
    """a[m,n] as [m,groups,4], zeros beyond its end."""
    m, n = a.shape
    groups = -(-n // GROUP)
    padded = np.zeros((m, groups * GROUP), a.dtype)
    padded[:, :n] = a
    return padded.reshape(m, groups, GROUP)


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    m, n = shape["m"], shape["n"]
    apart = _groups(random_values(rng, (m, n), dtype))
    small = np.argsort(np.abs(apart), axis=2)[:, :, : GROUP - OF_GROUP]
    np.put_along_axis(apart, small, 0, axis=2)
    return np.ascontiguousarray(apart.reshape(m, GROUP * apart.shape[1])[:, :n]), random_values(rng, (n,), dtype)


def _work(shape: Shape, dtype: str) -> Work:
    m, count = shape["m"], stored(shape["n"])
    return _compressed.vector_work(m * (count * DTYPE_BYTES[dtype] + 4 * -(-count // PAIRS)), m * count, shape, dtype)


structured_sparse = Op(
    name="structured_sparse",
    summary="y[m] = a[m,n] x[n], of every 4 neighbours in a row of a the 2 largest kept",
    dims=("m", "n"),
    inputs=_inputs,
    outputs=_compressed.vector_outputs,
    work=_work,
    check=_compressed.check_vector,
)


def two_of_four(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(values[m,stored], bits[m,ceil(stored / 16)] uint32) of a[m,n]: value p is element 4 (p // 2) + its two bits.

    The two bits of value p of a row are bits 2 (p % 16) and up of word p // 16. Raises ValueError when a group of a
    has more than 2 elements that are not zero.
    """
    m, groups, _ = (apart := _groups(a)).shape
    if (np.count_nonzero(apart, axis=2) > OF_GROUP).any():
        raise ValueError("a group of 4 neighbours in a has more than 2 that are not zero; prune a to 2:4 first")
    count = stored(a.shape[1])
    # A stable sort of "is zero" puts the elements that are not zero first; then both in order of their columns.
    chosen = np.sort(np.argsort(apart == 0, axis=2, kind="stable")[:, :, :OF_GROUP], axis=2)
    values = np.take_along_axis(apart, chosen, axis=2).reshape(m, OF_GROUP * groups)[:, :count]
    words = -(-count // PAIRS)
    pairs = np.zeros((m, words * PAIRS), np.uint32)
    pairs[:, :count] = chosen.reshape(m, OF_GROUP * groups)[:, :count]
    places = 2 * np.arange(PAIRS, dtype=np.uint32)
    bits = np.bitwise_or.reduce(pairs.reshape(m, words, PAIRS) << places, axis=2)
    return np.ascontiguousarray(values), bits


def _halved(inputs: Arrays, shape: Shape) -> Arrays:
    """(values[m,stored], bits[m,ceil(stored / 16)], x[n]) of (a[m,n], x[n])."""
    return *two_of_four(inputs[0]), inputs[1]


@njit(nogil=True)
def dot_rest(values, bits, x, i, first):
    """The sum of row i's values from ``first`` on, one at a time."""
    total = x.dtype.type(0)
    for p in range(first, values.shape[1]):
        pair = bits[i, p // PAIRS] >> np.uint32(2 * (p % PAIRS)) & np.uint32(3)
        total += values[i, p] * x[GROUP // OF_GROUP * (p - p % OF_GROUP) + np.intp(pair)]
    return total


@structured_sparse.variant(style="naive", dtypes=("f64", "f32"), prepare=_halved)
@njit(nogil=True)
def naive(values, bits, x, y):
    """One value and its two bits at a time, one running sum a row."""
    # values[m,stored], bits[m,ceil(stored / 16)], x[n], y[m]
    for i in range(y.size):
        y[i] = dot_rest(values, bits, x, i, 0)


@njit(nogil=True)
def dot_row(values, bits, x, i):
    """Row i's sum, in one vector a word (two sums in turn) where 16 values fill it, in several elsewhere."""
    step, count = simd.lanes(x), values.shape[1]
    left, right = simd.zeros(x), simd.zeros(x)
    for w in range(count // PAIRS):
        word = bits[i, w]
        for v in range(0, PAIRS, step):
            p = PAIRS * w + v
            part = pick(x, p // OF_GROUP * GROUP, word >> np.uint32(2 * v))
            left, right = right, simd.fma(simd.load(values, i * count + p), part, left)
    return simd.sum(left + right) + dot_rest(values, bits, x, i, count - count % PAIRS)


@structured_sparse.variant(style="vectorized", dtypes=("f64", "f32"), prepare=_halved)
@njit(nogil=True)
def vectorized(values, bits, x, y):
    """A vector of values at a time, its x picked out of two vectors by their bits."""
    # values[m,stored], bits[m,ceil(stored / 16)], x[n], y[m]
    for i in range(y.size):
        y[i] = dot_row(values, bits, x, i)


ROWS = 4
"""Rows at once: what is loaded of x serves 4 of them, and 4 sums wait less for one another than one."""


@njit(nogil=True)
def dot_four(values, bits, x, i, y):
    """y[i:i+4] = rows i..i+4 times x."""
    step, count = simd.lanes(x), values.shape[1]
    zero = simd.zeros(x)
    s0, s1, s2, s3 = zero, zero, zero, zero
    for w in range(count // PAIRS):
        for v in range(0, PAIRS, step):
            p, by = PAIRS * w + v, np.uint32(2 * v)
            at, of_x = i * count + p, p // OF_GROUP * GROUP
            s0 = simd.fma(simd.load(values, at), pick(x, of_x, bits[i, w] >> by), s0)
            s1 = simd.fma(simd.load(values, at + count), pick(x, of_x, bits[i + 1, w] >> by), s1)
            s2 = simd.fma(simd.load(values, at + 2 * count), pick(x, of_x, bits[i + 2, w] >> by), s2)
            s3 = simd.fma(simd.load(values, at + 3 * count), pick(x, of_x, bits[i + 3, w] >> by), s3)
    rest = count - count % PAIRS
    y[i] = simd.sum(s0) + dot_rest(values, bits, x, i, rest)
    y[i + 1] = simd.sum(s1) + dot_rest(values, bits, x, i + 1, rest)
    y[i + 2] = simd.sum(s2) + dot_rest(values, bits, x, i + 2, rest)
    y[i + 3] = simd.sum(s3) + dot_rest(values, bits, x, i + 3, rest)


@njit(nogil=True)
def by_fours(values, bits, x, y, first, last):
    """y[first:last], 4 rows at once and one by one what is left over."""
    fours = last - (last - first) % ROWS
    for i in range(first, fours, ROWS):
        dot_four(values, bits, x, i, y)
    for i in range(fours, last):
        y[i] = dot_row(values, bits, x, i)


@structured_sparse.variant(style="tiled", dtypes=("f64", "f32"), prepare=_halved)
@njit(nogil=True)
def tiled(values, bits, x, y):
    """4 rows at once: the two vectors of x are loaded once for 4 of values."""
    # values[m,stored], bits[m,ceil(stored / 16)], x[n], y[m]
    by_fours(values, bits, x, y, 0, y.size)


BAND = 32
"""Rows a thread takes at a time: 128 bytes of y in f32, so that threads share a line of it only at a band's ends."""
CROSSOVER = 1 << 16
"""Stored values below which one thread is faster: at 0.1 ns each half of them are 3 us, entering a parallel region
takes about 2."""


@structured_sparse.variant(style="parallel", dtypes=("f64", "f32"), prepare=_halved, parallel=True)
@njit(nogil=True, parallel=True)
def parallel(values, bits, x, y):
    """Tiled, in bands of 32 rows; one thread for few values."""
    # values[m,stored], bits[m,ceil(stored / 16)], x[n], y[m]
    if values.size < CROSSOVER:
        by_fours(values, bits, x, y, 0, y.size)
    else:
        for band in prange((y.size + BAND - 1) // BAND):
            by_fours(values, bits, x, y, BAND * band, min(BAND * band + BAND, y.size))


@structured_sparse.variant(
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
    """OpenBLAS's gemv on a with its zeros: the time that 2:4 has to beat."""
    # a[m,n], x[n], y[m]; gemv is the symbol's address. BLAS returns without writing y when n is 0.
    if x.size:
        _blas_gemv.call_gemv(gemv, a, x, y)
    else:
        y[:] = 0
