"""A search for tuned parameters, in the terminal and as JSON: the landscape as a heat map, and what to use."""

import textwrap
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import UnsetType

from kernelbench.model import Tuning, Values
from kernelbench.report.text import clip, safe_text
from kernelbench.report.tuning_map import DEFAULT, FAILED, FASTEST, Cell, Grid, grid
from kernelbench.units import percent, ratio, seconds, short_percent, signed_percent

MIN_WIDTH = 40
"""Narrower terminals get lines of this width."""
HUGE = 9.995
"""Beyond this ratio a cell says how many times, not how many percent."""
SHADES = ((0.95, 77), (0.99, 157), (1.01, 254), (1.05, 223), (1.2, 216), (float("inf"), 203))
"""Ratio up to which -> colour of the terminal's 256: from green, faster, to red. The digits say the same."""
_SIGNS = {FASTEST: "*", DEFAULT: "o"}


def to_json(found: Sequence[Tuning]) -> str:
    """All of it as indented JSON, ending in a newline."""
    return msgspec.json.format(msgspec.json.encode({"tunings": found}), indent=2).decode() + "\n"


def render(found: Tuning, *, width: int, colour: bool) -> str:
    """What was searched, the heat map, the parameters to use and why; lines of at most ``width``, a newline last."""
    width = max(width, MIN_WIDTH)
    blocks = [
        "\n".join(textwrap.fill(line, width, subsequent_indent="    ") for line in _head(found)),
        "" if found.failed or not found.tried else heat_map(found, width=width, colour=colour),
        "\n".join(textwrap.fill(line, width, subsequent_indent="    ") for line in verdict(found)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def words(found: Tuning, values: Values) -> str:
    """ "kc=128 nc=256"."""
    return safe_text(" ".join(f"{name}={value}" for name, value in zip(found.tunable, values, strict=True)))


def _head(found: Tuning) -> Iterator[str]:
    yield f"{safe_text(found.case.id)} on {safe_text(found.machine)}, {safe_text(found.created)}"
    tried = sum(one.rounds > 0 for one in found.tried)
    yield (
        f"{tried} of {found.candidates - 1} candidates timed against the default ({safe_text(found.strategy)}), "
        f"{seconds(found.spent_s)} of {seconds(found.budget_s)}"
    )


def verdict(found: Tuning) -> Iterator[str]:
    """The parameters to use and why, what failed, and what else to know, a line each."""
    if found.failed:
        yield f"not tuned: {safe_text(found.failed)}"
        return
    name = words(found, found.winner)
    if found.is_faster:
        yield f"fastest: {name}: {found.reason}{_interval(found)}"
    else:
        yield f"the default stays, {name}: {found.reason}{_interval(found)}"
    wrong = [one for one in found.tried if one.failed]
    if wrong:
        yield f"{len(wrong)} wrong, the first {words(found, wrong[0].values)}: {safe_text(wrong[0].failed)}"
    yield from (f"noted: {safe_text(note)}" for note in found.notes)


def _interval(found: Tuning) -> str:
    sure = found.confirmed
    if isinstance(sure, UnsetType) or isinstance(sure.low, UnsetType) or isinstance(sure.high, UnsetType):
        return ""
    level = "" if isinstance(sure.confidence, UnsetType) else f"{short_percent(sure.confidence)}: "
    return f" ({level}{signed_percent(sure.low - 1)} to {signed_percent(sure.high - 1)})"


def heat_map(found: Tuning, *, width: int, colour: bool) -> str:
    """Rows and columns of parameter values; in each cell the time against the default's."""
    drawn = grid(found)
    names = [str(row) for row in drawn.rows]
    label = max(len(safe_text(drawn.down)), *map(len, names))
    texts = [[cell_text(cell) for cell in row] for row in drawn.cells]
    cell = 1 + max(len(text) for row in [*texts, [str(column) for column in drawn.columns]] for text in row)
    fits = max(1, (width - label) // cell)
    lines = [textwrap.fill(line, width) for line in _titles(found, drawn)]
    if drawn.across:
        lines.append(" " * label + clip(f"  {safe_text(drawn.across)}", width - label))
    above = "".join(f"{column:>{cell}}" for column in drawn.columns[:fits]) if drawn.across else ""
    lines.append(f"{safe_text(drawn.down):>{label}}{above}")
    for name, row, cells in zip(names, texts, drawn.cells, strict=True):
        shown = "".join(
            _shaded(f"{text:>{cell}}", one, colour) for text, one in list(zip(row, cells, strict=True))[:fits]
        )
        lines.append(f"{name:>{label}}{shown}")
    if fits < len(drawn.columns):
        lines.append(f"{len(drawn.columns) - fits} more columns: widen the terminal")
    return "\n".join([*lines, *_legend(drawn)])


def _titles(found: Tuning, drawn: Grid) -> Iterator[str]:
    took = "" if isinstance(found.default_s, UnsetType) else f", which takes {seconds(found.default_s)} a call"
    yield f"time against the default{took}; negative is faster"
    if drawn.others:
        yield f"(of {safe_text(', '.join(drawn.others))} the best)"


def _legend(drawn: Grid) -> Iterator[str]:
    seen = {mark for row in drawn.cells for cell in row for mark in cell.marks}
    known = [f"{_SIGNS[mark]} {mark}" for mark in (FASTEST, DEFAULT) if mark in seen]
    known += ["x wrong"] if FAILED in seen else []
    empty = any(isinstance(cell.ratio, UnsetType) and not cell.marks for row in drawn.cells for cell in row)
    yield "  ".join([*known, *([". not tried"] if empty else [])])


def cell_text(cell: Cell) -> str:
    """ "-3.2%*", "12.4x", "." where nothing was tried."""
    if isinstance(cell.ratio, UnsetType):
        return "x" if FAILED in cell.marks else "."
    text = ratio(cell.ratio) if cell.ratio > HUGE else signed_percent(cell.ratio - 1)
    return text + "".join(_SIGNS[mark] for mark in cell.marks)


def _shaded(text: str, cell: Cell, colour: bool) -> str:
    """``text`` on the colour of its ratio; without colour, or a ratio, as it is."""
    if not colour or isinstance(cell.ratio, UnsetType):
        return text
    ratio = cell.ratio
    shade = next(shade for limit, shade in SHADES if ratio <= limit)
    return f"\x1b[30;48;5;{shade}m{text}\x1b[0m"


def gain(found: Tuning) -> str:
    """How much less time the winner takes: "1.4%"; empty where it is the default."""
    return "" if isinstance(found.confirmed, UnsetType) else percent(1 - found.confirmed.ratio)
