"""A profile for a terminal: what `kernelbench profile` prints, in 80 columns."""

import textwrap
from collections.abc import Iterator, Sequence

from msgspec import UnsetType

from kernelbench.model import Result, TimeSplit
from kernelbench.report.facts import Fact
from kernelbench.report.profile import Part, View, not_measured, notes, sentence, view
from kernelbench.report.profile_curve import draw
from kernelbench.report.profile_parts import parts
from kernelbench.report.profile_sweeps import curve
from kernelbench.report.section import Table
from kernelbench.report.text import clip, safe_text
from kernelbench.units import percent

MIN_WIDTH = 72
"""Narrower terminals get lines of this width: the tables have no column to spare."""

_WIDEST = 110
"""Of charts, bars and prose."""
_LEAST_NAME = 16
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def render(result: Result, *, width: int, colour: bool) -> str:
    """The whole profile as text of at most ``width`` columns, ending in a newline.

    Raises ResultFileError where a file of kind "profile" lacks its profile.
    """
    of = view(result)
    width = max(width, MIN_WIDTH)
    blocks = [
        "\n".join([_heading(_wrap(sentence(of), width), colour), *(_wrap(note, width) for note in notes(of))]),
        *("\n".join(_part(part, of, width, colour)) for part in parts(of)),
        *_listed("Not measured", not_measured(of), width, colour, "  - "),
        *_listed("Noted", of.result.notes, width, colour, "  - "),
        *_listed("What to do next", of.profile.advice, width, colour, "{:3}. "),
    ]
    return "\n\n".join(blocks) + "\n"


def _part(part: Part, of: View, width: int, colour: bool) -> Iterator[str]:
    chart = curve(of) if part.id == "sizes" else None
    drawn = chart is not None and chart.drawable
    yield _heading(part.title, colour)
    for line in part.lines:
        yield _wrap(line, width, "  ")
    if part.id == "time":
        yield "  " + bar(of.profile.split, min(width, _WIDEST) - 2)
    if chart is not None and drawn:
        yield draw(chart, width=min(width, _WIDEST), colour=colour)
    yield from _facts(part.facts, width)
    if not isinstance(part.table, UnsetType):
        yield from _table(part.table, width, colour)
    if part.about:
        yield _dim(_wrap(part.about, width, "  "), colour)


def bar(split: TimeSplit, width: int) -> str:
    """ "dispatch 1.2% ▓█████████ 98.8% kernel" in ``width`` columns; what takes any time at all is seen."""
    share = min(1.0, max(0.0, split.dispatch_s / split.call_s)) if split.call_s > 0 else 0.0
    left, right = f"dispatch {percent(share)} ", f" {percent(1 - share)} kernel"
    room = max(4, width - len(left) - len(right))
    taken = min(room, max(1 if share > 0 else 0, round(room * share)))
    return f"{left}{'▒' * taken}{'█' * (room - taken)}{right}"


def _facts(facts: Sequence[Fact], width: int) -> Iterator[str]:
    widest = max((len(fact.label) for fact in facts), default=0)
    for fact in facts:
        lead = f"  {fact.label:{widest}}  "
        yield textwrap.fill(fact.text, width, initial_indent=lead, subsequent_indent=" " * len(lead))


def _table(table: Table, width: int, colour: bool) -> Iterator[str]:
    """The first column wraps into what the others leave; numbers stand on the first of its lines."""
    titles = tuple(head.title for head in table.heads)
    widths = [max(len(row[i]) for row in (titles, *table.rows)) for i in range(len(titles))]
    others = sum(widths[1:]) + 2 * len(widths)
    widths[0] = min(widths[0], max(_LEAST_NAME, width - others))
    yield _dim(clip(_line(titles, table, widths), width), colour)
    for row in table.rows:
        hang = " " * (2 if row[0][:2] in ("> ", "  ") else 0)
        first, *more = textwrap.wrap(row[0], widths[0], subsequent_indent=hang + "  ", drop_whitespace=True) or [""]
        # textwrap drops the blanks that stand where others have their mark.
        first = first if not row[0].startswith("  ") else clip(f"  {first.strip()}", widths[0])
        yield clip(_line((first, *row[1:]), table, widths), width)
        yield from (f"  {text}" for text in more)


def _line(cells: Sequence[str], table: Table, widths: Sequence[int]) -> str:
    columns = zip(cells[1:], table.heads[1:], widths[1:], strict=True)
    rest = (cell.rjust(wide) if head.numeric else cell.ljust(wide) for cell, head, wide in columns)
    return "  ".join(["", cells[0].ljust(widths[0]), *rest]).rstrip()


def _listed(title: str, texts: Sequence[str], width: int, colour: bool, mark: str) -> Iterator[str]:
    if texts:
        lines = [_heading(title, colour)]
        for number, text in enumerate(texts, 1):
            lead = mark.format(number)
            lines.append(textwrap.fill(safe_text(text), width, initial_indent=lead, subsequent_indent=" " * len(lead)))
        yield "\n".join(lines)


def _heading(text: str, colour: bool) -> str:
    return f"{_BOLD}{text}{_RESET}" if colour else text


def _dim(text: str, colour: bool) -> str:
    return f"{_DIM}{text}{_RESET}" if colour else text


def _wrap(text: str, width: int, indent: str = "") -> str:
    return textwrap.fill(text, min(width, _WIDEST), initial_indent=indent, subsequent_indent=indent)
