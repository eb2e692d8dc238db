"""Time against error in Vega-Lite, by Altair: its Pareto front marked, a problem at a time."""

import math
from collections.abc import Sequence
from typing import Any

from msgspec import UnsetType

from kernelbench.model import STYLES
from kernelbench.report.columns import COLUMNS, name
from kernelbench.report.palette import COLOURS, OTHER_COLOUR, OTHER_SHAPE, SHAPES
from kernelbench.report.quantization import ROUNDED, Point, Problem
from kernelbench.report.quantization_text import HEADS, cells
from kernelbench.report.text import safe_text
from kernelbench.report.theme import themed

HEIGHT = 420
"""Pixels of the plot."""

Values = list[dict[str, Any]]

_NAME_DECADES, _NAME_SHARE = 1.0, 0.05
"""Room that a name takes: decades of error, and share of the plot's height."""

_TIPS = ("case", "type", "median", "±", "RMS error", "SNR (dB)", "bytes moved", "bytes prepared", "x f32", "front")

_TIME = (
    # Of the nine steps of a decade only 1, 2 and 5: more would lie over one another.
    "indexof(['1', '2', '5'], substring(format(datum.value, '.0e'), 0, 1)) < 0 ? '' : "
    "datum.value >= 1 ? format(datum.value, '~g') + ' s' : "
    "datum.value >= 1e-3 ? format(datum.value * 1e3, '~g') + ' ms' : "
    "datum.value >= 1e-6 ? format(datum.value * 1e6, '~g') + ' us' : format(datum.value * 1e9, '~g') + ' ns'"
)
_BYTES = (
    "datum.value >= 1073741824 ? format(datum.value / 1073741824, '.3~r') + ' GiB' : "
    "datum.value >= 1048576 ? format(datum.value / 1048576, '.3~r') + ' MiB' : "
    "datum.value >= 1024 ? format(datum.value / 1024, '.3~r') + ' KiB' : format(datum.value, '~r') + ' B'"
)
"""Labels in the units of ``units.seconds`` and ``units.size_bytes``: of ticks, which stand at round numbers."""


def spec(drawn: Sequence[Problem], first: Problem) -> dict[str, Any]:
    """The Vega-Lite specification of all ``drawn``, switched by a select that begins with ``first``, one of them.

    One error axis for all of them, so that switching moves no error; exact points stand at its left end.
    """
    import altair as alt

    titles = [problem.title for problem in drawn]
    choice = alt.binding_select(options=titles, name="Problem: ")
    low, high = edges([point.error for problem in drawn for point in problem.points])
    exact = any(point.error == 0 for problem in drawn for point in problem.points)
    axes = _axes(alt, low, high, exact)
    marks = [mark for problem in drawn for mark in _marks(problem, low)]
    data = {
        "lines": [line for problem in drawn for line in _base(problem, low, high)],
        "steps": [step for problem in drawn for step in _steps(problem, low, high)],
        "marks": marks,
    }
    layers = [
        _base_layer(alt, axes),
        _front_layer(alt, axes),
        _mark_layer(alt, marks, axes, filled=False),
        _mark_layer(alt, marks, axes, filled=True),
        _name_layer(alt, axes),
    ]
    params = [
        alt.param(name="problem", value=first.title, bind=choice),
        alt.param(name="spans", value={problem.title: _span(problem) for problem in drawn}),
        alt.param(name="sizes", value={problem.title: _sizes(problem) for problem in drawn}),
    ]
    chart = alt.layer(*layers).add_params(*params)
    chart = chart.properties(width="container", height=HEIGHT)
    chart = chart.properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    described: dict[str, Any] = themed(chart).to_dict()
    # Three legends side by side would be cut off on a phone.
    stacked = {"signal": "width < 700 ? 'vertical' : 'horizontal'"}
    described["config"]["legend"]["layout"] = {"bottom": {"anchor": "start", "direction": stacked, "margin": 22}}
    # Put in after Altair has checked the description: to check the data as well takes it seconds.
    return described | {"datasets": data}


def edges(errors: Sequence[float]) -> tuple[float, float]:
    """Powers of ten around all errors: exact points stand on the left one, a decade below the others."""
    inexact = [one for one in errors if one > 0] or [1e-8]
    low = math.floor(math.log10(min(inexact))) - (1 if 0 in errors else 0)
    # Names stand to the right of their marks.
    return 10.0**low, 10.0 ** max(low + 2, math.ceil(math.log10(max(inexact)) + 0.5))


def _span(problem: Problem) -> list[float]:
    """The time axis of a problem, with room for marks and names at both ends."""
    times = [point.median_s for point in problem.points]
    room = 1.15 * (max(times) / min(times)) ** 0.08
    return [min(times) / room**1.5, max(times) * room]


def _sizes(problem: Problem) -> list[float]:
    """Bytes moved that the legend shows: the least and the most."""
    moved = [point.moved_bytes for point in problem.points if not isinstance(point.moved_bytes, UnsetType)]
    return sorted({min(moved), max(moved)}) if moved else [1.0]


def _named(problem: Problem) -> set[str]:
    """Case ids of the front that have room for their names, the fastest first."""
    top, bottom = (math.log10(time) for time in reversed(_span(problem)))
    kept: list[tuple[float, float, str]] = []
    for point in reversed(problem.front):
        x, y = math.log10(max(point.error, 1e-30)), (math.log10(point.median_s) - bottom) / (top - bottom)
        if all(abs(x - other[0]) > _NAME_DECADES or abs(y - other[1]) > _NAME_SHARE for other in kept):
            kept.append((x, y, point.row.case_id))
    return {case_id for _, _, case_id in kept}


def _axes(alt: Any, low: float, high: float, exact: bool) -> dict[str, Any]:
    decades = [10.0**n for n in range(round(math.log10(low)), round(math.log10(high)) + 1)]
    scale = alt.Scale(type="log", domain=[low / (1.5 if exact else 1.0), high], nice=False)
    number = "replace(format(datum.value, '.0e'), '+', '')"
    words = f"datum.value < {low * 1.1:e} ? 'exact' : {number}" if exact else number
    return {
        "x": alt.X(
            "x:Q",
            title="error: RMS of it over RMS of the result",
            scale=scale,
            axis=alt.Axis(values=decades, labelExpr=words, labelOverlap="greedy", labelSeparation=8),
        ),
        "y": alt.Y(
            "y:Q",
            title="median time per call",
            scale=alt.Scale(type="log", domain=[alt.ExprRef(f"spans[problem][{i}]") for i in (0, 1)], nice=False),
            axis=alt.Axis(labelExpr=_TIME, labelOverlap=False),
        ),
    }


def _marks(problem: Problem, low: float) -> Values:
    named = _named(problem)
    return [_mark(problem, p, low, name(p.row) if p.row.case_id in named else "") for p in problem.points]


def _mark(problem: Problem, point: Point, low: float, label: str) -> dict[str, Any]:
    texts = dict(zip((head.title for head in HEADS), cells(problem, point), strict=True))
    return {
        "problem": problem.title,
        "x": max(point.error, low),
        "y": point.median_s,
        "style": safe_text(point.row.style),
        "kind": point.kind,
        "bytes": 0.0 if isinstance(point.moved_bytes, UnsetType) else point.moved_bytes,
        "name": label,
        "front": "yes" if point.on_front else "no",
        **{f"tip{i}": texts[title] or "does not apply" for i, title in enumerate(_TIPS[:-1])},
    }


def _steps(problem: Problem, low: float, high: float) -> Values:
    """The corners of the front, led on to the right edge: what is there is no slower than the last."""
    corners = [(max(point.error, low), point.median_s) for point in problem.front]
    corners.append((high, corners[-1][1]))
    return [{"problem": problem.title, "x": x, "y": y} for x, y in corners]


def _base(problem: Problem, low: float, high: float) -> Values:
    if isinstance(problem.baseline, UnsetType):
        return []
    at, row = problem.baseline.median_s, problem.baseline.row
    text = f"fastest plain f32: {name(row)}, {COLUMNS['median'].text(row)}"
    return [{"problem": problem.title, "x": x, "y": at, "text": text} for x in (low, high)]


def _chosen(layer: Any) -> Any:
    return layer.transform_filter("datum.problem == problem")


def _base_layer(alt: Any, axes: dict[str, Any]) -> Any:
    base = _chosen(alt.Chart(alt.NamedData("lines")))
    line = base.mark_line(color="currentColor", strokeDash=[5, 4], strokeWidth=1.2, opacity=0.6, clip=True)
    text = base.mark_text(align="right", baseline="bottom", dx=-4, dy=-4, fontSize=11, color="currentColor")
    # Only one of the line's two ends carries the words.
    at_right = text.transform_joinaggregate(right="max(x)").transform_filter("datum.x == datum.right")
    words = at_right.transform_filter("width > 500")
    return alt.layer(line.encode(**axes), words.encode(**axes, text="text:N"))


def _front_layer(alt: Any, axes: dict[str, Any]) -> Any:
    mark = alt.Chart(alt.NamedData("steps")).mark_line(
        interpolate="step-after", color="currentColor", strokeWidth=1.8, opacity=0.75, clip=True
    )
    return _chosen(mark.encode(**axes))


def _mark_layer(alt: Any, values: Values, axes: dict[str, Any], *, filled: bool) -> Any:
    styles = [s for s in STYLES if any(v["style"] == s for v in values)]
    styles += sorted({v["style"] for v in values} - set(styles))
    kinds = list(dict.fromkeys(v["kind"] for v in values))
    colours = alt.Scale(domain=styles, range=[COLOURS.get(s, OTHER_COLOUR) for s in styles])
    colour = alt.Color(
        "style:N",
        scale=colours,
        legend=alt.Legend(symbolType="circle", columns=alt.ExprRef("width < 500 ? 3 : 12")),
    )
    ink = {"symbolStrokeColor": "currentColor", "symbolFillColor": "transparent"}
    shape = alt.Shape(
        "kind:N",
        title="type",
        scale=alt.Scale(domain=kinds, range=[_shape(kind) for kind in kinds]),
        legend=alt.Legend(columns=alt.ExprRef("width < 500 ? 1 : 4"), **ink),
    )
    size = alt.Size(
        "bytes:Q",
        title="bytes moved",
        scale=alt.Scale(range=[30, 300], domain=[0, alt.ExprRef("peek(sizes[problem])")]),
        legend=alt.Legend(labelExpr=_BYTES, values=alt.ExprRef("sizes[problem]"), columns=2, columnPadding=18, **ink),
    )
    tips = [alt.Tooltip(f"tip{i}:N", title=title) for i, title in enumerate(_TIPS[:-1])]
    tips.append(alt.Tooltip("front:N", title="on the front"))
    mark = alt.Chart(alt.NamedData("marks")).mark_point(filled=filled, strokeWidth=1.6, opacity=0.9)
    shown = _chosen(mark).transform_filter(f"datum.front == '{'yes' if filled else 'no'}'")
    return shown.encode(**axes, color=colour, shape=shape, size=size, tooltip=tips)


def _shape(kind: str) -> str:
    return "triangle-left" if kind.endswith(ROUNDED) else SHAPES.get(kind, OTHER_SHAPE)


def _name_layer(alt: Any, axes: dict[str, Any]) -> Any:
    """Names of the front's marks, below the line: by its meaning there is nothing there."""
    mark = alt.Chart(alt.NamedData("marks")).mark_text(
        align="left", baseline="top", dx=4, dy=9, fontSize=11, color="currentColor"
    )
    # On a phone the names would lie over one another.
    return _chosen(mark).transform_filter("datum.name != '' && width > 500").encode(**axes, text="name:N")
