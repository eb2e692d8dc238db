"""layernorm: y[m,n] = (x[m,n] - mean[m]) / sqrt(variance[m] + 1e-5) gain[n] + bias[n], mean and variance of each row
(Ba, Kiros and Hinton, Layer Normalization, 2016)

The ladder, each rung a line:
  naive       three passes over a row, one element a time: the mean, the variance, the result
  vectorized  the same passes in vectors; the sums in four of them, so that no addition waits for another
  fused       mean and variance in one read: blocks of 8 vectors, each about its own mean, merged as they come
  parallel    the fused form, a band of rows a thread
  numpy       np.subtract, einsum and three in-place products: y is written four times
  torch       torch.nn.functional.layer_norm, then a copy: it has no place for the result

Why not the textbook's one-pass variance, E[x^2] - E[x]^2: it subtracts two numbers that agree in all but the
variance. With a mean of 1000 and a deviation of 1, f32 keeps 6 of 24 bits of the difference and may even find it
negative. Squares about the mean lose nothing, but need the mean first: two reads. The fused form takes blocks small
enough to stay in registers until their own mean is known; one read, and still nothing cancels.

Work of one call, s = bytes per element:
  FLOP   8 m n + 5 m                      the mean 1, the variance 3, the result 4 an element; 5 more a row
  bytes  s (m n + 2 n) read + s m n written  and s m n more read for ownership of y's lines
The second and third pass over a row find it in L1 or L2 (a row of 1024 f32 is 4 KiB), so x is counted once; a row
beyond L2 is read anew in each pass, which is where reading it once less pays. The intensity is about
4 / s: 1 FLOP/B in f32, below what memory feeds from L2 on.

NaN or infinity anywhere in a row makes all of the row NaN. A row of equal elements gives the bias. Sums of rows
beyond the type's range are not rescued: they give NaN. A matrix without columns has nothing to normalise.
"""

from math import sqrt

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _norms, _peers
from kernelbench.kernels._exact_sum import ANY_VECTOR, ONE_CHAIN
from kernelbench.kernels._norms import EPSILON
from kernelbench.kernels._registry import Arrays, Op, Shape, random_values
from kernelbench.kernels._rows import PARALLEL_ELEMENTS, moments, row_sum, squares_about
from kernelbench.model import DTYPE_BYTES, Work
from kernelbench.simd import lanes as simd


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    m, n = shape["m"], shape["n"]
    return random_values(rng, (m, n), dtype), random_values(rng, (n,), dtype), random_values(rng, (n,), dtype)


def _work(shape: Shape, dtype: str) -> Work:
    m, n, s = shape["m"], shape["n"], DTYPE_BYTES[dtype]
    return Work(
        model="modelled",
        flop=8 * m * n + 5 * m,
        mix="fma_add",  # four of the eight are in multiply-adds, the others add or multiply alone
        read_bytes=s * (m * n + 2 * n),
        write_bytes=s * m * n,
        rfo_bytes=s * m * n,
        working_set_bytes=s * (2 * m * n + 2 * n),
    )


one_chain, many_chains = (_norms.checked_for(chains, centred=True) for chains in (ONE_CHAIN, ANY_VECTOR))

layernorm = Op(
    name="layernorm",
    summary="y[m,n] = (x[m,n] - mean[m]) / deviation[m] gain[n] + bias[n]",
    dims=("m", "n"),
    inputs=_inputs,
    outputs=_norms.outputs,
    work=_work,
    check=many_chains,
    sizes=("64x256", "512x1024", "1024x4096"),
)


@layernorm.variant(style="naive", dtypes=("f64", "f32"), check=one_chain)
@njit(nogil=True, error_model="numpy")
def naive(x, gain, bias, y):
    """Three passes over a row, one element a time, in one running sum each."""
    # x[m,n], gain[n], bias[n], y[m,n]; see relu/naive for why the step is read from memory
    m, n = x.shape
    t, step = x.dtype.type, gain.strides[0] // gain.itemsize
    for i in range(m):
        mean, variance = t(0), t(0)
        for j in range(n):
            mean += x[i, j]
        mean /= t(n)
        for j in range(n):
            variance += (x[i, j] - mean) * (x[i, j] - mean)
        inverse = t(1) / sqrt(variance / t(n) + t(EPSILON))
        j = 0
        while j < n:
            y[i, j] = (x[i, j] - mean) * inverse * gain[j] + bias[j]
            j += step


@njit(nogil=True)
def scale_row(x, first, n, mean, inverse, gain, bias, y):
    """y[first:first+n] = (x[first:first+n] - mean) inverse gain[n] + bias[n]."""
    w = simd.lanes(x)
    whole = n - n % w
    for j in range(0, whole, w):
        v = (simd.load(x, first + j) - mean) * inverse
        simd.store(y, first + j, simd.fma(v, simd.load(gain, j), simd.load(bias, j)))
    left = n - whole
    if left:
        v = (simd.load_part(x, first + whole, left) - mean) * inverse
        v = simd.fma(v, simd.load_part(gain, whole, left), simd.load_part(bias, whole, left))
        simd.store_part(y, first + whole, v, left)


@layernorm.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True, error_model="numpy")
def vectorized(x, gain, bias, y):
    """The three passes in vectors: the row is read from memory once and from L1 twice."""
    # x[m,n], gain[n], bias[n], y[m,n]
    m, n = x.shape
    t = x.dtype.type
    for i in range(m):
        mean = row_sum(x, i * n, n) / t(n)
        variance = squares_about(x, i * n, n, mean) / t(n)
        scale_row(x, i * n, n, mean, t(1) / sqrt(variance + t(EPSILON)), gain, bias, y)


@njit(nogil=True, error_model="numpy")
def fused_row(x, i, gain, bias, y):
    """Row i of y[m,n]."""
    n, t = x.shape[1], x.dtype.type
    mean, squares = moments(x, i * n, n)
    scale_row(x, i * n, n, mean, t(1) / sqrt(squares / t(n) + t(EPSILON)), gain, bias, y)


@layernorm.variant(style="fused", dtypes=("f64", "f32"))
@njit(nogil=True)
def fused(x, gain, bias, y):
    """Mean and variance in one read of the row, then the result: two passes instead of three."""
    # x[m,n], gain[n], bias[n], y[m,n]
    for i in range(x.shape[0]):
        fused_row(x, i, gain, bias, y)


@layernorm.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, gain, bias, y):
    """The fused form, one contiguous band of rows a thread; a small matrix stays with one."""
    # x[m,n], gain[n], bias[n], y[m,n]
    if x.size < PARALLEL_ELEMENTS:
        fused(x, gain, bias, y)
        return
    for i in prange(x.shape[0]):
        fused_row(x, i, gain, bias, y)


@layernorm.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, gain, bias, y):
    """Five NumPy calls on the whole matrix, all writing y in place, and three on a number a row."""
    n = x.dtype.type(max(1, x.shape[1]))
    np.subtract(x, (np.sum(x, axis=1) / n)[:, None], out=y)
    variance = np.einsum("mn,mn->m", y, y) / n
    y *= (1 / np.sqrt(variance + x.dtype.type(EPSILON)))[:, None]
    y *= gain
    y += bias


@layernorm.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, gain, bias, y):
    """torch.nn.functional.layer_norm, which has no out=: its result is copied to y, a third of the time."""
    rows, scale, shift = _peers.tensor(x), _peers.tensor(gain), _peers.tensor(bias)
    _peers.tensor(y).copy_(_peers.torch().nn.functional.layer_norm(rows, scale.shape, scale, shift, EPSILON))
