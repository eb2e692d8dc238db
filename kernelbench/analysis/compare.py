"""Did a change make it slower? Two stored results compared cell by cell, with an interval and a verdict.

Cells are matched by case; who measured them decides first, then, where both did, their times (``judgement``).
"""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from kernelbench.analysis.caveats import caveats, host_caveat
from kernelbench.analysis.cell import DECIDED, VERDICTS, Cell, Comparison
from kernelbench.analysis.family import Family
from kernelbench.analysis.host import speeds
from kernelbench.analysis.judgement import Pair, court, judged, pair
from kernelbench.analysis.match import check_comparable, indexed, unlike
from kernelbench.analysis.sides import Roofs, Side, shown, side, why_untimed
from kernelbench.analysis.stats import MIN_ROUNDS
from kernelbench.errors import IncomparableError
from kernelbench.model import Failed, Result
from kernelbench.thresholds import DEFAULT_THRESHOLD, Thresholds

__all__ = ["DECIDED", "DEFAULT_THRESHOLD", "VERDICTS", "Cell", "Comparison", "compare", "nothing_in_common"]

_Matched = tuple[str, Side | UnsetType, Side | UnsetType]
"""A case id and its sides in BASE and in NEW."""


def compare(
    base: Result,
    new: Result,
    *,
    threshold: float | Thresholds = DEFAULT_THRESHOLD,
    across_machines: bool = False,
    normalise: bool = False,
) -> Comparison:
    """All cells of both results, matched by case id (and machine, unless ``across_machines``).

    ``normalise`` compares times in units of each run's own roof instead of seconds; ``across_machines`` does so for
    two machines. Raises IncomparableError when the methods differ, or the machines do without ``across_machines``.
    """
    check_comparable(base, new, across_machines=across_machines)
    thresholds = threshold if isinstance(threshold, Thresholds) else Thresholds(threshold)
    basis = "roof" if across_machines or normalise else "time"
    roofs = Roofs(base), Roofs(new)
    units = roofs if basis == "roof" else (UNSET, UNSET)
    before = {key: side(record, units[0]) for key, record in indexed(base, across_machines).items()}
    after = {key: side(record, units[1]) for key, record in indexed(new, across_machines).items()}
    matched = [(key[1], before.get(key, UNSET), after.get(key, UNSET)) for key in dict.fromkeys([*before, *after])]
    family, drafts = _drafts(matched, thresholds, basis)
    pairs = [draft for draft in drafts if isinstance(draft, Pair)]
    found = speeds(base, new) if basis == "time" else UNSET
    bench = court(pairs, family, basis, roofs, found)
    cells = tuple(judged(draft, bench) if isinstance(draft, Pair) else draft for draft in drafts)
    notes = list(caveats(base, new, basis, family, max((min(p.rounds) for p in pairs), default=0)))
    if pairs and not isinstance(found, UnsetType):
        notes += host_caveat(found)
    return Comparison(basis, thresholds.default, cells, tuple(notes))


def nothing_in_common(comparison: Comparison) -> IncomparableError:
    """The error for a comparison that compared nothing, with what there was instead."""
    counts = ", ".join(f"{count} {verdict}" for verdict, count in comparison.counts.items()) or "no cells at all"
    return IncomparableError(
        f"nothing in common: no case has a time in both results ({counts}); measure the same cases on both sides"
    )


def _drafts(matched: Sequence[_Matched], thresholds: Thresholds, basis: str) -> tuple[Family, list[Cell | Pair]]:
    """Who measured it decides first; only two times go on to be judged, as one family."""
    said = [_by_presence(base, new) for _, base, new in matched]
    fit = (
        _fewest(base, new) >= MIN_ROUNDS
        for (_, base, new), (verdict, _) in zip(matched, said, strict=True)
        if not verdict
    )
    family = Family(sum(fit))
    drafts: list[Cell | Pair] = []
    for (case_id, base, new), (verdict, reason) in zip(matched, said, strict=True):
        if verdict or isinstance(base, UnsetType) or isinstance(new, UnsetType):
            was = not isinstance(base, UnsetType) and base.is_timed
            drafts.append(Cell(case_id, verdict, reason, shown(base, basis), shown(new, basis), was_measured=was))
        else:
            drafts.append(pair(case_id, base, new, thresholds.of(case_id), family))
    return family, drafts


def _fewest(*sides: Side | UnsetType) -> int:
    """Rounds of the side that has fewer."""
    return min(
        0 if isinstance(s, UnsetType) or isinstance(s.timing, UnsetType) else len(s.timing.round_medians_s)
        for s in sides
    )


def _by_presence(base: Side | UnsetType, new: Side | UnsetType) -> tuple[str, str]:
    """(verdict, reason) of a cell that lacks a comparable time on a side; an empty verdict when it lacks nothing."""
    if isinstance(base, UnsetType) or isinstance(new, UnsetType):
        return _alone(base, new)
    for one, place in ((base, "BASE"), (new, "NEW")):
        if one.fault:
            return "incomparable", f"{one.fault} in {place}: damaged or edited"
    if isinstance(new.record.outcome, Failed):
        both = isinstance(base.record.outcome, Failed)
        return "failed", f"failed in {'both' if both else 'NEW'}: {why_untimed(new)}"
    match base.is_timed, new.is_timed:
        case False, False:
            return "incomparable", f"measured in neither: {why_untimed(new)}"
        case True, False:
            return "missing", f"measured in BASE, not in NEW: {why_untimed(new)}"
        case False, True:
            return "new", f"measured in NEW, not in BASE: {why_untimed(base)}"
    if reason := unlike(base.record, new.record):
        return "incomparable", reason
    for one, place in ((base, "BASE"), (new, "NEW")):
        if one.unit_s <= 0:
            return "incomparable", f"no roof applies to it in {place}"
    return "", ""


def _alone(base: Side | UnsetType, new: Side | UnsetType) -> tuple[str, str]:
    if not isinstance(base, UnsetType):
        return "missing", "only in BASE" + (f": {why_untimed(base)}" if not base.is_timed else "")
    if isinstance(new, UnsetType):
        raise ValueError("a cell needs a record on one side at least")
    if isinstance(new.record.outcome, Failed):
        return "failed", f"only in NEW: {why_untimed(new)}"
    return "new", "only in NEW" + (f": {why_untimed(new)}" if not new.is_timed else "")
