"""What was measured, as a Profile."""

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from kernelbench.analysis.bound_advice import advice
from kernelbench.analysis.bounds import diagnose
from kernelbench.analysis.roofline import NoRoof, bytes_moved, roof
from kernelbench.analysis.timing import timing
from kernelbench.model import (
    CacheStates,
    Case,
    Failed,
    IsaPoint,
    Machine,
    Measured,
    MemoryUse,
    Profile,
    Record,
    SizePoint,
    Skipped,
    ThreadPoint,
    TimeSplit,
    Unknown,
)
from kernelbench.profiling.evidence import Apart, counterfactuals, dispatch_of, evidence, unit_of, units
from kernelbench.profiling.selecting import Subject
from kernelbench.profiling.sweeps import Planned, Sweeps
from kernelbench.profiling.variations import footprint, level_of
from kernelbench.protocol import Dissected

NOT_SHOWN = Unknown("the system does not show it (/proc/self/clear_refs)")
COMPILED = Unknown("compiled code allocates outside Python's sight: see its allocations")
UNREAD = "the machine has hardware counters (perf_event), but kernelbench does not read them"


def record_of(subject: Subject, whole: Dissected) -> Record:
    """The profiled case as an ordinary record of one round."""
    return Record(
        case=subject.case,
        machine=subject.machine.id,
        outcome=Measured(whole.timer, whole.includes_python_call, (whole.round,)),
        work=subject.work,
        accuracy=whole.accuracy,
        isa_used=whole.isa_used,
        fastmath=whole.fastmath,
        placement=whole.placement,
        huge_pages=whole.huge_pages,
        source_hash=subject.source_hash,
        compile_s=whole.compile_s,
    )


def profile_of(subject: Subject, apart: Apart, plan: Planned | None, done: Sweeps) -> Profile:
    """Everything that is known of the subject."""
    case, whole = subject.case, apart.whole
    records = {record.case.id: record for record in done.records}
    found = diagnose(replace(evidence(subject, apart), bandwidth_share=_bandwidth_share(subject, whole, done)))
    dispatch_s, least = dispatch_of(whole, apart.sizes)
    how = f"what remains at {least}" if least else "a call of nothing: the op has no smaller size"
    split = TimeSplit(whole.call_s, dispatch_s, whole.call_s - dispatch_s, whole.empty_call_s, how, least)
    memory = _memory(subject, apart)
    compile_s = next((r.compile_s for r in records.values() if not isinstance(r.compile_s, UnsetType)), whole.compile_s)
    return Profile(
        case=case.id,
        unit=unit_of(subject.work),
        split=split,
        states=_states(whole, plan, records),
        bound=found,
        counterfactuals=tuple(counterfactuals(subject, apart)),
        memory=memory,
        sizes=_sizes(subject, apart, plan, records),
        threads=_threads(plan, records),
        isa=_isa(plan, records),
        levels=apart.sizes.levels,
        compile_s=compile_s,
        no_counters=_no_counters(subject.machine),
        advice=advice(found, split, memory),
        notes=tuple(f"{one.name}: {one.skipped}" for one in whole.timed if one.skipped),
    )


def _bandwidth_share(subject: Subject, whole: Dissected, done: Sweeps) -> float | UnsetType:
    """The bytes of its operands over its time, of the measured bandwidth at its working set."""
    record = record_of(subject, whole)
    limit, moved = roof(record, done.ceilings, subject.machine), bytes_moved(subject.work)
    if isinstance(limit, NoRoof) or isinstance(limit.memory, UnsetType) or isinstance(moved, UnsetType):
        return UNSET
    return moved / whole.call_s / limit.memory.bytes_per_s


def best_s(record: Record | None) -> float | UnsetType:
    """Best seconds per call of a record; absent when there is none or it was not measured."""
    known = timing(record) if record is not None else UNSET
    return UNSET if isinstance(known, UnsetType) else known.best_s


def _why(record: Record | None) -> str:
    if record is None:
        return "it was not planned"
    outcome = record.outcome
    if isinstance(outcome, Skipped):
        return outcome.reason
    return f"{outcome.stage}: {outcome.message}" if isinstance(outcome, Failed) else "no round counts"


def _states(whole: Dissected, plan: Planned | None, records: dict[str, Record]) -> CacheStates:
    if plan is None:
        return CacheStates(whole.call_s)
    cold = best_s(records.get(plan.cold.id))
    first = whole.memory.first_touch_s
    return CacheStates(
        warm_s=whole.call_s,
        cold_s=Unknown(_why(records.get(plan.cold.id))) if isinstance(cold, UnsetType) else cold,
        first_touch_s=Unknown("the kernel has no outputs") if isinstance(first, UnsetType) else first,
    )


def _sizes(subject: Subject, apart: Apart, plan: Planned | None, records: dict[str, Record]) -> tuple[SizePoint, ...]:
    if plan is None:
        return ()
    points = [_size(records[case.id], apart) for case in (subject.case, *plan.sizes)]
    kept = {point.case: point for point in points if not isinstance(point, UnsetType)}
    return tuple(sorted(kept.values(), key=lambda point: point.working_set_bytes))


def _size(record: Record, apart: Apart) -> SizePoint | UnsetType:
    seconds, size = best_s(record), record.work.working_set_bytes
    if isinstance(seconds, UnsetType) or isinstance(size, UnsetType):
        return UNSET
    level = level_of(apart.sizes.levels, footprint(record.work, record.case.threads))
    per_unit = seconds / units(record.work, record.case)
    return SizePoint(record.case.id, record.case.shape, size, level, seconds, per_unit)


def _threads(plan: Planned | None, records: dict[str, Record]) -> tuple[ThreadPoint, ...]:
    if plan is None or len(plan.threads) < 2:
        return ()
    times = {case.id: best_s(records.get(case.id)) for case in plan.threads}
    one = times[plan.threads[0].id]
    if isinstance(one, UnsetType):
        return ()
    return tuple(
        ThreadPoint(case.id, case.threads, mine, one / mine)
        for case in plan.threads
        if not isinstance(mine := times[case.id], UnsetType)
    )


def _isa(plan: Planned | None, records: dict[str, Record]) -> tuple[IsaPoint, ...]:
    return tuple(_level(case, records.get(case.id)) for case in plan.isa) if plan else ()


def _level(case: Case, record: Record | None) -> IsaPoint:
    seconds = best_s(record)
    if record is None or isinstance(seconds, UnsetType):
        return IsaPoint(case.id, case.isa, skipped=_why(record))
    return IsaPoint(case.id, case.isa, seconds, record.isa_used)


def _memory(subject: Subject, apart: Apart) -> MemoryUse:
    work, seen = subject.work, apart.whole.memory
    python = not subject.variant.compiled
    own = footprint(work, subject.case.threads)
    level = level_of(apart.sizes.levels, own) if own else UNSET
    share = dict(apart.sizes.levels).get(level, UNSET) if not isinstance(level, UnsetType) else UNSET
    held, rise = seen.temporaries_bytes, seen.peak_rss_bytes
    return MemoryUse(
        working_set_bytes=work.working_set_bytes,
        level=level,
        level_bytes=share,
        temporaries_bytes=(NOT_SHOWN if python else COMPILED) if isinstance(held, UnsetType) else held,
        peak_rss_bytes=NOT_SHOWN if isinstance(rise, UnsetType) else rise,
        allocations=seen.allocations,
    )


def _no_counters(machine: Machine) -> str:
    return machine.counters.unknown if isinstance(machine.counters, Unknown) else UNREAD
