"""Lines over a logarithmic axis, one set of them at a time, chosen by the reader; each is named at its end.

Hundreds of problems share one chart, each with its own range and ticks, looked up by the number of the chosen one.
"""

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from kernelbench.report.ladder_bars import colour, style_key
from kernelbench.report.scaling_ticks import ticks
from kernelbench.report.theme import themed

HEIGHT = 380
"""Pixels of the plot where nothing else is asked for."""
_LABEL_PX = 13
_LEADER = 0.03
"""Share of the data's width between the ends of the curves and their names."""
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
_ROOM = (1.22, 1.5)
"""How much wider than its data the axis is, for the names at the ends of lines; on a phone the second."""


class Point(Struct, frozen=True):
    """One case."""

    x: float
    y: float
    tips: dict[str, str]
    """Title -> text, shown on hover."""


class Curve(Struct, frozen=True):
    """One variant."""

    name: str
    style: str
    points: tuple[Point, ...]
    """At rising x; at least one."""


class Guide(Struct, frozen=True):
    """A line that the curves are set against, in the page's ink."""

    name: str
    points: tuple[tuple[float, float], ...]


class Zone(Struct, frozen=True):
    """A stretch of the axis with a name."""

    name: str
    start: float
    end: float
    shaded: bool = False


class View(Struct, frozen=True):
    """Curves that belong on one pair of axes. All numbers are positive."""

    title: str
    unit: str
    """Of y; stands on its topmost tick."""
    curves: tuple[Curve, ...]
    x_ticks: tuple[tuple[float, str], ...]
    guides: tuple[Guide, ...] = ()
    zones: tuple[Zone, ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    """Where a dotted line stands across the plot, and what it means."""


class _Range(Struct, frozen=True):
    x: tuple[float, float]
    y: tuple[float, float]


def spec(views: Sequence[View], label: str, height: int = HEIGHT) -> dict[str, Any]:
    """The Vega-Lite specification of ``views`` (at least one), the first shown until another is chosen.

    ``label`` stands before the list to choose from. ``height`` is in pixels: names are kept apart by it.
    """
    ranges = [_range(view) for view in views]
    numbered = list(enumerate(zip(views, ranges, strict=True)))
    datasets = {
        "points": [row for p, (view, _) in numbered for row in _points(p, view)],
        "names": [row for p, (view, spans) in numbered for row in _names(p, view, spans, height)],
        "guides": [row for p, (view, _) in numbered for row in _guides(p, view)],
        "zones": [row for p, (view, spans) in numbered for row in _zones(p, view, spans)],
        "marks": [{"p": p, "x": x, "tip": tip} for p, (view, _) in numbered for x, tip in view.marks],
    }
    choice = {"input": "select", "options": list(range(len(views))), "labels": [v.title for v in views]}
    chosen = {"name": "chosen", "value": 0, "bind": {**choice, "name": label}}
    return {**_drawing(), "height": height, "params": [chosen, *_lists(views, ranges)], "datasets": datasets}


@functools.cache
def _drawing() -> dict[str, Any]:
    """All but what it draws: Altair takes a quarter of a second for each, and seconds to copy long lists."""
    import altair as alt

    places = _places(alt)
    points = alt.Chart(alt.NamedData("points")).transform_filter("datum.p == chosen")
    dash = alt.StrokeDash("dash:N", legend=None, scale=alt.Scale(domain=list(range(len(_DASHES))), range=_DASHES))
    lines = points.mark_line(strokeWidth=1.8)
    dots = points.mark_point(filled=True, size=44, opacity=1, tooltip=alt.ExprRef("datum.tips"))
    layers = [
        *_zone_layers(alt, places),
        _guide_layer(alt, places),
        lines.encode(**places, color=colour(alt), strokeDash=dash, detail="curve:N"),
        dots.encode(**places, color=colour(alt)),
        *_name_layers(alt, places),
    ]
    chart = alt.layer(*layers).properties(width="container", height=HEIGHT)
    chart = chart.properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    described: dict[str, Any] = themed(chart).to_dict()
    return described


def _range(view: View) -> _Range:
    xs = [point.x for curve in view.curves for point in curve.points]
    ys = [point.y for curve in view.curves for point in curve.points]
    ys += [y for guide in view.guides for _, y in guide.points]
    return _Range((min(xs) / 1.3, max(xs) * 1.05), (min(ys) / 1.25, max(ys) * 1.25))


def _places(alt: Any) -> dict[str, Any]:
    wide, narrow = (f"pow(spansX[chosen][1] / spansX[chosen][0], {room})" for room in _ROOM)
    end = alt.ExprRef(f"spansX[chosen][0] * (width < 500 ? {narrow} : {wide})")
    x = alt.Scale(type="log", domain=[alt.ExprRef("spansX[chosen][0]"), end], nice=False)
    y = alt.Scale(type="log", domain=[alt.ExprRef("spansY[chosen][0]"), alt.ExprRef("spansY[chosen][1]")], nice=False)
    return {
        "x": alt.X("x:Q", title=None, scale=x, axis=_ruler(alt, "X", grid=False)),
        "y": alt.Y("y:Q", title=None, scale=y, axis=_ruler(alt, "Y", grid=True)),
    }


def _ruler(alt: Any, which: str, *, grid: bool) -> Any:
    at = f"ticks{which}[chosen]"
    text = f"texts{which}[chosen][indexof({at}, datum.value)]"
    return alt.Axis(values=alt.ExprRef(at), labelExpr=text, labelOverlap=True, grid=grid)


def _lists(views: Sequence[View], ranges: Sequence[_Range]) -> list[dict[str, Any]]:
    """What the axes look up for the chosen view."""
    y_ticks = [ticks(*spans.y, log=True) for spans in ranges]
    units = [view.unit for view in views]
    texts = [[_tick(v, at[-1], unit) for v in at] for at, unit in zip(y_ticks, units, strict=True)]
    lists = {
        "spansX": [list(spans.x) for spans in ranges],
        "spansY": [list(spans.y) for spans in ranges],
        "ticksX": [[x for x, _ in view.x_ticks] for view in views],
        "textsX": [[text for _, text in view.x_ticks] for view in views],
        "ticksY": y_ticks,
        "textsY": texts,
    }
    return [{"name": key, "value": value} for key, value in lists.items()]


def _tick(value: float, top: float, unit: str) -> str:
    if unit == "%":
        return f"{100 * value:g}%"
    return f"{value:g}{unit}" if unit == "x" else f"{value:g} {unit}" if value == top else f"{value:g}"


def _points(p: int, view: View) -> Iterator[dict[str, Any]]:
    used: dict[str, int] = {}
    for number, curve in enumerate(view.curves):
        dash = used.get(curve.style, 0) % len(_DASHES)
        used[curve.style] = used.get(curve.style, 0) + 1
        of = {"p": p, "curve": number, "style": style_key(curve.style), "dash": dash}
        yield from ({**of, "x": point.x, "y": point.y, "tips": point.tips} for point in curve.points)


def _names(p: int, view: View, spans: _Range, height: int) -> Iterator[dict[str, Any]]:
    """Names beside the ends of the lines, pushed up where they would touch, and down again from the top."""
    ends = [(c.points[-1].y, c.points[-1].x, c.name) for c in view.curves]
    ends += [(guide.points[-1][1], guide.points[-1][0], guide.name) for guide in view.guides]
    ends.sort()
    gap = (spans.y[1] / spans.y[0]) ** (_LABEL_PX / height)
    heights: list[float] = []
    for y, _, _ in ends:
        heights.append(max(y, heights[-1] * gap) if heights else y)
    top = spans.y[1]
    for index in range(len(heights) - 1, -1, -1):
        heights[index] = min(heights[index], top)
        top = heights[index] / gap
    # All names stand beyond the end of the longest curve, where no other curve runs through them.
    at = max(x for _, x, _ in ends) * (spans.x[1] / spans.x[0]) ** _LEADER
    for where, (y, x, text) in zip(heights, ends, strict=True):
        yield {"p": p, "x": at, "y": where, "x0": x, "y0": y, "text": text}


def _guides(p: int, view: View) -> Iterator[dict[str, Any]]:
    for guide in view.guides:
        yield from ({"p": p, "guide": guide.name, "x": x, "y": y} for x, y in guide.points)


def _zones(p: int, view: View, spans: _Range) -> Iterator[dict[str, Any]]:
    """The zones as far as the data goes, each with its share of the axis: a name needs room."""
    for zone in view.zones:
        start, end = max(zone.start, spans.x[0]), min(zone.end, spans.x[1])
        if start < end:
            share = math.log(end / start) / math.log(spans.x[1] / spans.x[0])
            yield {"p": p, "x": start, "end": end, "text": zone.name, "shaded": zone.shaded, "share": round(share, 4)}


def _zone_layers(alt: Any, places: dict[str, Any]) -> list[Any]:
    zones = alt.Chart(alt.NamedData("zones")).transform_filter("datum.p == chosen")
    whole = {"y": alt.value(0), "y2": alt.value(alt.ExprRef("height"))}
    shade = zones.transform_filter("datum.shaded").mark_rect(color="currentColor", opacity=0.06)
    text = zones.transform_filter("datum.share * width > 40").mark_text(
        align="left", baseline="top", dx=4, dy=3, fontSize=11, color="currentColor", opacity=0.75
    )
    marks = alt.Chart(alt.NamedData("marks")).transform_filter("datum.p == chosen")
    dotted = marks.mark_rule(color="currentColor", opacity=0.5, strokeDash=[2, 3], clip=True)
    return [
        shade.encode(x=places["x"], x2="end:Q", **whole),
        text.encode(x=places["x"], y=alt.value(0), text="text:N"),
        dotted.encode(x=places["x"], tooltip=alt.Tooltip("tip:N", title="measured")),
    ]


def _guide_layer(alt: Any, places: dict[str, Any]) -> Any:
    guides = alt.Chart(alt.NamedData("guides")).transform_filter("datum.p == chosen")
    line = guides.mark_line(color="currentColor", opacity=0.7, strokeDash=[5, 4], strokeWidth=1.4)
    return line.encode(**places, detail="guide:N")


def _name_layers(alt: Any, places: dict[str, Any]) -> list[Any]:
    names = alt.Chart(alt.NamedData("names")).transform_filter("datum.p == chosen")
    leader = names.mark_rule(color="currentColor", opacity=0.25, strokeWidth=1)
    text = names.mark_text(align="left", dx=3, fontSize=11, color="currentColor")
    return [leader.encode(**places, x2="x0:Q", y2="y0:Q"), text.encode(**places, text="text:N")]
