"""Rate against size: what caches do to each variant of an op."""

import math
from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.model import Result
from kernelbench.report.card_knees import boundaries, knees_at
from kernelbench.report.columns import COLUMNS, name
from kernelbench.report.rows import Row
from kernelbench.report.scaling_known import MOST_ROWS, Pictures, first_then, left_out, shared_params, title
from kernelbench.report.scaling_lines import Curve, Guide, Point, View, Zone, spec
from kernelbench.report.scaling_measure import Measure, measure, tips
from kernelbench.report.scaling_ticks import powers_of_two
from kernelbench.report.section import Figure, Head, Table
from kernelbench.report.text import safe_text
from kernelbench.units import size_bytes

MOST_POINTS = 1500
"""Points in the chart."""

_HEADS = (
    Head("case", numeric=False),
    Head("working set", "Bytes of all operands of one call, for one of its threads."),
    Head("rate", "Rate at the best sample."),
    Head("roof", COLUMNS["roof"].meaning),
    Head("% roof", COLUMNS["fraction"].meaning),
)


class Sized(Struct, frozen=True):
    """One measured case and the bytes that one of its threads touches."""

    row: Row
    bytes_per_thread: float


class _Walls(Struct, frozen=True):
    """Where memory levels end for one thread of a team."""

    zones: tuple[Zone, ...] = ()
    knees: tuple[tuple[float, str], ...] = ()
    """Bytes of one thread, and what was seen there."""


def pictures(rows: Sequence[Row], result: Result) -> Pictures | UnsetType:
    """Rate over working set, the caches shaded; UNSET when no variant was measured at two sizes."""
    sets = list(_sets(_sized(rows, result)))
    if not sets:
        return UNSET
    found = first_then(max(sets, key=_weight), sets)
    drawn = _first(found)
    walls = {key: _walls(result, *key) for key in dict.fromkeys(_place(members) for members in drawn)}
    views = [_view(members, walls[_place(members)], len(result.machines) > 1) for members in drawn]
    # A damaged file may hold nothing but rates that no axis can show.
    views = [view for view in views if view.curves]
    if not views:
        return UNSET
    first = views[0]
    alt = (
        f"Rate over the working set of one thread, both logarithmic, for {first.title}: "
        f"{', '.join(curve.name for curve in first.curves)}; caches are shaded and the roof is a dashed line."
    )
    cases = [sized for one in found for sized in one]
    cells = tuple(_cells(sized) for sized in cases[:MOST_ROWS])
    chart = spec(views, "Op: ")
    made = Figure(
        "scaling-size", "Rate against the working set of one thread", chart, safe_text(alt), Table(_HEADS, cells)
    )
    told = left_out("Rate against size", len(drawn), len(found), len(cases))
    if len(drawn[0]) < len(found[0]):
        told = f"{told} Of the first op's {len(found[0])} cases {len(drawn[0])} are drawn, evenly chosen.".strip()
    return Pictures((made,), told)


def _sized(rows: Iterable[Row], result: Result) -> Iterator[Sized]:
    sizes = {(r.machine, r.case.id): r.work.working_set_bytes for r in result.records}
    for row in rows:
        size = sizes.get((row.machine, row.case_id), UNSET)
        plain = row.isa == "native" and row.cache == "warm" and not isinstance(row.best_s, UnsetType)
        # Interpreted code lies decades below the rest: its line would press all others together.
        if plain and row.style != "python" and not isinstance(size, UnsetType) and 0 < size < math.inf:
            yield Sized(row, size / row.threads)


def _sets(sized: Iterable[Sized]) -> Iterator[list[Sized]]:
    """The cases of one op, number type, thread count and machine of which some variant has two sizes."""
    found: dict[tuple[object, ...], list[Sized]] = {}
    for one in sized:
        row = one.row
        found.setdefault((row.machine, row.op, row.dtype, row.threads, shared_params(row)), []).append(one)
    for members in found.values():
        of_variant: dict[str, set[float]] = {}
        for one in members:
            of_variant.setdefault(name(one.row), set()).add(one.bytes_per_thread)
        if any(len(sizes) > 1 for sizes in of_variant.values()):
            yield members


def _weight(members: Sequence[Sized]) -> tuple[bool, int, int, int]:
    """f32 first, then the most octaves of sizes, one thread, the most cases."""
    sizes = [one.bytes_per_thread for one in members]
    first = members[0].row
    return first.dtype == "f32", round(math.log2(max(sizes) / min(sizes))), -first.threads, len(members)


def _first(found: Sequence[list[Sized]]) -> list[list[Sized]]:
    """As many sets as the chart can hold; of a first one that alone is too large every second case, or third..."""
    drawn, points = [found[0][:: math.ceil(len(found[0]) / MOST_POINTS)]], len(found[0])
    for members in found[1:]:
        points += len(members)
        if points > MOST_POINTS:
            break
        drawn.append(members)
    return drawn


def _place(members: Sequence[Sized]) -> tuple[str, int]:
    return members[0].row.machine, members[0].row.threads


def _view(members: Sequence[Sized], walls: _Walls, several_machines: bool) -> View:
    first = members[0].row
    unit = measure([one.row for one in members])
    low, high = (pick(one.bytes_per_thread for one in members) for pick in (min, max))
    at = powers_of_two(low, high) or [low]
    return View(
        title(first, shared_params(first), threads=True, several_machines=several_machines),
        unit.title,
        tuple(_curves(members, unit)),
        tuple((value, size_bytes(value)) for value in at),
        _roof(members, unit),
        walls.zones,
        tuple((x, tip) for x, tip in walls.knees if low <= x <= high),
    )


def _curves(members: Iterable[Sized], unit: Measure) -> Iterator[Curve]:
    of_variant: dict[tuple[str, str], dict[float, Point]] = {}
    for one in members:
        value = unit.value(one.row)
        if not isinstance(value, UnsetType):
            told = {"working set": f"{size_bytes(one.bytes_per_thread)} a thread", **tips(one.row, unit)}
            # Of two shapes with the same working set the faster stands for it: a line has one height at a place.
            best = of_variant.setdefault((name(one.row), one.row.style), {})
            if one.bytes_per_thread not in best or best[one.bytes_per_thread].y < value:
                best[one.bytes_per_thread] = Point(one.bytes_per_thread, value, told)
    for (variant, style), points in of_variant.items():
        yield Curve(variant, safe_text(style), tuple(points[x] for x in sorted(points)))


def _roof(members: Iterable[Sized], unit: Measure) -> tuple[Guide, ...]:
    """The highest roof of the cases at each size: one line, although each case has its own."""
    highest: dict[float, float] = {}
    for one in members:
        roof = unit.roof(one.row)
        if not isinstance(roof, UnsetType):
            highest[one.bytes_per_thread] = max(highest.get(one.bytes_per_thread, 0.0), roof)
    return (Guide("roof", tuple(sorted(highest.items()))),) if len(highest) > 1 else ()


def _walls(result: Result, machine_id: str, threads: int) -> _Walls:
    """The levels as the OS claims them (knees where it claims none), and the knees of the measured read curve."""
    machine = result.machines.get(machine_id)
    if machine is None:
        return _Walls()
    own = [c for c in result.ceilings if c.machine == machine_id]
    ends = boundaries(own, machine, threads)
    starts = [0.0, *(end for _, end in ends)]
    zones = [
        Zone(safe_text(level), start, end, shaded=number % 2 == 0)
        for number, ((level, end), start) in enumerate(zip(ends, starts, strict=False))
    ]
    if ends:
        zones.append(Zone("beyond" if ends[-1][0] == "knee" else "DRAM", ends[-1][1], math.inf, len(ends) % 2 == 0))
    knees = knees_at(own, machine, threads).sizes_bytes
    told = ((size, f"the read curve falls behind {size_bytes(size)} of one thread") for size in knees)
    return _Walls(tuple(zones), tuple(told))


def _cells(one: Sized) -> tuple[str, ...]:
    row = one.row
    unit, fraction = measure([row]), COLUMNS["fraction"].text(row)
    return safe_text(row.case_id), size_bytes(one.bytes_per_thread), unit.text(row), unit.roof_text(row), fraction
