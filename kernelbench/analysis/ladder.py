"""Bandwidth read off the measured ladder, at any footprint and any share of writes."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import UNSET, Struct, UnsetType

from kernelbench.model import Cache, Ceiling, Machine, Unknown

WRITE_FRACTION = {"read": 0.0, "triad": 1 / 3, "copy": 1 / 2, "write": 1.0}
"""Share of a mix's algorithmic bytes that are written (triad reads two arrays and writes one)."""


class Bandwidth(Struct, frozen=True):
    """What the ladder allows at one footprint and one share of writes."""

    bytes_per_s: float
    """All threads together, algorithmic bytes."""
    mix: str
    """"copy", or "read/triad" when it lies between two measured mixes."""


def usable(ceilings: Iterable[Ceiling], kind: str) -> list[Ceiling]:
    """The ceilings of one kind that hold a positive value."""
    return [c for c in ceilings if c.kind == kind and not isinstance(c.value, UnsetType) and c.value > 0]


def value_of(ceiling: Ceiling) -> float:
    """The ceiling's value in its unit. Raises ValueError when it was skipped."""
    if isinstance(ceiling.value, UnsetType):
        raise ValueError(f"ceiling {ceiling.id!r} holds no value; filter with usable() first")
    return ceiling.value


def bandwidth(
    ceilings: Sequence[Ceiling], threads: int, footprint_bytes: float, write_fraction: float
) -> Bandwidth | UnsetType:
    """B/s at ``footprint_bytes`` of working set per thread and ``write_fraction`` of the bytes written.

    Along the footprint each mix is interpolated linearly in log(bytes) and log(B/s); between the two
    mixes that bracket the write fraction, linearly in seconds per byte, because a byte of either kind
    takes its own time. Clamped at every end. Absent when no mix was measured at this thread count.
    """
    points = []
    for mix, fraction in WRITE_FRACTION.items():
        ladder = mix_ladder(ceilings, threads, mix)
        if ladder:
            points.append((fraction, 1 / _along(ladder, footprint_bytes), mix))
    if not points:
        return UNSET
    points.sort()
    if write_fraction <= points[0][0]:
        return Bandwidth(1 / points[0][1], points[0][2])
    for (f0, s0, mix0), (f1, s1, mix1) in pairwise(points):
        if math.isclose(write_fraction, f1, abs_tol=1e-9):
            return Bandwidth(1 / s1, mix1)
        if write_fraction < f1:
            share = (write_fraction - f0) / (f1 - f0)
            return Bandwidth(1 / (s0 + share * (s1 - s0)), f"{mix0}/{mix1}")
    return Bandwidth(1 / points[-1][1], points[-1][2])


def mix_ladder(ceilings: Iterable[Ceiling], threads: int, mix: str) -> list[tuple[float, float]]:
    """(working set of one thread in bytes, B/s), rising, for one access mix and thread count."""
    # Of two points at one footprint the larger counts, as of two probes: keeping both would divide by zero.
    points: dict[float, float] = {}
    for c in usable(ceilings, "memory"):
        if c.mix == mix and c.threads == threads and not isinstance(c.working_set_bytes, UnsetType):
            size = max(1.0, float(c.working_set_bytes))
            points[size] = max(points.get(size, 0.0), value_of(c))
    return sorted(points.items())


def largest_footprint(ceilings: Iterable[Ceiling], threads: int) -> float:
    """Bytes per thread of the last ladder point, which lies in DRAM; infinite without a ladder."""
    sizes = [p[0] for mix in WRITE_FRACTION for p in mix_ladder(ceilings, threads, mix)]
    return max(sizes, default=math.inf)


def level_of(machine: Machine | UnsetType, ceilings: Iterable[Ceiling], threads: int, footprint_bytes: float) -> str:
    """The level that a footprint per thread lives in: a label, never the source of a number.

    The nearest cache whose instance holds the footprints of the threads that share it (threads are
    spread over instances first). Where the sizes are unknown: the levelled ladder point nearest in
    log(bytes). "memory" when that is unknown too.
    """
    if not isinstance(machine, UnsetType) and not isinstance(machine.caches, Unknown):
        data = sorted((c for c in machine.caches if c.kind != "instruction"), key=lambda c: c.level)
        sized = [(c, c.size_bytes) for c in data if not isinstance(c.size_bytes, Unknown)]
        for cache, size in sized:
            if footprint_bytes * _threads_per_instance(cache, threads) <= size:
                return f"L{cache.level}"
        if sized:
            return "DRAM"
    levelled = [
        (abs(math.log(max(1.0, footprint_bytes) / max(1, c.working_set_bytes))), c.level)
        for c in usable(ceilings, "memory")
        if c.threads == threads
        and not isinstance(c.level, UnsetType)
        and not isinstance(c.working_set_bytes, UnsetType)
    ]
    return min(levelled)[1] if levelled else "memory"


def _threads_per_instance(cache: Cache, threads: int) -> int:
    if cache.shared_by:
        return math.ceil(threads / len(cache.shared_by))
    return 1 if cache.level <= 2 else threads


def _along(ladder: Sequence[tuple[float, float]], footprint_bytes: float) -> float:
    if footprint_bytes <= ladder[0][0]:
        return ladder[0][1]
    for (x0, y0), (x1, y1) in pairwise(ladder):
        if footprint_bytes <= x1:
            share = math.log(footprint_bytes / x0) / math.log(x1 / x0)
            return math.exp(math.log(y0) + share * math.log(y1 / y0))
    return ladder[-1][1]
