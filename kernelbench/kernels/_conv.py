"""What the convolutions share: their geometry, operands, work models and the check against float64.

An output pixel y[p,q] sees the input from row p stride - r // 2 and column q stride - s // 2 on; what lies outside
is zero. With odd r and s and stride 1 the map keeps its size ("same" padding, as nets of 3x3 layers have it).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from msgspec import structs
from numba import njit

from kernelbench.kernels._check import EPS, Verification, WrongResult, close_to
from kernelbench.kernels._registry import Shape
from kernelbench.model import DTYPE_BYTES, Accuracy, Work

WHOLE_UP_TO = 4_000_000
"""Products up to which every output has a reference of its own; einsum takes some 10 ms for them."""
SAMPLED = 4
"""Output channels drawn at random beside the first and the last where a convolution is too large for that."""
METRIC = "max |error| / (|x| * |weights|)"


@dataclass(frozen=True)
class Geometry:
    """Sizes of one convolution, all in elements."""

    p: int
    """Output rows."""
    q: int
    """Output columns."""
    rows: int
    """Rows of a padded image."""
    phases: int
    """Columns of a padded image are dealt to ``stride`` phases, so that every stride-th column is contiguous."""
    width: int
    """Columns of a phase."""

    @classmethod
    def of(cls, shape: Shape) -> "Geometry":
        """The geometry of dimensions h, w, r, s and the parameter stride. Even r or s add an output row or column."""
        stride, r, s = shape["stride"], shape["r"], shape["s"]
        p = (shape["h"] + 2 * (r // 2) - r) // stride + 1
        q = (shape["w"] + 2 * (s // 2) - s) // stride + 1
        return cls(p, q, (p - 1) * stride + r, stride, q - 1 + -(-s // stride))

    @property
    def plane(self) -> int:
        """Elements of one padded channel."""
        return self.rows * self.phases * self.width


def padded(x: np.ndarray, taps: tuple[int, int]) -> np.ndarray:
    """x[n,c,h,w] with zeros around it, as far as ``taps`` = (r, s) weights reach."""
    top, left = taps[0] // 2, taps[1] // 2
    return np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)))


def windows(x: np.ndarray, taps: tuple[int, int], stride: int) -> np.ndarray:
    """The inputs of every pixel, a view [n,c,p,q,r,s] of a padded copy."""
    seen = np.lib.stride_tricks.sliding_window_view(padded(x, taps), taps, (2, 3))
    return seen[:, :, ::stride, ::stride]


@njit(nogil=True, fastmath={"contract"})
def add_shifted(x, factor, shift, stride, y):
    """y[p,q] += factor x[h,w] with the input of each pixel ``shift`` = (down, right) of it, where it has one."""
    down, right = shift
    # The first and last pixels whose input lies inside; the others meet zeros.
    top, bottom = max(0, (stride - 1 - down) // stride), min(y.shape[0], (x.shape[0] - 1 - down) // stride + 1)
    left, end = max(0, (stride - 1 - right) // stride), min(y.shape[1], (x.shape[1] - 1 - right) // stride + 1)
    for i in range(top, bottom):
        source, target = x[i * stride + down], y[i, left:end]
        if stride == 1:
            # The compiler sees neighbours only where it knows the stride, and no index below zero.
            seen = source[left + right : end + right]
            for j in range(target.size):
                target[j] += factor * seen[j]
        else:
            for j in range(target.size):
                target[j] += factor * source[(left + j) * stride + right]


def taps(shape: Shape) -> np.ndarray:
    """offsets[c*r*s]: where in a padded image (phases apart) the input of each weight lies for the first pixel."""
    g = Geometry.of(shape)
    c, r, s = np.ogrid[: shape["c"], : shape["r"], : shape["s"]]
    row = (c * g.rows + r) * g.phases
    return np.ascontiguousarray((row + s % g.phases) * g.width + s // g.phases).reshape(-1).astype(np.int64)


def work(shape: Shape, dtype: str, channels: int, filters: int, between: int = 0) -> Work:
    """The model of ``channels`` output channels made by ``filters`` filters of r x s weights, each operand once.

    ``between``: elements of an intermediate that is written and read again.
    """
    g, n, s = Geometry.of(shape), shape["n"], DTYPE_BYTES[dtype]
    weights = filters * shape["r"] * shape["s"]
    read, written = s * (n * shape["c"] * shape["h"] * shape["w"] + weights), s * n * channels * g.p * g.q
    return Work(
        model="modelled",
        flop=2 * n * weights * g.p * g.q,
        mix="fma",
        read_bytes=read + s * between,
        write_bytes=written + s * between,
        rfo_bytes=written + s * between,
        working_set_bytes=read + written + s * between,
    )


Reference = Callable[[np.ndarray, np.ndarray, Shape], np.ndarray]
"""(x, weights, shape) in float64 -> y."""


def convolution(x: np.ndarray, weights: np.ndarray, shape: Shape) -> np.ndarray:
    """y[n,k,p,q] of x[n,c,h,w] and weights[k,c,r,s], a tap at a time by einsum's own loops."""
    return _by_taps("nchw,kc->nkhw", x, weights, shape)


def depthwise(x: np.ndarray, weights: np.ndarray, shape: Shape) -> np.ndarray:
    """y[n,c,p,q] of x[n,c,h,w] and weights[c,r,s], a tap at a time by einsum's own loops."""
    return _by_taps("nchw,c->nchw", x, weights, shape)


def _by_taps(formula: str, x: np.ndarray, weights: np.ndarray, shape: Shape) -> np.ndarray:
    g, stride, around = Geometry.of(shape), shape["stride"], padded(x, (shape["r"], shape["s"]))
    y = np.zeros((x.shape[0], weights.shape[0], g.p, g.q))
    for r in range(shape["r"]):
        for s in range(shape["s"]):
            seen = around[:, :, r : r + g.p * stride : stride, s : s + g.q * stride : stride]
            with np.errstate(invalid="ignore"):  # inf - inf and 0 inf are NaN, and meant
                y += np.einsum(formula, np.ascontiguousarray(seen[:, :, : g.p, : g.q]), weights[..., r, s])
    return y


def _double(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64)


def both(reference: Reference, x: np.ndarray, weights: np.ndarray, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """(y, the sum of the products' magnitudes) in float64."""
    x, weights = _double(x), _double(weights)
    tiny = np.finfo(np.float64).tiny
    return reference(x, weights, shape), np.maximum(reference(np.abs(x), np.abs(weights), shape), tiny)


def tolerance(terms: int, dtype: str) -> float:
    """Of a sum of ``terms`` products, relative to the sum of their magnitudes.

    In any order it errs by about sqrt(terms) u when roundings are random (Higham, Accuracy and Stability, 2002,
    sec. 2.8). A single product lost would be off by 1 / terms.
    """
    return max(8.0, math.sqrt(terms)) * EPS[dtype]


def check(v: Verification) -> Accuracy:
    """y[n,k,p,q] whole when small; else all pixels by projection over k, and whole output channels."""
    x, weights = v.inputs
    y, shape = v.outputs[0], v.shape
    k, terms = shape["k"], weights[0].size
    allowed = tolerance(terms, v.dtype)
    if y.size * terms <= WHOLE_UP_TO:
        exact, scale = v.once("whole", lambda: both(convolution, x, weights, shape))
        return close_to(y, exact, scale, allowed, metric=METRIC, reference="float64 einsum")
    _project(v, allowed)
    drawn = np.random.default_rng(v.seed + 1).integers(0, k, SAMPLED)
    channels = np.unique([0, k - 1, *drawn])
    exact, scale = v.once("channels", lambda: both(convolution, x, weights[channels], shape))
    accuracy = close_to(
        np.ascontiguousarray(y[:, channels]), exact, scale, allowed, metric=METRIC, reference="float64 einsum"
    )
    return structs.replace(accuracy, reference="float64: projection of all, sampled output channels")


def _project(v: Verification, allowed: float) -> None:
    """sum_k t[k] y[k] = x * sum_k t[k] weights[k] for random signs t (Freivalds 1979): any wrong element shows.

    Raises WrongResult naming the worst pixel.
    """
    x, weights = v.inputs
    y, k = v.outputs[0], v.shape["k"]

    def sides() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        t = np.where(np.random.default_rng(v.seed + 2).random(k) < 0.5, -1.0, 1.0)
        w = _double(weights)
        expected = convolution(_double(x), np.einsum("k,kcrs->crs", t, w)[None], v.shape)
        # Errors of k independent elements, each up to allowed x |x||w|, add like a random walk.
        scale = convolution(np.abs(_double(x)), np.abs(w).sum(axis=0)[None], v.shape) / k**0.5
        return t, expected[:, 0], np.maximum(scale[:, 0], np.finfo(np.float64).tiny)

    t, expected, scale = v.once("projection", sides)
    if not np.isfinite(y).all():
        raise WrongResult(f"{int((~np.isfinite(y)).sum())} of {y.size} elements are NaN or infinite (or never written)")
    error = np.abs(np.einsum("nkpq,k->npq", y, t, dtype=np.float64) - expected) / scale
    worst = np.unravel_index(int(np.argmax(error)), error.shape)
    if not error[worst] <= allowed:
        where = [int(i) for i in worst]
        raise WrongResult(
            f"pixel {where} (n, p, q) is wrong in some channel: its projection is off by {error[worst]:.3g} of "
            f"(|x| * |weights|), tolerance {allowed:.3g}"
        )
