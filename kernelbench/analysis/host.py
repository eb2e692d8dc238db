"""Did the host move, or the code? The ceilings of two runs on one machine, set against each other.

A run measures the machine's ceilings in every round. Where those of NEW are lower by as much as a kernel is slower,
the kernel is not to blame: it is called slower or faster only if it is so with and without what the ceilings say.
"""

import math
from collections.abc import Iterable

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.ladder import usable, value_of
from kernelbench.analysis.roofline import Roof
from kernelbench.analysis.sides import Roofs, Side
from kernelbench.analysis.stats import median
from kernelbench.model import Result
from kernelbench.units import signed_percent

CLEARLY = 0.03
"""Ceilings, each the best of many probes, repeat within this where nothing happened to the host."""

Group = tuple[str, int]
"""(kind of ceiling, threads)."""


class Speeds(Struct, frozen=True):
    """How fast the machine was in NEW, seen from BASE, where its ceilings tell."""

    known: int
    """Ceilings measured in both."""
    moved: int
    """Those that differ by more than ``CLEARLY`` and by more than their probes scatter."""
    scatter: dict[Group, float]
    """How far the probes of a kind of ceiling scatter, at one number of threads: the larger of the two runs."""


def speeds(base: Result, new: Result) -> Speeds:
    """The ceilings of both runs by id, device and machine: how many there are, and how many moved."""
    before, after = _values(base), _values(new)
    ours, theirs = _scatter(before.values()), _scatter(after.values())
    scatter = {group: max(spread, theirs.get(group, 0.0)) for group, spread in ours.items()}
    shared = before.keys() & after.keys()
    moved = 0
    for key in shared:
        old, now = before[key], after[key]
        moved += abs(math.log(now.value) - math.log(old.value)) > max(CLEARLY, old.spread, now.spread)
    return Speeds(len(shared), moved, scatter)


def roof_moved(base: Side, new: Side, roofs: tuple[Roofs, Roofs], found: Speeds) -> float | UnsetType:
    """Log of how much higher the roof of a case was in NEW than in BASE; 0 where it held, absent where none applies.

    A roof held when it moved by less than ``CLEARLY`` or less than the probes of its kind of ceiling scatter.
    """
    before, after = roofs[0].of(base.record), roofs[1].of(new.record)
    if not isinstance(before, Roof) or not isinstance(after, Roof):
        return UNSET
    moved = math.log(before.seconds / after.seconds)
    group = (before.bound, base.record.case.threads)
    return moved if abs(moved) > max(CLEARLY, found.scatter.get(group, 0.0)) else 0.0


def in_words(log_ratio: float, log_speed: float) -> str:
    """ "time +12.0%, ceilings -11.0%", of natural logarithms."""
    return f"time {signed_percent(math.expm1(log_ratio))}, ceilings {signed_percent(math.expm1(log_speed))}"


class _Value(Struct, frozen=True):
    """A measured ceiling of speed."""

    value: float
    spread: float
    group: Group


def _values(result: Result) -> dict[tuple[str, str, str], _Value]:
    """Every measured ceiling of speed, by machine, device and id. Latencies set no roof."""
    found = {}
    for kind in ("compute", "memory"):
        for c in usable(result.ceilings, kind):
            spread = 0.0 if isinstance(c.spread, UnsetType) else c.spread
            found[c.machine, c.device, c.id] = _Value(value_of(c), spread, (kind, c.threads))
    return found


def _scatter(values: Iterable[_Value]) -> dict[Group, float]:
    spreads: dict[Group, list[float]] = {}
    for one in values:
        spreads.setdefault(one.group, []).append(one.spread)
    return {group: median(found) for group, found in spreads.items()}
