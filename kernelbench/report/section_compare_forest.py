"""Every ratio with its interval, one line a cell: the forest plot of a comparison."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec import UnsetType

from kernelbench.analysis.cell import VERDICTS, Cell
from kernelbench.report.columns import show
from kernelbench.report.comparison_pair import Pair, gravest, headings
from kernelbench.report.comparison_words import interval_text, number_form, ratio_text
from kernelbench.report.section import Figure, Section
from kernelbench.report.section_compare_found import LOOKS
from kernelbench.report.text import clip, safe_text
from kernelbench.report.theme import themed
from kernelbench.units import percent

MOST_ROWS = 200
"""Cells of one comparison that are drawn: beyond that nobody reads line by line."""

ROW_PX = 26
_NAME = 58
"""Characters of a case id beside its line."""
_NARROW_PX = 640
"""Below this width of the drawing names stand above their lines: beside them they would leave no room."""
_WIDEST = 4.0
"""Ratios beyond this factor are drawn at the edge: one of them would press all others together."""
_TICKS = (0.25, 0.33, 0.5, 0.67, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0)

Values = list[dict[str, Any]]


def section(pairs: Sequence[Pair]) -> Section:
    """The forest plot; without one cell that has a ratio, why there is none."""
    title, about = (
        "Ratios",
        (
            "Time of NEW over time of BASE: right of 1 is slower. A line is the 95% interval of that cell alone, the "
            "shaded band its threshold; the verdict is judged for all cells at once. Cells that moved furthest first."
        ),
    )
    drawn = [chosen(pair.comparison.cells) for pair in pairs]
    if not any(drawn):
        return Section("ratios", title, "No cell has a time on both sides: there is no ratio to draw.")
    names = headings(pairs)
    views = [_values(name, cells, pair) for name, cells, pair in zip(names, drawn, pairs, strict=True) if cells]
    figure = Figure("forest", "Ratio NEW/BASE", spec(views), _alt(pairs))
    many = len(pairs) > 1
    left = [
        _left(f"{name}: " if many else "", pair, cells) for name, pair, cells in zip(names, pairs, drawn, strict=True)
    ]
    edge = any(_beyond(cell) for cells in drawn for cell in cells)
    far = [f"Ratios beyond {ratio_text(_WIDEST)} or its inverse are drawn at the edge; their numbers are right."] * edge
    return Section("ratios", title, about, (figure,), tuple(filter(None, [*left, *far])))


def chosen(cells: Sequence[Cell]) -> list[Cell]:
    """The cells that are drawn, in order: all with a ratio, or of too many only what changed, at most ``MOST_ROWS``."""
    those = gravest([cell for cell in cells if not isinstance(cell.ratio, UnsetType)])
    if len(those) <= MOST_ROWS:
        return those
    changed = [cell for cell in those if cell.verdict != "unchanged"]
    return (changed or those)[:MOST_ROWS]


def spec(views: Sequence[Values]) -> dict[str, Any]:
    """The Vega-Lite specification, with a choice of NEW where there are several ``views``."""
    import altair as alt

    values = [value for view in views for value in view]
    low, high = _domain(values)
    params = [alt.param(name="narrow", expr=f"containerSize()[0] < {_NARROW_PX}")]
    if len(views) > 1:
        options = [view[0]["view"] for view in views]
        params.append(alt.param(name="view", value=options[0], bind=alt.binding_select(options=options, name="NEW: ")))
    scale = alt.Scale(type="log", domain=[low, high], nice=False, clamp=True)
    axis = alt.Axis(
        orient="top", values=[t for t in _TICKS if low <= t <= high], format=".3~r", labelOverlap=True, tickSize=4
    )
    along = {"title": "time of NEW / time of BASE", "scale": scale, "axis": axis}
    y = alt.Y(
        "name:N",
        sort=alt.EncodingSortField("rank", op="min"),
        title=None,
        scale=alt.Scale(type="band", paddingInner=0, paddingOuter=0, range=_rows(alt, views)),
        axis=alt.Axis(labelExpr="narrow ? '' : datum.label", labelLimit=420, ticks=False, domain=False, labelPadding=8),
    )
    chart = alt.layer(*_layers(alt, values, along, y), data=alt.InlineData(values=values)).add_params(*params)
    if len(views) > 1:
        chart = chart.transform_filter("datum.view == view")
    chart = chart.properties(width="container", height=ROW_PX * max(map(len, views)))
    chart = chart.properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    described: dict[str, Any] = themed(chart).to_dict()
    return described


def _rows(alt: Any, views: Sequence[Values]) -> list[Any]:
    """Where the lines of the chosen view begin and end, so that they are as high in a short one as in a long one."""
    if len(views) == 1:
        return [0, ROW_PX * len(views[0])]
    return [0, alt.ExprRef(f"{ROW_PX} * {json.dumps({view[0]['view']: len(view) for view in views})}[view]")]


def _layers(alt: Any, values: Values, along: dict[str, Any], y: Any) -> list[Any]:
    met = [verdict for verdict in VERDICTS if any(value["verdict"] == verdict for value in values)]
    legend = alt.Legend(orient="top", columns=alt.ExprRef("narrow ? 2 : 5"), offset=6, symbolSize=90)
    looks = [LOOKS[verdict] for verdict in met]
    colour = alt.Color("verdict:N", scale=alt.Scale(domain=met, range=[k.colour for k in looks]), legend=legend)
    shape = alt.Shape("verdict:N", scale=alt.Scale(domain=met, range=[k.shape for k in looks]), legend=legend)
    tips = [alt.Tooltip(f"{key}:N", title=title) for key, title in _TIPS.items()]
    base, one = alt.Chart(), alt.Chart(alt.InlineData(values=[{}]))
    # Where names stand above their lines, the lines give way by less than what parts them from the next name.
    below = alt.ExprRef("narrow ? 5 : 0")
    return [
        base.mark_rect(aria=False, color="currentColor", opacity=0.07).encode(
            x=alt.X("band_low:Q", **along), x2="band_high", y=y
        ),
        one.mark_rule(aria=False, color="currentColor", opacity=0.5).encode(x=alt.XDatum(1.0, **along)),
        base.mark_rule(aria=False, strokeWidth=2, yOffset=below, y2Offset=below).encode(
            x=alt.X("low:Q", **along), x2="high", y=y, color=colour, tooltip=tips
        ),
        base.mark_point(aria=False, filled=True, size=80, opacity=1, yOffset=below).encode(
            x=alt.X("ratio:Q", **along), y=y, color=colour, shape=shape, tooltip=tips
        ),
        base.mark_text(
            aria=False, align="right", color="currentColor", fontSize=11, dx=-4, dy=alt.ExprRef("narrow ? -5.5 : 0")
        ).encode(x=alt.value("width"), y=y, text="number:N"),
        base.mark_text(aria=False, align="left", color="currentColor", fontSize=10.5, dy=-5.5)
        .encode(x=alt.value(0), y=y, text=alt.Text("short:N"))
        .transform_filter("narrow"),
    ]


_TIPS = {
    "case": "case", "verdict": "verdict", "number": "ratio", "interval": "95% interval", "base": "BASE", "new": "NEW",
    "threshold": "threshold", "reason": "why",
}  # fmt: skip


def _values(view: str, cells: Sequence[Cell], pair: Pair) -> Values:
    form = number_form(pair.comparison.basis)
    met: Counter[str] = Counter()
    rows: Values = []
    for rank, cell in enumerate(cells):
        name = clip(safe_text(cell.case_id), _NAME)
        met[name] += 1
        ends = [cell.ratio if isinstance(end, UnsetType) else end for end in (cell.ci_low, cell.ci_high)]
        low, ratio, high = (_clamped(end) for end in (ends[0], cell.ratio, ends[1]))
        threshold = pair.comparison.threshold if isinstance(cell.threshold, UnsetType) else cell.threshold
        rows.append({
            "view": view, "rank": rank, "verdict": cell.verdict, "case": safe_text(cell.case_id),
            "name": name if met[name] == 1 else f"{name} ({met[name]})", "short": clip(safe_text(cell.case_id), 38),
            "ratio": ratio, "low": low, "high": high, "band_low": 1 / (1 + threshold), "band_high": 1 + threshold,
            "number": show(cell.ratio, ratio_text), "interval": interval_text(cell) or "none: too few rounds",
            "base": show(cell.base, form), "new": show(cell.new, form), "threshold": percent(threshold),
            "reason": safe_text(cell.reason),
        })  # fmt: skip
    return rows


def _clamped(ratio: float | UnsetType) -> float | UnsetType:
    return ratio if isinstance(ratio, UnsetType) else min(_WIDEST, max(1 / _WIDEST, ratio))


def _domain(values: Values) -> tuple[float, float]:
    """The ratios shown: all of them, their intervals and thresholds, and room at the right for the numbers."""
    low = min(min(v["low"], v["band_low"]) for v in values)
    high = max(max(v["high"], v["band_high"]) for v in values)
    span = math.log(high / low)
    return low * math.exp(-0.04 * span), high * math.exp(0.14 * span)


def _beyond(cell: Cell) -> bool:
    ends = [end for end in (cell.ratio, cell.ci_low, cell.ci_high) if not isinstance(end, UnsetType)]
    return any(not 1 / _WIDEST <= end <= _WIDEST for end in ends)


def _left(lead: str, pair: Pair, drawn: Sequence[Cell]) -> str:
    """What is not drawn, in a sentence; empty when all is."""
    total = sum(not isinstance(cell.ratio, UnsetType) for cell in pair.comparison.cells)
    if len(drawn) == total:
        return ""
    what = "no cell changed: those that moved most" if drawn[0].verdict == "unchanged" else "all but the unchanged"
    drawn_of = f"{lead}{len(drawn)} of {total} cells with a ratio are drawn"
    return f"{drawn_of} ({what}, the gravest first); --format json has all."


def _alt(pairs: Sequence[Pair]) -> str:
    shown = sum(len(chosen(pair.comparison.cells)) for pair in pairs)
    return f"Forest plot of {shown} ratios with their intervals, coloured and shaped by verdict. The table has all."
