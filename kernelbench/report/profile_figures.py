"""The charts of a profile on a page: the size sweep over the caches, the speedup over threads."""

import math

from kernelbench.analysis.roofline import threads_text
from kernelbench.report.profile import Part, View, title
from kernelbench.report.profile_curve import Curve as Sweep
from kernelbench.report.profile_sweeps import curve
from kernelbench.report.scaling_lines import Curve, Guide, Point, Zone, spec
from kernelbench.report.scaling_lines import View as Axes
from kernelbench.report.scaling_ticks import powers_of_two
from kernelbench.report.section import Figure
from kernelbench.report.text import safe_text
from kernelbench.units import ratio, seconds, size_bytes, three_digits

_HEIGHT = 280
"""Pixels of a plot."""


def figures(part: Part, of: View) -> tuple[Figure, ...]:
    """What is drawn of one part; empty where its table says it better."""
    if part.id == "sizes":
        return _sizes(part, of)
    return _threads(part, of) if part.id == "threads" else ()


def _sizes(part: Part, of: View) -> tuple[Figure, ...]:
    sweep = curve(of)
    if not sweep.drawable:
        return ()
    low, high = sweep.measured[0][0], sweep.measured[-1][0]
    points = tuple(
        Point(
            size, value, {"working set": f"{size_bytes(size)} a thread", "rate": f"{three_digits(value)} {sweep.unit}"}
        )
        for size, value in sweep.measured
    )
    axes = Axes(
        safe_text(title(of)),
        sweep.unit,
        (Curve("measured", safe_text(of.case.style), points),),
        tuple((value, size_bytes(value)) for value in powers_of_two(low, high) or [low]),
        (Guide("roof", sweep.roof),) if len(sweep.roof) > 1 else (),
        tuple(_zones(sweep)),
    )
    alt = (
        f"{sweep.unit} over the working set of one thread, both logarithmic: from {three_digits(points[0].y)} at "
        f"{size_bytes(low)} to {three_digits(points[-1].y)} at {size_bytes(high)}; caches are shaded, the roof dashed."
    )
    name = "Rate against the working set of one thread"
    return (Figure("sizes-curve", name, _alone(spec([axes], "", _HEIGHT)), alt, part.table),)


def _zones(sweep: Sweep) -> list[Zone]:
    starts = [0.0, *(end for _, end in sweep.ends)]
    zones = [
        Zone(level, start, end, shaded=number % 2 == 0)
        for number, ((level, end), start) in enumerate(zip(sweep.ends, starts, strict=False))
    ]
    if sweep.ends:
        zones.append(Zone("DRAM", sweep.ends[-1][1], math.inf, len(sweep.ends) % 2 == 0))
    return zones


def _threads(part: Part, of: View) -> tuple[Figure, ...]:
    """Two counts are a table: a line needs three."""
    known = [point for point in of.profile.threads if point.speedup > 0 and math.isfinite(point.speedup)]
    if len(known) < 3:
        return ()
    points = tuple(
        Point(float(one.threads), one.speedup, {"best": seconds(one.call_s), "speedup": ratio(one.speedup)})
        for one in known
    )
    most = float(known[-1].threads)
    axes = Axes(
        safe_text(title(of)),
        "x",
        (Curve("measured", safe_text(of.case.style), points),),
        tuple((float(one.threads), threads_text(one.threads)) for one in known),
        (Guide("ideal", ((1.0, 1.0), (most, most))),),
    )
    alt = f"Speedup over threads beside the ideal: {ratio(points[-1].y)} on {threads_text(known[-1].threads)}."
    return (Figure("threads-speedup", "Speedup against threads", _alone(spec([axes], "", _HEIGHT)), alt, part.table),)


def _alone(drawing: dict[str, object]) -> dict[str, object]:
    """Without the list to choose from: there is one set of lines."""
    params = drawing["params"]
    assert isinstance(params, list), "scaling_lines.spec always has its parameters"
    kept = [{key: value for key, value in one.items() if key != "bind"} for one in params]
    return {**drawing, "params": kept}
