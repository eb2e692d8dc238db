"""From two times to a verdict: the interval first, then the three doubts that it must survive.

Of many cells one looks slower by chance (``family``); the host may have moved rather than the code (``host``); a side
may hardly ever have had a quiet machine. A doubt turns "regressed" and "improved" into "ambiguous" and says so.
"""

import functools
import math
from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.cell import Cell
from kernelbench.analysis.family import Family, chance_above
from kernelbench.analysis.host import Speeds, in_words, roof_moved
from kernelbench.analysis.sides import Roofs, Side, disturbed, shown
from kernelbench.analysis.stats import CONFIDENCE, MIN_ROUNDS, Interval, Shift, median, u_critical
from kernelbench.analysis.verdict import by_interval, detectable, seen_from
from kernelbench.units import probability

CHANGED = ("regressed", "improved")


class Pair(Struct, frozen=True):
    """Two times of one case, with what they say on their own."""

    case_id: str
    base: Side
    new: Side
    before: list[float]
    after: list[float]
    """Logarithms of the round medians, in the sides' units."""
    moved: Shift
    convicting: Interval | UnsetType
    """The interval that convicts a cell which moved alone; absent when its rounds are too few for any."""
    threshold: float
    verdict: str
    reason: str

    @property
    def rounds(self) -> tuple[int, int]:
        """Process rounds in BASE and in NEW."""
        return len(self.before), len(self.after)

    @property
    def chance(self) -> float:
        """P-value of a pair whose own 95% interval lies beyond its threshold, in the direction in which it does."""
        sides = (self.before, self.after) if self.verdict == "regressed" else (self.after, self.before)
        return chance_above(*sides, math.log1p(self.threshold))


class Court(Struct, frozen=True):
    """What all pairs of a comparison are judged by."""

    basis: str
    family: Family
    convicting_p: dict[str, float]
    """Largest p-value that convicts, by verdict ("regressed", "improved")."""
    roofs: tuple[Roofs, Roofs]
    speeds: Speeds | UnsetType
    """Absent where times are in units of the roofs already."""


def pair(case_id: str, base: Side, new: Side, threshold: float, family: Family) -> Pair:
    """Two timed sides of one case of ``family`` and the verdict of their own 95% interval."""
    before, after = base.log_rounds, new.log_rounds
    differences = sorted(b - a for a in before for b in after)
    estimate, interval = median(differences), _interval(differences, len(before), len(after), CONFIDENCE)
    verdict, reason = by_interval(estimate, interval, threshold, (len(before), len(after)))
    convicting = _interval(differences, len(before), len(after), family.confidence)
    moved = Shift(estimate, interval)
    return Pair(case_id, base, new, before, after, moved, convicting, threshold, verdict, reason)


def court(
    pairs: Sequence[Pair], family: Family, basis: str, roofs: tuple[Roofs, Roofs], found: Speeds | UnsetType
) -> Court:
    """What ``pairs`` are judged by; ``found`` is absent with basis "roof"."""
    convicting_p = {
        verdict: family.convicted([one.chance for one in pairs if one.verdict == verdict]) for verdict in CHANGED
    }
    return Court(basis, family, convicting_p, roofs, found)


def judged(pair: Pair, court: Court) -> Cell:
    """The cell of a pair, once every doubt has been heard."""
    interval = pair.moved.interval
    seen: float | UnsetType = UNSET
    said = pair.verdict, pair.reason
    if not isinstance(interval, UnsetType):
        if not isinstance(pair.convicting, UnsetType):
            seen = detectable(pair.moved.estimate, pair.convicting, pair.threshold)
        said = _after_family(pair, interval, seen, court)
        said = _after_host(pair, interval, said, court)
        if said[0] in CHANGED and (shared := disturbed(pair.base, pair.new)):
            said = "ambiguous", f"{said[1]}, but {shared}, not the code"
    return Cell(
        pair.case_id,
        *said,
        base=shown(pair.base, court.basis),
        new=shown(pair.new, court.basis),
        ratio=math.exp(pair.moved.estimate),
        ci_low=UNSET if isinstance(interval, UnsetType) else math.exp(interval.low),
        ci_high=UNSET if isinstance(interval, UnsetType) else math.exp(interval.high),
        detectable=seen,
        base_rounds=pair.rounds[0],
        new_rounds=pair.rounds[1],
        was_measured=True,
        threshold=pair.threshold,
    )


def _interval(differences: Sequence[float], n: int, m: int, confidence: float) -> Interval | UnsetType:
    """The exact interval of ``stats.shift`` from differences already in order: one sorting serves two of them."""
    rank = _rank(n, m, confidence)
    if min(n, m) < MIN_ROUNDS or rank == 0:
        return UNSET
    return Interval(differences[rank - 1], differences[-rank], confidence)


@functools.cache
def _rank(n: int, m: int, confidence: float) -> int:
    return u_critical(n, m, confidence) + 1


def _after_family(pair: Pair, interval: Interval, seen: float | UnsetType, court: Court) -> tuple[str, str]:
    verdict, reason, family = pair.verdict, pair.reason, court.family
    if verdict == "ambiguous":
        tail = _too_few(pair, family) if isinstance(seen, UnsetType) else seen_from(seen)
        return by_interval(pair.moved.estimate, interval, pair.threshold, pair.rounds, seen=tail)
    if verdict not in CHANGED or family.size == 1:
        return verdict, reason
    if pair.chance <= court.convicting_p[verdict]:
        return verdict, f"{reason}, and holds over all {family.size} cells"
    p, needed = probability(pair.chance), probability(family.alone_p)
    by_chance = f"of {family.size} cells one may do so by chance (p = {p}, needed {needed})"
    return "ambiguous", f"{reason}, but {by_chance if family.suffices(pair.rounds) else _too_few(pair, family)}"


def _too_few(pair: Pair, family: Family) -> str:
    return (
        f"{pair.rounds[0]} rounds in BASE and {pair.rounds[1]} in NEW cannot prove that one of {family.size} cells "
        f"moved: {family.rounds_needed} on each side can"
    )


def _after_host(pair: Pair, interval: Interval, said: tuple[str, str], court: Court) -> tuple[str, str]:
    """Slower or faster is a cell only where it is so in units of its roof as well, if that roof moved.

    "unchanged" stands: ceilings, of which any probe may be disturbed, are weaker evidence than two equal times.
    """
    verdict, reason = said
    if isinstance(court.speeds, UnsetType) or not court.speeds.known:
        return said
    moved = roof_moved(pair.base, pair.new, court.roofs, court.speeds) if court.speeds.moved else 0.0
    if isinstance(moved, UnsetType):
        return said
    if not moved:
        return (verdict, f"{reason}; the ceilings held") if verdict in CHANGED else said
    against = Interval(interval.low + moved, interval.high + moved, interval.confidence)
    other, _ = by_interval(pair.moved.estimate + moved, against, pair.threshold, pair.rounds)
    words = in_words(pair.moved.estimate, moved)
    if verdict in CHANGED and other != verdict:
        return "ambiguous", f"{words}: the host may have moved, not the code; {reason}"
    return verdict, f"{reason} ({words})"
