"""rmsnorm: y[m,n] = x[m,n] / sqrt(mean of squares[m] + 1e-5) gain[n] (Zhang and Sennrich, 2019)

The ladder, each rung a line:
  naive       two passes over a row, one element a time: the squares, the result
  vectorized  the same passes in vectors; the sum in four of them, so that no addition waits for another
  parallel    the vectorized form, a band of rows a thread
  numpy       einsum and two products: y is written twice
  torch       torch.nn.functional.rms_norm, then a copy: it has no place for the result

It is layernorm without the mean: no square needs anything but its own element, so one read finds the scale.

Work of one call, s = bytes per element:
  FLOP   4 m n + 4 m                        a multiply-add for the square, two multiplies for the result; 4 more a row
  bytes  s (m n + n) read + s m n written   and s m n more read for ownership of y's lines
The second pass over a row finds it in L1 or L2 (a row of 1024 f32 is 4 KiB), so x is counted once. The intensity is
about 2 / s: 0.5 FLOP/B in f32; memory binds from L2 on.

NaN in a row makes all of it NaN. Infinity makes its own element NaN and the rest 0; so do squares beyond the type's
range, except that their own elements are 0 as well. A row of zeros gives zeros.
"""

from math import sqrt

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _norms, _peers
from kernelbench.kernels._exact_sum import ANY_VECTOR, ONE_CHAIN
from kernelbench.kernels._norms import EPSILON
from kernelbench.kernels._registry import Arrays, Op, Shape, random_values
from kernelbench.kernels._rows import PARALLEL_ELEMENTS, squares_about
from kernelbench.model import DTYPE_BYTES, Work
from kernelbench.simd import lanes as simd


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    m, n = shape["m"], shape["n"]
    return random_values(rng, (m, n), dtype), random_values(rng, (n,), dtype)


def _work(shape: Shape, dtype: str) -> Work:
    m, n, s = shape["m"], shape["n"], DTYPE_BYTES[dtype]
    return Work(
        model="modelled",
        flop=4 * m * n + 4 * m,
        mix="fma",  # the two multiplies fill an FMA's port at half its rate; the roof is what none can pass
        read_bytes=s * (m * n + n),
        write_bytes=s * m * n,
        rfo_bytes=s * m * n,
        working_set_bytes=s * (2 * m * n + n),
    )


one_chain, many_chains = (_norms.checked_for(chains, centred=False) for chains in (ONE_CHAIN, ANY_VECTOR))

rmsnorm = Op(
    name="rmsnorm",
    summary="y[m,n] = x[m,n] / sqrt(mean of squares[m] + eps) gain[n]",
    dims=("m", "n"),
    inputs=_inputs,
    outputs=_norms.outputs,
    work=_work,
    check=many_chains,
    sizes=("64x256", "512x1024", "1024x4096"),
)


@rmsnorm.variant(style="naive", dtypes=("f64", "f32"), check=one_chain)
@njit(nogil=True, error_model="numpy")
def naive(x, gain, y):
    """Two passes over a row, one element a time, in one running sum."""
    # x[m,n], gain[n], y[m,n]; see relu/naive for why the step is read from memory
    m, n = x.shape
    t, step = x.dtype.type, gain.strides[0] // gain.itemsize
    for i in range(m):
        squares = t(0)
        for j in range(n):
            squares += x[i, j] * x[i, j]
        inverse = t(1) / sqrt(squares / t(n) + t(EPSILON))
        j = 0
        while j < n:
            y[i, j] = x[i, j] * inverse * gain[j]
            j += step


@njit(nogil=True, error_model="numpy")
def scale_row(x, i, gain, y):
    """Row i of y[m,n]."""
    n, t, w = x.shape[1], x.dtype.type, simd.lanes(x)
    first, whole = i * n, n - n % w
    inverse = t(1) / sqrt(squares_about(x, first, n, t(0)) / t(n) + t(EPSILON))
    for j in range(0, whole, w):
        simd.store(y, first + j, simd.load(x, first + j) * inverse * simd.load(gain, j))
    left = n - whole
    if left:
        v = simd.load_part(x, first + whole, left) * inverse * simd.load_part(gain, whole, left)
        simd.store_part(y, first + whole, v, left)


@rmsnorm.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def vectorized(x, gain, y):
    """The two passes in vectors: the row is read from memory once and from L1 once."""
    # x[m,n], gain[n], y[m,n]
    for i in range(x.shape[0]):
        scale_row(x, i, gain, y)


@rmsnorm.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, gain, y):
    """The vectorized form, one contiguous band of rows a thread; a small matrix stays with one."""
    # x[m,n], gain[n], y[m,n]
    if x.size < PARALLEL_ELEMENTS:
        vectorized(x, gain, y)
        return
    for i in prange(x.shape[0]):
        scale_row(x, i, gain, y)


@rmsnorm.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, gain, y):
    """np.einsum for the squares and np.multiply twice, the second in place."""
    squares = np.einsum("mn,mn->m", x, x) / x.dtype.type(max(1, x.shape[1]))
    np.multiply(x, (1 / np.sqrt(squares + x.dtype.type(EPSILON)))[:, None], out=y)
    y *= gain


@rmsnorm.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, gain, y):
    """torch.nn.functional.rms_norm, which has no out=: its result is copied to y."""
    rows, scale = _peers.tensor(x), _peers.tensor(gain)
    _peers.tensor(y).copy_(_peers.torch().nn.functional.rms_norm(rows, scale.shape, scale, EPSILON))
