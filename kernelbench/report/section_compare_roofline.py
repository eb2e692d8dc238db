"""The roofline of a comparison: an arrow from BASE's dot to NEW's, under NEW's ceilings."""

from collections.abc import Sequence
from typing import Any

from msgspec import UnsetType

from kernelbench.analysis.ladder import usable
from kernelbench.report.chart_lines import Span, decades, peak_ends, peak_labels, slope_ends, slope_labels
from kernelbench.report.columns import COLUMNS, show
from kernelbench.report.comparison_pair import Pair, headings
from kernelbench.report.section import Figure, Head, Section, Table
from kernelbench.report.section_compare_arrows import MOST_ARROWS, Arrow, Thinned, View, arrows, views
from kernelbench.report.text import safe_text
from kernelbench.report.theme import themed
from kernelbench.units import giga, three_digits

HEIGHT = 440
"""Pixels of the plot."""

SIDES = {"BASE": "#c98a12", "NEW": "#3b82e0"}
"""Both read on white and on #1c2026, and differ in lightness for who sees no colour."""

_CHANGED = ("regressed", "improved", "failed")

Values = list[dict[str, Any]]


def section(pairs: Sequence[Pair]) -> Section:
    """The roofline with arrows, or why there is none."""
    title = "Roofline, from BASE to NEW"
    drawn = [arrows(pair) for pair in pairs]
    names = headings(pairs)
    shown = [
        view
        for name, pair, thinned in zip(names, pairs, drawn, strict=True)
        for view in views(pair, thinned.arrows, f"{name}, " if len(pairs) > 1 else "")
    ]
    if not shown:
        return Section("roofline", title, _why_none(pairs))
    about = (
        "An arrow leads from BASE (hollow) to NEW (filled), at each side's best sample; the verdicts compare medians. "
        "Lines are NEW's ceilings, slopes the bandwidths of the memory levels. What changed is drawn strong."
    )
    left = [_left(name if len(pairs) > 1 else "", thinned) for name, thinned in zip(names, drawn, strict=True)]
    figure = Figure("arrows", "Rate over intensity", spec(shown), _alt(shown), _table(shown))
    return Section("roofline", title, about, (figure,), tuple(filter(None, left)))


def spec(shown: Sequence[View]) -> dict[str, Any]:
    """The Vega-Lite specification of all views in one; axes cover all, so that switching moves no axis."""
    import altair as alt

    x, y = _spans(shown)
    axes = {
        "x": alt.X("x:Q", title="FLOP per byte (modelled)", scale=alt.Scale(type="log", domain=x, nice=False)),
        "y": alt.Y("y:Q", title="GFLOP/s (GOP/s for integers)", scale=alt.Scale(type="log", domain=y, nice=False)),
    }
    names = [view.name for view in shown]
    bind = alt.binding_select(options=names, name="Show: ") if len(names) > 1 else alt.Undefined
    param = alt.param(name="view", value=names[0], bind=bind)
    moves = [value for view in shown for value in _moves(view)]
    layers = [
        *_ceiling_layers(alt, shown, axes, x, y),
        *_arrow_layers(alt, moves, axes, x, y),
    ]
    layers = [layer.transform_filter("datum.view == view") for layer in layers]
    chart = alt.layer(*layers).add_params(param).properties(width="container", height=HEIGHT)
    chart = chart.properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    described: dict[str, Any] = themed(chart).to_dict()
    return described


def _spans(shown: Sequence[View]) -> tuple[Span, Span]:
    starts = [arrow.start for view in shown for arrow in view.arrows]
    x = (min(v.chart.x_range[0] for v in shown), max(v.chart.x_range[1] for v in shown))
    y = (min(v.chart.y_range[0] for v in shown), max(v.chart.y_range[1] for v in shown))
    xs, ys = [at for at, _ in starts], [at for _, at in starts]
    return (min(x[0], min(xs) / 2), max(x[1], max(xs) * 2)), (min(y[0], min(ys) / 1.5), max(y[1], max(ys) * 1.5))


def _ceiling_layers(alt: Any, shown: Sequence[View], axes: dict[str, Any], x: Span, y: Span) -> list[Any]:
    lines = alt.Chart(alt.InlineData(values=[row for view in shown for row in _lines(view, x)]))
    drawn = lines.mark_line(aria=False, clip=True, color="currentColor", strokeWidth=1.3, opacity=0.5).encode(
        **axes, detail="text:N", tooltip=alt.Tooltip("text:N", title="ceiling of NEW")
    )
    words = alt.Chart(alt.InlineData(values=[row for view in shown for row in _labels(view, x, y)]))
    text = {"baseline": "bottom", "color": "currentColor", "fontSize": 11, "clip": True}
    # The text follows its slope at any size of the plot: Vega works the angle out of its own width.
    angle = alt.ExprRef(f"-atan((height / {decades(y):.5f}) / (width / {decades(x):.5f})) * 180 / PI")
    level = words.mark_text(aria=False, align="right", dx=-4, dy=-3, **text).encode(**axes, text="shown:N")
    level = level.transform_filter("datum.level").transform_calculate(shown="width < 500 ? datum.short : datum.text")
    slope = words.mark_text(aria=False, align="left", dx=8, dy=-3, angle=angle, **text).encode(**axes, text="text:N")
    return [drawn, level, slope.transform_filter("!datum.level")]


def _arrow_layers(alt: Any, moves: Values, axes: dict[str, Any], x: Span, y: Span) -> list[Any]:
    scale = alt.Scale(domain=list(SIDES), range=list(SIDES.values()))
    legend = alt.Legend(title=None, symbolType="circle", symbolOpacity=1)
    strength = alt.Opacity("strength:Q", scale=None, legend=None)
    tips = [alt.Tooltip(f"{key}:N", title=title) for key, title in _TIPS.items()]
    base = alt.Chart(alt.InlineData(values=moves))
    ends = base.transform_calculate(x="datum.x2", y="datum.y2", side="'NEW'")
    # Clockwise from straight up, in pixels: the head must point along the line whatever the window's width.
    across = f"log(datum.x2 / datum.x) * width / {decades(x):.5f}"
    up = f"log(datum.y2 / datum.y) * height / {decades(y):.5f}"
    heads = base.transform_calculate(turn=f"atan2({across}, {up}) * 180 / PI", dx=across, dy=up)
    heads = heads.transform_filter("datum.dx * datum.dx + datum.dy * datum.dy > 250")
    heads = heads.transform_calculate(x="datum.x2", y="datum.y2")
    starts = base.transform_calculate(side="'BASE'").mark_point(aria=False, filled=False, size=46, strokeWidth=1.6)
    return [
        base.mark_rule(aria=False, strokeWidth=1.6, color=SIDES["NEW"]).encode(
            **axes, x2="x2:Q", y2="y2:Q", opacity=strength, tooltip=tips
        ),
        starts.encode(**axes, color=alt.Color("side:N", scale=scale, legend=legend), opacity=strength, tooltip=tips),
        ends.mark_point(aria=False, filled=True, size=46).encode(
            **axes, color=alt.Color("side:N", scale=scale, legend=legend), opacity=strength, tooltip=tips
        ),
        heads.mark_point(aria=False, filled=True, shape="triangle-up", size=150, color=SIDES["NEW"]).encode(
            **axes, angle=alt.Angle("turn:Q", scale=None), opacity=strength, tooltip=tips
        ),
    ]


_TIPS = {
    "case": "case", "verdict": "verdict", "base": "BASE", "new": "NEW", "base_roof": "% roof in BASE",
    "new_roof": "% roof in NEW", "intensity": "FLOP/B",
}  # fmt: skip


def _moves(view: View) -> Values:
    return [
        {
            "view": view.name, "x": a.start[0], "y": a.start[1], "x2": a.end[0], "y2": a.end[1], "verdict": a.verdict,
            "strength": 1.0 if a.verdict in _CHANGED else 0.35, "case": safe_text(a.new.case_id),
            **dict(zip(("base", "new", "base_roof", "new_roof", "intensity"), _numbers(a), strict=True)),
        }
        for a in view.arrows
    ]  # fmt: skip


def _numbers(arrow: Arrow) -> tuple[str, ...]:
    unit = "GOP/s" if arrow.new.dtype in ("i8", "u8", "i32") else "GFLOP/s"
    rates = [f"{show(row.gflops, three_digits)} {unit}" for row in (arrow.base, arrow.new)]
    roofs = [COLUMNS["fraction"].text(row) or "no roof" for row in (arrow.base, arrow.new)]
    return (*rates, *roofs, show(arrow.new.intensity, three_digits))


def _lines(view: View, x: Span) -> Values:
    """Two points a line."""
    slopes = [(slope.label, ends) for slope, *ends in slope_ends(view.chart, x)]
    peaks = [(peak.label, ends) for peak, *ends in peak_ends(view.chart, x)]
    return [
        {"view": view.name, "text": safe_text(label), "x": at, "y": rate}
        for label, ends in (*slopes, *peaks)
        for at, rate in ends
    ]


def _labels(view: View, x: Span, y: Span) -> Values:
    rows: Values = [
        {"view": view.name, "level": False, "text": safe_text(slope.label), "x": at, "y": rate}
        for slope, (at, rate) in slope_labels(view.chart, x, y, HEIGHT)
    ]
    for peak, rate in peak_labels(view.chart, y, HEIGHT):
        words = {"text": safe_text(peak.label), "short": safe_text(f"{peak.dtype} {giga(peak.gflops * 1e9)}")}
        rows.append({"view": view.name, "level": True, **words, "x": x[1], "y": rate})
    return rows


def _table(shown: Sequence[View]) -> Table:
    titles = ("case", *_TIPS.values())[1:]
    heads = tuple(Head(title, numeric=i > 1) for i, title in enumerate(titles))
    lines = [(safe_text(a.new.case_id), a.verdict, *_numbers(a)) for view in shown for a in view.arrows]
    return Table(heads, tuple(lines))


def _why_none(pairs: Sequence[Pair]) -> str:
    if all(pair.in_turns for pair in pairs):
        return "No roofline: a paired comparison measures the two sides against each other, not against ceilings."
    if not any(usable(pair.new.ceilings, kind) for pair in pairs for kind in ("compute", "memory")
               if not isinstance(pair.new, UnsetType)):  # fmt: skip
        return "No roofline: NEW holds no ceilings."
    return "No roofline: no cell has FLOP, bytes and a time on both sides."


def _left(name: str, thinned: Thinned) -> str:
    if thinned.total <= MOST_ARROWS:
        return ""
    lead = f"{name}: " if name else ""
    return f"{lead}{len(thinned.arrows)} of {thinned.total} cells with FLOP are drawn, the gravest first."


def _alt(shown: Sequence[View]) -> str:
    number = sum(len(view.arrows) for view in shown)
    return f"Roofline with an arrow from BASE to NEW for {number} cells, under the ceilings of NEW. A table follows."
