"""Bandwidth read off the measured ladder, at any footprint and any share of writes."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.once import asked_once
from kernelbench.analysis.shares import shares
from kernelbench.model import Ceiling, Machine

WRITE_FRACTION = {"read": 0.0, "triad": 1 / 3, "copy": 1 / 2, "write": 1.0}
"""Share of a mix's algorithmic bytes that are written (triad reads two arrays and writes one)."""
IN_PLACE = {"read": 0.0, "update": 1 / 2}
"""The mixes that write only lines they have read, so that no line is read for ownership."""
STREAMING = {"copy": "copy_nt", "triad": "triad_nt"}
"""Mixes whose stores may go past the caches, which saves the read for ownership."""


class Bandwidth(Struct, frozen=True):
    """What the ladder allows at one footprint and one share of writes."""

    bytes_per_s: float
    """All threads together, algorithmic bytes."""
    mix: str
    """"copy", or "read/triad" when it lies between two measured mixes."""
    streaming: bool = False
    """True when a mix with streaming stores set the number."""

    @property
    def words(self) -> str:
        """ "copy", "copy (streaming stores)"."""
        return self.mix + (" (streaming stores)" if self.streaming else "")


class _Point(Struct, frozen=True, order=True):
    """One mix at the footprint in question."""

    written: float
    seconds_per_byte: float
    mix: str
    streaming: bool


@asked_once
def usable(ceilings: Iterable[Ceiling], kind: str) -> list[Ceiling]:
    """The ceilings of one kind that hold a positive value."""
    return [c for c in ceilings if c.kind == kind and not isinstance(c.value, UnsetType) and c.value > 0]


def value_of(ceiling: Ceiling) -> float:
    """The ceiling's value in its unit. Raises ValueError when it was skipped."""
    if isinstance(ceiling.value, UnsetType):
        raise ValueError(f"ceiling {ceiling.id!r} holds no value; filter with usable() first")
    return ceiling.value


def bandwidth(
    ceilings: Sequence[Ceiling],
    threads: int,
    footprint_bytes: float,
    write_fraction: float,
    *,
    in_place: bool = False,
    streaming: bool = False,
) -> Bandwidth | UnsetType:
    """B/s at ``footprint_bytes`` of working set per thread and ``write_fraction`` of the bytes written.

    The rule. Along the footprint each mix is interpolated linearly in log(bytes) and log(B/s). The write
    share alone picks the two measured mixes that bracket it (read 0, triad 1/3, copy 1/2, write 1), and
    between them seconds per byte are linear in it, because a byte of either kind takes its own time.
    ``in_place`` (at most half of the bytes written) picks from read and update instead: equal shares, but
    no line is read for ownership. With ``streaming`` a mix counts as the faster of its plain and its
    streaming-store form. Clamped at every end. Absent when no mix was measured at this thread count.
    """
    points = _points(ceilings, threads, footprint_bytes, WRITE_FRACTION, streaming)
    if in_place and write_fraction <= IN_PLACE["update"] and mix_ladder(ceilings, threads, "update"):
        points = _points(ceilings, threads, footprint_bytes, IN_PLACE, False)
    if not points:
        return UNSET
    if write_fraction <= points[0].written:
        return _at(points[0])
    for low, high in pairwise(points):
        if math.isclose(write_fraction, high.written, abs_tol=1e-9):
            return _at(high)
        if write_fraction < high.written:
            share = (write_fraction - low.written) / (high.written - low.written)
            seconds = low.seconds_per_byte + share * (high.seconds_per_byte - low.seconds_per_byte)
            return Bandwidth(1 / seconds, f"{low.mix}/{high.mix}", low.streaming or high.streaming)
    return _at(points[-1])


@asked_once
def mix_ladder(ceilings: Iterable[Ceiling], threads: int, mix: str) -> list[tuple[float, float]]:
    """(working set of one thread in bytes, B/s), rising, for one access mix and thread count."""
    # Of two points at one footprint the larger counts, as of two probes: keeping both would divide by zero.
    points: dict[float, float] = {}
    for c in usable(ceilings, "memory"):
        if c.mix == mix and c.threads == threads and not isinstance(c.working_set_bytes, UnsetType):
            size = max(1.0, float(c.working_set_bytes))
            points[size] = max(points.get(size, 0.0), value_of(c))
    return sorted(points.items())


@asked_once
def largest_footprint(ceilings: Iterable[Ceiling], threads: int) -> float:
    """Bytes per thread of the last ladder point, which lies in DRAM; infinite without a ladder."""
    own = [c.working_set_bytes for c in usable(ceilings, "memory") if c.threads == threads]
    return max((float(size) for size in own if not isinstance(size, UnsetType)), default=math.inf)


def level_of(
    machine: Machine | UnsetType,
    ceilings: Iterable[Ceiling],
    threads: int,
    footprint_bytes: float,
    cpus: Sequence[int] = (),
) -> str:
    """The level that a footprint per thread lives in: a label, never the source of a number.

    The nearest cache of which one thread's share holds it (see ``shares``; ``cpus``: where the threads
    run), else DRAM. Where some level's size is unknown for those CPUs: the levelled ladder point nearest
    in log(bytes). "memory" when that is unknown too.
    """
    if not isinstance(machine, UnsetType):
        known = shares(machine, threads, cpus)
        if known.complete:
            return next((s.level for s in known.levels if footprint_bytes <= s.bytes_per_thread), "DRAM")
    levelled = [
        (abs(math.log(max(1.0, footprint_bytes) / max(1, c.working_set_bytes))), c.level)
        for c in usable(ceilings, "memory")
        if c.threads == threads
        and not isinstance(c.level, UnsetType)
        and not isinstance(c.working_set_bytes, UnsetType)
    ]
    return min(levelled)[1] if levelled else "memory"


def _points(
    ceilings: Sequence[Ceiling], threads: int, footprint_bytes: float, mixes: dict[str, float], streaming: bool
) -> list[_Point]:
    """The measured ones of ``mixes`` at one footprint, by rising share of writes."""
    points = []
    for mix, written in mixes.items():
        forms = {mix: False} | ({STREAMING[mix]: True} if streaming and mix in STREAMING else {})
        ladders = [(mix_ladder(ceilings, threads, form), nt) for form, nt in forms.items()]
        found = [(1 / _along(ladder, footprint_bytes), nt) for ladder, nt in ladders if ladder]
        if found:
            seconds_per_byte, nt = min(found)
            points.append(_Point(written, seconds_per_byte, mix, nt))
    return sorted(points)


def _at(point: _Point) -> Bandwidth:
    return Bandwidth(1 / point.seconds_per_byte, point.mix, point.streaming)


def _along(ladder: Sequence[tuple[float, float]], footprint_bytes: float) -> float:
    if footprint_bytes <= ladder[0][0]:
        return ladder[0][1]
    # A tuple of one sorts before every longer one that it begins: the first point at the footprint or beyond.
    after = bisect_left(ladder, (footprint_bytes,))
    if after == len(ladder):
        return ladder[-1][1]
    (x0, y0), (x1, y1) = ladder[after - 1], ladder[after]
    share = math.log(footprint_bytes / x0) / math.log(x1 / x0)
    return math.exp(math.log(y0) + share * math.log(y1 / y0))
