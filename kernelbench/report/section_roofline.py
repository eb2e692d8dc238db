"""The roofline of every case with FLOP, and the GB/s view of those that memory bounds or that have none."""

from collections.abc import Iterator, Sequence

from msgspec import UNSET, UnsetType

from kernelbench.model import Result
from kernelbench.report import chart_bandwidth, chart_html
from kernelbench.report.chart import Chart, charts
from kernelbench.report.chart_linked import View
from kernelbench.report.rows import Row
from kernelbench.report.section import Figure, Head, Section, Table
from kernelbench.report.text import safe_text
from kernelbench.report.thinning import MOST_DOTS, thinned
from kernelbench.units import giga, seconds, size_bytes, three_digits

ABOUT = (
    "A dot is one case at its best sample: coloured by style, shaped by number type, the larger the longer it takes. "
    "Slopes are measured bandwidths (the fastest access mix of each level), dashed lines measured compute ceilings; "
    "diamonds are the ridge points where they meet. A dot's own roof, at its working set and share of writes, stands "
    "in its tooltip. Click a dot for its row in the table. Zoom with ctrl and the wheel or the buttons; drag to move."
)
_BANDWIDTH_ABOUT = "Bandwidth over the working set of one thread"


def section(rows: Sequence[Row], result: Result) -> Section | UnsetType:
    """The section; UNSET when neither a case nor a bandwidth can be drawn."""
    kept = thinned(rows)
    figures = [*_roofline(rows, kept, result), *_bandwidth(rows, kept, result)]
    if not figures:
        return UNSET
    return Section("roofline", "Roofline", ABOUT, tuple(figures), tuple(_said(rows, kept)))


def _said(rows: Sequence[Row], kept: Sequence[int]) -> Iterator[str]:
    measured = sum(row.status == "measured" for row in rows)
    if len(kept) < measured:
        yield (
            f"{len(kept)} of {measured} measured cases are drawn: of each op and style the one nearest to its roof, "
            f"and an even sample of the others ({MOST_DOTS} dots at most). --csv has them all."
        )
    times = [row.best_s for row in rows if not isinstance(row.best_s, UnsetType)]
    if times and min(times) < max(times):
        yield f"The smallest dots take {seconds(min(times))} a call, the largest {seconds(max(times))}."
    if rows and not any(not isinstance(row.roof_s, UnsetType) for row in rows):
        yield "No case has a roof: this file holds no ceilings that apply to its cases."


def _roofline(rows: Sequence[Row], kept: Sequence[int], result: Result) -> Iterator[Figure]:
    drawn = charts(rows, result.ceilings)
    if not drawn:
        return
    ids = {(rows[place].machine, rows[place].case_id): place for place in kept}
    count = sum(len(chart.dots) for chart in drawn)
    best = max((dot for chart in drawn for dot in chart.dots), key=lambda dot: dot.gflops).row
    several = len({chart.machine for chart in drawn}) > 1
    titles = [View(chart.machine, chart.threads).title(several) for chart in drawn]
    alt = (
        f"Roofline: rate over intensity of {count} cases under the ceilings of "
        f"{', '.join(titles)}. The fastest is {safe_text(best.case_id)}. "
        "The table of this page holds every case."
    )
    yield Figure("roofline", "GFLOP/s over FLOP per byte", chart_html.spec(drawn, ids), alt, _lines(drawn))


def _lines(drawn: Sequence[Chart]) -> Table:
    heads = (Head("line", numeric=False), Head("value"), Head("at", numeric=False))
    body: list[tuple[str, str, str]] = []
    several = len({chart.machine for chart in drawn}) > 1
    for chart in drawn:
        view = View(chart.machine, chart.threads).title(several)
        body += [(safe_text(f"{s.level} {s.mix}"), f"{giga(s.gbps * 1e9)} GB/s", view) for s in chart.slopes]
        body += [(safe_text(p.name), f"{giga(p.gflops * 1e9)} G{safe_text(p.unit)}", view) for p in chart.peaks]
        ridges = sorted(chart.ridges, key=lambda ridge: ridge.intensity)
        body += [(safe_text(f"ridge: {r.name}"), f"{three_digits(r.intensity)} FLOP/B", view) for r in ridges]
    return Table(heads, tuple(body))


def _bandwidth(rows: Sequence[Row], kept: Sequence[int], result: Result) -> Iterator[Figure]:
    dots, drawn = chart_bandwidth.placed(rows, kept, result), chart_bandwidth.curves(result)
    if not dots and not drawn:
        return
    alt = (
        f"{_BANDWIDTH_ABOUT}: {len(dots)} cases without FLOP or bound by memory, "
        f"under {len(drawn)} measured curves. The table of this page holds every case."
    )
    title = f"GB/s over the working set: cases that memory bounds or that have no FLOP ({len(dots)})"
    yield Figure("bandwidth", title, chart_bandwidth.spec(dots, drawn, result), alt, _curve_table(drawn))


def _curve_table(drawn: Sequence[chart_bandwidth.Curve]) -> Table | UnsetType:
    """Sizes down, mixes across, one thread count after the other."""
    if not drawn:
        return UNSET
    mixes = [mix for mix in chart_bandwidth.MIXES if any(curve.mix == mix for curve in drawn)]
    several = len({curve.view.machine for curve in drawn}) > 1
    rates = {(curve.view.title(several), size, curve.mix): rate for curve in drawn for size, rate in curve.points}
    keys = dict.fromkeys((view, size) for view, size, _ in sorted(rates))
    body = [
        (size_bytes(size), view, *(_rate(rates.get((view, size, mix), UNSET)) for mix in mixes)) for view, size in keys
    ]
    heads = (Head("of one thread"), Head("at", numeric=False), *(Head(f"{mix} GB/s") for mix in mixes))
    return Table(heads, tuple(body))


def _rate(value: float | UnsetType) -> str:
    return "" if isinstance(value, UnsetType) else giga(value * 1e9)
