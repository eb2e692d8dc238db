"""A verdict that may be reached early without being reached wrongly more often: looks after some rounds, which share
the error.

First every cell is *screened*, each by itself. A cell is `unchanged` once an interval of its median log-ratio lies
inside the threshold; the chance that a change as large as the threshold passes for unchanged is at most ``MISSED``
over all looks together (union bound). A cell whose interval lies beyond the threshold is *flagged*, no more: with
many cells some are so by chance. Flagged cells are *confirmed* on fresh rounds, in which nothing of the screen
counts, at an error of ``FALSE_ALARM`` shared among all cells that are flagged.

Intervals are order statistics of the rounds' log-ratios (sign test): exact, whatever their distribution.
"""

import math
from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.stats import Interval

MISSED = 0.05
"""Chance that a change of just the threshold is called unchanged."""
FALSE_ALARM = 0.05
"""Chance that any of the flagged cells is called changed although it is not (family-wise, two-sided)."""

SCREEN_LOOKS = (6, 10, 14, 20)
CONFIRM_LOOKS = (8, 12, 16, 20)
"""Rounds after which is looked."""


class Plan(Struct, frozen=True):
    """After which rounds to look, and at which error in all."""

    looks: tuple[int, ...]
    one_sided: float
    """Error over all looks together, one side."""

    def rank(self, n: int) -> int:
        """Rank k so that x(k) lies above the median with at most this look's share of the error; 0: there is none.

        A look may spend half of what those before it left, the last one all. What an order statistic cannot use, for
        its errors come in steps, is left to the next.
        """
        left, rank = self.one_sided, 0
        for look in self.looks:
            share = left if look == self.looks[-1] else left / 2
            rank, spent = _rank(look, share)
            if look == n:
                return rank
            left -= spent
        return 0

    def interval(self, rounds: Sequence[float]) -> Interval | UnsetType:
        """The interval at the last look that ``rounds`` allow; absent before the first, or where the rank is 0."""
        n = max((look for look in self.looks if look <= len(rounds)), default=0)
        rank = self.rank(n)
        if rank == 0:
            return UNSET
        ordered = sorted(rounds[:n])
        return Interval(ordered[rank - 1], ordered[n - rank], 1 - 2 * self.one_sided)


def _rank(n: int, share: float) -> tuple[int, float]:
    """The largest rank k of ``n`` with P(x(k) above the median) at most ``share``, and that chance (0, 0: none)."""
    tail, rank, spent = 0.0, 0, 0.0
    while rank < n:
        tail += math.comb(n, rank) / 2**n
        if tail > share:
            break
        rank, spent = rank + 1, tail
    return rank, spent


SCREEN = Plan(SCREEN_LOOKS, MISSED)


def confirmation(flagged: int) -> Plan:
    """The plan for fresh rounds of ``flagged`` cells, without looks that come too early to show anything.

    With one to three cells eight rounds can settle it; with more the first looks are too early.
    """
    plan = Plan(CONFIRM_LOOKS, FALSE_ALARM / 2 / max(1, flagged))
    while len(plan.looks) > 1 and plan.rank(plan.looks[0]) == 0:
        plan = Plan(plan.looks[1:], plan.one_sided)
    return plan


def place(interval: Interval | UnsetType, threshold: float) -> str:
    """Where an interval of log-ratios lies: "slower", "faster", "inside", or "open" across a bound.

    ``threshold`` is a share: 0.05 means times of 1/1.05 to 1.05.
    """
    bound = math.log1p(threshold)
    if isinstance(interval, UnsetType):
        return "open"
    if interval.low > bound:
        return "slower"
    if interval.high < -bound:
        return "faster"
    return "inside" if -bound <= interval.low and interval.high <= bound else "open"
