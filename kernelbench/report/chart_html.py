"""The interactive roofline as one Vega-Lite specification, built with Altair.

Vega paints with ``currentColor``, so the page's light or dark text colour is the chart's as well.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kernelbench.report.chart import Chart
from kernelbench.report.chart_lines import Span, decades, peak_ends, peak_labels, slope_ends, slope_labels
from kernelbench.report.chart_linked import HEIGHT, Values, View, dot, dot_layers, finished, of_view, shown
from kernelbench.report.page_legend import level_key, peak_key
from kernelbench.report.text import safe_text
from kernelbench.units import giga, three_digits


def spec(charts: Sequence[Chart], ids: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """The Vega-Lite specification of all charts in one, switched by machine and threads.

    ``charts`` holds at least one. ``ids``: (machine, case id) -> place among the rows, of the cases that get a dot.
    Axes cover all of them, so that switching moves no axis.
    """
    import altair as alt

    views = {View(c.machine, c.threads): c for c in charts}
    x = (min(c.x_range[0] for c in charts), max(c.x_range[1] for c in charts))
    y = (min(c.y_range[0] for c in charts), max(c.y_range[1] for c in charts))
    axes = {
        "x": alt.X("x:Q", title="FLOP per byte (modelled)", scale=alt.Scale(type="log", domain=x, nice=False)),
        "y": alt.Y("y:Q", title="GFLOP/s (GOP/s for integers)", scale=alt.Scale(type="log", domain=y, nice=False)),
    }
    dots = _dots(charts, ids)
    data = {
        "lines": [r for v, c in views.items() for r in _lines(v.key, c, x)],
        "slopes": [r for v, c in views.items() for r in _slope_texts(v.key, c, x, y)],
        "peaks": [r for v, c in views.items() for r in _peak_texts(v.key, c, y)],
        "ridges": [r for v, c in views.items() for r in _ridges(v.key, c)],
        "dots": dots,
    }
    layers = [
        _line_layer(alt, axes),
        _slope_labels(alt, axes, x, y),
        _peak_labels(alt, axes),
        _ridge_layer(alt, axes),
        *dot_layers(alt, dots, axes),
    ]
    return finished(alt, layers, list(views), data)


def _dots(charts: Sequence[Chart], ids: Mapping[tuple[str, str], int]) -> Values:
    """Slow cases, whose dots are large, first: a small dot lies on top."""
    placed = [(ids.get((d.row.machine, d.row.case_id), -1), d) for chart in charts for d in chart.dots]
    dots = [dot(id, d.row, d.intensity, d.gflops) for id, d in placed if id >= 0]
    return sorted(dots, key=lambda value: -value.get("time", 0.0))


def _lines(view: str, chart: Chart, x: Span) -> Values:
    """Two points a line."""
    rows: Values = []
    for slope, *ends in slope_ends(chart, x):
        tip = {"view": view, "key": level_key(slope.level), "name": safe_text(slope.label), "dash": "memory"}
        rows += [{**tip, "x": at, "y": rate} for at, rate in ends]
    for peak, *ends in peak_ends(chart, x):
        tip = {"view": view, "key": peak_key(peak.dtype), "name": safe_text(peak.label), "dash": "compute"}
        rows += [{**tip, "x": at, "y": rate} for at, rate in ends]
    return rows


def _slope_texts(view: str, chart: Chart, x: Span, y: Span) -> Values:
    rows: Values = []
    for slope, (at, rate) in slope_labels(chart, x, y, HEIGHT):
        short = safe_text(f"{slope.level} {giga(slope.gbps * 1e9)}")
        text = {"view": view, "key": level_key(slope.level), "long": safe_text(slope.label), "short": short}
        rows.append({**text, "x": at, "y": rate})
    return rows


def _peak_texts(view: str, chart: Chart, y: Span) -> Values:
    rows: Values = []
    for peak, at in peak_labels(chart, y, HEIGHT):
        short = safe_text(f"{peak.dtype} {three_digits(peak.gflops)}")
        text = {"view": view, "key": peak_key(peak.dtype), "long": safe_text(peak.label), "short": short}
        rows.append({**text, "y": at})
    return rows


def _ridges(view: str, chart: Chart) -> Values:
    """Ridge points, each with both its lines: hidden with either."""
    return [
        {
            "view": view,
            "key": peak_key(r.dtype),
            "other": level_key(r.level),
            "name": f"ridge point: {safe_text(r.name)}",
            "x": r.intensity,
            "y": r.gflops,
            "at": f"{three_digits(r.intensity)} FLOP/B",
        }
        for r in chart.ridges
    ]


def _line_layer(alt: Any, axes: dict[str, Any]) -> Any:
    base = alt.Chart(alt.NamedData("lines")).mark_line(clip=True, color="currentColor", strokeWidth=1.4, opacity=0.55)
    dash = alt.StrokeDash("dash:N", scale=alt.Scale(domain=["memory", "compute"], range=[[1, 0], [6, 3]]), legend=None)
    tip = alt.Tooltip("name:N", title="ceiling")
    return shown(of_view(base.encode(**axes, detail="name:N", strokeDash=dash, tooltip=tip)))


def _slope_labels(alt: Any, axes: dict[str, Any], x: Span, y: Span) -> Any:
    # The text follows its line at any size of the plot: Vega works the angle out of its own width. Zooming
    # scales both axes alike, so it follows then as well.
    steepness = f"(height / {decades(y):.6f}) / (width / {decades(x):.6f})"
    angle = alt.ExprRef(f"-atan({steepness}) * 180 / PI")
    mark = alt.Chart(alt.NamedData("slopes")).mark_text(
        align="left", baseline="bottom", dx=8, dy=-3, angle=angle, color="currentColor", fontSize=11, clip=True
    )
    return shown(of_view(_narrowed(mark).encode(**axes, text="text:N")))


def _narrowed(mark: Any) -> Any:
    """On a phone the full label would lie over the dots it belongs to."""
    return mark.transform_calculate(text="width < 500 ? datum.short : datum.long")


def _peak_labels(alt: Any, axes: dict[str, Any]) -> Any:
    mark = alt.Chart(alt.NamedData("peaks")).mark_text(
        align="right", baseline="bottom", dy=-4, dx=-4, color="currentColor", fontSize=11, clip=True
    )
    # At the plot's edge, wherever the axis is moved to.
    return shown(of_view(_narrowed(mark).encode(x=alt.XValue("width"), y=axes["y"], text="text:N")))


def _ridge_layer(alt: Any, axes: dict[str, Any]) -> Any:
    mark = alt.Chart(alt.NamedData("ridges")).mark_point(
        shape="diamond", size=36, color="currentColor", filled=False, opacity=0.7, strokeWidth=1.2, clip=True
    )
    tips = [alt.Tooltip("name:N", title="ceiling"), alt.Tooltip("at:N", title="at")]
    both = shown(of_view(mark.encode(**axes, tooltip=tips).properties(name="ridges")))
    return both.transform_filter("indexof(hidden, datum.other) < 0")
