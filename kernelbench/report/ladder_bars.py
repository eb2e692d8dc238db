"""Horizontal bars with their numbers beside them, one set of bars at a time, chosen by the reader.

Hundreds of problems share one chart, each with its own axis. A scale cannot change its type while it is shown, so
bars stand at their share of the axis, worked out here, and the axis takes its numbers from a list for each problem.
"""

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from kernelbench.report.palette import COLOURS, OTHER_COLOUR
from kernelbench.report.rows import Number
from kernelbench.report.scaling_ticks import ticks
from kernelbench.report.theme import themed

LOG_FROM = 20
"""Factor between the largest and the smallest number of a problem from which on its axis is logarithmic."""
_STEP_PX = 24
_SMALLEST = 1.6
"""The shortest bar of a logarithmic axis shows this factor, so that it can be seen."""

_COLUMN_ENDS = ((1.15, 1.29, 1.44), (1.42, 1.88, 1.88))
"""Right ends of the columns of numbers, the axis being 1; on a phone the second, which has no third column."""

OTHER = "other"
"""A style that a file newer than this program has."""


class Bar(Struct, frozen=True):
    """One case."""

    name: str
    style: str
    value: float
    numbers: tuple[str, str, str]
    """Texts beside the bar; a phone shows the first, without its unit, and the second."""
    tips: dict[str, str]
    """Title -> text, shown on hover."""
    roof: Number = UNSET
    """In the unit of ``value``."""


class Line(Struct, frozen=True):
    """A level that all bars of a problem are set against."""

    text: str
    value: float


class Problem(Struct, frozen=True):
    """Bars that belong on one axis."""

    title: str
    unit: str
    bars: tuple[Bar, ...]
    """None where a damaged file holds only rates that no axis can show."""
    line: Line | UnsetType = UNSET


class _Axis(Struct, frozen=True):
    """Where numbers of one problem stand, as a share of the axis."""

    low: float
    high: float
    log: bool

    def at(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low) if self.log else value / self.high
        return round(max(0.0, share), 5)

    @property
    def ticks(self) -> list[float]:
        return ticks(self.low if self.log else 0.0, self.high, log=self.log, most=5)


def spec(problems: Sequence[Problem], label: str, heads: tuple[str, str, str]) -> dict[str, Any]:
    """The Vega-Lite specification of ``problems`` (at least one), the first shown until another is chosen.

    ``label`` stands before the list to choose from, ``heads`` over the three numbers beside the bars.
    """
    axes = [_axis(problem) for problem in problems]
    choice = {"input": "select", "options": list(range(len(problems))), "labels": [p.title for p in problems]}
    datasets = {
        "bars": list(_bars(problems, axes)),
        "lines": list(_lines(problems, axes)),
        "heads": [{"n": f"n{n}", "text": text} for n, text in enumerate(heads)],
    }
    chosen = {"name": "chosen", "value": 0, "bind": {**choice, "name": label}}
    height = _STEP_PX * max(1, len(problems[0].bars))
    return {**_drawing(), "height": height, "params": [chosen, *_lists(problems, axes)], "datasets": datasets}


@functools.cache
def _drawing() -> dict[str, Any]:
    """All but what it draws: Altair takes a quarter of a second for each, and seconds to copy long lists."""
    import altair as alt

    places = _places(alt)
    bars = alt.Chart(alt.NamedData("bars")).transform_filter("datum.p == chosen")
    mark = bars.mark_bar(opacity=0.85, height=_STEP_PX - 7, tooltip=alt.ExprRef("datum.tips"))
    layers = [
        mark.encode(**places, color=colour(alt)),
        *_line_layers(alt),
        _roof_layer(alt, bars, places),
        *_number_layers(alt, bars, places["y"]),
    ]
    # The height is Vega's own signal, set below: a step would do, but Vega-Lite warns of it.
    chart = alt.layer(*layers).properties(width="container", height=_STEP_PX)
    chart = chart.properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    described: dict[str, Any] = themed(chart).to_dict()
    return described


def colour(alt: Any) -> Any:
    """The field "style" in the colours of all charts; the names beside the marks are the legend."""
    scale = alt.Scale(domain=[*COLOURS, OTHER], range=[*COLOURS.values(), OTHER_COLOUR])
    return alt.Color("style:N", legend=None, scale=scale)


def style_key(style: str) -> str:
    """``style`` as the colour scale knows it."""
    return style if style in COLOURS else OTHER


def _axis(problem: Problem) -> _Axis:
    values = [bar.value for bar in problem.bars]
    values += [bar.roof for bar in problem.bars if not isinstance(bar.roof, UnsetType)]
    values += [] if isinstance(problem.line, UnsetType) else [problem.line.value]
    if not values:
        return _Axis(1.0, 1.0, False)
    low, high = min(values), max(values)
    return _Axis(low / _SMALLEST, high, high / low > LOG_FROM)


def _places(alt: Any) -> dict[str, Any]:
    # Beyond 1 lies the room for the numbers.
    room = alt.Scale(domain=[0, alt.ExprRef("width < 500 ? 1.9 : 1.45")], nice=False)
    across = alt.Axis(
        values=alt.ExprRef("ticks[chosen]"),
        labelExpr="tickNames[chosen][indexof(ticks[chosen], datum.value)]",
        labelOverlap=True,
        domain=False,
    )
    down = alt.Axis(
        labelExpr="names[chosen][datum.value]",
        labelLimit=alt.ExprRef("width < 500 ? 115 : 230"),
        grid=False,
        ticks=False,
        domain=False,
    )
    return {"x": alt.X("x:Q", title=None, scale=room, axis=across), "y": alt.Y("i:O", title=None, axis=down)}


def _lists(problems: Sequence[Problem], axes: Sequence[_Axis]) -> list[dict[str, Any]]:
    """What the axes look up for the chosen problem."""
    lists = {
        "names": [[bar.name for bar in p.bars] for p in problems],
        "ticks": [[axis.at(value) for value in axis.ticks] for axis in axes],
        "tickNames": [_tick_names(axis, problem.unit) for problem, axis in zip(problems, axes, strict=True)],
    }
    height = {"name": "height", "expr": f"{_STEP_PX} * length(names[chosen])"}
    return [*({"name": key, "value": value} for key, value in lists.items()), height]


def _tick_names(axis: _Axis, unit: str) -> list[str]:
    at = axis.ticks
    return [f"{value:g} {unit}" if value == at[-1] else f"{value:g}" for value in at]


def _bars(problems: Sequence[Problem], axes: Sequence[_Axis]) -> Iterator[dict[str, Any]]:
    for p, (problem, axis) in enumerate(zip(problems, axes, strict=True)):
        for i, bar in enumerate(problem.bars):
            row = {"p": p, "i": i, "x": axis.at(bar.value), "style": style_key(bar.style), "tips": bar.tips}
            row |= {f"n{n}": text for n, text in enumerate(bar.numbers)}
            yield row if isinstance(bar.roof, UnsetType) else {**row, "roof": axis.at(bar.roof)}


def _lines(problems: Sequence[Problem], axes: Sequence[_Axis]) -> Iterator[dict[str, Any]]:
    for p, (problem, axis) in enumerate(zip(problems, axes, strict=True)):
        if not isinstance(problem.line, UnsetType):
            yield {"p": p, "x": axis.at(problem.line.value), "text": problem.line.text, "kind": "line", "dy": -20}
        roofs = [axis.at(bar.roof) for bar in problem.bars[:1] if not isinstance(bar.roof, UnsetType)]
        yield from ({"p": p, "x": at, "text": "roof", "kind": "roof", "dy": -34} for at in roofs)


def _line_layers(alt: Any) -> list[Any]:
    lines = alt.Chart(alt.NamedData("lines")).transform_filter("datum.p == chosen")
    x = alt.X("x:Q", title=None)
    rule = lines.transform_filter("datum.kind == 'line'").mark_rule(
        color=COLOURS["library"], strokeDash=[6, 3], strokeWidth=2
    )
    side = alt.ExprRef("datum.x > 0.5 ? 'right' : 'left'")
    text = lines.mark_text(baseline="bottom", align=side, dy=alt.ExprRef("datum.dy"), fontSize=11, color="currentColor")
    return [rule.encode(x=x), text.encode(x=x, y=alt.value(0), text="text:N")]


def _roof_layer(alt: Any, bars: Any, places: dict[str, Any]) -> Any:
    mark = bars.transform_filter("isValid(datum.roof)").mark_tick(
        orient="vertical", size=_STEP_PX, thickness=2, color="currentColor", opacity=0.75
    )
    return mark.encode(x=alt.X("roof:Q", title=None), y=places["y"])


def _number_layers(alt: Any, bars: Any, down: Any) -> list[Any]:
    """Three columns of text to the right of the bars; two narrow ones on a phone."""
    wide, narrow = (", ".join(f"n{n}: {at}" for n, at in enumerate(ends)) for ends in _COLUMN_ENDS)
    at = f"(width < 500 ? {{{narrow}}} : {{{wide}}})[datum.n]"
    seen = "width >= 500 || datum.n != 'n2'"
    look: dict[str, Any] = {"align": "right", "color": "currentColor", "fontSize": 11}
    numbers = bars.transform_fold(["n0", "n1", "n2"], as_=["n", "text"]).transform_filter(seen)
    numbers = numbers.transform_calculate(at=at, shown="width < 500 ? split(datum.text, ' ')[0] : datum.text")
    heads = alt.Chart(alt.NamedData("heads")).transform_filter(seen).transform_calculate(at=at)
    heads = heads.mark_text(baseline="bottom", dy=-6, opacity=0.75, **look)
    x = alt.X("at:Q", title=None)
    return [
        numbers.mark_text(**look).encode(x=x, y=down, text="shown:N"),
        heads.encode(x=x, y=alt.value(0), text="text:N"),
    ]
