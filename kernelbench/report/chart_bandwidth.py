"""The GB/s view as a Vega-Lite specification: bandwidth over the working set of one thread.

Where work has no FLOP, or memory bounds it, this says more than a roofline: the measured curves are its roofs.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct, UnsetType

from kernelbench.analysis.ladder import largest_footprint, mix_ladder
from kernelbench.model import Result
from kernelbench.report.card_knees import boundaries
from kernelbench.report.chart_linked import Values, View, dot, dot_layers, finished, of_view
from kernelbench.report.rows import Row
from kernelbench.report.text import safe_text
from kernelbench.units import giga, size_bytes

MIXES = ("read", "triad", "copy", "write", "update")
"""The curves drawn, those that judge a case: streaming stores have their own in the card of ``ceilings``."""

_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4])
_TOUCHING = 1.3
"""Curves whose left ends differ by less would have their names over each other."""
_BYTES = (
    "datum.value < 1048576 ? datum.value / 1024 + ' KiB' : "
    "datum.value < 1073741824 ? datum.value / 1048576 + ' MiB' : datum.value / 1073741824 + ' GiB'"
)


class Placed(Struct, frozen=True):
    """One case in the GB/s view."""

    id: int
    row: Row
    footprint_bytes: float
    """Working set of one thread; that of DRAM for a cold case."""
    gbps: float


class Curve(Struct, frozen=True):
    """The measured bandwidth of one access mix."""

    view: View
    mix: str
    points: tuple[tuple[float, float], ...]
    """(bytes of one thread, GB/s of all threads), rising."""


def placed(rows: Sequence[Row], kept: Sequence[int], result: Result) -> tuple[Placed, ...]:
    """Of the rows at the places ``kept`` those without FLOP or bound by memory, where their working set is known."""
    works = {(r.machine, r.case.id): r.work for r in result.records}
    cold = {
        key: largest_footprint([c for c in result.ceilings if c.machine == key[0]], key[1])
        for key in {(row.machine, row.threads) for row in rows if row.cache == "cold"}
    }
    found = []
    for place in kept:
        row = rows[place]
        size = works[row.machine, row.case_id].working_set_bytes
        if isinstance(row.gbps, UnsetType) or isinstance(size, UnsetType):
            continue
        if row.bound == "memory" or isinstance(row.gflops, UnsetType):
            at = cold[row.machine, row.threads] if row.cache == "cold" else size / row.threads
            at = at if math.isfinite(at) else size / row.threads
            found.append(Placed(place, row, max(1.0, at), row.gbps))
    return tuple(found)


def curves(result: Result) -> tuple[Curve, ...]:
    """Every mix of ``MIXES`` that was measured at several sizes, by machine and threads."""
    views = {View(c.machine, c.threads) for c in result.ceilings if c.kind == "memory"}
    return tuple(curve for view in sorted(views, key=lambda v: (v.machine, v.threads)) for curve in _of(result, view))


def _of(result: Result, view: View) -> Iterator[Curve]:
    own = [c for c in result.ceilings if c.machine == view.machine]
    for mix in MIXES:
        points = tuple((size, rate / 1e9) for size, rate in mix_ladder(own, view.threads, mix))
        if len(points) > 1:
            yield Curve(view, mix, points)


def spec(dots: Sequence[Placed], drawn: Sequence[Curve], result: Result) -> dict[str, Any]:
    """The specification of all machines and thread counts in one. At least one of ``dots`` and ``drawn`` has one."""
    import altair as alt

    views = sorted(
        {c.view for c in drawn} | {View(d.row.machine, d.row.threads) for d in dots},
        key=lambda view: (view.machine, view.threads),
    )
    values = sorted((dot(d.id, d.row, d.footprint_bytes, d.gbps) for d in dots), key=lambda v: -v.get("time", 0.0))
    points = [p for curve in drawn for p in _points(curve)]
    axes = _axes(alt, [*points, *values])
    used = [mix for mix in MIXES if any(curve.mix == mix for curve in drawn)]
    layers = [
        *_wall_layers(alt, axes),
        _curve_layer(alt, axes, used),
        _curve_names(alt, axes),
        *dot_layers(alt, values, axes),
    ]
    data = {
        "walls": [w for view in views for w in _walls(result, view)],
        "curves": points,
        "names": [n for view in views for n in _names([c for c in drawn if c.view == view])],
        "dots": values,
    }
    return finished(alt, layers, views, data)


def _points(curve: Curve) -> Iterator[dict[str, Any]]:
    for size, rate in curve.points:
        tip = f"{curve.mix} {giga(rate * 1e9)} GB/s at {size_bytes(size)}"
        yield {"view": curve.view.key, "mix": curve.mix, "x": size, "y": rate, "tip": tip}


def _names(drawn: Sequence[Curve]) -> Values:
    """The name of each curve at its left end, where curves lie furthest apart; those that touch there share one."""
    rows: Values = []
    for curve in sorted(drawn, key=lambda c: -c.points[0][1]):
        size, rate = curve.points[0]
        if rows and rate * _TOUCHING > rows[-1]["y"]:
            rows[-1]["text"] += f", {curve.mix}"
        else:
            rows.append({"view": curve.view.key, "text": curve.mix, "x": size, "y": rate})
    return rows


def _walls(result: Result, view: View) -> Iterator[dict[str, Any]]:
    if view.machine not in result.machines:
        return
    own = [c for c in result.ceilings if c.machine == view.machine]
    for level, size in boundaries(own, result.machines[view.machine], view.threads):
        name, text = safe_text(level), size_bytes(size)
        yield {"view": view.key, "x": size, "short": name, "long": f"{name} {text}", "tip": f"{name} ends at {text}"}


def _axes(alt: Any, values: Values) -> dict[str, Any]:
    sizes, rates = [v["x"] for v in values], [v["y"] for v in values]
    low, high = min(sizes) / 1.3, max(sizes) * 1.3
    powers = range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
    ticks = alt.Axis(values=[2**p for p in powers if p % 2 == 0 and p >= 10], labelExpr=_BYTES, labelOverlap=True)
    x = alt.Scale(type="log", base=2, domain=[low, high], nice=False)
    y = alt.Scale(type="log", domain=[min(rates) / 1.25, max(rates) * 1.4], nice=False)
    return {
        "x": alt.X("x:Q", title="working set of one thread", scale=x, axis=ticks),
        "y": alt.Y("y:Q", title="GB/s of all threads", scale=y, axis=alt.Axis(format="~g")),
    }


def _wall_layers(alt: Any, axes: dict[str, Any]) -> list[Any]:
    base = of_view(alt.Chart(alt.NamedData("walls")))
    rule = base.mark_rule(color="currentColor", opacity=0.35, clip=True).encode(
        x=axes["x"], tooltip=alt.Tooltip("tip:N", title="cache")
    )
    name = base.mark_text(align="right", baseline="top", dx=-4, dy=2, fontSize=11, color="currentColor", clip=True)
    short = name.transform_calculate(text="width < 500 ? datum.short : datum.long")
    return [rule, short.encode(x=axes["x"], y=alt.value(0), text="text:N")]


def _curve_layer(alt: Any, axes: dict[str, Any], mixes: Sequence[str]) -> Any:
    dash = alt.StrokeDash("mix:N", scale=alt.Scale(domain=mixes, range=_DASHES[: len(mixes)]), legend=None)
    base = of_view(alt.Chart(alt.NamedData("curves")))
    mark = base.mark_line(clip=True, color="currentColor", strokeWidth=1.4, opacity=0.6)
    return mark.encode(**axes, strokeDash=dash, tooltip=alt.Tooltip("tip:N", title="ceiling"))


def _curve_names(alt: Any, axes: dict[str, Any]) -> Any:
    mark = of_view(alt.Chart(alt.NamedData("names"))).mark_text(
        align="left", baseline="bottom", dx=3, dy=-3, fontSize=11, color="currentColor", clip=True
    )
    return mark.encode(**axes, text="text:N")
