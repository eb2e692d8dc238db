"""The roofline (Williams, Waterman & Patterson 2009): the least time the measured ceilings allow a case."""

from collections.abc import Iterable, Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.ladder import bandwidth, largest_footprint, level_of
from kernelbench.analysis.once import Ceilings, asked_once
from kernelbench.analysis.peaks import ComputeRoof, compute_roof, higher_roof
from kernelbench.analysis.peaks import compute_name as compute_name
from kernelbench.analysis.peaks import threads_text as threads_text
from kernelbench.model import Ceiling, Machine, Record, Work

ABOVE_ROOF = 1.03
"""A roof fraction beyond this is more than the scatter of a best-of-many: the work model or the roof is wrong."""


class MemoryRoof(Struct, frozen=True):
    """The bandwidth that applies to a case."""

    bytes_per_s: float
    """Algorithmic bytes, all threads together."""
    name: str
    """"L2 copy 1 thread"."""
    level: str
    """"L1"..."DRAM": where the working set lives; labels only."""
    footprint_bytes: float
    """Working set of one thread; of a cold case the last ladder point."""


class Roof(Struct, frozen=True, omit_defaults=True):
    """The least time of one call of a case."""

    seconds: float
    """max(flop / compute, bytes / bandwidth) over the roofs that apply."""
    bound: str
    """"compute" or "memory": which of them is that time."""
    name: str
    """Name of the roof that binds."""
    intensity: float | UnsetType = UNSET
    """FLOP per compulsory byte; absent without FLOP or bytes."""
    compute: ComputeRoof | UnsetType = UNSET
    memory: MemoryRoof | UnsetType = UNSET
    higher: ComputeRoof | UnsetType = UNSET
    """What the machine's best instruction set allows, where that is clearly more than ``compute``."""
    missing: str = ""
    """Why one of the two roofs was not used, or is that of another mix; empty when both are the case's own."""


class NoRoof(Struct, frozen=True):
    """No roof applies."""

    reason: str


def roof(record: Record, ceilings: Sequence[Ceiling], machine: Machine | UnsetType = UNSET) -> Roof | NoRoof:
    """The roof of a case: its least seconds per call and what sets them, or why there is none.

    Uses only ceilings of the record's machine and device, measured at the case's thread count. The memory
    roof takes each thread to touch its part of the working set: operands that threads share make it larger.
    """
    own = ceilings_of(record, ceilings)
    compute = compute_roof(record.case, record.work, own)
    memory = _memory_roof(record, own, machine)
    times: list[tuple[float, str, str]] = []
    missing: list[str] = []
    flop, moved = record.work.flop, bytes_moved(record.work)
    if isinstance(compute, str):
        missing.append(compute)
    elif not isinstance(flop, UnsetType):
        times.append((flop / compute.flop_per_s, "compute", compute.name))
        missing += [compute.stands_in] if compute.stands_in else []
    if isinstance(memory, str):
        missing.append(memory)
    elif not isinstance(moved, UnsetType):
        times.append((moved / memory.bytes_per_s, "memory", memory.name))
    if not times:
        return NoRoof("; ".join(missing))
    seconds, bound, name = max(times)
    return Roof(
        seconds=seconds,
        bound=bound,
        name=name,
        intensity=intensity(record.work),
        compute=UNSET if isinstance(compute, str) else compute,
        memory=UNSET if isinstance(memory, str) else memory,
        higher=UNSET if isinstance(compute, str) else higher_roof(record.case, record.work, own, compute),
        missing="; ".join(missing),
    )


def ceilings_of(record: Record, ceilings: Iterable[Ceiling]) -> Ceilings:
    """The ceilings of the machine and device that the record was measured on."""
    return _ceilings_at(ceilings, record.machine, record.device)


@asked_once
def _ceilings_at(ceilings: Iterable[Ceiling], machine: str, device: str) -> Ceilings:
    return Ceilings(c for c in ceilings if (c.machine, c.device) == (machine, device))


def bytes_moved(work: Work) -> float | UnsetType:
    """Compulsory bytes read and written by one call; absent when neither is modelled or both are 0."""
    parts = [b for b in (work.read_bytes, work.write_bytes) if not isinstance(b, UnsetType)]
    return sum(parts) if sum(parts) > 0 else UNSET


def write_fraction(work: Work) -> float:
    """Share of the compulsory bytes that are written; 0 without any."""
    moved = bytes_moved(work)
    if isinstance(moved, UnsetType) or isinstance(work.write_bytes, UnsetType):
        return 0.0
    return work.write_bytes / moved


def in_place(work: Work) -> bool:
    """True when the work writes what it has read: no line is read for ownership, and the two overlap in memory.

    Without ownership but without overlap either, the stores go past the caches: that is no update.
    """
    if work.rfo_bytes != 0 or write_fraction(work) == 0:
        return False
    moved, size = bytes_moved(work), work.working_set_bytes
    written = work.write_bytes
    if isinstance(moved, UnsetType) or isinstance(written, UnsetType) or isinstance(size, UnsetType):
        return True
    return size <= moved - written / 2


def intensity(work: Work) -> float | UnsetType:
    """FLOP per compulsory byte; absent without FLOP or bytes."""
    moved = bytes_moved(work)
    if isinstance(moved, UnsetType) or isinstance(work.flop, UnsetType) or work.flop <= 0:
        return UNSET
    return work.flop / moved


def derived_flags(
    roof_fraction: float | UnsetType,
    *,
    noisy: bool,
    includes_python_call: bool,
    disturbed: bool = False,
    fastmath: bool = False,
) -> tuple[str, ...]:
    """ "above-roof", "noisy", "disturbed", "dispatch" (the time includes a call from Python) and "fast-math" (its sums
    may be reordered), as they apply."""
    above = not isinstance(roof_fraction, UnsetType) and roof_fraction > ABOVE_ROOF
    found = {"above-roof": above, "noisy": noisy, "disturbed": disturbed, "dispatch": includes_python_call}
    found["fast-math"] = fastmath
    return tuple(name for name, applies in found.items() if applies)


def _memory_roof(record: Record, ceilings: Sequence[Ceiling], machine: Machine | UnsetType) -> MemoryRoof | str:
    case, work, threads = record.case, record.work, record.case.threads
    if isinstance(bytes_moved(work), UnsetType):
        return "no memory roof: the work model counts no bytes"
    cold = case.cache == "cold"
    if cold:
        footprint = largest_footprint(ceilings, threads)
    elif isinstance(work.working_set_bytes, UnsetType):
        return "no memory roof: the work model gives no working set"
    else:
        footprint = max(1.0, work.working_set_bytes / threads)
    # Lines begin to fall out of the last cache beyond half of its share. From there on streaming stores may
    # win; beginning at the whole share instead would make the roof jump at a cache size that guests misreport.
    spills = cold or level_of(machine, ceilings, threads, 2 * footprint, record.placement) == "DRAM"
    found = bandwidth(ceilings, threads, footprint, write_fraction(work), in_place=in_place(work), streaming=spills)
    if isinstance(found, UnsetType):
        return f"no memory roof: no bandwidth was measured at {threads_text(threads)}"
    level = level_of(machine, ceilings, threads, footprint, record.placement)
    # Streaming stores pass the caches by: where they set the pace, the pace is that of DRAM.
    level = "DRAM" if cold or found.streaming else level
    return MemoryRoof(found.bytes_per_s, f"{level} {found.words} {threads_text(threads)}", level, footprint)
