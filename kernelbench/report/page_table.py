"""The one table of the page: every case that was measured, failed or was skipped, ready to sort and filter."""

from collections.abc import Callable, Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.report.columns import COLUMNS, FLAGS, groups, interval
from kernelbench.report.page_filters import facets
from kernelbench.report.rows import Number, Row
from kernelbench.report.section import Head
from kernelbench.report.text import safe_text

MOST_ROWS = 2000
"""Rows that the page holds; more would make it slow to open, and nobody reads them there."""

_ORDER = [key for key in COLUMNS if key not in ("variant", "roof_name", "flags")] + ["roof_name", "flags"]
"""Long words last: numbers fit the window then."""
_STATUS = Head("status", "Measured, failed or skipped.", numeric=False)
_REASON = Head("reason", "Why a case failed, was skipped, or has no roof.", numeric=False)


class Cell(Struct, frozen=True):
    """One cell after the first."""

    text: str
    kind: str
    """"number" or "word": its class."""
    rank: int | UnsetType
    """Its place in the order of its column; absent where the number does not apply, which sorts last."""
    title: str = ""
    """Shown on hover."""
    bar: str = ""
    """The length of the bar behind it, in CSS; empty without one."""


class Line(Struct, frozen=True):
    """One row."""

    id: int
    """Its place among all rows, which also names its dot."""
    case_id: str
    name: str
    status: str
    reason: str
    facets: dict[str, str]
    cells: tuple[Cell, ...]
    rank: int
    """Its place in the order of names."""


class Body(Struct, frozen=True):
    """The rows of one problem, under its heading."""

    title: str
    lines: tuple[Line, ...]


class PageTable(Struct, frozen=True):
    """Everything the template needs."""

    heads: tuple[Head, ...]
    """The first names the row; status and reason are the last two."""
    bodies: tuple[Body, ...]
    flags: dict[str, str]
    """Flag -> meaning, of those that occur."""
    total: int
    shown: int
    """Fewer than ``total`` when there are more than ``MOST_ROWS``."""


def table(rows: Sequence[Row]) -> PageTable:
    """The first ``MOST_ROWS`` of ``rows`` (which come in ladder order) by problem."""
    shown = rows[:MOST_ROWS]
    keys = [key for key in _ORDER if any(COLUMNS[key].text(row) for row in shown)]
    texts = {key: [COLUMNS[key].text(row) for row in shown] for key in keys}
    ranks = {key: _ranks(key, shown, texts[key]) for key in keys}
    names = [COLUMNS["variant"].text(row) for row in shown]
    order = _order(names)
    bodies, at = [], 0
    for group in groups(shown):
        lines = []
        for row in group.rows:
            cells = tuple(_cell(key, row, texts[key][at], ranks[key][at]) for key in keys)
            lines.append(_line(at, row, names[at], order[names[at]], cells))
            at += 1
        bodies.append(Body(group.title, tuple(lines)))
    heads = (_head("variant"), *map(_head, keys), _STATUS, _REASON)
    flags = {flag: FLAGS[flag] for flag in FLAGS if any(flag in row.flags for row in shown)}
    return PageTable(heads, tuple(bodies), flags, len(rows), len(shown))


def _head(key: str) -> Head:
    return Head(COLUMNS[key].title, COLUMNS[key].meaning, numeric=COLUMNS[key].numeric)


def _line(at: int, row: Row, name: str, rank: int, cells: tuple[Cell, ...]) -> Line:
    return Line(at, safe_text(row.case_id), name, row.status, safe_text(row.reason), facets(row), cells, rank)


def _cell(key: str, row: Row, text: str, rank: int | UnsetType) -> Cell:
    kind, title, bar = "number" if COLUMNS[key].numeric else "word", "", ""
    if key == "median":
        title = interval(row)
    elif key == "fraction" and not isinstance(row.roof_fraction, UnsetType):
        bar = f"{100 * min(1.0, row.roof_fraction):.0f}%"
    elif key == "flags":
        title = "; ".join(FLAGS[flag] for flag in row.flags if flag in FLAGS)
    return Cell(text, kind, rank, title, bar)


def _ranks(key: str, rows: Sequence[Row], texts: Sequence[str]) -> list[int | UnsetType]:
    """Places in the order of the column: of the numbers where it has them, so that no second form of them is kept."""
    if key not in _VALUES:
        order = _order(texts)
        return [order[text] if text else UNSET for text in texts]
    values = [_VALUES[key](row) for row in rows]
    known = sorted({value for value in values if not isinstance(value, UnsetType)})
    places = {value: place for place, value in enumerate(known)}
    return [UNSET if isinstance(value, UnsetType) else places[value] for value in values]


def _order(texts: Sequence[str]) -> dict[str, int]:
    return {text: place for place, text in enumerate(sorted(set(texts)))}


def _scatter(row: Row) -> Number:
    middle, low, high = row.median_s, row.ci_low_s, row.ci_high_s
    if isinstance(middle, UnsetType) or isinstance(low, UnsetType) or isinstance(high, UnsetType):
        return UNSET
    return max(high - middle, middle - low) / middle


def _roof(row: Row) -> Number:
    return row.roof_gbps if isinstance(row.roof_gflops, UnsetType) else row.roof_gflops


_VALUES: dict[str, Callable[[Row], Number]] = {
    "threads": lambda row: float(row.threads),
    "median": lambda row: row.median_s,
    "interval": _scatter,
    "gflops": lambda row: row.gflops,
    "gbps": lambda row: row.gbps,
    "intensity": lambda row: row.intensity,
    "roof": _roof,
    "fraction": lambda row: row.roof_fraction,
    "naive": lambda row: row.speedup_vs_naive,
    "library": lambda row: row.speedup_vs_library,
    "error": lambda row: row.accuracy,
}
"""What a column of numbers is sorted by."""
