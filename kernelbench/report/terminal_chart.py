"""Charts in characters: a roofline, drawn by plotext on axes that we put into log10 ourselves, and bars of GB/s."""

import math
from collections.abc import Sequence

from msgspec import UnsetType

from kernelbench.model import STYLES
from kernelbench.report.chart import Chart, Dot
from kernelbench.report.columns import COLUMNS
from kernelbench.report.rows import Row
from kernelbench.report.text import clip, safe_text
from kernelbench.units import three_digits

HEIGHT = 20
"""Rows of one chart."""
MOST_BARS = 12
"""Bars of one list."""
_LEAST_BAR = 4
_EIGHTHS = " ▏▎▍▌▋▊▉"

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
    for dot in _apart(chart, width):
        letter = _LETTERS.get(dot.row.style, "o")
        marker = plotext.marker(letter, plotext.pixel(_COLOURS.get(dot.row.style, "white")))
        figure.draw(figure.signal([math.log10(dot.intensity)], [math.log10(dot.gflops)], marker=marker))
    _axis(figure, "x", chart.x_range, 6)
    _axis(figure, "y", chart.y_range, 5)
    picture = figure.build().string(colorless=not colour)
    figure.clear()
    lines = [line.rstrip() for line in picture.rstrip("\n").split("\n")]
    return "\n".join([*lines, *_legend(chart, width)])


def bars(rows: Sequence[Row], *, width: int) -> str:
    """Ops without FLOP have no place on a roofline: the best case of each problem as a bar, full at its roof.

    In at most ``width`` columns; empty where every measured case has FLOP.
    """
    best: dict[tuple[str, ...], Row] = {}
    for row in rows:
        if isinstance(row.gflops, UnsetType) and not isinstance(row.gbps, UnsetType):
            key = (row.machine, row.op, row.shape, row.dtype, row.cache, str(row.threads))
            best[key] = max(best.get(key, row), row, key=_gbps)
    shown = sorted(best.values(), key=_gbps, reverse=True)[:MOST_BARS]
    if not shown:
        return ""
    names = [clip(safe_text(row.case_id), max(16, width // 2)) for row in shown]
    numbers = [f"{COLUMNS['gbps'].text(row)} GB/s" for row in shown]
    roofs = [_of_roof(row) for row in shown]
    widest = [max(map(len, column)) for column in (names, numbers, roofs)]
    room = width - sum(widest) - 8
    if room < _LEAST_BAR:
        roofs, room = ["" for _ in shown], room + widest[2] + 2
    return "\n".join(
        f"  {name:{widest[0]}}  {_bar(row, room)}  {number:>{widest[1]}}  {roof:>{widest[2]}}".rstrip()
        for row, name, number, roof in zip(shown, names, numbers, roofs, strict=True)
    )


def _of_roof(row: Row) -> str:
    """ "64.9% of 116 GB/s"; empty without a roof."""
    share = COLUMNS["fraction"].text(row)
    return f"{share} of {COLUMNS['roof'].text(row)}" if share else ""


def _gbps(row: Row) -> float:
    return 0.0 if isinstance(row.gbps, UnsetType) else row.gbps


def _bar(row: Row, room: int) -> str:
    """As long as its share of the roof, in eighths of a character; a case above its roof fills it."""
    share = 0.0 if isinstance(row.roof_fraction, UnsetType) else min(1.0, row.roof_fraction)
    whole, rest = divmod(round(8 * room * share), 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(room, "·")


def _apart(chart: Chart, width: int) -> list[Dot]:
    """The dots that fall on characters of their own, as nearly as can be told: of thousands most hide each other."""
    (x_low, x_high), (y_low, y_high) = chart.x_range, chart.y_range
    seen: dict[tuple[int, int], Dot] = {}
    for dot in chart.dots:
        across = math.log(dot.intensity / x_low) / math.log(x_high / x_low)
        up = math.log(dot.gflops / y_low) / math.log(y_high / y_low)
        place = (int(4 * width * across), int(4 * HEIGHT * up))
        # The last one drawn on a character is the one that shows.
        seen.pop(place, None)
        seen[place] = dot
    return list(seen.values())


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
