"""The finding and the advice of a report: made from the rows, ready to show in every format."""

import textwrap
from collections import Counter
from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from kernelbench.analysis.advice import Advice, Observed, advise
from kernelbench.analysis.headline import headline
from kernelbench.analysis.timing import timing
from kernelbench.model import Record, Result
from kernelbench.report.rows import Row
from kernelbench.report.text import safe_text

MOST_SHOWN = 12
"""Lines in a terminal: what does not fit one screen is not read."""

TITLE = "What to do next"


def observed(rows: Sequence[Row], result: Result) -> tuple[Observed, ...]:
    """The measured ones of ``rows`` (those of ``result``), as the analysis takes them."""
    records = {(record.machine, record.case.id): record for record in result.records}
    made = (_observed(row, records[row.machine, row.case_id]) for row in rows)
    return tuple(one for one in made if not isinstance(one, UnsetType))


def advice(rows: Sequence[Row], result: Result) -> tuple[Advice, ...]:
    """What to do next, in the order in which to do it. The texts are not yet safe to show: see ``texts``."""
    return advise(observed(rows, result), result)


def finding(rows: Sequence[Row], result: Result) -> str:
    """The sentence at the top, safe to show in a terminal."""
    seen = observed(rows, result)
    return safe_text(headline(seen, Counter(row.status for row in rows), interrupted=result.interrupted))


def texts(found: Sequence[Advice]) -> list[str]:
    """One line each, safe to show in a terminal; other formats escape them further."""
    machines = {one.machine for one in found}
    where = {m: f"On {m}: " if len(machines) > 1 else "" for m in machines}
    return [safe_text(where[one.machine] + one.text) for one in found]


def lines(found: Sequence[Advice], *, width: int) -> list[str]:
    """Numbered lines of at most ``width`` columns, the first ``MOST_SHOWN``; then how many were left out."""
    shown = []
    for number, text in enumerate(texts(found)[:MOST_SHOWN], 1):
        lead = f"{number:2}. "
        shown += textwrap.wrap(text, width, initial_indent=lead, subsequent_indent=" " * len(lead))
    if len(found) > MOST_SHOWN:
        left = f"    {len(found) - MOST_SHOWN} more, of less gain: --json has them all."
        shown += textwrap.wrap(left, width, subsequent_indent="    ")
    return shown


def _observed(row: Row, record: Record) -> Observed | UnsetType:
    median_s, best_s, low_s, high_s = row.median_s, row.best_s, row.ci_low_s, row.ci_high_s
    if isinstance(median_s, UnsetType) or isinstance(best_s, UnsetType):
        return UNSET
    if isinstance(low_s, UnsetType) or isinstance(high_s, UnsetType):
        time = timing(record)
        medians = (median_s,) if isinstance(time, UnsetType) else time.round_medians_s
        low_s, high_s = min(medians), max(medians)
    return Observed(
        record=record,
        median_s=median_s,
        low_s=low_s,
        high_s=high_s,
        best_s=best_s,
        roof_s=row.roof_s,
        roof_name=row.roof_name,
        bound=row.bound,
        flags=row.flags,
    )
