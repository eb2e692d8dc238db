"""What trials of the gate say about it: floors, scatter, rates, and the smallest slowdown that it finds. Pure.

Rates come from a bootstrap: rounds drawn with replacement from a cell's own, judged by the gate's own procedure
(``gate.replay``). They tell what the gate would do on rounds like these, no more (Efron & Tibshirani 1993).
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.sequential import SCREEN

MIN_ROUNDS = 8
"""Fewer rounds of a kind state no rates: what they did not meet is more than what they did."""
FOUND = 0.80
"""A slowdown counts as detectable when at least this share of the trials finds it."""
FLOOR_SHARE = 0.95
"""Share of A/A screens that end as `unchanged` at the floor."""
FLOOR_DRAWS = 1000
"""Screens drawn for one floor: its 95th percentile then moves by less than the rounds themselves do."""


class Rates(Struct, frozen=True):
    """How trials of one cell ended, as shares of all trials; the rest was ambiguous."""

    unchanged: float
    regressed: float
    improved: float


class Slowed(Struct, frozen=True, omit_defaults=True):
    """One cell with one injected slowdown."""

    asked: float
    """Share of extra work asked for (0.05 = 5%)."""
    rounds: int
    reached: float | UnsetType = UNSET
    """Share really reached, by measurement; the median over the rounds. Absent without a round."""
    found: float | UnsetType = UNSET
    """Share of the trials that called it regressed; absent below ``MIN_ROUNDS`` rounds."""
    why: str = ""
    """Why it was not measured to the end; empty when it was."""


class Smallest(Struct, frozen=True):
    """The smallest slowdown that is found in at least ``FOUND`` of the trials."""

    share: float
    """0.05 = 5%."""
    how: str
    """"at most" (smaller ones were not tried), "between" (interpolated linearly between two that were tried)."""


class Calibrated(Struct, frozen=True, omit_defaults=True):
    """One cell of a calibration."""

    case_id: str
    asked: float
    """The user's threshold."""
    threshold: float
    """What it was judged by: the user's threshold or the floor, whichever is larger."""
    rounds: int
    """A/A rounds."""
    floor: float | UnsetType = UNSET
    """Smallest threshold at which 95% of its A/A screens end as `unchanged`; absent below ``MIN_ROUNDS`` rounds."""
    scatter: float | UnsetType = UNSET
    """Standard deviation of the A/A log-ratios, about a share; absent below 2 rounds."""
    rates: Rates | UnsetType = UNSET
    """Of identical code; absent below ``MIN_ROUNDS`` rounds."""
    slowed: tuple[Slowed, ...] = ()
    smallest: Smallest | UnsetType = UNSET
    """Absent where no slowdown was found often enough, or none was tried."""
    why_no_slowdowns: str = ""
    """Why it was tried on identical code only; empty when it was not."""
    failed: str = ""
    """How it failed on identical code, in words; empty when it did not."""


class Runs(Struct, frozen=True):
    """Whole A/A runs over all cells: shares of the trials with any cell called so."""

    regressed: float
    improved: float


class Calibration(Struct, frozen=True, omit_defaults=True):
    """What a calibration found."""

    machine: str
    """Machine id."""
    cpu: str
    created: str
    """UTC, ISO 8601."""
    rounds: int
    """Rounds of each kind that were asked for."""
    trials: int
    """Replays that the rates are made of."""
    threshold: float
    """The user's, for cells without one of their own."""
    cells: tuple[Calibrated, ...]
    runs: Runs | UnsetType = UNSET
    """Absent when no cell has enough rounds."""
    notes: tuple[str, ...] = ()

    @property
    def floors(self) -> dict[str, float]:
        """By case id, of the cells that have one."""
        return {cell.case_id: cell.floor for cell in self.cells if not isinstance(cell.floor, UnsetType)}


def needed(rounds: Sequence[float]) -> float:
    """The smallest bound (a log-ratio) at which a screen of these log-ratios ends as `unchanged`.

    At some look the whole interval must lie within the bound, and at none before it wholly beyond. Raises ValueError
    for fewer rounds than the last look has.
    """
    if len(rounds) < SCREEN.looks[-1]:
        raise ValueError(f"a whole screen has {SCREEN.looks[-1]} rounds; got {len(rounds)}")
    found, beyond = math.inf, 0.0
    for look in SCREEN.looks:
        interval = SCREEN.interval(rounds[:look])
        if not isinstance(interval, UnsetType):
            found = min(found, max(abs(interval.low), abs(interval.high), beyond))
            beyond = max(beyond, interval.low, -interval.high)
    return found


def floor_of(rounds: Sequence[float], rng: random.Random) -> float | UnsetType:
    """The floor of a cell, as a share, of its A/A log-ratios; absent below ``MIN_ROUNDS``.

    The 95th percentile of what screens of rounds drawn from them need.
    """
    if len(rounds) < MIN_ROUNDS:
        return UNSET
    bounds = sorted(needed(rng.choices(rounds, k=SCREEN.looks[-1])) for _ in range(FLOOR_DRAWS))
    return math.expm1(bounds[math.ceil(FLOOR_SHARE * FLOOR_DRAWS) - 1])


def scatter_of(rounds: Sequence[float]) -> float | UnsetType:
    """Standard deviation of log-ratios; absent below 2."""
    return statistics.stdev(rounds) if len(rounds) > 1 else UNSET


def smallest(slowed: Sequence[Slowed]) -> Smallest | UnsetType:
    """The smallest slowdown that enough trials find; absent where none of those tried is.

    Counted from the largest down, so that a lucky small one does not hide a larger one that is missed.
    """
    points = sorted(
        (one.reached, one.found)
        for one in slowed
        if not isinstance(one.reached, UnsetType) and not isinstance(one.found, UnsetType)
    )
    best: Smallest | UnsetType = UNSET
    for index in reversed(range(len(points))):
        share, found = points[index]
        if found < FOUND:
            break
        best = Smallest(share, "at most")
        if index and points[index - 1][1] < FOUND:
            low, below = points[index - 1]
            best = Smallest(low + (share - low) * (FOUND - below) / (found - below), "between")
    return best


def unseen(rounds: int) -> float:
    """What hits up to this share of all rounds is, at 5% odds, in none of ``rounds``: 1 - 0.05^(1/n)."""
    return 1.0 - math.pow(0.05, 1 / rounds)
