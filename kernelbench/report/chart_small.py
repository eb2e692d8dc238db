"""Small charts for notebooks, as pictures: measurements under their roofs, and an interval beside its threshold.

On white and without anything to interact with: a notebook that is not trusted runs no code.
"""

from collections.abc import Sequence
from math import atan, degrees, hypot, log10
from typing import Any

from msgspec import Struct, UnsetType

from kernelbench.analysis.peaks import threads_text
from kernelbench.model import Result
from kernelbench.report.chart import Chart, charts
from kernelbench.report.chart_bandwidth import Curve, Placed, curves, placed
from kernelbench.report.chart_lines import Span, decades, peak_ends, peak_labels, slope_ends, slope_labels
from kernelbench.report.palette import COLOURS
from kernelbench.report.rows import Row, rows
from kernelbench.report.text import clip, safe_text
from kernelbench.report.theme import themed, vega_version

WIDTH, HEIGHT = 520, 250
"""Pixels of one plot."""
INK, PAPER, FAINT = "#1c2026", "#ffffff", "#6b7280"
_PALETTE = [colour for style, colour in COLOURS.items() if style != "python"]
_NAME_CHARACTERS = 32
_CHARACTER_PX = 5.6
"""Of the labels along lines."""
MIXES = ("read", "copy", "update")
"""Access mixes whose bandwidth is drawn: of those that judge, as many as a small picture can name."""
_TOUCHING = 1.25
"""Curves whose right ends differ by less share a name."""
_BYTES = (
    "datum.value < 1048576 ? datum.value / 1024 + ' KiB' : "
    "datum.value < 1073741824 ? datum.value / 1048576 + ' MiB' : datum.value / 1073741824 + ' GiB'"
)

Values = list[dict[str, Any]]


class Drawn(Struct, frozen=True):
    """What a small picture shows."""

    spec: dict[str, Any]
    """A complete Vega-Lite specification."""
    names: tuple[str, ...]
    """Variants that have a dot in it."""


def picture(result: Result) -> Drawn | UnsetType:
    """Records under their roofs: those with FLOP on rooflines, those with bytes alone under measured bandwidths.

    UNSET when no record has a rate.
    """
    from msgspec import UNSET

    table = rows(result)
    with_flop = charts(table, result.ceilings)
    names = [dot.row.variant for chart in with_flop for dot in chart.dots]
    bare = [place for place, row in enumerate(table) if row.variant not in names]
    by_bytes = placed(table, bare, result)
    names += [one.row.variant for one in by_bytes]
    if not names:
        return UNSET
    order = dict.fromkeys(_shown(record.case.variant) for record in result.records if record.case.variant in names)
    colours = {name: _PALETTE[index % len(_PALETTE)] for index, name in enumerate(order)}
    plots = [_roofline(chart, colours) for chart in with_flop]
    for threads in sorted({one.row.threads for one in by_bytes}):
        own = [one for one in by_bytes if one.row.threads == threads]
        lines = [curve for curve in curves(result) if curve.view.threads == threads and curve.mix in MIXES]
        plots.append(_bandwidths(own, lines, threads, colours))
    return Drawn(_page(plots), tuple(colours))


def interval(low: float, middle: float, high: float, threshold: float) -> dict[str, Any]:
    """A ratio with its interval beside the band of ``threshold`` (0.05: 1/1.05 to 1.05), as a specification."""
    import altair as alt

    edges = (1 / (1 + threshold), 1 + threshold)
    reach = max(edges[1], high, 1 / low) * 1.02
    scale = alt.Scale(type="log", domain=[1 / reach, reach], nice=False)
    x = alt.X(
        "low:Q", scale=scale, title="time of the second over the first", axis=alt.Axis(format=".3~g", tickCount=6)
    )
    values = {"low": low, "middle": middle, "high": high, "edge": edges[0], "end": edges[1], "one": 1.0}
    base = alt.Chart(alt.InlineData(values=[values]))
    band = base.mark_rect(color=FAINT, opacity=0.18).encode(x=alt.X("edge:Q", scale=scale), x2="end:Q")
    one = base.mark_rule(color=FAINT, strokeDash=[3, 3]).encode(x=alt.X("one:Q", scale=scale))
    line = base.mark_rule(color=INK, strokeWidth=3).encode(x=x, x2="high:Q")
    dot = base.mark_point(filled=True, size=70, color=INK, opacity=1).encode(x=alt.X("middle:Q", scale=scale))
    return _page([alt.layer(band, one, line, dot).properties(width=WIDTH, height=36)])


def svg(spec: dict[str, Any]) -> str:
    """The picture as text; it refers to nothing outside itself."""
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(spec, vl_version=vega_version(), allowed_base_urls=[])
    return drawn


def png(spec: dict[str, Any]) -> bytes:
    """The picture's bytes, two pixels of the file for each of the chart."""
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(spec, vl_version=vega_version(), scale=2.0, allowed_base_urls=[])
    return drawn


def _page(plots: Sequence[Any]) -> dict[str, Any]:
    import altair as alt

    page = themed(plots[0] if len(plots) == 1 else alt.vconcat(*plots)).to_dict()
    inked: dict[str, Any] = _inked({**page, "background": PAPER, "padding": 10})
    return inked


def _inked(spec: Any) -> Any:
    """``spec`` in a colour of its own: outside a page there is no current one."""
    if isinstance(spec, dict):
        return {key: _inked(value) for key, value in spec.items()}
    if isinstance(spec, list):
        return [_inked(value) for value in spec]
    return INK if spec == "currentColor" else spec


def _roofline(chart: Chart, colours: dict[str, str]) -> Any:
    import altair as alt

    x, y = chart.x_range, chart.y_range
    axes = {
        "x": alt.X("x:Q", title="FLOP per byte", scale=alt.Scale(type="log", domain=x, nice=False)),
        "y": alt.Y("y:Q", title="GFLOP/s", scale=alt.Scale(type="log", domain=y, nice=False), axis=_decimal(alt)),
    }
    ends = [(s.label, "memory", e) for s, *e in slope_ends(chart, x)]
    ends += [(p.label, "compute", e) for p, *e in peak_ends(chart, x)]
    lines = [
        {"name": safe_text(name), "kind": kind, "x": at, "y": rate} for name, kind, both in ends for at, rate in both
    ]
    steep = (HEIGHT / decades(y)) / (WIDTH / decades(x))
    slopes = _slope_texts(chart, x, y)
    peaks = [{"x": x[1], "y": at, "text": safe_text(p.label)} for p, at in peak_labels(chart, y, HEIGHT)]
    dots = [_dot(dot.row, dot.intensity, dot.gflops, dot.row.roof_gflops) for dot in chart.dots]
    layers = [
        _lines(alt, lines, axes),
        _texts(alt, slopes, axes, align="left", dx=6, dy=-2, angle=_degrees(steep)),
        _texts(alt, peaks, axes, align="right", dx=-3, dy=-3, angle=0.0),
        _dots(alt, dots, axes, colours),
    ]
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT, title=f"Roofline, {threads_text(chart.threads)}")


def _bandwidths(dots: Sequence[Placed], drawn: Sequence[Curve], threads: int, colours: dict[str, str]) -> Any:
    import altair as alt

    lines: Values = [
        {"name": curve.mix, "kind": curve.mix, "x": size, "y": rate} for curve in drawn for size, rate in curve.points
    ]
    marks = [_dot(one.row, one.footprint_bytes, one.gbps, one.row.roof_gbps) for one in dots]
    xs, ys = [v["x"] for v in [*lines, *marks]], [v["y"] for v in [*lines, *marks]]
    x, y = (min(xs) / 1.5, max(xs) * 1.5), (min(ys) / 1.5, max(ys) * 1.6)
    ticks = alt.Axis(values=[2**p for p in range(10, 42, 4)], labelExpr=_BYTES)
    axes = {
        "x": alt.X("x:Q", title="working set", axis=ticks, scale=alt.Scale(type="log", base=2, domain=x, nice=False)),
        "y": alt.Y("y:Q", title="GB/s", scale=alt.Scale(type="log", domain=y, nice=False), axis=_decimal(alt)),
    }
    layers = [
        _lines(alt, lines, axes),
        _texts(alt, _curve_names(drawn), axes, align="right", dx=0, dy=-4, angle=0.0),
        _dots(alt, marks, axes, colours),
    ]
    title = f"Bandwidth, {threads_text(threads)}"
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT, title=title)


def _curve_names(drawn: Sequence[Curve]) -> Values:
    """The name of each curve over its right end; those that touch there share one."""
    made: Values = []
    for curve in sorted(drawn, key=lambda c: -c.points[-1][1]):
        size, rate = curve.points[-1]
        if made and rate * _TOUCHING > made[-1]["y"]:
            made[-1]["text"] += f", {curve.mix}"
        else:
            made.append({"x": size, "y": rate, "text": curve.mix})
    return made


def _decimal(alt: Any) -> Any:
    return alt.Axis(format="~g", labelOverlap=True)


def _degrees(steep: float) -> float:
    return 360 - degrees(atan(steep))


def _slope_texts(chart: Chart, x: Span, y: Span) -> Values:
    """The name of each slope, as much of it as there is line to stand on."""
    ends = {slope: end for slope, _, end in slope_ends(chart, x)}
    made: Values = []
    for slope, at in slope_labels(chart, x, y, HEIGHT):
        across, up = WIDTH / decades(x), HEIGHT / decades(y)
        run = max(0.0, log10(ends[slope][0] / at[0]))
        room = run * hypot(across, up)
        whole = safe_text(slope.label)
        text = whole if room > len(whole) * _CHARACTER_PX else safe_text(slope.level)
        made.append({"x": at[0], "y": at[1], "text": text})
    return made


def _dot(row: Row, x: float, y: float, roof: float | UnsetType) -> dict[str, Any]:
    known = {} if isinstance(roof, UnsetType) else {"roof": roof}
    return {"x": x, "y": y, "name": _shown(row.variant), **known}


def _shown(name: str) -> str:
    return clip(safe_text(name), _NAME_CHARACTERS)


def _lines(alt: Any, values: Values, axes: dict[str, Any]) -> Any:
    kinds = list(dict.fromkeys(value["kind"] for value in values))
    dashes = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4]]
    dash = alt.StrokeDash("kind:N", scale=alt.Scale(domain=kinds, range=dashes[: len(kinds)]), legend=None)
    base = alt.Chart(alt.InlineData(values=values)).mark_line(clip=True, color=INK, strokeWidth=1.2, opacity=0.5)
    return base.encode(**axes, detail="name:N", strokeDash=dash)


def _texts(alt: Any, values: Values, axes: dict[str, Any], **look: Any) -> Any:
    base = alt.Chart(alt.InlineData(values=values))
    return base.mark_text(baseline="bottom", color=FAINT, fontSize=10, clip=True, **look).encode(**axes, text="text:N")


def _dots(alt: Any, values: Values, axes: dict[str, Any], colours: dict[str, str]) -> Any:
    """A dot for each measurement, and a tick where its own roof is."""
    # All names on every plot: several plots of one picture share their colours and one legend.
    names, shades = list(colours), list(colours.values())
    legend = alt.Legend(title=None, columns=3, symbolType="circle", symbolStrokeWidth=0)
    colour = alt.Color("name:N", scale=alt.Scale(domain=names, range=shades), legend=legend)
    base = alt.Chart(alt.InlineData(values=values)).encode(x=axes["x"], color=colour)
    to_roof = base.transform_filter("isValid(datum.roof)")
    top = axes["y"].copy()
    top.shorthand = "roof:Q"
    rule = to_roof.mark_rule(strokeWidth=1.2, strokeDash=[2, 2], clip=True).encode(y=axes["y"], y2="roof:Q")
    tick = to_roof.mark_tick(orient="horizontal", size=16, thickness=2.2, clip=True).encode(y=top)
    dots = base.mark_point(filled=True, size=90, opacity=0.95, clip=True).encode(y=axes["y"])
    return alt.layer(rule, tick, dots)
