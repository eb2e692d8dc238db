"""What attention must give, in float64, and how near a kernel in f32 or bf16 can come to it.

Errors are counted in units of the output's own magnitude, w |v| with w the exact weights, grown by the size of the
scores that an exponential turns from absolute into relative errors: see ``attention_error``.
"""

from dataclasses import dataclass

import numpy as np

from kernelbench.kernels._bf16 import decode
from kernelbench.kernels._check import EPS, Verification, close_to
from kernelbench.model import Accuracy

WHOLE_UP_TO = 1 << 27
"""b h s t d up to which every query has its own reference: 0.3 GFLOP of einsum, about 0.3 s."""
EDGE = 4
"""Queries at each end of a head that are always checked; beyond WHOLE_UP_TO, more are drawn at random."""


@dataclass(frozen=True)
class Exact:
    """The reference of some queries of every head."""

    queries: np.ndarray
    """Their numbers."""
    output: np.ndarray
    """o[b,h,queries,d], float64."""
    scale: np.ndarray
    """What its errors are measured by, of the same shape."""


def _wide(x: np.ndarray) -> np.ndarray:
    return (decode(x) if x.dtype == np.uint16 else x).astype(np.float64)


def _sample(s: int, work: int, seed: int) -> np.ndarray:
    """All s queries, or the first, the last and as many others as WHOLE_UP_TO pays for."""
    if work <= WHOLE_UP_TO:
        return np.arange(s)
    drawn = np.random.default_rng(seed + 1).integers(0, s, max(2 * EDGE, s * WHOLE_UP_TO // work))
    edge = min(EDGE, s)
    return np.unique(np.concatenate([np.arange(edge), np.arange(s - edge, s), drawn]))


def _reference(q: np.ndarray, k: np.ndarray, v: np.ndarray, *, causal: bool, seed: int) -> Exact:
    """softmax(q k^T / sqrt(d)) v for q[b,h,s,d], k,v[b,h,t,d], by einsum's own loops: no BLAS."""
    (s, d), t = q.shape[2:], k.shape[2]
    queries = _sample(s, q.shape[0] * q.shape[1] * s * t * d, seed)
    wide, keys, values = _wide(q)[:, :, queries], _wide(k), _wide(v)
    # An infinite score makes inf - inf, and a query that sees no key 0 / 0: NaN, and zeros by definition.
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = np.einsum("bhsd,bhtd->bhst", wide, keys) / max(d, 1) ** 0.5
        seen = np.ones((queries.size, t), bool)
        if causal:
            seen = np.arange(t)[None, :] <= queries[:, None] + t - s
            scores = np.where(seen, scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=3, keepdims=True, initial=-np.inf))
        weights = np.where(seen, weights / weights.sum(axis=3, keepdims=True), 0.0)
        output = np.einsum("bhst,bhtd->bhsd", weights, values)
        magnitude = np.einsum("bhst,bhtd->bhsd", weights, np.abs(values))
        longest = np.linalg.norm(keys, axis=3).max(axis=2, initial=0.0)[:, :, None]
        largest = np.linalg.norm(wide, axis=3) * longest / max(d, 1) ** 0.5
    return Exact(queries, output, np.maximum(magnitude * (1 + largest[..., None]), np.finfo(np.float64).tiny))


def attention_error(v: Verification, q: np.ndarray, o: np.ndarray) -> Accuracy:
    """o[b,h,s,d] against float64 for q[b,h,s,d] and the keys and values of ``v``; raises WrongResult.

    With u the unit roundoff: a score of d products errs by about sqrt(d) u |q||k| / sqrt(d) (random roundings, Higham
    2002, sec. 2.8), which is the relative error of its weight; exp adds a few u, and sums over t keys sqrt(t) u.
    |q| |k| / sqrt(d) is in the scale, so sqrt(d) + sqrt(t) + 8 times u is allowed. A key lost would be off by 1/t.
    A library that keeps weights or the output in bf16 rounds each to that: twice its u beside it.
    """
    _, k, values = v.inputs
    causal = bool(v.shape.get("causal", 0))
    exact = v.once("attention", lambda: _reference(q, k, values, causal=causal, seed=v.seed))
    got = o[:, :, exact.queries]
    tolerance = EPS["f32"] * (8 + q.shape[3] ** 0.5 + k.shape[2] ** 0.5)
    if got.dtype == np.uint16:
        got, tolerance = decode(got), tolerance + 2 * EPS["bf16"]
    reference = "float64 einsum" if exact.queries.size == o.shape[2] else "float64 einsum, sampled queries"
    metric = "max |error| / (w |v| (1 + |q| max|k| / sqrt(d)))"
    return close_to(got, exact.output, exact.scale, tolerance, metric=metric, reference=reference)
