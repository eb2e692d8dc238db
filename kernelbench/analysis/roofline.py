"""The roofline (Williams, Waterman & Patterson 2009): the least time the measured ceilings allow a case."""

from collections.abc import Iterable, Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.ladder import bandwidth, largest_footprint, level_of, usable, value_of
from kernelbench.model import Case, Ceiling, Machine, Record, Work

ABOVE_ROOF = 1.03
"""A roof fraction beyond this is more than the scatter of a best-of-many: the work model or the roof is wrong."""

_ISA_WORDS = {
    "scalar": "scalar",
    "sse2": "SSE2",
    "sse4.2": "SSE4.2",
    "avx2": "AVX2",
    "avx512": "AVX-512",
    "neon": "NEON",
    "sve": "SVE",
}
_MIX_WORDS = {"fma": "FMA", "add": "add", "fma_add": "FMA+add", "dot": "dot product"}


class ComputeRoof(Struct, frozen=True):
    """The compute ceiling that applies to a case."""

    flop_per_s: float
    """FLOP/s, or OP/s for integers."""
    name: str
    """"f32 AVX-512 FMA 1 thread"."""
    ceiling: str
    """Id of the ceiling."""


class MemoryRoof(Struct, frozen=True):
    """The bandwidth that applies to a case."""

    bytes_per_s: float
    """Algorithmic bytes, all threads together."""
    name: str
    """"L2 copy 1 thread"."""
    level: str
    """"L1"..."DRAM": where the working set lives; labels only."""


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
    missing: str = ""
    """Why only one of the two roofs was used; empty when both were."""


class NoRoof(Struct, frozen=True):
    """No roof applies."""

    reason: str


class Ridge(Struct, frozen=True):
    """Where a bandwidth line meets a compute ceiling: left of it memory binds, right of it compute."""

    compute: str
    memory: str
    """Ids of the two ceilings."""
    intensity: float
    """FLOP per byte."""
    flop_per_s: float


def roof(record: Record, ceilings: Sequence[Ceiling], machine: Machine | UnsetType = UNSET) -> Roof | NoRoof:
    """The roof of a case: its least seconds per call and what sets them, or why there is none.

    Uses only ceilings of the record's machine and device, measured at the case's thread count.
    """
    own = [c for c in ceilings if c.machine == record.machine and c.device == record.device]
    compute = _compute_roof(record.case, record.work, own)
    memory = _memory_roof(record.case, record.work, own, machine)
    times: list[tuple[float, str, str]] = []
    missing: list[str] = []
    flop, moved = record.work.flop, bytes_moved(record.work)
    if isinstance(compute, str):
        missing.append(compute)
    elif not isinstance(flop, UnsetType):
        times.append((flop / compute.flop_per_s, "compute", compute.name))
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
        missing="; ".join(missing),
    )


def bytes_moved(work: Work) -> float | UnsetType:
    """Compulsory bytes read and written by one call; absent when neither is modelled or both are 0."""
    parts = [b for b in (work.read_bytes, work.write_bytes) if not isinstance(b, UnsetType)]
    return sum(parts) if sum(parts) > 0 else UNSET


def intensity(work: Work) -> float | UnsetType:
    """FLOP per compulsory byte; absent without FLOP or bytes."""
    moved = bytes_moved(work)
    if isinstance(moved, UnsetType) or isinstance(work.flop, UnsetType) or work.flop <= 0:
        return UNSET
    return work.flop / moved


def ridge_points(ceilings: Iterable[Ceiling]) -> tuple[Ridge, ...]:
    """Every crossing of a compute ceiling with a levelled bandwidth of the same machine and threads."""
    ceilings = list(ceilings)
    levelled = [c for c in usable(ceilings, "memory") if not isinstance(c.level, UnsetType)]
    return tuple(
        Ridge(peak.id, line.id, value_of(peak) / value_of(line), value_of(peak))
        for peak in usable(ceilings, "compute")
        for line in levelled
        if (line.machine, line.device, line.threads) == (peak.machine, peak.device, peak.threads)
    )


def derived_flags(
    roof_fraction: float | UnsetType, *, noisy: bool, includes_python_call: bool, disturbed: bool = False
) -> tuple[str, ...]:
    """ "above-roof", "noisy", "disturbed" and "dispatch" (the time includes a call from Python), as they apply."""
    above = not isinstance(roof_fraction, UnsetType) and roof_fraction > ABOVE_ROOF
    found = {"above-roof": above, "noisy": noisy, "disturbed": disturbed, "dispatch": includes_python_call}
    return tuple(name for name, applies in found.items() if applies)


def threads_text(threads: int) -> str:
    """ "1 thread", "2 threads"."""
    return f"{threads} thread" + ("s" if threads != 1 else "")


def compute_name(ceiling: Ceiling) -> str:
    """A compute ceiling in words: "f32 AVX-512 FMA 1 thread"."""
    isa = "" if isinstance(ceiling.isa, UnsetType) else _ISA_WORDS.get(ceiling.isa, ceiling.isa)
    mix = "" if isinstance(ceiling.mix, UnsetType) else _MIX_WORDS.get(ceiling.mix, ceiling.mix)
    dtype = "" if isinstance(ceiling.dtype, UnsetType) else ceiling.dtype
    return " ".join(word for word in (dtype, isa, mix, threads_text(ceiling.threads)) if word)


def _compute_roof(case: Case, work: Work, ceilings: Sequence[Ceiling]) -> ComputeRoof | str:
    if isinstance(work.flop, UnsetType) or work.flop <= 0:
        return "no compute roof: the work model counts no FLOP"
    if isinstance(work.mix, UnsetType):
        return "no compute roof: the kernel declares no instruction mix"
    # 8-bit products are only reachable through the dot-product instructions, so that is their peak.
    mix = "dot" if case.dtype == "i8" else work.mix
    matching = [
        c
        for c in usable(ceilings, "compute")
        if (c.dtype, c.mix, c.threads) == (case.dtype, mix, case.threads) and case.isa in ("native", c.isa)
    ]
    if not matching:
        return f"no compute roof: no ceiling of {case.dtype} {mix}, isa {case.isa}, {threads_text(case.threads)}"
    peak = max(matching, key=value_of)
    return ComputeRoof(value_of(peak), compute_name(peak), peak.id)


def _memory_roof(case: Case, work: Work, ceilings: Sequence[Ceiling], machine: Machine | UnsetType) -> MemoryRoof | str:
    moved = bytes_moved(work)
    if isinstance(moved, UnsetType):
        return "no memory roof: the work model counts no bytes"
    if case.cache == "cold":
        footprint = largest_footprint(ceilings, case.threads)
    elif isinstance(work.working_set_bytes, UnsetType):
        return "no memory roof: the work model gives no working set"
    else:
        footprint = max(1.0, work.working_set_bytes / case.threads)
    written = 0.0 if isinstance(work.write_bytes, UnsetType) else work.write_bytes / moved
    found = bandwidth(ceilings, case.threads, footprint, written)
    if isinstance(found, UnsetType):
        return f"no memory roof: no bandwidth was measured at {threads_text(case.threads)}"
    level = "DRAM" if case.cache == "cold" else level_of(machine, ceilings, case.threads, footprint)
    name = f"{level} {found.mix} {threads_text(case.threads)}"
    return MemoryRoof(found.bytes_per_s, name, level)
