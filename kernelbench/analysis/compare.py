"""Did a change make it slower? Two results compared cell by cell, with an interval and a verdict.

Cells are matched by case; who measured them decides first, then, where both did, the interval (``verdict``).
"""

import math

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from kernelbench.analysis.match import check_comparable, indexed
from kernelbench.analysis.roofline import Roof, roof
from kernelbench.analysis.stats import shift
from kernelbench.analysis.timing import Timing, timing
from kernelbench.analysis.verdict import by_interval, detectable
from kernelbench.errors import IncomparableError
from kernelbench.model import Failed, Measured, Record, Result, Skipped

VERDICTS = ("regressed", "failed", "improved", "ambiguous", "new", "missing", "incomparable", "unchanged")
"""Every verdict, the one to look at first first."""

DECIDED = ("regressed", "improved", "ambiguous", "unchanged")
"""Verdicts that come from two times."""

DEFAULT_THRESHOLD = 0.05


class Cell(Struct, frozen=True, omit_defaults=True):
    """One case in both results."""

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
    """95% interval of ``ratio``; absent below 6 rounds a side."""
    detectable: float | UnsetType = UNSET
    """Smallest slowdown (0.08 = 8%) that an interval of this width would have called regressed."""
    base_rounds: int = 0
    new_rounds: int = 0
    was_measured: bool = False
    """True when BASE holds a time for it."""


class Comparison(Struct, frozen=True):
    """Every cell of two results."""

    basis: str
    """"time" or "roof"."""
    threshold: float
    """Effects up to this share do not count (0.05 = 5%)."""
    cells: tuple[Cell, ...]

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


def compare(
    base: Result, new: Result, *, threshold: float = DEFAULT_THRESHOLD, across_machines: bool = False
) -> Comparison:
    """All cells of both results, matched by case id (and machine, unless ``across_machines``).

    ``across_machines`` compares how far each side stays from its own roof instead of times. Raises
    IncomparableError when the methods differ, or the machines do without ``across_machines``.
    """
    check_comparable(base, new, across_machines=across_machines)
    basis = "roof" if across_machines else "time"
    before = {key: _side(record, base, basis) for key, record in indexed(base, across_machines).items()}
    after = {key: _side(record, new, basis) for key, record in indexed(new, across_machines).items()}
    keys = dict.fromkeys([*before, *after])
    cells = tuple(_cell(key[1], before.get(key, UNSET), after.get(key, UNSET), threshold, basis) for key in keys)
    return Comparison(basis, threshold, cells)


def nothing_in_common(comparison: Comparison) -> IncomparableError:
    """The error for a comparison that compared nothing, with what there was instead."""
    counts = ", ".join(f"{comparison.count(v)} {v}" for v in VERDICTS if comparison.count(v)) or "no cells at all"
    return IncomparableError(
        f"nothing in common: no case has a time in both results ({counts}); measure the same cases on both sides"
    )


class _Side(Struct, frozen=True):
    """One side of a cell."""

    record: Record
    timing: Timing | UnsetType
    unit_s: float
    """What times are divided by: 1 for basis "time", the roof's seconds for "roof" (0 when there is none)."""


def _side(record: Record, result: Result, basis: str) -> _Side:
    if basis == "time":
        return _Side(record, timing(record), 1.0)
    limit = roof(record, result.ceilings, result.machines.get(record.machine, UNSET))
    return _Side(record, timing(record), limit.seconds if isinstance(limit, Roof) else 0.0)


def _cell(case_id: str, base: _Side | UnsetType, new: _Side | UnsetType, threshold: float, basis: str) -> Cell:
    """Who measured it decides first; only two times go on to the interval."""
    verdict, reason = _by_presence(base, new)
    if not verdict and not isinstance(base, UnsetType) and not isinstance(new, UnsetType):
        return _judged(case_id, base, new, threshold, basis)
    return Cell(case_id, verdict, reason, _shown(base, basis), _shown(new, basis), was_measured=_is_timed(base))


def _by_presence(base: _Side | UnsetType, new: _Side | UnsetType) -> tuple[str, str]:
    """(verdict, reason) of a cell that lacks a comparable time on a side; an empty verdict when it lacks nothing."""
    if isinstance(base, UnsetType) or isinstance(new, UnsetType):
        return _alone(base, new)
    if isinstance(new.record.outcome, Failed):
        both = isinstance(base.record.outcome, Failed)
        return "failed", f"failed in {'both' if both else 'NEW'}: {_why(new)}"
    match _is_timed(base), _is_timed(new):
        case False, False:
            return "incomparable", f"measured in neither: {_why(new)}"
        case True, False:
            return "missing", f"measured in BASE, not in NEW: {_why(new)}"
        case False, True:
            return "new", f"measured in NEW, not in BASE: {_why(base)}"
    for side, place in ((base, "BASE"), (new, "NEW")):
        if side.unit_s <= 0:
            return "incomparable", f"no roof applies to it in {place}"
    return ("incomparable", reason) if (reason := _other_way(base.record, new.record)) else ("", "")


def _alone(base: _Side | UnsetType, new: _Side | UnsetType) -> tuple[str, str]:
    if isinstance(new, UnsetType):
        return "missing", "only in BASE" + (f": {_why(base)}" if not _is_timed(base) else "")
    if isinstance(new.record.outcome, Failed):
        return "failed", f"only in NEW: {_why(new)}"
    return "new", "only in NEW" + (f": {_why(new)}" if not _is_timed(new) else "")


def _judged(case_id: str, base: _Side, new: _Side, threshold: float, basis: str) -> Cell:
    before, after = _log_rounds(base), _log_rounds(new)
    moved = shift(before, after)
    verdict, reason = by_interval(moved.estimate, moved.interval, threshold, (len(before), len(after)))
    if verdict in ("regressed", "improved") and (shared := _disturbed(base, new)):
        verdict, reason = "ambiguous", f"{reason}, but {shared}: the host may have moved, not the code"
    cell = Cell(
        case_id,
        verdict,
        reason,
        base=_shown(base, basis),
        new=_shown(new, basis),
        ratio=math.exp(moved.estimate),
        base_rounds=len(before),
        new_rounds=len(after),
        was_measured=True,
    )
    if isinstance(moved.interval, UnsetType):
        return cell
    return replace(
        cell,
        ci_low=math.exp(moved.interval.low),
        ci_high=math.exp(moved.interval.high),
        detectable=detectable(moved.estimate, moved.interval, threshold),
    )


def _disturbed(base: _Side, new: _Side) -> str:
    """Which side had a quiet machine in less than half of its rounds, in words; empty when neither."""
    for side, place in ((base, "BASE"), (new, "NEW")):
        if not isinstance(side.timing, UnsetType):
            quiet, rounds = side.timing.quiet_rounds, len(side.timing.round_medians_s)
            if 2 * quiet < rounds:
                return f"{place} was undisturbed in only {quiet} of {rounds} rounds"
    return ""


def _other_way(base: Record, new: Record) -> str:
    """Why two times of one case id do not mean the same thing; empty when they do."""
    if isinstance(base.outcome, Measured) and isinstance(new.outcome, Measured):
        if base.outcome.timer != new.outcome.timer:
            return f"timed by a {base.outcome.timer} in BASE, by a {new.outcome.timer} in NEW"
        if base.outcome.includes_python_call != new.outcome.includes_python_call:
            return "only one side's time includes a call from Python"
    return f"on {base.device} in BASE, on {new.device} in NEW" if base.device != new.device else ""


def _is_timed(side: _Side | UnsetType) -> bool:
    return not isinstance(side, UnsetType) and not isinstance(side.timing, UnsetType)


def _log_rounds(side: _Side) -> list[float]:
    if isinstance(side.timing, UnsetType):
        raise ValueError(f"case {side.record.case.id!r} has no time; only timed sides are judged")
    return [math.log(m / side.unit_s) for m in side.timing.round_medians_s]


def _shown(side: _Side | UnsetType, basis: str) -> float | UnsetType:
    if isinstance(side, UnsetType) or isinstance(side.timing, UnsetType):
        return UNSET
    if basis == "time":
        return side.timing.median_s
    return side.unit_s / side.timing.median_s if side.unit_s > 0 else UNSET


def _why(side: _Side | UnsetType) -> str:
    if isinstance(side, UnsetType):
        return "not there"
    match side.record.outcome:
        case Skipped(reason=reason):
            return f"skipped: {reason}"
        case Failed(stage=stage, message=message):
            return f"{stage}: {message}"
        case Measured():
            return "no round of it counts"
