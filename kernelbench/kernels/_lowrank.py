"""Weights of low rank: their two factors, and how what comes of them is judged."""

import numpy as np
from msgspec import structs

from kernelbench.kernels import _weights
from kernelbench.kernels._check import EPS, Verification, close_to
from kernelbench.model import Accuracy

TRUNCATED = 0.05
"""Bound of |y - w x| / (|w|_F |x|_2). The terms left out are at most 1/100 of the first each; random directions that
are not quite orthogonal let them add up to 4 times that, where rank is close to min(m, n)."""
EXTRA, POWERS = 8, 2
"""Directions sampled beyond the rank, and power iterations: Halko et al. find no error worth naming beyond that."""


def factors(w: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """(u[m,rank], v[rank,n]) of w's type, u v close to w's best approximation of that rank.

    Raises ValueError where w is not finite.
    """
    if not np.isfinite(w).all():
        raise ValueError("w holds NaN or infinity and has no factors; remove them first")
    wide = w.astype(np.float64)
    directions = min(rank + EXTRA, *w.shape)
    basis = np.linalg.qr(wide @ np.random.default_rng(0).standard_normal((w.shape[1], directions)))[0]
    for _ in range(POWERS):
        basis = np.linalg.qr(wide @ np.linalg.qr(wide.T @ basis)[0])[0]
    left, values, right = np.linalg.svd(basis.T @ wide, full_matrices=False)
    u = basis @ left[:, :rank] * values[:rank]
    return u.astype(w.dtype), np.ascontiguousarray(right[:rank].astype(w.dtype))


def _whole(u: np.ndarray, m: int) -> np.ndarray:
    """u[m,r] as it is or out of panels."""
    return u if u.ndim == 2 else u.swapaxes(1, 2).reshape(u.shape[0] * u.shape[2], u.shape[1])[:m]


def check(v: Verification) -> Accuracy:
    """Judges y[m] first against float64 on the same factors, then against w x; u and v are first in ``v.prepared``."""
    w, x = v.inputs
    u, right = (f.astype(np.float64) for f in (_whole(v.prepared[0], w.shape[0]), v.prepared[1]))

    def oracle() -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(invalid="ignore"):  # infinities of both signs give NaN, as they should
            inner = np.einsum("rn,n->r", right, x.astype(np.float64))
            size = np.einsum("rn,n->r", np.abs(right), np.abs(x.astype(np.float64)))
            exact, scale = np.einsum("mr,r->m", u, inner), np.einsum("mr,r->m", np.abs(u), size)
        return exact, np.maximum(scale, np.finfo(np.float64).tiny)

    exact, scale = v.once(f"factors {v.prepared[0].ndim}", oracle)
    # Two sums in a row, of n and of r products, in any order (Higham 2002, sec. 2.8; see gemv's check).
    rounding = (max(8.0, v.shape["n"] ** 0.5) + max(8.0, u.shape[1] ** 0.5)) * EPS[v.dtype]
    metric = "max |error| / (|u| |v| |x|) on the same factors"
    accuracy = close_to(v.outputs[0], exact, scale, rounding, metric=metric, reference="float64 on the same factors")
    if not np.isfinite(x).all():
        return accuracy
    truth, _ = v.once("dense", lambda: _weights.products(w, x))
    size = max(float(np.linalg.norm(w.astype(np.float64)) * np.linalg.norm(x.astype(np.float64))), 1e-300)
    metric = "max |error| / (|w|_F |x|_2)"
    accuracy = close_to(v.outputs[0], truth, size, TRUNCATED, metric=metric, reference="float64")
    return structs.replace(accuracy, reference="float64 on the same factors, then float64 on w")
