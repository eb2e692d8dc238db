"""How sure a verdict has to be where many cells are judged at once.

Of 100 cells of identical code two or three have a 95% interval that lies off the truth on the slow side: a gate that
looked at each cell alone would cry wolf in most runs. So "regressed" and "improved" must hold for the whole family of
cells: in at most 5% of comparisons may any of them be wrong. The p-values are exact Mann-Whitney ones, for the
hypothesis that the effect reaches the cell's threshold and no further. Each direction has half of the 5%, and the
step-up of Hochberg (Biometrika 1988) shares it out: at least as powerful as Holm's and Bonferroni's, it lets many cells
that moved together support each other. It keeps the rate where errors are independent or positively dependent
(Sarkar, Annals of Statistics 1998), as those of cells measured in turns on one host are.
"""

import functools
import math
from collections.abc import Sequence
from itertools import accumulate

from msgspec import Struct

from kernelbench.analysis.stats import MIN_ROUNDS, u_counts

FAMILY_ALPHA = 0.05
"""Share of comparisons in which any cell may wrongly be called regressed or improved."""


class Family(Struct, frozen=True):
    """The cells that are judged together."""

    size: int
    """Cells with at least ``MIN_ROUNDS`` rounds on both sides: with fewer none is convicted, so they cost nothing."""

    @property
    def alone_p(self) -> float:
        """The p-value that a cell needs when no other moved: Bonferroni's share of one direction."""
        return FAMILY_ALPHA / 2 / max(1, self.size)

    @property
    def confidence(self) -> float:
        """Of the two-sided interval that convicts a cell that moved alone."""
        return 1 - FAMILY_ALPHA / max(1, self.size)

    def suffices(self, rounds: tuple[int, int]) -> bool:
        """True when so many rounds in BASE and NEW could convict a cell that moved alone, were it by any factor."""
        return 1 / math.comb(sum(rounds), rounds[0]) <= self.alone_p

    @property
    def rounds_needed(self) -> int:
        """Rounds on each side from which on a cell that moved alone can be convicted."""
        needed = MIN_ROUNDS
        while not self.suffices((needed, needed)):
            needed += 1
        return needed

    def convicted(self, chances: Sequence[float]) -> float:
        """The largest of ``chances`` that still convicts, by Hochberg's step-up; 0 when none does.

        ``chances`` are p-values of one direction; cells of the family left out count as not moved.
        """
        ordered = sorted(chances)
        for index in range(len(ordered) - 1, -1, -1):
            if ordered[index] <= FAMILY_ALPHA / 2 / (self.size - index):
                return ordered[index]
        return 0.0


def chance_above(base: Sequence[float], new: Sequence[float], limit: float) -> float:
    """Exact one-sided Mann-Whitney p-value against ``new`` lying above ``base`` by no more than ``limit``.

    The chance of as few differences at or below the limit as there are, had the shift been the limit (Hollander &
    Wolfe, Nonparametric Statistical Methods, section 4.1). Below ``base``: exchange the sides.
    """
    against = sum(after - before <= limit for before in base for after in new)
    return _tails(len(base), len(new))[against]


@functools.cache
def _tails(n: int, m: int) -> tuple[float, ...]:
    """P(U <= u) under the null, for u = 0, 1, ..., n*m."""
    orderings = math.comb(n + m, n)
    return tuple(total / orderings for total in accumulate(u_counts(n, m)))
