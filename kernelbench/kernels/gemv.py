"""gemv: y[m] = a[m,n] x[n], a row-major: one layer of a model answering one token

The ladder, each rung a line (weights of 8 and 4 bits are in gemv_quantized.py):
  naive          a dot product a row, one running sum: every add waits for the one before
  vectorized     the sum of a row in lanes, four vectors of them, added up at its end
  tiled          4 rows at once: each vector of x is loaded once for 4 rows. That pays while loads bind, with a in
                 L1; from farther out it is up to the prefetchers whether 4 streams of a come faster than one
  bf16           weights of 16 bits widened on the way: half the bytes, x and y stay f32; tiled where x is long
  parallel       a band of rows a thread, tiled where x is long; bf16_parallel the same with weights of 16 bits
  numpy          np.matmul, as a Python user calls it
  openblas       the BLAS inside NumPy through its C symbol, without Python's dispatch
  torch          torch.mv; torch_bf16 has x and y in bf16 too, for torch knows no mixed product

Work of one call, s = bytes per weight, t = bytes per element of x and y:
  FLOP   2 m n              a multiply and an add a weight
  bytes  s m n + t n read + t m written: each weight is used once, so nothing can be saved but its size
The intensity is about 2 / s: 0.5 FLOP/B in f32, 1 with bf16. Memory binds every variant that does its arithmetic
in vectors.

NaN and infinity in a or x reach y as in any sum of products.
"""

from typing import Any

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _bf16, _blas_gemv, _peers, _weights
from kernelbench.kernels._check import EPS, Verification, close_to
from kernelbench.kernels._gemv_rows import best_of_both, four_by_four, row_by_row
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.model import DTYPE_BYTES, Accuracy, Dtypes, Work


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    m, n = shape["m"], shape["n"]
    return random_values(rng, (m, n), dtype), random_values(rng, (n,), _of_vectors(dtype))


def _of_vectors(dtype: str) -> str:
    """The type of x and y: narrow weights go with f32, whose few bytes do not matter."""
    return "f32" if dtype == "bf16" else dtype


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return (((shape["m"],), _of_vectors(dtype)),)


def _work(shape: Shape, dtype: str) -> Work:
    m, n, s, t = shape["m"], shape["n"], DTYPE_BYTES[dtype], DTYPE_BYTES[_of_vectors(dtype)]
    return Work(
        model="modelled",
        flop=2 * m * n,
        mix="fma",
        read_bytes=s * m * n + t * n,
        write_bytes=t * m,
        rfo_bytes=t * m,
        working_set_bytes=s * m * n + t * (n + m),
    )


def _exact(v: Verification) -> tuple[np.ndarray, np.ndarray]:
    """(a x, |a| |x|) in float64; bf16 weights as the numbers they are."""

    def products() -> tuple[np.ndarray, np.ndarray]:
        a, x = v.inputs
        return _weights.products(_bf16.decode(a) if v.dtype == "bf16" else a, x)

    exact: tuple[np.ndarray, np.ndarray] = v.once("gemv", products)
    return exact


def _rounding(v: Verification) -> float:
    # Summing n products in any order, lanes included, errs by about sqrt(n) u of |a||x| when roundings are
    # random (Higham, Accuracy and Stability, 2002, sec. 2.8). A single product lost would be off by 1/n.
    # Widening bf16 is exact, so u is that of x and y.
    return float(max(8.0, v.shape["n"] ** 0.5) * EPS[_of_vectors(v.dtype)])


METRIC = "max |error| / (|a| |x|)"


def _check(v: Verification) -> Accuracy:
    exact, scale = _exact(v)
    return close_to(v.outputs[0], exact, scale, _rounding(v), metric=METRIC, reference="float64 einsum")


gemv = Op(
    name="gemv",
    summary="y[m] = a[m,n] x[n]",
    dims=("m", "n"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
)


@gemv.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(a, x, y):
    """One running sum a row: bound by the latency of an add, 3 or 4 cycles a weight."""
    # a[m,n], x[n], y[m]
    for i in range(a.shape[0]):
        total = a.dtype.type(0)
        for j in range(a.shape[1]):
            total += a[i, j] * x[j]
        y[i] = total


@gemv.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def vectorized(a, x, y):
    """A row's sum in the lanes of four vectors, so that four multiply-adds are under way at any time."""
    # a[m,n], x[n], y[m]
    row_by_row(a, x, y, 0, y.size)


@gemv.variant(style="tiled", dtypes=("f64", "f32"))
@njit(nogil=True)
def tiled(a, x, y):
    """4 rows at once, each sum in the lanes of two vectors: a vector of x is loaded once for 4 of a."""
    # a[m,n], x[n], y[m]
    four_by_four(a, x, y, 0, y.size)


NARROW = Dtypes(weights="bf16", activations="f32", accumulator="f32")


@gemv.variant(style="tiled", dtypes=("bf16",), types=NARROW)
@njit(nogil=True)
def bf16(a, x, y):
    """Weights of 16 bits, 1 or 4 rows at once: a shift makes each the f32 that it is the upper half of."""
    # a[m,n] bf16, x[n], y[m]
    best_of_both(a, x, y, 0, y.size)


BAND = 32
"""Rows a thread takes at a time: 128 bytes of y in f32, so that threads share a line of it only at a band's ends."""
SERIAL_BELOW = 1 << 17
"""Weights below which one thread is faster: it multiplies 128 Ki of them from L2 in about 5 us; to wake the others,
hand out bands and wait for the last takes 2 to 4."""


@njit(nogil=True, parallel=True)
def in_bands(a, x, y):
    """y = a x, a band of BAND rows at a time on any thread; small products on this one alone."""
    m = y.size
    if m * x.size < SERIAL_BELOW:
        best_of_both(a, x, y, 0, m)
    else:
        for band in prange((m + BAND - 1) // BAND):
            best_of_both(a, x, y, BAND * band, min(BAND * band + BAND, m))


@gemv.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True)
def parallel(a, x, y):
    """1 or 4 rows at once, in bands of 32 rows; below 128 Ki weights on one thread."""
    # a[m,n], x[n], y[m]
    in_bands(a, x, y)


@gemv.variant(style="parallel", dtypes=("bf16",), parallel=True, types=NARROW)
@njit(nogil=True)
def bf16_parallel(a, x, y):
    """bf16, in bands of 32 rows; below 128 Ki weights on one thread."""
    # a[m,n] bf16, x[n], y[m]
    in_bands(a, x, y)


@gemv.variant(style="library", dtypes=("f64", "f32"), parallel=True)
def numpy(a, x, y):
    """np.matmul(a, x, out=y), with the cost of the Python call."""
    np.matmul(a, x, out=y)


@gemv.variant(
    style="library",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_blas_gemv.with_gemv,
    unavailable=_blas_gemv.unavailable,
)
@njit(nogil=True)
def openblas(a, x, gemv, y):
    """cblas_gemv of the OpenBLAS bundled with NumPy, entered through its C symbol."""
    # a[m,n], x[n], y[m]; gemv is the symbol's address. BLAS returns without writing y when n is 0.
    if x.size:
        _blas_gemv.call_gemv(gemv, a, x, y)
    else:
        y[:] = 0


_TORCH: dict[str, Any] = {"style": "library", "parallel": True, "unavailable": _peers.missing("torch")}


@gemv.variant(**_TORCH, name="torch", dtypes=("f64", "f32"), prepare=_peers.for_torch)
def with_torch(a, x, y):
    """torch.mv(a, x, out=y), with the cost of the Python call."""
    _peers.torch().mv(_peers.tensor(a), _peers.tensor(x), out=_peers.tensor(y))


def _all_bf16(inputs: Arrays, shape: Shape) -> Arrays:
    a, x = _peers.for_torch(inputs, shape)
    return a, _bf16.encode(x)


def _check_all_bf16(v: Verification) -> Accuracy:
    exact, scale = _exact(v)
    # x is rounded to bf16 ahead and y at the end, each by at most u of its own; sums are f32 or better.
    tolerance = 2 * EPS["bf16"] + _rounding(v)
    return close_to(_bf16.decode(v.outputs[0]), exact, scale, tolerance, metric=METRIC, reference="float64 einsum")


@gemv.variant(
    **_TORCH,
    name="torch_bf16",
    dtypes=("bf16",),
    types=Dtypes(weights="bf16", activations="bf16", accumulator="f32"),
    prepare=_all_bf16,
    outputs=lambda shape, dtype: (((shape["m"],), "bf16"),),
    check=_check_all_bf16,
)
def torch_bf16(a, x, y):
    """torch.mv(a, x, out=y) with x (converted ahead) and y in bf16 as well, with the cost of the Python call."""
    made = _peers.tensor(y, "bfloat16")
    _peers.torch().mv(_peers.tensor(a, "bfloat16"), _peers.tensor(x, "bfloat16"), out=made)
