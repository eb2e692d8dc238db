"""What a comparison is made of: one cell a case, with its verdict, its interval and the reason in words."""

import math
from collections import Counter
from collections.abc import Iterable

from msgspec import UNSET, Struct, UnsetType

VERDICTS = ("regressed", "failed", "improved", "ambiguous", "new", "missing", "incomparable", "unchanged")
"""Every verdict, the one to look at first first."""

DECIDED = ("regressed", "improved", "ambiguous", "unchanged")
"""Verdicts that come from two times."""


class Cell(Struct, frozen=True, omit_defaults=True):
    """One case on both sides."""

    case_id: str
    verdict: str
    """One of ``VERDICTS``."""
    reason: str
    """Why, in words."""
    base: float | UnsetType = UNSET
    new: float | UnsetType = UNSET
    """Medians: seconds a call, or with basis "roof" the share of the roof. Absent where not measured."""
    ratio: float | UnsetType = UNSET
    """New time over base time (Hodges-Lehmann); with basis "roof", of times in units of the roof's. > 1 is worse."""
    ci_low: float | UnsetType = UNSET
    ci_high: float | UnsetType = UNSET
    """95% interval of ``ratio`` for this cell alone; absent below 6 rounds a side."""
    detectable: float | UnsetType = UNSET
    """Smallest slowdown (0.08 = 8%) of this cell alone that would have been called regressed; absent where none."""
    base_rounds: int = 0
    new_rounds: int = 0
    was_measured: bool = False
    """True when BASE holds a time for it."""
    threshold: float | UnsetType = UNSET
    """The share that this cell was judged by (0.05 = 5%); absent where nothing was."""


class Comparison(Struct, frozen=True):
    """Every cell of two sides."""

    basis: str
    """"time" or "roof" (times in units of each side's own roof)."""
    threshold: float
    """Effects up to this share do not count (0.05 = 5%), where a cell has no threshold of its own."""
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    """What a reader must know to trust or doubt the verdicts, one sentence each."""

    @property
    def counts(self) -> dict[str, int]:
        """How many cells have each verdict, the gravest first; verdicts that none has are left out."""
        found = Counter(cell.verdict for cell in self.cells)
        return {verdict: found[verdict] for verdict in VERDICTS if found[verdict]}

    def count(self, verdict: str) -> int:
        """How many cells have this verdict."""
        return sum(cell.verdict == verdict for cell in self.cells)

    @property
    def broken(self) -> int:
        """Cells that failed in NEW although BASE holds a time for them."""
        return sum(cell.verdict == "failed" and cell.was_measured for cell in self.cells)

    @property
    def compared_nothing(self) -> bool:
        """True when no cell has a time on both sides and none broke: nothing may pass on this."""
        return not self.broken and not any(cell.verdict in DECIDED for cell in self.cells)


class Overall(Struct, frozen=True):
    """The cells of a comparison in one number."""

    ratio: float
    """Geometric mean of the cells' ratios."""
    cells: int
    """How many cells have one."""


def overall(cells: Iterable[Cell]) -> Overall | UnsetType:
    """The geometric mean of the ratios, over the cells with a time on both sides; absent without any.

    Of ratios no other mean is the same whichever side is the base (Fleming & Wallace, CACM 1986).
    """
    logs = [math.log(cell.ratio) for cell in cells if not isinstance(cell.ratio, UnsetType)]
    return Overall(math.exp(math.fsum(logs) / len(logs)), len(logs)) if logs else UNSET
