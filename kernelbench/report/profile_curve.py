"""The size sweep of a profile in characters: the measured rate and its roof over the working set, by plotext."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct

from kernelbench.report.text import clip, safe_text
from kernelbench.units import size_bytes, three_digits

HEIGHT = 15
"""Rows of the chart."""

_MOST_X_TICKS = 7
_LEGEND = "  x: bytes of one thread"


class Curve(Struct, frozen=True):
    """A size sweep, ready to draw. All numbers are positive and finite."""

    unit: str
    """Of both curves: "GFLOP/s", "GB/s" or "calls a second"."""
    measured: tuple[tuple[float, float], ...]
    """(bytes of one thread, rate) at rising bytes."""
    roof: tuple[tuple[float, float], ...] = ()
    """The same for what the roofs allow; empty without any."""
    ends: tuple[tuple[str, float], ...] = ()
    """(level, bytes of one thread at which it ends)."""

    @property
    def drawable(self) -> bool:
        """Whether there is a stretch to draw: two sizes at least."""
        return len({size for size, _ in self.measured}) > 1


def draw(curve: Curve, *, width: int, colour: bool) -> str:
    """The chart in at most ``width`` columns, with a line that names its letters. ``curve`` must be drawable."""
    import plotext

    # The size is ours to give: a report written to a file must not depend on the window it was made in.
    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, HEIGHT)
    x, y = _spans(curve)
    _walls(figure, curve, x, y)
    if len(curve.roof) > 1:
        _line(figure, curve.roof, plotext.marker("·", plotext.pixel("gray")))
    _line(figure, curve.measured, plotext.marker("─", plotext.pixel("cyan+")))
    points = [[math.log2(size) for size, _ in curve.measured], [math.log10(rate) for _, rate in curve.measured]]
    figure.draw(figure.signal(*points, marker=plotext.marker("o", plotext.pixel("cyan+"))))
    _axes(figure, x, y)
    picture = figure.build().string(colorless=not colour)
    figure.clear()
    lines = [line.rstrip() for line in picture.rstrip("\n").split("\n")]
    letters = "o measured" + ("   · its roof" if len(curve.roof) > 1 else "")
    return "\n".join([*lines, clip(f"{_LEGEND}   y: {curve.unit}   {letters}", width)])


def _spans(curve: Curve) -> tuple[tuple[float, float], tuple[float, float]]:
    sizes = [size for size, _ in curve.measured]
    rates = [rate for _, rate in (*curve.measured, *curve.roof)]
    return (min(sizes) / 1.1, max(sizes) * 1.1), (min(rates) / 1.3, max(rates) * 1.4)


def _line(figure: Any, points: Sequence[tuple[float, float]], marker: object) -> None:
    xs, ys = [math.log2(size) for size, _ in points], [math.log10(rate) for _, rate in points]
    for across, up in zip(pairwise(xs), pairwise(ys), strict=True):
        figure.draw(figure.segment(list(across), list(up), marker=marker))


def _walls(figure: Any, curve: Curve, x: tuple[float, float], y: tuple[float, float]) -> None:
    low, high = math.log10(y[0]), math.log10(y[1])
    for level, size in curve.ends:
        if x[0] < size < x[1]:
            at = math.log2(size)
            figure.draw(figure.segment([at, at], [low, high]))
            figure.draw(figure.text(at, high, safe_text(level), alignment="right"))


def _axes(figure: Any, x: tuple[float, float], y: tuple[float, float]) -> None:
    low, high = math.log2(x[0]), math.log2(x[1])
    step = max(1, math.ceil((high - low) / _MOST_X_TICKS))
    powers = list(range(math.ceil(low), math.floor(high) + 1, step))
    _ruler(figure, "x", (low, high), powers, [size_bytes(2.0**p).replace(" ", "") for p in powers])
    decades = range(math.floor(math.log10(y[0])), math.ceil(math.log10(y[1])) + 1)
    rates = [r for d in decades for r in (10.0**d, 2 * 10.0**d, 5 * 10.0**d) if y[0] <= r <= y[1]]
    texts = [_tick(rate) for rate in rates]
    _ruler(figure, "y", (math.log10(y[0]), math.log10(y[1])), [math.log10(rate) for rate in rates], texts)


def _tick(rate: float) -> str:
    digits = three_digits(rate)
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _ruler(figure: Any, axis: str, span: tuple[float, float], ticks: Sequence[float], labels: Sequence[str]) -> None:
    ruler = figure.ruler(axis)
    ruler.lim(*span)
    ruler.ticks(list(ticks), list(labels))
