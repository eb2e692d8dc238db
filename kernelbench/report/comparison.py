"""A comparison for a terminal and as JSON."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct, UnsetType

from kernelbench.analysis.cell import Cell
from kernelbench.report.columns import show
from kernelbench.report.comparison_words import (
    PLAIN,
    Named,
    View,
    about,
    arranged,
    counts,
    explained,
    interval_text,
    listed,
    mean_text,
    number_form,
    ratio_text,
)
from kernelbench.report.text import clip, safe_text
from kernelbench.units import percent

__all__ = ["Export", "Named", "View", "render", "to_json"]


class Export(Struct, frozen=True, omit_defaults=True):
    """What ``compare --format json`` prints."""

    comparisons: tuple[Named, ...]
    expectations: tuple[Struct, ...] = ()
    """As ``analysis.expectations`` judged them; left out when none were asked for."""


_MIN_NAME = 36
"""A table that cannot give case ids this width drops BASE's and NEW's columns first."""


def to_json(comparisons: Sequence[Named], judged: Sequence[Struct] = ()) -> str:
    """The comparisons as indented JSON, full precision, every cell of them, ending in a newline."""
    export = Export(tuple(comparisons), tuple(judged))
    return msgspec.json.format(msgspec.json.encode(export), indent=2).decode() + "\n"


def render(named: Named, *, width: int, view: View = PLAIN) -> str:
    """One comparison: counts, table, and the reason for every verdict but "unchanged"; ends in a newline."""
    comparison = named.comparison
    cells = arranged(comparison.cells, view)
    head = [
        clip(f"BASE {safe_text(named.base)}", width),
        clip(f"NEW  {safe_text(named.new)}", width),
        textwrap.fill(f"{counts(comparison)}; {about(comparison)}", width),
        *filter(None, [mean_text(comparison.cells)]),
    ]
    blocks = ["\n".join(head), notes(comparison.notes, width)]
    timed = [c for c in cells if not isinstance(c.base, UnsetType) or not isinstance(c.new, UnsetType)]
    rows = listed(timed)
    if rows:
        blocks.append(_table(rows, comparison.basis, width))
    if len(rows) < len(timed):
        blocks.append(f"and {len(timed) - len(rows)} more cells; --format json has all of them")
    blocks.append("\n".join(reasons(cells, width)))
    return "\n\n".join(filter(None, blocks)) + "\n"


def notes(texts: Iterable[str], width: int) -> str:
    """The notes of a comparison, a paragraph each."""
    return "\n".join(textwrap.fill(f"note: {safe_text(text)}", width, subsequent_indent="    ") for text in texts)


def reasons(cells: Sequence[Cell], width: int, prefix: str = "") -> Iterator[str]:
    """Why each verdict but "unchanged" is what it is; of harmless ones only so many."""
    kept, left = explained(cells)
    for cell in kept:
        text = f"{cell.verdict}: {prefix}{safe_text(cell.case_id)}: {safe_text(cell.reason)}"
        yield textwrap.fill(text, width, subsequent_indent="    ")
    for verdict, count in left.items():
        yield f"{verdict}: {prefix}and {count} more; --format json gives every reason"


def table(rows: Sequence[Sequence[str]], headers: Sequence[str], left: Sequence[str] = ()) -> str:
    """Rows under headings, the first column and those named ``left`` aligned left."""
    import tabulate

    # Its two spare columns per heading would push the table over 80 characters.
    tabulate.MIN_PADDING = 0
    align = ["left" if i == 0 or name in left else "right" for i, name in enumerate(headers)]
    return tabulate.tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True, colalign=align)


def _table(cells: Sequence[Cell], basis: str, width: int) -> str:
    form = number_form(basis)
    columns = {
        "verdict": [c.verdict for c in cells],
        "ratio": [show(c.ratio, ratio_text) for c in cells],
        "95% interval": [interval_text(c) for c in cells],
        "BASE": [show(c.base, form) for c in cells],
        "NEW": [show(c.new, form) for c in cells],
    }
    if len({c.threshold for c in cells if not isinstance(c.threshold, UnsetType)}) > 1:
        columns["threshold"] = [show(c.threshold, percent) for c in cells]
    needed = min(_MIN_NAME, max(len(c.case_id) for c in cells))
    for dropped in ("BASE", "NEW", "threshold"):
        if width - _taken(columns) >= needed:
            break
        columns.pop(dropped, None)
    room = max(8, width - _taken(columns))
    names = [clip(safe_text(c.case_id), room) for c in cells]
    return table(list(zip(names, *columns.values(), strict=True)), ["case", *columns], left=("verdict",))


def _taken(columns: dict[str, list[str]]) -> int:
    return sum(2 + max(len(name), *map(len, texts)) for name, texts in columns.items())
