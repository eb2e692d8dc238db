"""What of thousands of cases is shown to people, and what is said of the rest."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from kernelbench.report.columns import Group, groups
from kernelbench.report.rows import Row
from kernelbench.report.text import safe_text

MOST_LISTED = 20
"""Cases of one kind (failed, skipped) that are listed with their reasons."""
MOST_NAMED = 6
"""Cases of one flag that are named."""
_MOST_OF_GROUP = 40

WHERE = "--csv and --json have all of them"
"""Where a reader finds what was left out."""


class Shown(Struct, frozen=True):
    """The groups of a table, or the part of them that can be read."""

    groups: tuple[Group, ...]
    note: str
    """What was left out, in a sentence; empty when nothing."""

    @property
    def rows(self) -> list[Row]:
        """The rows of all groups, in order."""
        return [row for group in self.groups for row in group.rows]


def shown(measured: Sequence[Row], most: int) -> Shown:
    """At most about ``most`` rows: of each op in turn the largest problem that is left, and of that the fastest cases.

    ``measured``: rows in ladder order, each with a median.
    """
    every = list(groups(measured))
    if len(measured) <= most:
        return Shown(tuple(every), "")
    of_ops: dict[str, list[int]] = {}
    for place, group in enumerate(every):
        of_ops.setdefault(group.rows[0].op, []).append(place)
    kept: dict[int, Group] = {}
    room = most
    while room > 0 and of_ops:
        for op in list(of_ops):
            place = of_ops[op].pop()
            if not of_ops[op]:
                del of_ops[op]
            if room > 0:
                kept[place] = _fastest(every[place], min(room, _MOST_OF_GROUP))
                room -= len(kept[place].rows)
    count = sum(len(group.rows) for group in kept.values())
    note = (
        f"{count} of {len(measured)} measured cases are shown: of each op the largest problems, of each of these at "
        f"most the {_MOST_OF_GROUP} fastest cases; {WHERE}."
    )
    return Shown(tuple(kept[place] for place in sorted(kept)), note)


def some(items: Sequence[str], most: int) -> str:
    """The items in a row, those beyond ``most`` as their number: "a, b and 3 more"."""
    if len(items) <= most:
        return ", ".join(items)
    return f"{', '.join(items[:most])} and {len(items) - most} more"


def reasons(rows: Sequence[Row], status: str) -> tuple[list[tuple[str, str]], str]:
    """(case id, reason) of the first cases of that status, safe to show, and a note on those left out."""
    cases = [row for row in rows if row.status == status]
    left = len(cases) - MOST_LISTED
    note = f"and {left} more; {WHERE}" if left > 0 else ""
    return [(safe_text(r.case_id), safe_text(r.reason)) for r in cases[:MOST_LISTED]], note


def flagged(rows: Iterable[Row]) -> dict[str, list[str]]:
    """Flag -> ids of the cases that have it, both safe to show, in the order in which flags come."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for flag in row.flags:
            found.setdefault(safe_text(flag), []).append(safe_text(row.case_id))
    return found


def _fastest(group: Group, most: int) -> Group:
    if len(group.rows) <= most:
        return group
    ranked = sorted(range(len(group.rows)), key=lambda i: _median(group.rows[i]))[:most]
    return Group(group.title, tuple(group.rows[i] for i in sorted(ranked)))


def _median(row: Row) -> float:
    return row.median_s if isinstance(row.median_s, float) else 0.0
