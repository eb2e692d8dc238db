"""Several results beside each other, each compared with one BASE: a column of ratios for each."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import UNSET, UnsetType

from kernelbench.analysis.cell import Cell
from kernelbench.report.columns import show
from kernelbench.report.comparison import notes, reasons, table
from kernelbench.report.comparison_words import (
    MOST_ROWS,
    PLAIN,
    Named,
    View,
    about,
    arranged,
    counts,
    mean_text,
    natural,
    number_form,
    rank,
    ratio_text,
)
from kernelbench.report.text import clip, safe_text

MARKS = {"regressed": "!", "improved": "+", "unchanged": "=", "ambiguous": "?"}
"""What stands behind a ratio for its verdict; cells without a ratio show the verdict itself."""

_LONGEST_HEADING = 14
_MIN_NAME = 28
"""Case ids keep this width; columns that then do not fit go into a table of their own below."""

_Line = tuple[str, tuple[Cell | UnsetType, ...]]
"""A case id, and its cell in each comparison."""


def render_side_by_side(comparisons: Sequence[Named], *, width: int, view: View = PLAIN) -> str:
    """All comparisons as columns of ratios, then the reasons of each; ends in a newline."""
    headings = _headings(comparisons)
    legend = ", ".join(f"{mark} {verdict}" for verdict, mark in MARKS.items())
    head = [clip(f"BASE {safe_text(comparisons[0].base)}", width)]
    for heading, named in zip(headings, comparisons, strict=True):
        name = safe_text(named.new) if heading == safe_text(named.new) else f"{heading} {safe_text(named.new)}"
        head.append(textwrap.fill(f"{clip(name, width)}: {counts(named.comparison)}", width, subsequent_indent="    "))
    head.append(textwrap.fill(f"{about(comparisons[0].comparison)}; {legend}", width))
    blocks = ["\n".join(head), notes(_notes(comparisons, headings), width)]
    lines = _lines(comparisons, view)
    blocks += _tables(lines[:MOST_ROWS], headings, comparisons[0].comparison.basis, width)
    if len(lines) > MOST_ROWS:
        blocks.append(f"and {len(lines) - MOST_ROWS} more cells; --format json has all of them")
    blocks.append(_mean(comparisons, headings, width))
    for heading, named in zip(headings, comparisons, strict=True):
        blocks.append("\n".join(reasons(arranged(named.comparison.cells, view), width, prefix=f"{heading}: ")))
    return "\n\n".join(filter(None, blocks)) + "\n"


def _headings(comparisons: Sequence[Named]) -> list[str]:
    """The names where all are short and differ, else "NEW 1", "NEW 2"..."""
    names = [safe_text(named.new) for named in comparisons]
    if max(map(len, names)) <= _LONGEST_HEADING and len(set(names)) == len(names):
        return names
    return [f"NEW {number}" for number in range(1, len(names) + 1)]


def _notes(comparisons: Sequence[Named], headings: Sequence[str]) -> Iterator[str]:
    """Each note once: on its own where it holds for all, else with the comparisons it is about."""
    about: dict[str, list[str]] = {}
    for heading, named in zip(headings, comparisons, strict=True):
        for note in named.comparison.notes:
            about.setdefault(note, []).append(heading)
    for note, who in about.items():
        yield note if len(who) == len(headings) else f"{', '.join(who)}: {note}"


def _lines(comparisons: Sequence[Named], view: View) -> list[_Line]:
    lines = list(_matched(comparisons).items())
    if view.only_changed:
        lines = [line for line in lines if any(_is_changed(cell) for cell in line[1])]
    ordered = sorted(lines, key=lambda line: (_gravest(line[1], view.sort), natural(line[0][0])))
    return [(case_id, cells) for (case_id, _), cells in ordered]


def _matched(comparisons: Sequence[Named]) -> dict[tuple[str, int], tuple[Cell | UnsetType, ...]]:
    """The cells of one case in every comparison; a file of several machines has a case several times."""
    columns = []
    for named in comparisons:
        met: Counter[str] = Counter()
        column = {}
        for cell in named.comparison.cells:
            column[cell.case_id, met[cell.case_id]] = cell
            met[cell.case_id] += 1
        columns.append(column)
    keys = dict.fromkeys(key for column in columns for key in column)
    return {key: tuple(column.get(key, UNSET) for column in columns) for key in keys}


def _gravest(cells: Sequence[Cell | UnsetType], sort: str) -> tuple[float, ...]:
    return min(rank(cell, sort) for cell in cells if not isinstance(cell, UnsetType))


def _is_changed(cell: Cell | UnsetType) -> bool:
    return not isinstance(cell, UnsetType) and cell.verdict != "unchanged"


def _tables(lines: Sequence[_Line], headings: Sequence[str], basis: str, width: int) -> Iterator[str]:
    """As many columns a table as fit beside the case ids, BASE's number in the first table."""
    if not lines:
        return
    form = number_form(basis)
    base = [
        next((show(c.base, form) for c in cells if not isinstance(c, UnsetType) and c.base), "") for _, cells in lines
    ]
    columns = [("BASE", base)]
    columns += [(heading, [_entry(cells[i]) for _, cells in lines]) for i, heading in enumerate(headings)]
    longest = max(len(safe_text(case_id)) for case_id, _ in lines)
    while columns:
        taken = 0
        chosen: list[tuple[str, list[str]]] = []
        while columns and (not chosen or taken + _wide(columns[0]) + min(longest, _MIN_NAME) <= width):
            taken += _wide(columns[0])
            chosen.append(columns.pop(0))
        names = [clip(safe_text(case_id), max(8, width - taken)) for case_id, _ in lines]
        rows = list(zip(names, *(texts for _, texts in chosen), strict=True))
        yield table(rows, ["case", *(heading for heading, _ in chosen)])


def _wide(column: tuple[str, list[str]]) -> int:
    heading, texts = column
    return 2 + max(len(heading), *map(len, texts))


def _entry(cell: Cell | UnsetType) -> str:
    if isinstance(cell, UnsetType):
        return ""
    if isinstance(cell.ratio, UnsetType) or cell.verdict not in MARKS:
        return cell.verdict
    return f"{ratio_text(cell.ratio)} {MARKS[cell.verdict]}"


def _mean(comparisons: Sequence[Named], headings: Sequence[str], width: int) -> str:
    """Geometric means that may be set beside each other: over the cells that have a ratio in every comparison."""
    matched = [cells for cells in _matched(comparisons).values() if all(_has_ratio(cell) for cell in cells)]
    if not matched:
        return "no cell has a ratio in every comparison: there are no means to set beside each other"
    texts = []
    for index, heading in enumerate(headings):
        column = [cells[index] for cells in matched]
        texts.append(f"{heading} {mean_text(c for c in column if not isinstance(c, UnsetType))}")
    return textwrap.fill("; ".join(texts), width)


def _has_ratio(cell: Cell | UnsetType) -> bool:
    return not isinstance(cell, UnsetType) and not isinstance(cell.ratio, UnsetType)
