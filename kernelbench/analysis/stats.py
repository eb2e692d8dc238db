"""Exact small-sample statistics: medians, sign-test intervals and the shift between two samples.

Nothing here assumes a distribution, and nothing is approximated: the null distributions are counted.
"""

import functools
import math
from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

CONFIDENCE = 0.95
"""Confidence of every interval in the reports."""

MIN_ROUNDS = 6
"""Fewest rounds with a 95% sign-test interval: 2 * (1/2)^6 = 3.1%, while 2 * (1/2)^5 = 6.3%."""


class Interval(Struct, frozen=True):
    """A confidence interval, in the unit of the sample."""

    low: float
    high: float
    confidence: float
    """What was asked for; the exact coverage is at least this."""


class Shift(Struct, frozen=True, omit_defaults=True):
    """How far a second sample lies above a first one, in the unit of the samples."""

    estimate: float
    """Hodges-Lehmann: the median of all pairwise differences."""
    interval: Interval | UnsetType = UNSET
    """Absent when a side has fewer than ``MIN_ROUNDS`` values."""


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two middle ones. Raises ValueError when empty."""
    if not values:
        raise ValueError("the median of no values is not defined; give at least one")
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def best(values: Sequence[float]) -> float:
    """The smallest value: what the code can do (Chen & Revels 2016). Raises ValueError when empty."""
    if not values:
        raise ValueError("the best of no values is not defined; give at least one")
    return min(values)


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval | UnsetType:
    """Sign-test interval of the median, by order statistics x(k) and x(n+1-k).

    k is the largest rank with 2 P(B < k) <= 1 - confidence, B binomial(n, 1/2) (Conover, Practical
    Nonparametric Statistics, section 3.2). Absent when even the extremes do not reach the confidence,
    which for 95% means fewer than 6 values.
    """
    rank = _sign_rank(len(values), confidence)
    if rank == 0:
        return UNSET
    ordered = sorted(values)
    return Interval(low=ordered[rank - 1], high=ordered[-rank], confidence=confidence)


@functools.cache
def _sign_rank(n: int, confidence: float) -> int:
    """Largest k with 2 P(B < k) <= 1 - confidence; 0 when there is none."""
    rank, tail = 0, 0.0
    while rank < n:
        tail += math.comb(n, rank) / 2**n
        if 2 * tail > 1 - confidence:
            break
        rank += 1
    return rank


@functools.cache
def u_counts(n: int, m: int) -> tuple[int, ...]:
    """Number of orderings of n and m distinct values with Mann-Whitney U = 0, 1, ..., n*m.

    The coefficients of the Gaussian binomial, the product over i = 1..n of (1 - q^(m+i)) / (1 - q^i) (Mann & Whitney
    1947 give the recurrence): n passes over n*m counts, where the recurrence would fill a table of n*m such rows.
    """
    counts = [1] + [0] * (n * m)
    for i in range(1, n + 1):
        for u in range(n * m, m + i - 1, -1):
            counts[u] -= counts[u - m - i]
        for u in range(i, n * m + 1):
            counts[u] += counts[u - i]
    return tuple(counts)


def u_critical(n: int, m: int, confidence: float = CONFIDENCE) -> int:
    """Largest u with P(U <= u) <= (1 - confidence) / 2 under the null; -1 when there is none."""
    limit = (1 - confidence) / 2 * math.comb(n + m, n)
    total = 0
    for u, ways in enumerate(u_counts(n, m)):
        total += ways
        if total > limit:
            return u - 1
    return n * m


def shift(base: Sequence[float], new: Sequence[float], confidence: float = CONFIDENCE) -> Shift:
    """Hodges-Lehmann shift of ``new`` over ``base`` with its exact Mann-Whitney interval.

    The interval runs from the (u+1)-th smallest to the (u+1)-th largest of the n*m differences, u the
    critical value (Hollander & Wolfe, Nonparametric Statistical Methods, section 4.3). Raises
    ValueError when a side is empty.
    """
    if not base or not new:
        raise ValueError(f"a shift needs values on both sides; got {len(base)} and {len(new)}")
    differences = sorted(b - a for a in base for b in new)
    estimate = median(differences)
    if min(len(base), len(new)) < MIN_ROUNDS:
        return Shift(estimate=estimate)
    rank = u_critical(len(base), len(new), confidence) + 1
    if rank == 0:
        return Shift(estimate=estimate)
    return Shift(estimate, Interval(differences[rank - 1], differences[-rank], confidence))
