"""Why a case reads above its roof: the first explanation whose numbers fit, or that its model is in doubt."""

import math
from collections.abc import Iterable, Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.knees import knees
from kernelbench.analysis.ladder import WRITE_FRACTION, bandwidth, mix_ladder, usable
from kernelbench.analysis.once import Ceilings, asked_once
from kernelbench.analysis.peaks import fma_add_rate
from kernelbench.analysis.roofline import (
    ABOVE_ROOF,
    Roof,
    bytes_moved,
    ceilings_of,
    in_place,
    write_fraction,
)
from kernelbench.analysis.shares import shares
from kernelbench.analysis.timing import Timing, timing
from kernelbench.model import Ceiling, Machine, Measured, Record
from kernelbench.units import giga, hertz, percent, size_bytes

MODEL_IN_DOUBT = "model?"
CAUSES = ("fadd-pipes", "cache-residency", "streaming-stores", "clock", "noisy-roof", MODEL_IN_DOUBT)
"""Every cause, as reports flag it, in the order in which they are tried."""

_NEAR = 2.0
"""Within this factor of a boundary between levels a part of the operands may live in the nearer one."""
_FASTER_CLOCK = 1.02
"""Clocks closer than this are equal, as far as a clock probe can tell."""


class Explanation(Struct, frozen=True):
    """Why a case reads above its roof."""

    cause: str
    """One of ``CAUSES``."""
    text: str
    """The same with its numbers, for the reader."""


class _Case(Struct, frozen=True):
    """What every explanation needs."""

    record: Record
    roof: Roof
    ceilings: Ceilings
    machine: Machine | UnsetType
    best_s: float

    def fits(self, *, flop_per_s: float = 0.0, bytes_per_s: float = 0.0) -> bool:
        """Whether the best time is possible under the roofs, one of them replaced by the given rate."""
        compute = 0.0 if isinstance(self.roof.compute, UnsetType) else self.roof.compute.flop_per_s
        memory = 0.0 if isinstance(self.roof.memory, UnsetType) else self.roof.memory.bytes_per_s
        amounts = (
            (self.record.work.flop, flop_per_s or compute),
            (bytes_moved(self.record.work), bytes_per_s or memory),
        )
        times = [a / rate for a, rate in amounts if not isinstance(a, UnsetType) and rate > 0]
        return max(times, default=0.0) <= ABOVE_ROOF * self.best_s

    def bandwidth(self, footprint_bytes: float, *, streaming: bool = False) -> float:
        """B/s for the case's own mix at a footprint per thread; 0 when nothing was measured."""
        work, threads = self.record.work, self.record.case.threads
        updates = in_place(work) and not streaming
        found = bandwidth(
            self.ceilings, threads, footprint_bytes, write_fraction(work), in_place=updates, streaming=streaming
        )
        return 0.0 if isinstance(found, UnsetType) else found.bytes_per_s

    def rate(self, amount: float | UnsetType) -> str:
        """``amount`` a second at the best time, in 10^9."""
        return "" if isinstance(amount, UnsetType) else giga(amount / self.best_s)


def explain_above(
    record: Record,
    roof: Roof,
    ceilings: Sequence[Ceiling],
    machine: Machine | UnsetType = UNSET,
    time: Timing | UnsetType = UNSET,
) -> Explanation | UnsetType:
    """The explanation of a case above ``ABOVE_ROOF`` of its roof; absent when it is not above.

    Tried in this order, the first that fits numerically counts: both FMA and add pipes busy; operands partly
    in the nearer cache level; streaming stores; a faster clock than that of the roof's best probe; a roof whose
    own probes scatter by as much. None: the work model or the roof is in doubt. That an explanation fits does not
    prove that it is the cause. ``time``: the record's timing, where the caller has it.
    """
    time = timing(record) if isinstance(time, UnsetType) else time
    if isinstance(time, UnsetType) or roof.seconds <= ABOVE_ROOF * time.best_s:
        return UNSET
    case = _Case(record, roof, ceilings_of(record, ceilings), machine, time.best_s)
    for cause, explain in (
        ("fadd-pipes", _fadd_pipes),
        ("cache-residency", _cache_residency),
        ("streaming-stores", _streaming_stores),
        ("clock", _clock),
        ("noisy-roof", _noisy_roof),
    ):
        if text := explain(case):
            return Explanation(cause, text)
    above = percent(roof.seconds / time.best_s)
    return Explanation(
        MODEL_IN_DOUBT, f"nothing measured explains {above} of {roof.name}: its work model or roof is in doubt"
    )


def _fadd_pipes(case: _Case) -> str:
    if case.record.work.mix not in ("fma", "add") or case.roof.bound != "compute":
        return ""
    rate = fma_add_rate(case.record.case, case.ceilings)
    if not case.fits(flop_per_s=rate):
        return ""
    reached = case.rate(case.record.work.flop)
    return f"FADD pipes: {reached} GFLOP/s fit the {giga(rate)} of FMA and add pipes used together"


def _cache_residency(case: _Case) -> str:
    memory = case.roof.memory
    if isinstance(memory, UnsetType) or case.record.case.cache == "cold":
        return ""
    footprint = memory.footprint_bytes
    near = [b for b in _boundaries(case) if 1 / _NEAR <= footprint / b <= _NEAR]
    for boundary in sorted(near, key=lambda b: abs(math.log(footprint / b))):
        # Half the boundary is where the nearer level itself is measured.
        inside = case.bandwidth(boundary / 2)
        if inside > memory.bytes_per_s and case.fits(bytes_per_s=inside):
            return (
                f"cache residency: {size_bytes(footprint)} a thread lie near the {size_bytes(boundary)} at which a "
                f"cache ends; {case.rate(bytes_moved(case.record.work))} GB/s fit the {giga(inside)} inside it"
            )
    return ""


def _boundaries(case: _Case) -> set[float]:
    """Footprints per thread at which a level ends: the OS's sizes and the ladder's knees."""
    threads = case.record.case.threads
    found = set(_knee_sizes(case.ceilings, threads))
    if not isinstance(case.machine, UnsetType):
        found |= {s.bytes_per_thread for s in shares(case.machine, threads, case.record.placement).levels}
    return found


@asked_once
def _knee_sizes(ceilings: Iterable[Ceiling], threads: int) -> frozenset[float]:
    ladders = (mix_ladder(ceilings, threads, mix) for mix in WRITE_FRACTION)
    return frozenset(knee.bytes for ladder in ladders for knee in knees(ladder))


def _streaming_stores(case: _Case) -> str:
    memory = case.roof.memory
    if isinstance(memory, UnsetType) or write_fraction(case.record.work) <= 0:
        return ""
    passing = case.bandwidth(memory.footprint_bytes, streaming=True)
    if passing <= memory.bytes_per_s or not case.fits(bytes_per_s=passing):
        return ""
    reached = case.rate(bytes_moved(case.record.work))
    return f"streaming stores: {reached} GB/s fit the {giga(passing)} of stores that pass the caches by"


def _clock(case: _Case) -> str:
    own, base = _best_round_clock(case.record), _roof_clock(case)
    if isinstance(own, UnsetType) or isinstance(base, UnsetType) or own <= _FASTER_CLOCK * base:
        return ""
    if case.roof.seconds * base / own > ABOVE_ROOF * case.best_s:
        return ""
    return f"clock: its best round ran at {hertz(own)}, the roof's best probe at {hertz(base)}"


def _noisy_roof(case: _Case) -> str:
    """The level's probes scatter by more than the excess: the best of them need not be the best there is."""
    memory, excess = case.roof.memory, case.roof.seconds / case.best_s
    if case.roof.bound != "memory" or isinstance(memory, UnsetType):
        return ""
    spreads = [
        c.spread
        for c in usable(case.ceilings, "memory")
        if c.level == memory.level and c.threads == case.record.case.threads and not isinstance(c.spread, UnsetType)
    ]
    widest = max(spreads, default=0.0)
    if not spreads or excess * (1 - widest) > 1:
        return ""
    return (
        f"noisy roof: the probes of {memory.level} lie up to {percent(widest)} below their best, more than the "
        f"{percent(excess - 1)} above it: others use this memory as well"
    )


def _best_round_clock(record: Record) -> float | UnsetType:
    """Clock of the round that holds the smallest sample."""
    assert isinstance(record.outcome, Measured), "only a measured case has a time above its roof"
    counted = [r for r in record.outcome.rounds if not r.superseded and r.samples_s]
    return min(counted, key=lambda r: min(r.samples_s)).clock_hz


def _roof_clock(case: _Case) -> float | UnsetType:
    """Clock beside the best probe of the ceiling that binds; DRAM has none, as it does not run at the core's clock."""
    compute, memory = case.roof.compute, case.roof.memory
    if case.roof.bound == "compute" and not isinstance(compute, UnsetType):
        binding = [c for c in case.ceilings if c.id == compute.ceiling and c.probes]
    elif not isinstance(memory, UnsetType) and memory.level != "DRAM":
        binding = _ladder_point(case, memory.footprint_bytes)
    else:
        binding = []
    return max(binding[0].probes, key=lambda probe: probe.value).clock_hz if binding else UNSET


def _ladder_point(case: _Case, footprint_bytes: float) -> list[Ceiling]:
    """The ladder point nearest in footprint, of the mix nearest in its share of writes."""
    written = write_fraction(case.record.work)
    found = [
        (abs(WRITE_FRACTION[c.mix] - written), abs(math.log(footprint_bytes / max(1, c.working_set_bytes))), c)
        for c in usable(case.ceilings, "memory")
        if c.threads == case.record.case.threads
        and c.probes
        and not isinstance(c.mix, UnsetType)
        and c.mix in WRITE_FRACTION
        and not isinstance(c.working_set_bytes, UnsetType)
    ]
    return [min(found, key=lambda item: item[:2])[2]] if found else []
