"""The sweeps of a profile: over sizes, threads and instruction sets, as tables, and the curve of the first."""

import math

from msgspec import UNSET, UnsetType

from kernelbench.model import IsaPoint, SizePoint, ThreadPoint
from kernelbench.report.columns import COLUMNS
from kernelbench.report.profile import Part, View, rate, rate_unit
from kernelbench.report.profile_curve import Curve
from kernelbench.report.scaling_measure import CALLS, Measure, measure
from kernelbench.report.section import Head, Table
from kernelbench.report.text import safe_text
from kernelbench.units import percent, ratio, seconds, size_bytes


def sizes(of: View) -> Part:
    points = of.profile.sizes
    if len(points) < 2:
        return Part("sizes", "")
    unit = _unit(of)
    heads = (
        Head("size", numeric=False),
        Head("bytes", "Working set of one thread."),
        Head("in", "Nearest level that holds it.", numeric=False),
        Head("best call"),
        Head("rate"),
        Head("% roof", COLUMNS["fraction"].meaning),
    )
    table = Table(heads, tuple(_sized(of, point, unit) for point in points))
    return Part("sizes", "Size", table=table, about="* what was profiled; bytes of one thread.")


def curve(of: View) -> Curve:
    """The rate over the working set of one thread; not drawable with fewer than two sizes."""
    unit = _unit(of)
    measured: dict[float, float] = {}
    roof: dict[float, float] = {}
    for point in of.profile.sizes:
        row, at = of.rows.get(point.case), _footprint(of, point)
        if isinstance(unit, UnsetType) or row is None:
            value = 1e-9 / point.per_unit_s if point.per_unit_s > 0 else UNSET
        else:
            value = unit.value(row)
            allowed = unit.roof(row)
            if not isinstance(allowed, UnsetType):
                roof[at] = allowed
        if not isinstance(value, UnsetType) and 0 < at < math.inf and 0 < value < math.inf:
            measured[at] = max(value, measured.get(at, 0.0))
    title = rate_unit(of.profile.unit) if isinstance(unit, UnsetType) else unit.title
    ends = tuple((safe_text(level), float(size)) for level, size in of.profile.levels if size > 0)
    return Curve(title, tuple(sorted(measured.items())), tuple(sorted(roof.items())), ends)


def _unit(of: View) -> Measure | UnsetType:
    """What the sizes are compared by; UNSET where only the engine's unit of work is known."""
    swept = [of.rows[point.case] for point in of.profile.sizes if point.case in of.rows]
    found = measure(swept) if swept and len(swept) == len(of.profile.sizes) else CALLS
    return UNSET if found is CALLS else found


def _footprint(of: View, point: SizePoint) -> float:
    """Bytes of one thread."""
    return point.working_set_bytes / of.case.threads


def _sized(of: View, point: SizePoint, unit: Measure | UnsetType) -> tuple[str, ...]:
    row = of.rows.get(point.case)
    told = rate(point.per_unit_s, of.profile.unit) if isinstance(unit, UnsetType) or row is None else unit.text(row)
    here = " *" if point.case == of.profile.case else ""
    return (
        safe_text(f"{_size(of, point)}{here}"),
        size_bytes(_footprint(of, point)),
        safe_text(point.level),
        seconds(point.call_s),
        told,
        _fraction(of, point.case),
    )


def _size(of: View, point: SizePoint) -> str:
    """As the case id writes it."""
    row = of.rows.get(point.case)
    return ",".join(f"{name}={value}" for name, value in point.shape.items()) if row is None else row.shape


def threads(of: View) -> Part:
    points = of.profile.threads
    if len(points) < 2:
        return Part("threads", "")
    heads = (
        Head("threads"),
        Head("best call"),
        Head("speedup", "One thread's time over this one's."),
        Head("efficiency", "Speedup over threads."),
        Head("% roof", COLUMNS["fraction"].meaning),
    )
    return Part("threads", "Threads", table=Table(heads, tuple(_threaded(of, point) for point in points)))


def _threaded(of: View, point: ThreadPoint) -> tuple[str, ...]:
    efficiency = percent(point.speedup / point.threads) if point.threads else ""
    return str(point.threads), seconds(point.call_s), ratio(point.speedup), efficiency, _fraction(of, point.case)


def isa(of: View) -> Part:
    points = of.profile.isa
    timed = [point.call_s for point in points if not isinstance(point.call_s, UnsetType)]
    if len(points) < 2 or not timed:
        return Part("isa", "")
    heads = (
        Head("compiled for", numeric=False),
        Head("registers used", "Widest that the code contains.", numeric=False),
        Head("best call"),
        Head("speedup", "Over the lowest level that was measured."),
        Head("% roof", COLUMNS["fraction"].meaning),
    )
    return Part("isa", "Instruction sets", table=Table(heads, tuple(_leveled(of, one, timed[0]) for one in points)))


def _leveled(of: View, point: IsaPoint, lowest_s: float) -> tuple[str, ...]:
    name, used = safe_text(point.isa), _shown(point.isa_used)
    if isinstance(point.call_s, UnsetType):
        return name, f"not measured: {safe_text(point.skipped)}" if point.skipped else "not measured", "", "", ""
    return name, used, seconds(point.call_s), ratio(lowest_s / point.call_s), _fraction(of, point.case)


def _fraction(of: View, case_id: str) -> str:
    row = of.rows.get(case_id)
    return "" if row is None else COLUMNS["fraction"].text(row)


def _shown(value: str | UnsetType) -> str:
    """Foreign text; empty when absent."""
    return "" if isinstance(value, UnsetType) else safe_text(value)
