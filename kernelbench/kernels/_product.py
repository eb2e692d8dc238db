"""Checking a matrix product against an independent reference, whole when small, by projection when large.

Large products (Freivalds 1979): c t = a (b t) for a random t catches any wrong element, because an error
in c[i,j] shows in row i unless t[j] is 0. Whole rows and columns, all edges among them, are checked
element by element beside it.
"""

import numpy as np
from msgspec import structs

from kernelbench.kernels._check import Verification, WrongResult, close_to
from kernelbench.model import Accuracy

WHOLE_UP_TO = 200**3
"""m n k up to which every element has its own reference: 16 MFLOP of einsum, about 10 ms."""
EDGE = 2
"""Rows and columns at each border that are always checked whole; more are drawn at random."""
METRIC = "max |error| / (|a| |b|)"


def _double(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64)


def _rows_and_columns(v: Verification) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(v.seed + 1)

    def sample(size: int) -> np.ndarray:
        edge = min(EDGE, size)
        drawn = rng.integers(0, size, 6)
        return np.unique(np.concatenate([np.arange(edge), np.arange(size - edge, size), drawn]))

    return sample(v.shape["m"]), sample(v.shape["n"])


def _product(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(a @ b, |a| @ |b|) in float64. einsum's own loops: the exact part shares no code with any BLAS."""
    x, y = _double(a), _double(b)
    return np.einsum("mk,kn->mn", x, y), np.maximum(np.abs(x) @ np.abs(y), np.finfo(np.float64).tiny)


def _small(v: Verification) -> bool:
    return bool(v.shape["m"] * v.shape["n"] * v.shape["k"] <= WHOLE_UP_TO)


def check_product(v: Verification, a: np.ndarray, b: np.ndarray, c: np.ndarray, tolerance: float) -> Accuracy:
    """c[m,n] against a[m,k] @ b[k,n]; raises WrongResult where |error| > tolerance x (|a| |b|)."""
    if _small(v):
        return product_error(v, a, b, c, tolerance)
    _project(v, a, b, c, tolerance)
    accuracy = product_error(v, a, b, c, tolerance)
    return structs.replace(accuracy, reference="float64: projection of all, sampled rows, columns and edges")


def _project(v: Verification, a: np.ndarray, b: np.ndarray, c: np.ndarray, tolerance: float) -> None:
    """c t = a (b t) row by row, t of random signs; raises WrongResult naming the first wrong row."""

    def sides() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        t = np.where(np.random.default_rng(v.seed + 2).random(v.shape["n"]) < 0.5, -1.0, 1.0)
        expected = np.einsum("mk,k->m", _double(a), np.einsum("kn,n->k", _double(b), t))
        # Errors of n independent elements, each up to tolerance x |a||b|, add like a random walk.
        scale = np.einsum("mk,k->m", np.abs(_double(a)), np.abs(_double(b)).sum(axis=1))
        # A row of a that is all zeros (pruned away) must give exactly zeros.
        return t, expected, np.maximum(scale / v.shape["n"] ** 0.5, np.finfo(np.float64).tiny)

    t, expected, scale = v.once("projection", sides)
    if not np.isfinite(c).all():
        raise WrongResult(f"{int((~np.isfinite(c)).sum())} of {c.size} elements are NaN or infinite (or never written)")
    error = np.abs(np.einsum("mn,n->m", _double(c), t) - expected) / scale
    row = int(np.argmax(error))
    if not error[row] <= tolerance:
        raise WrongResult(
            f"row {row} is wrong: its projection is off by {error[row]:.3g} of (|a| |b|), tolerance {tolerance:.3g}"
        )


def product_error(v: Verification, a: np.ndarray, b: np.ndarray, c: np.ndarray, tolerance: float) -> Accuracy:
    """Error of c against float64, over all elements when small, else over sampled rows and columns.

    Raises WrongResult where it is above ``tolerance``; infinity only measures.
    """
    if _small(v):
        exact, scale = v.once("product", lambda: _product(a, b))
        return close_to(c, exact, scale, tolerance, metric=METRIC, reference="float64 einsum")
    rows, columns = _rows_and_columns(v)
    by_row = v.once("rows", lambda: _product(a[rows], b))
    by_column = v.once("columns", lambda: _product(a, b[:, columns]))
    parts = [(c[rows], *by_row), (c[:, columns], *by_column)]
    flat = [np.concatenate([np.ravel(part[i]) for part in parts]) for i in range(3)]
    return close_to(flat[0], flat[1], flat[2], tolerance, metric=METRIC, reference="float64, sampled rows and columns")
