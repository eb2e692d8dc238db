"""References and tolerances of reductions; no code shared with the kernels.

An addition errs by at most u times its result, so the error of a sum is at most u times the sum of |every partial
sum| (Higham, Accuracy and Stability of Numerical Algorithms, 2002, eq. 4.3), whatever the order. From it:
  * in the worst case h u sum|x|, where h is the most additions that any one term passes through (eq. 4.4 to 4.6):
    n - 1 in one chain, n / k + log2 k in k chains, log2 n by halves;
  * with terms of random sign the partial sums grow as sqrt(i), and the roundings add up to 0.4 u sum|x| in one
    chain, less in many, whatever n;
  * with positive terms the partial sums grow as i and average half the sum. Random roundings then add up to less than
    4 sqrt(h) u sum|x| (Higham and Mary, SIAM J. Sci. Comput. 41, 2019). They are random while a term is many ulps of
    the sum; beyond, small terms are rounded away with a bias. A rounding is half its bound on average, so even if all
    went the same way it would be h u sum|x| / 4; a fourteenth of that was seen in f32 at h = 16 million.
"""

from collections.abc import Callable
from math import log2
from typing import Any

import numpy as np

from kernelbench.kernels._check import CHUNK, EPS

WIDER: dict[str, type[np.floating[Any]]] = {"f64": np.longdouble, "f32": np.float64}
"""Type of the reference. longdouble has 64 bits of mantissa on x86 and 113 on most others; where it is float64 itself
NumPy's pairwise sums err by log2(n) u at worst and under u in practice, which the tolerances have room for."""

SIGNED = 8.0
"""Unit roundoffs of sum|x| allowed to a sum of random signs: 20 times what it errs by, and one lost element out of a
million is still about 16 (in f32). The bound holds for every order, so a reassociated sum needs no wider one."""

ONE_CHAIN = {"f64": 1, "f32": 1}
ANY_VECTOR = {"f64": 2, "f32": 4}
"""Chains to count on, per type: where the compiler or a library chooses them, the lanes of the narrowest vector
(16 bytes); both use more where they can."""


def longest(size: int, chain_count: int) -> float:
    """The most additions one of ``size`` terms passes through, in chains that are then added by halves."""
    return size / chain_count + log2(chain_count)


def signed_tolerance(additions: float, dtype: str) -> float:
    """Error allowed to a sum of terms of random sign, relative to sum|terms|."""
    return min(max(1.0, additions), SIGNED) * EPS[dtype]


def positive_tolerance(additions: float, dtype: str) -> float:
    """Error allowed to a sum of positive terms, relative to it; ``additions``: the most that one term goes through."""
    h = max(1.0, additions)
    allowed: float = min(h, 4 * h**0.5 + h / 4) * EPS[dtype]
    return allowed


def exact_sum(
    size: int, dtype: str, terms: Callable[[slice, type[np.floating[Any]]], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """(sum, sum of magnitudes), each of shape (1,), of ``terms(part, type)`` computed in the wider type by chunks."""
    wider = WIDER[dtype]
    sums, magnitudes = [wider(0)], [wider(0)]
    # Infinities and NaN are summed as IEEE 754 has it; the kernels are held to the same.
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, size, CHUNK):
            made = terms(slice(start, start + CHUNK), wider)
            sums.append(np.sum(made))
            magnitudes.append(np.sum(np.abs(made)))
        return np.sum(sums, keepdims=True), np.sum(magnitudes, keepdims=True)
