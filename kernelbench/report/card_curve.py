"""The bandwidth ladder in characters: one letter per access mix, both axes logarithmic, drawn by plotext."""

import math
from collections.abc import Sequence

from kernelbench.analysis.ladder import mix_ladder
from kernelbench.analysis.roofline import threads_text
from kernelbench.model import Ceiling
from kernelbench.report.text import safe_text
from kernelbench.units import giga, size_bytes

HEIGHT = 18
"""Rows of one chart."""

DRAWN = {"read": ("r", "cyan+"), "copy": ("c", "yellow"), "triad": ("t", "green+"), "update": ("u", "magenta+")}
"""Mix -> letter and colour. Write and the streaming mixes would lie on top of these; they are in the table."""

_MOST_X_TICKS = 7

Ladders = dict[str, list[tuple[float, float]]]


def draw(
    ceilings: Sequence[Ceiling], threads: int, boundaries: Sequence[tuple[str, float]], *, width: int, colour: bool
) -> str:
    """The curves at one thread count in at most ``width`` columns; empty where fewer than two points were measured.

    ``boundaries`` are (level, bytes of one thread at which it ends): a line each.
    """
    ladders = {mix: points for mix in DRAWN if (points := mix_ladder(ceilings, threads, mix))}
    sizes = [size for points in ladders.values() for size, _ in points]
    if not sizes or min(sizes) == max(sizes):
        return ""
    import plotext

    # The size is ours to give: a report written to a file must not depend on the window it was made in.
    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, HEIGHT)
    rates = [rate for points in ladders.values() for _, rate in points]
    x = (min(sizes), max(sizes))
    y = (min(rates) / 1.2, max(rates) * 1.2)
    _boundaries(figure, boundaries, x, y)
    for mix, points in ladders.items():
        letter, pixel = DRAWN[mix]
        marker = plotext.marker(letter, plotext.pixel(pixel))
        xs, ys = [math.log2(size) for size, _ in points], [math.log10(rate) for _, rate in points]
        figure.draw(figure.signal(xs, ys, marker=marker))
    _axes(figure, x, y)
    picture = figure.build().string(colorless=not colour)
    figure.clear()
    lines = [line.rstrip() for line in picture.rstrip("\n").split("\n")]
    letters = "   ".join(f"{DRAWN[mix][0]} {mix}" for mix in ladders)
    return "\n".join([*lines, f"  x: bytes of one thread   y: GB/s, {threads_text(threads)}", f"  {letters}"])


def _boundaries(
    figure: object, boundaries: Sequence[tuple[str, float]], x: tuple[float, float], y: tuple[float, float]
) -> None:
    low, high = math.log10(y[0]), math.log10(y[1])
    for level, size in boundaries:
        if x[0] < size < x[1]:
            at = math.log2(size)
            figure.draw(figure.segment([at, at], [low, high]))  # type: ignore[attr-defined]
            figure.draw(figure.text(at, high, safe_text(level), alignment="right"))  # type: ignore[attr-defined]


def _axes(figure: object, x: tuple[float, float], y: tuple[float, float]) -> None:
    low, high = math.log2(x[0]), math.log2(x[1])
    step = max(1, math.ceil((high - low) / _MOST_X_TICKS))
    powers = range(math.ceil(low), math.floor(high) + 1, step)
    _ruler(figure, "x", (low, high), list(powers), [size_bytes(2.0**p).replace(" ", "") for p in powers])
    decades = range(math.floor(math.log10(y[0])), math.ceil(math.log10(y[1])) + 1)
    rates = [r for d in decades for r in (10.0**d, 2 * 10.0**d, 5 * 10.0**d) if y[0] <= r <= y[1]]
    span = (math.log10(y[0]), math.log10(y[1]))
    labels = [giga(rate).removesuffix(".00").removesuffix(".0") for rate in rates]
    _ruler(figure, "y", span, [math.log10(rate) for rate in rates], labels)


def _ruler(figure: object, axis: str, span: tuple[float, float], ticks: Sequence[float], labels: Sequence[str]) -> None:
    ruler = figure.ruler(axis)  # type: ignore[attr-defined]
    ruler.lim(*span)
    ruler.ticks(list(ticks), list(labels))
