"""One side of a cell: a record, its times, and the unit they are compared in."""

import math
from itertools import chain

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.roofline import Roof, roof
from kernelbench.analysis.timing import Timing, timing
from kernelbench.model import Ceiling, Failed, Measured, Record, Result, Skipped

LEAST_S, MOST_S = 1e-15, 1e12
"""Seconds a call that no real time lies beyond; ratios between these stay far inside a float."""


class Side(Struct, frozen=True):
    """A record as one side of a comparison."""

    record: Record
    timing: Timing | UnsetType
    """Absent when there is no time that may be compared."""
    unit_s: float = 1.0
    """What times are divided by: 1 to compare times, the roof's seconds to compare distances from it, 0 without one."""
    fault: str = ""
    """What cannot be true about its samples, in words; empty when nothing."""

    @property
    def log_rounds(self) -> list[float]:
        """Logarithms of the round medians in units of ``unit_s``. Raises ValueError without a time."""
        if isinstance(self.timing, UnsetType):
            raise ValueError(f"case {self.record.case.id!r} has no time; only timed sides are judged")
        # Quotients of a foreign file's numbers could leave a float; differences of their logarithms cannot.
        shift = math.log(self.unit_s)
        return [math.log(m) - shift for m in self.timing.round_medians_s]

    @property
    def is_timed(self) -> bool:
        """True when it holds a time that may be compared."""
        return not isinstance(self.timing, UnsetType)


class Roofs:
    """The least seconds a call that one result's own ceilings allow, worked out once for cases that share them."""

    def __init__(self, result: Result) -> None:
        self._machines = result.machines
        self._ceilings: dict[tuple[str, str, int], list[Ceiling]] = {}
        for ceiling in result.ceilings:
            self._ceilings.setdefault((ceiling.machine, ceiling.device, ceiling.threads), []).append(ceiling)
        self._known: dict[tuple[object, ...], Roof | UnsetType] = {}

    def of(self, record: Record) -> Roof | UnsetType:
        """The roof of a case; absent when none applies."""
        case = record.case
        place = (record.machine, record.device, case.threads)
        key = (*place, case.dtype, case.isa, case.cache, record.work, record.placement)
        if key not in self._known:
            own = self._ceilings.get(place, [])
            found = roof(record, own, self._machines.get(record.machine, UNSET))
            usable = isinstance(found, Roof) and LEAST_S <= found.seconds <= MOST_S
            self._known[key] = found if isinstance(found, Roof) and usable else UNSET
        return self._known[key]


def side(record: Record, roofs: Roofs | UnsetType = UNSET) -> Side:
    """``record`` as a side: in units of its roof where ``roofs`` are given, else in seconds."""
    found = timing(record)
    fault = _fault(record, found)
    if fault:
        return Side(record, UNSET, fault=fault)
    if isinstance(roofs, UnsetType):
        return Side(record, found)
    limit = roofs.of(record)
    return Side(record, found, 0.0 if isinstance(limit, UnsetType) else limit.seconds)


def shown(side: Side | UnsetType, basis: str) -> float | UnsetType:
    """The number a reader sees: median seconds, or with basis "roof" the share of the roof."""
    if isinstance(side, UnsetType) or isinstance(side.timing, UnsetType):
        return UNSET
    if basis == "time":
        return side.timing.median_s
    return side.unit_s / side.timing.median_s if side.unit_s > 0 else UNSET


def disturbed(base: Side, new: Side) -> str:
    """Which side had a quiet machine in less than half of its rounds, in words; empty when neither."""
    for one, place in ((base, "BASE"), (new, "NEW")):
        if not isinstance(one.timing, UnsetType):
            quiet, rounds = one.timing.quiet_rounds, len(one.timing.round_medians_s)
            if 2 * quiet < rounds:
                return f"{place} was undisturbed in only {quiet} of {rounds} rounds: the host may have moved"
    return ""


def why_untimed(side: Side) -> str:
    """Why there is no time of it that counts, in words."""
    match side.record.outcome:
        case Skipped(reason=reason):
            return f"skipped: {reason}"
        case Failed(stage=stage, message=message):
            return f"{stage}: {message}"
        case Measured():
            return side.fault or "no round of it counts"


def _fault(record: Record, found: Timing | UnsetType) -> str:
    if not isinstance(record.outcome, Measured):
        return ""
    rounds = [r.samples_s for r in record.outcome.rounds if not r.superseded]
    # The best sample and the sum bound all of them, and no comparison with a NaN is true.
    if not isinstance(found, UnsetType) and found.best_s >= LEAST_S and sum(map(sum, rounds)) <= MOST_S:
        return ""
    wrong = next((s for s in chain.from_iterable(rounds) if not LEAST_S <= s <= MOST_S), UNSET)
    return "" if isinstance(wrong, UnsetType) else f"a sample of {wrong:g} s cannot be true"
