"""The interactive roofline as one Vega-Lite specification, built with Altair.

Vega paints with ``currentColor``, so the page's light or dark text colour is the chart's as well.
"""

import math
from collections.abc import Sequence
from typing import Any

from kernelbench.analysis.roofline import threads_text
from kernelbench.model import STYLES
from kernelbench.report.chart import Chart
from kernelbench.report.columns import COLUMNS, interval
from kernelbench.report.rows import Row
from kernelbench.report.text import safe_text
from kernelbench.report.theme import themed
from kernelbench.units import three_digits

HEIGHT = 460
"""Pixels of the plot."""

ALL = "all"

_COLOURS = dict(zip(STYLES, (
    "#8a8f98", "#d64550", "#e58a1f", "#b89b00", "#7cab2a", "#1f9d6b",
    "#12a5a5", "#2b9fd8", "#9457d6", "#d05aa8", "#a5714a", "#3f6fe0",
), strict=True))  # fmt: skip
_SHAPES = {"f32": "circle", "f64": "square", "i8": "triangle-up", "bf16": "diamond", "f16": "cross"}
_LABEL_GAP_PX = 15
_TIP = ("median", "interval", "gflops", "gbps", "intensity", "roof", "fraction", "bound", "roof_name",
        "naive", "library", "error", "flags")  # fmt: skip

Values = list[dict[str, Any]]


def spec(charts: Sequence[Chart]) -> dict[str, Any]:
    """The Vega-Lite specification of all charts in one, switched by thread count and by op.

    ``charts`` holds at least one. Axes cover all of them, so that switching moves no axis.
    """
    import altair as alt

    machines = {c.machine for c in charts}
    views = {_view(c, len(machines) > 1): c for c in charts}
    x = (min(c.x_range[0] for c in charts), max(c.x_range[1] for c in charts))
    y = (min(c.y_range[0] for c in charts), max(c.y_range[1] for c in charts))
    ops = [ALL, *dict.fromkeys(safe_text(d.row.op) for c in charts for d in c.dots)]
    params = [
        alt.param(name="view", value=next(iter(views)), bind=_choice(alt, list(views), "Threads: ")),
        alt.param(name="op", value=ALL, bind=_choice(alt, ops, "Op: ")),
    ]
    axes = {
        "x": alt.X("x:Q", title="FLOP per byte (modelled)", scale=alt.Scale(type="log", domain=x, nice=False)),
        "y": alt.Y("y:Q", title="GFLOP/s (GOP/s for integers)", scale=alt.Scale(type="log", domain=y, nice=False)),
    }
    lines = [row for view, chart in views.items() for row in _lines(view, chart, x)]
    layers = [
        _line_layer(alt, lines, axes),
        _slope_labels(alt, [r for v, c in views.items() for r in _slope_texts(v, c, x, y)], axes, x, y),
        _peak_labels(alt, [r for v, c in views.items() for r in _peak_texts(v, c, x, y)], axes),
        _ridge_layer(alt, [r for v, c in views.items() for r in _ridges(v, c)], axes),
        _dot_layer(alt, [r for v, c in views.items() for r in _dots(v, c)], axes),
    ]
    chart = alt.layer(*layers).add_params(*params).properties(width="container", height=HEIGHT)
    chart = chart.properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    described: dict[str, Any] = themed(chart).to_dict()
    return described


def _choice(alt: Any, options: list[str], name: str) -> Any:
    return alt.binding_select(options=options, name=name)


def _view(chart: Chart, name_machine: bool) -> str:
    return threads_text(chart.threads) + (f" on {safe_text(chart.machine)}" if name_machine else "")


def _lines(view: str, chart: Chart, x: tuple[float, float]) -> Values:
    """Two points a line; slopes end where the highest peak cuts them, peaks begin at the fastest slope."""
    fastest = max((s.gbps for s in chart.slopes), default=math.inf)
    top = max((p.gflops for p in chart.peaks), default=math.inf)
    rows: Values = []
    for slope in chart.slopes:
        end = min(x[1], top / slope.gbps)
        tip = {"view": view, "name": safe_text(slope.label), "dash": "memory"}
        rows += [{**tip, "x": at, "y": at * slope.gbps} for at in (x[0], end)]
    for peak in chart.peaks:
        start = max(x[0], peak.gflops / fastest)
        tip = {"view": view, "name": safe_text(peak.label), "dash": "compute"}
        rows += [{**tip, "x": at, "y": peak.gflops} for at in (start, x[1])]
    return rows


def _slope_texts(view: str, chart: Chart, x: tuple[float, float], y: tuple[float, float]) -> Values:
    """A label along each slope; the second of two slopes that lie close is moved along its line."""
    gap = 10 ** (_decades(y) * 1.4 * _LABEL_GAP_PX / HEIGHT)
    rows: Values = []
    last, moved = math.inf, False
    for slope in chart.slopes:
        moved = last / slope.gbps < gap and not moved
        start = max(x[0], y[0] / slope.gbps) * 10 ** (_decades(x) * (0.27 if moved else 0.03))
        rows.append({"view": view, "text": safe_text(slope.label), "x": start, "y": start * slope.gbps})
        last = slope.gbps
    return rows


def _peak_texts(view: str, chart: Chart, x: tuple[float, float], y: tuple[float, float]) -> Values:
    """A label over the right end of each peak, pushed up where the next lower one would touch it."""
    gap = 10 ** (_decades(y) * _LABEL_GAP_PX / HEIGHT)
    rows: Values = []
    lowest = 0.0
    for peak in reversed(chart.peaks):
        lowest = max(peak.gflops, lowest * gap)
        short = safe_text(f"{peak.dtype} {three_digits(peak.gflops)}")
        rows.append({"view": view, "long": safe_text(peak.label), "short": short, "x": x[1], "y": lowest})
    return rows


def _ridges(view: str, chart: Chart) -> Values:
    return [
        {
            "view": view,
            "name": f"ridge point: {safe_text(r.name)}",
            "x": r.intensity,
            "y": r.gflops,
            "at": f"{three_digits(r.intensity)} FLOP/B",
        }
        for r in chart.ridges
    ]


def _dots(view: str, chart: Chart) -> Values:
    return [
        {
            "view": view,
            "x": dot.intensity,
            "y": dot.gflops,
            "op": safe_text(dot.row.op),
            "style": safe_text(dot.row.style),
            "dtype": safe_text(dot.row.dtype),
            "case": safe_text(dot.row.case_id),
            **{key: _tip(key, dot.row) for key in _TIP},
        }
        for dot in chart.dots
    ]


def _tip(key: str, row: Row) -> str:
    text = interval(row) if key == "interval" else COLUMNS[key].text(row)
    return text or "does not apply"


def _in_view(layer: Any) -> Any:
    return layer.transform_filter("datum.view == view")


def _line_layer(alt: Any, values: Values, axes: dict[str, Any]) -> Any:
    base = alt.Chart(alt.InlineData(values=values)).mark_line(
        clip=True, color="currentColor", strokeWidth=1.4, opacity=0.55
    )
    dash = alt.StrokeDash("dash:N", scale=alt.Scale(domain=["memory", "compute"], range=[[1, 0], [6, 3]]), legend=None)
    return _in_view(base.encode(**axes, detail="name:N", strokeDash=dash, tooltip=alt.Tooltip("name:N")))


def _slope_labels(
    alt: Any, values: Values, axes: dict[str, Any], x: tuple[float, float], y: tuple[float, float]
) -> Any:
    # The text follows its line at any size of the plot: Vega works the angle out of its own width.
    steepness = f"(height / {_decades(y):.6f}) / (width / {_decades(x):.6f})"
    angle = alt.ExprRef(f"-atan({steepness}) * 180 / PI")
    mark = alt.Chart(alt.InlineData(values=values)).mark_text(
        align="left", baseline="bottom", dx=8, dy=-3, angle=angle, color="currentColor", fontSize=11, clip=True
    )
    return _in_view(mark.encode(**axes, text="text:N"))


def _peak_labels(alt: Any, values: Values, axes: dict[str, Any]) -> Any:
    mark = alt.Chart(alt.InlineData(values=values)).mark_text(
        align="right", baseline="bottom", dy=-4, dx=-4, color="currentColor", fontSize=11
    )
    # On a phone the full label would lie over the dots it belongs to.
    narrow = mark.transform_calculate(text="width < 500 ? datum.short : datum.long")
    return _in_view(narrow.encode(**axes, text="text:N"))


def _ridge_layer(alt: Any, values: Values, axes: dict[str, Any]) -> Any:
    mark = alt.Chart(alt.InlineData(values=values)).mark_point(
        shape="diamond", size=36, color="currentColor", filled=False, opacity=0.7, strokeWidth=1.2
    )
    return _in_view(mark.encode(**axes, tooltip=[alt.Tooltip("name:N"), alt.Tooltip("at:N", title="at")]))


def _dot_layer(alt: Any, values: Values, axes: dict[str, Any]) -> Any:
    styles = [s for s in STYLES if any(v["style"] == s for v in values)]
    dtypes = list(dict.fromkeys(v["dtype"] for v in values))
    picked = alt.selection_point(name="picked", fields=["style"], bind="legend")
    colour = alt.Color(
        "style:N",
        title="style (click to pick out)",
        scale=alt.Scale(domain=styles, range=[_COLOURS[s] for s in styles]),
        legend=alt.Legend(symbolType="circle", columns=alt.ExprRef("width < 500 ? 3 : 8")),
    )
    shape = alt.Shape(
        "dtype:N",
        title="type",
        scale=alt.Scale(domain=dtypes, range=[_SHAPES.get(d, "wedge") for d in dtypes]),
        legend=alt.Legend(
            symbolFillColor="currentColor",
            symbolStrokeColor="currentColor",
            columns=alt.ExprRef("width < 500 ? 1 : 8"),
        ),
    )
    tips = [alt.Tooltip("case:N", title="case")]
    tips += [alt.Tooltip(f"{k}:N", title="95% interval" if k == "interval" else COLUMNS[k].title) for k in _TIP]
    mark = alt.Chart(alt.InlineData(values=values)).mark_point(filled=True, size=85, strokeWidth=1.2)
    faded = alt.condition(picked, alt.value(0.9), alt.value(0.12))
    dots = mark.encode(**axes, color=colour, shape=shape, opacity=faded, tooltip=tips).add_params(picked)
    return _in_view(dots).transform_filter(f"op == '{ALL}' || datum.op == op")


def _decades(span: tuple[float, float]) -> float:
    return math.log10(span[1] / span[0])
