"""What has no number, and why: cases that failed or were skipped, and ceilings that could not be measured."""

from collections.abc import Iterable, Sequence

from msgspec import Struct, UnsetType

from kernelbench.model import Ceiling
from kernelbench.report.facts import ceiling_name
from kernelbench.report.rows import Row
from kernelbench.report.text import safe_text

MOST_NAMED = 12
"""Cases named of those that share one reason: the table and the CSV name all."""
MOST_REASONS = 200


class Missing(Struct, frozen=True):
    """What shares one reason."""

    reason: str
    names: tuple[str, ...]
    """The first ``MOST_NAMED``."""
    others: int
    """How many more there are."""


class Part(Struct, frozen=True):
    """Everything of one kind that was not measured."""

    title: str
    """"Failed", "Skipped" or "Ceilings"."""
    reasons: tuple[Missing, ...]
    """At most ``MOST_REASONS``."""
    others: int
    """Cases of further reasons, which only the CSV names."""


def unmeasured(rows: Sequence[Row], ceilings: Iterable[Ceiling]) -> tuple[Part, ...]:
    """The parts that have something to say, in this order: failed, skipped, ceilings."""
    missing = [(ceiling_name(c), c.skipped) for c in ceilings if not isinstance(c.skipped, UnsetType)]
    parts = [
        _part("Failed", [(row.case_id, row.reason) for row in rows if row.status == "failed"]),
        _part("Skipped", [(row.case_id, row.reason) for row in rows if row.status == "skipped"]),
        _part("Ceilings", missing),
    ]
    return tuple(part for part in parts if part.reasons)


def _part(title: str, pairs: Iterable[tuple[str, str]]) -> Part:
    by_reason: dict[str, list[str]] = {}
    for name, reason in pairs:
        by_reason.setdefault(reason, []).append(name)
    told = list(by_reason.items())
    reasons = tuple(_missing(reason, names) for reason, names in told[:MOST_REASONS])
    return Part(title, reasons, sum(len(names) for _, names in told[MOST_REASONS:]))


def _missing(reason: str, names: Sequence[str]) -> Missing:
    named = tuple(safe_text(name) for name in names[:MOST_NAMED])
    return Missing(safe_text(reason), named, len(names) - len(named))
