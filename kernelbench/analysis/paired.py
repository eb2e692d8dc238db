"""Cells of a paired comparison: their numbers, of rounds that were just measured or of those in a file."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from msgspec import UnsetType, structs

from kernelbench.analysis.cell import Cell, Comparison
from kernelbench.analysis.stats import median, median_interval
from kernelbench.analysis.verdict import detectable
from kernelbench.model import PairedCell, PairRound, Result
from kernelbench.thresholds import DEFAULT_THRESHOLD


def cell(case_id: str, verdict: str, reason: str, rounds: Sequence[PairRound], threshold: float) -> Cell:
    """A cell of both sides with the numbers of ``rounds``, those that its verdict is made of."""
    logs = [one.log_ratio for one in rounds]
    made = Cell(
        case_id,
        verdict,
        reason,
        base_rounds=len(logs),
        new_rounds=len(logs),
        was_measured=True,
        threshold=threshold,
    )
    if not logs:
        return made
    estimate, interval = median(logs), median_interval(logs)
    made = structs.replace(
        made,
        base=median([one.base_s for one in rounds]),
        new=median([one.head_s for one in rounds]),
        ratio=math.exp(estimate),
    )
    if isinstance(interval, UnsetType):
        return made
    return structs.replace(
        made,
        ci_low=math.exp(interval.low),
        ci_high=math.exp(interval.high),
        detectable=detectable(estimate, interval, threshold),
    )


def stored(result: Result) -> Comparison:
    """The comparison that a file of `ab` holds, with the verdicts it was given."""
    # The file keeps each cell's own threshold: the default is what most were judged by.
    thresholds = Counter(one.threshold for one in result.paired).most_common(1)
    default = thresholds[0][0] if thresholds else DEFAULT_THRESHOLD
    return Comparison("time", default, tuple(_stored(one) for one in result.paired), result.notes)


def _stored(kept: PairedCell) -> Cell:
    if kept.verdict in ("new", "missing", "incomparable"):
        return Cell(kept.case.id, kept.verdict, kept.reason)
    return cell(kept.case.id, kept.verdict, kept.reason, kept.confirm or kept.screen, kept.threshold)
