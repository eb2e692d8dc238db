"""A roofline in characters, drawn by plotext on axes that we put into log10 ourselves."""

import math

from kernelbench.model import STYLES
from kernelbench.report.chart import Chart
from kernelbench.report.text import clip, safe_text
from kernelbench.units import three_digits

HEIGHT = 20
"""Rows of one chart."""

_LETTERS = dict(zip(STYLES, "pnvtkPgfqsrL", strict=True))
_COLOURS = dict(zip(STYLES, ["white", "red+", "yellow", "green+", "green", "cyan+", "cyan", "magenta",
                             "magenta+", "blue", "blue+", "orange"], strict=True))  # fmt: skip


def draw(chart: Chart, *, width: int, colour: bool) -> str:
    """The chart and its legend in at most ``width`` columns."""
    import plotext

    # The size is ours to give: a report written to a file must not depend on the window it was made in.
    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, HEIGHT)
    _lines(figure, chart)
    for dot in chart.dots:
        letter = _LETTERS.get(dot.row.style, "o")
        marker = plotext.marker(letter, plotext.pixel(_COLOURS.get(dot.row.style, "white")))
        figure.draw(figure.signal([math.log10(dot.intensity)], [math.log10(dot.gflops)], marker=marker))
    _axis(figure, "x", chart.x_range, 6)
    _axis(figure, "y", chart.y_range, 5)
    picture = figure.build().string(colorless=not colour)
    figure.clear()
    lines = [line.rstrip() for line in picture.rstrip("\n").split("\n")]
    return "\n".join([*lines, *_legend(chart, width)])


def _lines(figure: object, chart: Chart) -> None:
    (x_low, x_high), (y_low, y_high) = chart.x_range, chart.y_range
    top = max((p.gflops for p in chart.peaks), default=y_high)
    for slope in chart.slopes:
        start, end = max(x_low, y_low / slope.gbps), min(x_high, top / slope.gbps)
        if start < end:
            _segment(figure, (start, end), (start * slope.gbps, end * slope.gbps))
            _label(figure, safe_text(slope.level), start, start * slope.gbps, "left")
    fastest = max((s.gbps for s in chart.slopes), default=top / x_low)
    for peak in chart.peaks:
        start = max(x_low, peak.gflops / fastest)
        _segment(figure, (start, x_high), (peak.gflops, peak.gflops))
        _label(figure, safe_text(peak.dtype), x_high, peak.gflops, "right")


def _segment(figure: object, xs: tuple[float, float], ys: tuple[float, float]) -> None:
    figure.draw(  # type: ignore[attr-defined]
        figure.segment([math.log10(x) for x in xs], [math.log10(y) for y in ys])  # type: ignore[attr-defined]
    )


def _label(figure: object, text: str, x: float, y: float, side: str) -> None:
    figure.draw(figure.text(math.log10(x), math.log10(y), text, alignment=side))  # type: ignore[attr-defined]


def _axis(figure: object, axis: str, span: tuple[float, float], most: int) -> None:
    low, high = math.log10(span[0]), math.log10(span[1])
    step = max(1, math.ceil((high - low) / most))
    ticks = [t for t in range(math.ceil(low), math.floor(high) + 1) if t % step == 0]
    ruler = figure.ruler(axis)  # type: ignore[attr-defined]
    ruler.lim(low, high)
    ruler.ticks(ticks, [f"{three_digits(10.0**t).rstrip('0').rstrip('.') if t < 0 else 10**t}" for t in ticks])


def _legend(chart: Chart, width: int) -> list[str]:
    present = [s for s in STYLES if any(d.row.style == s for d in chart.dots)]
    rows = [
        ("x: FLOP/B   y: GFLOP/s (GOP/s for integers)   both logarithmic",),
        tuple(f"{_LETTERS[s]} {s}" for s in present),
        tuple(safe_text(p.label) for p in chart.peaks),
        tuple(safe_text(s.label) for s in chart.slopes),
    ]
    return [line for row in rows for line in _wrapped(row, width)]


def _wrapped(items: tuple[str, ...], width: int) -> list[str]:
    lines: list[str] = []
    for item in items:
        text = clip(item, width - 2)
        if lines and len(lines[-1]) + 3 + len(text) <= width:
            lines[-1] += f"   {text}"
        else:
            lines.append(f"  {text}")
    return lines
