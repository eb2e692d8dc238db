"""Which cells a comparison draws on the roofline, and where: from BASE's dot to NEW's."""

from collections.abc import Iterable, Sequence

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from kernelbench.analysis.roofline import threads_text
from kernelbench.model import Record, Result
from kernelbench.report.chart import Chart, charts
from kernelbench.report.comparison_pair import Both, Pair, gravest, recorded
from kernelbench.report.rows import Row, rows
from kernelbench.report.text import safe_text

MOST_ARROWS = 200
"""Cells of one comparison on its roofline: more would hide each other."""


class Arrow(Struct, frozen=True):
    """One cell with FLOP and bytes on both sides."""

    verdict: str
    base: Row
    new: Row
    start: tuple[float, float]
    """FLOP per byte and GFLOP/s in BASE."""
    end: tuple[float, float]


class View(Struct, frozen=True):
    """The roofline of one NEW, machine and thread count."""

    name: str
    chart: Chart
    """NEW's ceilings and dots."""
    arrows: tuple[Arrow, ...]


class Thinned(Struct, frozen=True):
    """What is drawn of a comparison."""

    arrows: tuple[Arrow, ...]
    total: int
    """Cells that could be."""


def arrows(pair: Pair) -> Thinned:
    """The cells with FLOP and bytes on both sides, of too many those that moved furthest, the gravest first."""
    fit = [both for both in recorded(pair) if not isinstance(both.cell.ratio, UnsetType) and _has_place(both)]
    by_cell = {id(both.cell): both for both in fit}
    kept = [by_cell[id(cell)] for cell in gravest([both.cell for both in fit])[:MOST_ARROWS]]
    if isinstance(pair.base, UnsetType) or isinstance(pair.new, UnsetType):
        return Thinned((), 0)
    before = _rows(pair.base, (both.base for both in kept))
    after = _rows(pair.new, (both.new for both in kept))
    made = (_arrow(both, before[_key(both.base)], after[_key(both.new)]) for both in kept)
    return Thinned(tuple(arrow for arrow in made if not isinstance(arrow, UnsetType)), len(fit))


def views(pair: Pair, drawn: Sequence[Arrow], lead: str) -> list[View]:
    """One a machine and thread count of NEW; ``lead`` stands before each name where there are several NEWs."""
    if isinstance(pair.new, UnsetType):
        return []
    found = charts([arrow.new for arrow in drawn], pair.new.ceilings)
    many = len({chart.machine for chart in found}) > 1
    made = []
    for chart in found:
        own = [a for a in drawn if (a.new.machine, a.new.threads) == (chart.machine, chart.threads)]
        where = f" on {safe_text(chart.machine)}" if many else ""
        made.append(View(f"{lead}{threads_text(chart.threads)}{where}", chart, tuple(own)))
    return made


def _has_place(both: Both) -> bool:
    work = both.new.work
    return not isinstance(work.flop, UnsetType) and work.flop > 0


def _rows(result: Result, kept: Iterable[Record]) -> dict[tuple[str, str], Row]:
    """The derived numbers of some of the records: of ten thousand they would take too long."""
    return {(row.machine, row.case_id): row for row in rows(replace(result, records=tuple(kept)))}


def _key(record: Record) -> tuple[str, str]:
    return record.machine, record.case.id


def _arrow(both: Both, base: Row, new: Row) -> Arrow | UnsetType:
    start, end = _place(base), _place(new)
    if isinstance(start, UnsetType) or isinstance(end, UnsetType):
        return UNSET
    return Arrow(both.cell.verdict, base, new, start, end)


def _place(row: Row) -> tuple[float, float] | UnsetType:
    if isinstance(row.intensity, UnsetType) or isinstance(row.gflops, UnsetType):
        return UNSET
    return row.intensity, row.gflops
