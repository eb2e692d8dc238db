"""What a contest needs of others: a pair of live processes; and what it knows of a candidate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from kernelbench.analysis.stats import median
from kernelbench.model import PairRound, Tried, Values


class Match(Protocol):
    """A pair of live processes, in one of which the reference is open."""

    def against(self, values: Values) -> PairRound:
        """``values`` in turns with the reference: the log-ratio of its time over the reference's. Raises SideFailed."""

    def close(self) -> None:
        """End both."""


Start = Callable[[Values], Match]
"""Begins a match with this reference. Raises SideFailed."""
Show = Callable[[str, int, int, Values], None]
"""(phase, done, total, candidate)."""


@dataclass
class Rounds:
    """What is known of a candidate: log-ratios to the default."""

    screen: list[float] = field(default_factory=list)
    race: list[float] = field(default_factory=list)
    failed: str = ""

    @property
    def estimate(self) -> float:
        """Of the race where it took part: the screen chose its best by what it saw."""
        return median(self.race or self.screen)

    def tried(self, values: Values) -> Tried:
        """As data."""
        if self.failed:
            return Tried(values, failed=self.failed)
        seen = self.screen + self.race
        return Tried(values, math.exp(median(seen)), len(seen))
