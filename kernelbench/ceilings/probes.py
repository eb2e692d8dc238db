"""One pass over the ceilings at one thread count: what a worker does for ``ProbeCeilings``."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from msgspec import UNSET, Struct, structs

from kernelbench.ceilings import compute, latency, memory
from kernelbench.ceilings.probing import Block, Point, Prober, runner
from kernelbench.model import Ceiling
from kernelbench.model.result import SMALL_DRAM
from kernelbench.native.host import llvm_host
from kernelbench.protocol import ProbeCeilings
from kernelbench.timing.arena import PAGE, STAGGER, Arena
from kernelbench.units import size_bytes

DRAM_SHARE = 3.9
"""DRAM is probed on four times the last level, or nearly: sizes are rounded to pages."""
PLACES = {"full": 4, "quick": 2, "memory": 2, "check": 2}
"""Addresses at which a small working set is tried: physical pages decide several per cent of a cache's speed."""
TRIPS = 2000
"""Trips of a compute loop in one call: some 10 us, so that entering it is less than a thousandth."""
CALL_BYTES = 64 << 10
"""A call sweeps a small working set until it has moved this much, so that entering and leaving are little of it."""
HOPS = 4096
"""Dependent loads of one call."""

LAPS, LAP_BYTES = 8, 32 << 20
"""Untimed rounds through a chain before it is chased, of so many bytes in all or one: lines just written lie in nearer
caches, and those of a shared last level settle only after some rounds."""

POINTS_PER_OCTAVE = {"full": 4, "quick": 2, "memory": 2}
CHAINS = {"full": compute.CHAINS, "quick": (8, 12), "check": (12,), "pulse": (12,)}
"""Numbers of accumulator chains tried: 12 fill every pipe known to us and fit 16 registers; a full pass makes sure."""

CHECK_COMPUTE = (("f64", "fma"), ("f32", "fma"), ("i8", "dot"))
CHECK_MIXES = ("read", "copy", "triad")
"""A check probes these only: at the widest level, and at the points that stand for memory levels. A pulse leaves the
memory out."""


class Plan(Struct, frozen=True):
    """A ceiling to be: the points to measure, and how it is made of them."""

    points: tuple[Point, ...]
    made: Callable[[], Ceiling]


def probe(request: ProbeCeilings, cpus: Sequence[int]) -> tuple[Ceiling, ...]:
    """Every ceiling that ``request.scope`` asks for at ``len(cpus)`` threads, one probe each."""
    this = Prober(request, cpus)
    plans = [] if request.scope == "memory" else list(_compute(this))
    if request.scope not in ("compute", "pulse"):
        plans += _memory(this)
    points = [point for plan in plans for point in plan.points]
    for point in points:
        this.take(point)
    latencies = tuple(_latency(this)) if request.scope in ("full", "quick") and this.threads == 1 else ()
    this.again(points)
    return (*(plan.made() for plan in plans), *latencies)


def _compute(this: Prober) -> Iterator[Plan]:
    kinds = compute.kinds(this.request.isa_levels, llvm_host()[1])
    if this.request.scope in ("check", "pulse"):
        measurable = [kind for kind in kinds if isinstance(kind, compute.Kind)]
        # The table rises with the level: the last of a type and mix is the widest.
        widest = {(kind.dtype, kind.mix): kind for kind in measurable if (kind.dtype, kind.mix) in CHECK_COMPUTE}
        kinds = tuple(widest.values())
    for kind in kinds:
        if isinstance(kind, compute.Absent):
            yield Plan((), partial(_absent, this, kind))
        else:
            yield _peak(this, kind)


def _absent(this: Prober, kind: compute.Absent | compute.Kind, reason: str = "") -> Ceiling:
    return Ceiling(
        id=f"compute/{kind.dtype}/{kind.isa}/{kind.mix}/t={this.threads}",
        kind="compute",
        machine=this.request.machine,
        threads=this.threads,
        unit=kind.unit,
        dtype=kind.dtype,
        isa=kind.isa,
        mix=kind.mix,
        skipped=reason or (kind.reason if isinstance(kind, compute.Absent) else ""),
    )


def _peak(this: Prober, kind: compute.Kind) -> Plan:
    """The largest rate over the numbers of accumulator chains."""
    points: dict[int, Point] = {}
    reason = ""
    for chains in CHAINS.get(this.request.scope, compute.CHAINS):
        code = compute.compiled(kind, chains)
        if isinstance(code, str):
            reason = code
            continue
        blocks = [(ctypes.c_int64 * 32)(TRIPS, compute.seed(kind)) for _ in this.cpus]
        work = compute.work(kind, chains, TRIPS) * this.threads
        points[chains] = Point([runner(code, "peak", blocks, this.cpus)], work)
    for point in points.values():
        point.rivals = tuple(points.values())

    def made() -> Ceiling:
        if not points:
            return _absent(this, kind, reason)
        chains, best = max(points.items(), key=lambda item: item[1].probe.value)
        return structs.replace(
            _absent(this, kind),
            skipped=UNSET,
            value=best.probe.value,
            probes=(best.probe,),
            provenance=f"{kind.provenance}; {compute.accumulators(kind, chains)} independent chains",
        )

    return Plan(tuple(points.values()), made)


def _memory(this: Prober) -> Iterator[Plan]:
    scope = this.request.scope
    points = memory.ladder(this.request.levels, POINTS_PER_OCTAVE.get(scope, 1))
    mixes = memory.MIXES
    if scope == "check":
        points, mixes = tuple(point for point in points if point[1]), CHECK_MIXES
    largest = max(size for size, _ in points)
    buffers = [_buffer(largest + 8 * PAGE, cpu) for cpu in this.cpus]
    for mix in mixes:
        for size, level in points:
            yield _bandwidth(this, mix, size, level, buffers)


def _bandwidth(this: Prober, mix: str, size: int, level: str, buffers: Sequence[np.ndarray]) -> Plan:
    each = memory.array_bytes(mix, size)
    arrays, held = memory.ARRAYS[mix], memory.working_set_bytes(mix, each)
    moved = memory.moved_bytes(mix, each)
    repeats = max(1, CALL_BYTES // moved)
    span = held + 4 * PAGE
    runs = []
    for place in range(max(1, min(_places(this), buffers[0].nbytes // span))):
        blocks = [_block(buffer, place * span, each, arrays, repeats) for buffer in buffers]
        # Neither width wins everywhere: where a 512-bit store takes two cycles, 256-bit loops are faster in L1.
        runs += [runner(memory.compiled(mix, width), "move", blocks, this.cpus) for width in memory.widths()]
    point = Point(runs, moved * repeats * this.threads, important=bool(level), operands=buffers)

    def made() -> Ceiling:
        return Ceiling(
            id=f"memory/{mix}/{held}/t={this.threads}",
            kind="memory",
            machine=this.request.machine,
            threads=this.threads,
            unit="B/s",
            value=point.probe.value,
            level=level or UNSET,
            mix=mix,
            working_set_bytes=held,
            probes=(point.probe,),
            provenance=f"best of vectors of {' and '.join(map(str, memory.widths()))} bytes; "
            "loads and stores of the source, without read-for-ownership" + _caution(this, level),
        )

    return Plan((point,), made)


def _caution(this: Prober, level: str) -> str:
    """What a reader must know of a DRAM point that is too small; empty for all others."""
    *caches, (_, dram_bytes) = this.request.levels
    if level != "DRAM" or not caches or dram_bytes >= DRAM_SHARE * caches[-1][1]:
        return ""
    return f"; {size_bytes(dram_bytes)} a thread are {SMALL_DRAM}"


def _places(this: Prober) -> int:
    """A team has its own pages on every core already, and takes longer to start."""
    places = PLACES[this.request.scope]
    return places if this.threads == 1 else 1


def _latency(this: Prober) -> Iterator[Ceiling]:
    points = [point for point in latency.points(this.request.levels) if point[1] or this.request.scope == "full"]
    largest = max(size for size, _ in points)
    arena = Arena(Arena.room([largest]), this.cpus)
    room = arena.empty((largest // 8,), np.dtype(np.int64))
    code = latency.compiled()
    for size, level in points:
        start = latency.place(latency.chain(min(size, room.nbytes)), room)
        laps = latency.block(start, latency.whole_trips(max(size, min(LAPS * size, LAP_BYTES)) // latency.LINE_BYTES))
        runner(code, "chase", [laps], this.cpus)(1)
        hops = latency.whole_trips(HOPS)
        # At once, for the next chain takes this one's place.
        best = this.take(Point([runner(code, "chase", [latency.block(laps[0], hops)], this.cpus)], hops))
        taken = structs.replace(best, value=1 / best.value)
        yield Ceiling(
            id=f"latency/{size}/t=1",
            kind="latency",
            machine=this.request.machine,
            threads=1,
            unit="s",
            value=taken.value,
            level=level or UNSET,
            working_set_bytes=size,
            probes=(taken,),
            provenance="one random cycle over all lines, each load waiting for the last; "
            f"{100 * arena.huge_share():.0f}% on huge pages",
        )


def _buffer(size: int, cpu: int) -> np.ndarray:
    """``size`` bytes of 0.5, on huge pages where granted, first touched on ``cpu``."""
    arena = Arena(size + 2 * PAGE, (cpu,))
    made = arena.empty((size // 4,), np.dtype(np.float32))
    made.fill(0.5)
    return made


def _block(buffer: np.ndarray, offset: int, each: int, arrays: int, repeats: int) -> Block:
    """{a, b, c, bytes, repeats, ...result}: arrays one after another from ``offset``, a page and a bit apart."""
    start = buffer.ctypes.data + -(-offset // PAGE) * PAGE
    apart = each if arrays == 1 else -(-each // PAGE) * PAGE + STAGGER
    addresses = [start + apart * min(i, arrays - 1) for i in range(3)]
    return (ctypes.c_int64 * 32)(*addresses, each, repeats)
