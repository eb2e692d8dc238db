"""Where the lines of a roofline and their labels lie: for every drawing of a ``Chart`` on two logarithmic axes."""

import math
from collections.abc import Iterator

from kernelbench.report.chart import Chart, Peak, Slope

LABEL_PX = 15
"""Pixels that a line of text needs."""

Span = tuple[float, float]
Point = tuple[float, float]


def decades(span: Span) -> float:
    """Powers of ten from one end of an axis to the other."""
    return math.log10(span[1] / span[0])


def slope_ends(chart: Chart, x: Span) -> Iterator[tuple[Slope, Point, Point]]:
    """Each slope from the left edge to where the highest peak cuts it."""
    top = max((peak.gflops for peak in chart.peaks), default=math.inf)
    for slope in chart.slopes:
        end = min(x[1], top / slope.gbps)
        yield slope, (x[0], x[0] * slope.gbps), (end, end * slope.gbps)


def peak_ends(chart: Chart, x: Span) -> Iterator[tuple[Peak, Point, Point]]:
    """Each peak from where the fastest slope reaches it to the right edge."""
    fastest = max((slope.gbps for slope in chart.slopes), default=math.inf)
    for peak in chart.peaks:
        yield peak, (max(x[0], peak.gflops / fastest), peak.gflops), (x[1], peak.gflops)


def slope_labels(chart: Chart, x: Span, y: Span, height_px: int) -> Iterator[tuple[Slope, Point]]:
    """Where the text along each slope begins; the second of two slopes that lie close is moved along its line."""
    gap = 10 ** (decades(y) * 1.4 * LABEL_PX / height_px)
    top = max((peak.gflops for peak in chart.peaks), default=math.inf)
    last, moved = math.inf, False
    for slope in chart.slopes:
        moved = last / slope.gbps < gap and not moved
        start = max(x[0], y[0] / slope.gbps)
        # Never beyond the middle of a short slope, where the text would belong to no line.
        at = start * min(10 ** (decades(x) * (0.27 if moved else 0.03)), max(1.0, top / slope.gbps / start) ** 0.5)
        yield slope, (at, at * slope.gbps)
        last = slope.gbps


def peak_labels(chart: Chart, y: Span, height_px: int) -> Iterator[tuple[Peak, float]]:
    """The height of the text over each peak, pushed up where the next lower one would touch it; lowest first."""
    gap = 10 ** (decades(y) * LABEL_PX / height_px)
    lowest = 0.0
    for peak in reversed(chart.peaks):
        lowest = max(peak.gflops, lowest * gap)
        yield peak, lowest
