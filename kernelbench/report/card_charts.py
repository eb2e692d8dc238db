"""The charts of a machine card's page as Vega-Lite specifications, built with Altair.

No chart tells its series apart by colour alone: curves differ in dashes and points, bars carry their names.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import UnsetType

from kernelbench.analysis.ladder import bandwidth, usable, value_of
from kernelbench.analysis.roofline import threads_text
from kernelbench.model import Ceiling, Machine
from kernelbench.report.card import (
    MIXES,
    cycles_text,
    footprint,
    isa_order,
    operation,
    operations,
    spread_text,
    thread_counts,
)
from kernelbench.report.card_knees import boundaries, knees_at
from kernelbench.report.text import safe_text
from kernelbench.report.theme import themed
from kernelbench.units import giga, seconds, size_bytes

HEIGHT = 380
_BAR_PX = 15

_COLOURS = ("#2b9fd8", "#d64550", "#e58a1f", "#1f9d6b", "#9457d6", "#a5714a", "#d05aa8")
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [4, 1], [1, 3])
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")

_BYTES = (
    "datum.value < 1048576 ? datum.value / 1024 + ' KiB' : "
    "datum.value < 1073741824 ? datum.value / 1048576 + ' MiB' : datum.value / 1073741824 + ' GiB'"
)
"""Axis labels in binary units, for powers of two from 1 KiB."""

Values = list[dict[str, Any]]
Spec = dict[str, Any]


def specs(ceilings: Sequence[Ceiling], machine: Machine) -> dict[str, Spec]:
    """Element id -> specification, of the charts that have something to show."""
    made = {}
    if any(map(_has_size, usable(ceilings, "memory"))):
        made["ladder"] = ladder(ceilings, machine)
    if any(c.isa in isa_order(ceilings) for c in usable(ceilings, "compute")):
        made["compute"] = compute(ceilings)
    if any(map(_has_size, usable(ceilings, "latency"))):
        made["latency"] = latency(ceilings, machine)
    return made


def ladder(ceilings: Sequence[Ceiling], machine: Machine) -> Spec:
    """Bandwidth over the working set, a curve per mix; the threads are chosen by the reader."""
    import altair as alt

    points = [_bandwidth_point(c) for c in usable(ceilings, "memory") if _has_size(c)]
    counts = thread_counts(ceilings, "memory")
    axes = _axes(alt, points, "GB/s of all threads")
    mixes = [mix for mix in MIXES if any(point["mix"] == mix for point in points)]
    picked = alt.selection_point(name="picked", fields=["mix"], bind="legend")
    # One title and one layout, so that colour, dashes and points make one legend.
    legend = alt.Legend(title="mix (click to pick out)", columns=alt.ExprRef("width < 500 ? 3 : 7"), symbolSize=120)
    keyed = {
        "color": alt.Color("mix:N", legend=legend, scale=alt.Scale(domain=mixes, range=_COLOURS)),
        "strokeDash": alt.StrokeDash("mix:N", legend=legend, scale=alt.Scale(domain=mixes, range=_DASHES)),
        "opacity": alt.condition(picked, alt.value(1.0), alt.value(0.12)),
    }
    shape = alt.Shape("mix:N", legend=legend, scale=alt.Scale(domain=mixes, range=_SHAPES))
    tips = [alt.Tooltip(f"{key}:N") for key in ("mix", "size", "rate", "spread", "level")]
    base = _of_view(alt.Chart(alt.InlineData(values=points)))
    walls = [wall for count in counts for wall in _walls(ceilings, machine, count)]
    knees = [knee for count in counts for knee in _knee_points(ceilings, machine, count)]
    dots = base.mark_point(filled=True, size=alt.ExprRef("width < 500 ? 9 : 34"))
    layers = [
        *_wall_layers(alt, walls, axes),
        base.mark_line(strokeWidth=1.6, clip=True).encode(**axes, **keyed),
        dots.encode(**axes, **keyed, shape=shape, tooltip=tips).add_params(picked),
        _knee_layer(alt, knees, axes),
    ]
    return _finished(alt, layers, [threads_text(count) for count in counts])


def compute(ceilings: Sequence[Ceiling]) -> Spec:
    """Arithmetic rates as bars by number type, mix and instruction set; the threads are chosen by the reader."""
    import altair as alt

    order = {name: rank for rank, name in enumerate(operations(ceilings))}
    levels = [safe_text(level) for level in isa_order(ceilings)]
    bars = [_bar(c) for c in usable(ceilings, "compute") if c.isa in isa_order(ceilings)]
    bars.sort(key=lambda bar: (order[bar["kind"]], levels.index(bar["isa"])))
    names = list(dict.fromkeys(bar["name"] for bar in bars))
    longest: dict[str, float] = {}
    for bar in sorted(bars, key=lambda bar: bar["threads"]):
        longest[bar["view"]] = max(longest.get(bar["view"], 0.0), bar["y"])
    # Room at the right end for the longest bar's own number.
    room = alt.Scale(domain=[0, alt.ExprRef("1.2 * longest[view]")], nice=False)
    places = {
        "y": alt.Y("name:N", title=None, sort=names, axis=alt.Axis(grid=False, labelLimit=200)),
        "x": alt.X("y:Q", title="GFLOP/s (i8: GOP/s)", scale=room, axis=alt.Axis(tickCount=6)),
    }
    legend = alt.Legend(title="instruction set", columns=alt.ExprRef("width < 500 ? 3 : 8"))
    colour = alt.Color("isa:N", legend=legend, sort=levels, scale=alt.Scale(domain=levels, range=_COLOURS))
    tips = [alt.Tooltip(f"{key}:N") for key in ("kind", "isa", "rate", "cycle", "spread")]
    base = _of_view(alt.Chart(alt.InlineData(values=bars)))
    layers = [
        base.mark_bar(opacity=0.85).encode(**places, color=colour, tooltip=tips),
        base.mark_text(align="left", dx=4, fontSize=10, color="currentColor").encode(**places, text="label:N"),
    ]
    chart = alt.layer(*layers).add_params(alt.param(name="longest", value=longest))
    return _finished(alt, [chart], list(longest), _BAR_PX * len(names))


def latency(ceilings: Sequence[Ceiling], machine: Machine) -> Spec:
    """Time of a dependent load over the working set, one thread."""
    import altair as alt

    points = [_latency_point(c) for c in usable(ceilings, "latency") if _has_size(c)]
    axes = _axes(alt, points, "ns of a dependent load")
    tips = [alt.Tooltip(f"{key}:N") for key in ("size", "time", "cycles", "spread", "level")]
    mark = alt.Chart(alt.InlineData(values=points)).mark_line(
        point={"filled": True, "size": 34, "color": _COLOURS[0]}, color=_COLOURS[0], strokeWidth=1.6
    )
    walls = _wall_layers(alt, list(_walls(ceilings, machine, 1)), axes, every_view=True)
    return _finished(alt, [*walls, mark.encode(**axes, tooltip=tips)], [])


def _finished(alt: Any, layers: list[Any], views: list[str], height: int = HEIGHT) -> Spec:
    chart = alt.layer(*layers)
    if views:
        choice = alt.binding_select(options=views, name="Threads: ")
        chart = chart.add_params(alt.param(name="view", value=views[0], bind=choice))
    chart = chart.properties(width="container", height=height)
    chart = chart.properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    described: Spec = themed(chart).to_dict()
    return described


def _of_view(layer: Any) -> Any:
    return layer.transform_filter("datum.view == view")


def _axes(alt: Any, points: Values, title: str) -> dict[str, Any]:
    """Both logarithmic, the same for every thread count so that switching moves no axis."""
    sizes = [point["x"] for point in points]
    rates = [point["y"] for point in points]
    powers = range(math.ceil(math.log2(min(sizes))), math.floor(math.log2(max(sizes))) + 1)
    ticks = alt.Axis(values=[2**p for p in powers if p % 2 == 0], labelExpr=_BYTES, labelOverlap=True)
    x = alt.Scale(type="log", base=2, domain=[min(sizes), max(sizes)], nice=False)
    y = alt.Scale(type="log", domain=[min(rates) / 1.25, max(rates) * 1.4], nice=False)
    return {
        "x": alt.X("x:Q", title="working set of one thread", scale=x, axis=ticks),
        "y": alt.Y("y:Q", title=title, scale=y, axis=alt.Axis(format="~g")),
    }


def _wall_layers(alt: Any, walls: Values, axes: dict[str, Any], *, every_view: bool = False) -> list[Any]:
    """Where a level ends: a line over the whole height, its name to the left of its top end."""
    base = alt.Chart(alt.InlineData(values=walls))
    base = base if every_view else _of_view(base)
    rule = base.mark_rule(color="currentColor", opacity=0.45, clip=True).encode(x=axes["x"], tooltip="tip:N")
    name = base.mark_text(align="right", baseline="top", dx=-4, dy=2, fontSize=11, color="currentColor")
    short = name.transform_calculate(text="width < 500 ? datum.short : datum.long")
    return [rule, short.encode(x=axes["x"], y=alt.value(0), text="text:N")]


def _knee_layer(alt: Any, knees: Values, axes: dict[str, Any]) -> Any:
    mark = _of_view(alt.Chart(alt.InlineData(values=knees))).mark_point(
        shape="diamond", size=130, filled=False, color="currentColor", strokeWidth=1.8
    )
    return mark.encode(**axes, tooltip=alt.Tooltip("tip:N", title="knee"))


def _walls(ceilings: Sequence[Ceiling], machine: Machine, threads: int) -> Iterator[dict[str, Any]]:
    for level, size in boundaries(ceilings, machine, threads):
        name, text = safe_text(level), size_bytes(size)
        long, tip = f"{name} {text}", f"{name} ends at {text} of one thread"
        yield {"view": threads_text(threads), "x": size, "short": name, "long": long, "tip": tip}


def _knee_points(ceilings: Sequence[Ceiling], machine: Machine, threads: int) -> Iterator[dict[str, Any]]:
    """Knees on the read curve."""
    for size in knees_at(ceilings, machine, threads).sizes_bytes:
        here = bandwidth(ceilings, threads, size, 0.0)
        if not isinstance(here, UnsetType):
            tip = f"the read curve falls behind {size_bytes(size)} of one thread"
            yield {"view": threads_text(threads), "x": size, "y": here.bytes_per_s / 1e9, "tip": tip}


def _has_size(ceiling: Ceiling) -> bool:
    return not isinstance(ceiling.working_set_bytes, UnsetType)


def _bandwidth_point(c: Ceiling) -> dict[str, Any]:
    rate = f"{giga(value_of(c))} GB/s"
    return {**_point(c), "mix": safe_text(str(c.mix)), "y": value_of(c) / 1e9, "rate": rate}


def _latency_point(c: Ceiling) -> dict[str, Any]:
    cycles = cycles_text(c) or "unknown"
    return {**_point(c), "y": value_of(c) * 1e9, "time": seconds(value_of(c)), "cycles": cycles}


def _point(c: Ceiling) -> dict[str, Any]:
    level = "between levels" if isinstance(c.level, UnsetType) else safe_text(c.level)
    shown = {"size": footprint(c), "spread": spread_text(c) or "one probe", "level": level}
    return {"view": threads_text(c.threads), "x": c.working_set_bytes, **shown}


def _bar(c: Ceiling) -> dict[str, Any]:
    isa, rate, each = safe_text(str(c.isa)), giga(value_of(c)), cycles_text(c)
    cycle = f"{each} a cycle of one core" if each else "unknown"
    return {
        "view": threads_text(c.threads),
        "threads": c.threads,
        "kind": operation(c),
        "isa": isa,
        "y": value_of(c) / 1e9,
        "name": f"{operation(c)} {isa}",
        "label": rate,
        "rate": f"{rate} G{safe_text(c.unit)}",
        "cycle": cycle,
        "spread": spread_text(c) or "one probe",
    }
