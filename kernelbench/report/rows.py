"""The one table of derived columns: every format shows these rows, none computes its own."""

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from kernelbench.analysis.above import Explanation, explain_above
from kernelbench.analysis.once import Ceilings
from kernelbench.analysis.peaks import isa_words
from kernelbench.analysis.roofline import NoRoof, Roof, bytes_moved, derived_flags, intensity, roof
from kernelbench.analysis.timing import Timing, timing
from kernelbench.model import STYLES, Case, Failed, Machine, Measured, Record, Result, Skipped
from kernelbench.report.peers import Peers, Timed
from kernelbench.report.settings import chosen, order, params_text, shape_text, shared_params
from kernelbench.units import ratio

Number = float | UnsetType


class Row(Struct, frozen=True, omit_defaults=True):
    """One record with everything derived from it. An absent number does not apply."""

    case_id: str
    op: str
    variant: str
    style: str
    dtype: str
    shape: str
    """"n=512", "m=1,n=4096,k=4096": as in the case id."""
    params: str
    """"causal=1"; empty without parameters."""
    threads: int
    isa: str
    isa_used: str
    """Widest level found in the emitted code; empty when unknown."""
    cache: str
    machine: str
    status: str
    """"measured", "skipped" or "failed"."""
    reason: str
    """Why it was skipped, or the stage and message of the failure; for a measured case why a roof is missing."""
    rounds: int
    """Process rounds that count."""
    median_s: Number = UNSET
    """Median of the round medians, seconds per call."""
    ci_low_s: Number = UNSET
    ci_high_s: Number = UNSET
    """95% sign-test interval of the median; absent below 6 rounds."""
    best_s: Number = UNSET
    """Smallest sample."""
    gflops: Number = UNSET
    """10^9 FLOP (OP for integers) a second, at ``best_s``."""
    gbps: Number = UNSET
    """10^9 compulsory bytes a second, at ``best_s``."""
    intensity: Number = UNSET
    """FLOP per compulsory byte: an upper bound of the real one."""
    roof_s: Number = UNSET
    """Least time the roofs allow."""
    roof_gflops: Number = UNSET
    roof_gbps: Number = UNSET
    """The rates at ``roof_s``."""
    roof_name: str = ""
    roof_fraction: Number = UNSET
    """``roof_s / best_s``."""
    bound: str = ""
    """"compute" or "memory"."""
    speedup_vs_naive: Number = UNSET
    """By median, over the naive variant at 1 thread: same op, shape, cache and the params both have; same dtype, else
    f32."""
    speedup_vs_library: Number = UNSET
    """By median, over the fastest library variant of the same op, number type (else f32), shape, cache, threads and the
    params both have."""
    accuracy: Number = UNSET
    snr_db: Number = UNSET
    compile_s: Number = UNSET
    flags: tuple[str, ...] = ()
    """With "above-roof" stands its cause: one of ``analysis.above.CAUSES``."""
    above: str = ""
    """What explains a case above its roof, with its numbers; empty for others. No column of the CSV."""
    higher: str = ""
    """What a higher instruction set would allow: "AVX-512 would allow 1.98x"; empty when not more. No CSV column."""
    own_params: str = ""
    """Those of ``params`` that other variants of the op lack: part of its name in tables. No CSV column."""


def rows(result: Result) -> tuple[Row, ...]:
    """One row a record, in ladder order: op, shape, params of all its variants, cache, style, variant, own params,
    dtype, threads, isa."""
    timed = [Timed(record, timing(record), shape_text(record.case)) for record in result.records]
    peers = Peers(timed)
    of_ops = shared_params(record.case for record in result.records)
    keyed = [(of_ops.get(t.record.case.op, set()), t) for t in timed]
    keyed.sort(key=lambda pair: _ladder_key(pair[1].record.case, pair[0]))
    ceilings = Ceilings(result.ceilings)
    return tuple(_row(t, peers, shared, ceilings, result.machines.get(t.record.machine, UNSET)) for shared, t in keyed)


def _ladder_key(case: Case, shared: set[str]) -> tuple[object, ...]:
    style = STYLES.index(case.style) if case.style in STYLES else len(STYLES)
    sizes = tuple(case.shape.values())
    return (case.op, len(sizes), sizes, order(chosen(case, shared)), case.cache == "cold", style, *_tail(case))


def _tail(case: Case) -> tuple[object, ...]:
    return (case.variant, order(case.params), case.dtype != "f32", case.dtype, case.threads, case.isa, case.id)


def _row(timed: Timed, peers: Peers, shared: set[str], ceilings: Ceilings, machine: Machine | UnsetType) -> Row:
    record, case = timed.record, timed.record.case
    limit = roof(record, ceilings, machine)
    base = Row(
        case_id=case.id,
        op=case.op,
        variant=case.variant,
        style=case.style,
        dtype=case.dtype,
        shape=timed.shape,
        params=params_text(case.params),
        own_params=params_text(chosen(case, set(case.params) - shared)),
        threads=case.threads,
        isa=case.isa,
        isa_used="" if isinstance(record.isa_used, UnsetType) else record.isa_used,
        cache=case.cache,
        machine=record.machine,
        status=_status(record),
        reason=_reason(record, timed.timing, limit),
        rounds=0 if isinstance(timed.timing, UnsetType) else len(timed.timing.round_medians_s),
        accuracy=UNSET if isinstance(record.accuracy, UnsetType) else record.accuracy.value,
        snr_db=UNSET if isinstance(record.accuracy, UnsetType) else record.accuracy.snr_db,
        compile_s=record.compile_s,
        flags=record.flags,
    )
    if isinstance(timed.timing, UnsetType):
        return base
    row = _with_rates(base, record, timed.timing, limit, peers.speedups(timed))
    why = UNSET if isinstance(limit, NoRoof) else explain_above(record, limit, ceilings, machine, timed.timing)
    return _judged(row, limit, why) if isinstance(limit, Roof) else row


def _with_rates(base: Row, record: Record, time: Timing, limit: Roof | NoRoof, peers: tuple[Number, Number]) -> Row:
    name, bound = (limit.name, limit.bound) if isinstance(limit, Roof) else ("", "")
    flop, moved = record.work.flop, bytes_moved(record.work)
    roof_s = limit.seconds if isinstance(limit, Roof) and limit.seconds > 0 else UNSET
    fraction = UNSET if isinstance(roof_s, UnsetType) else roof_s / time.best_s
    python_call = isinstance(record.outcome, Measured) and record.outcome.includes_python_call
    derived = derived_flags(
        fraction,
        noisy=time.noisy,
        disturbed=not time.quiet_rounds,
        includes_python_call=python_call,
        fastmath=record.fastmath,
    )
    return replace(
        base,
        median_s=time.median_s,
        ci_low_s=UNSET if isinstance(time.interval, UnsetType) else time.interval.low,
        ci_high_s=UNSET if isinstance(time.interval, UnsetType) else time.interval.high,
        best_s=time.best_s,
        gflops=_giga_per_s(flop, time.best_s),
        gbps=_giga_per_s(moved, time.best_s),
        intensity=intensity(record.work),
        roof_s=roof_s,
        roof_gflops=_giga_per_s(flop, roof_s),
        roof_gbps=_giga_per_s(moved, roof_s),
        roof_name=name,
        roof_fraction=fraction,
        bound=bound,
        speedup_vs_naive=peers[0],
        speedup_vs_library=peers[1],
        flags=tuple(dict.fromkeys((*record.flags, *derived))),
    )


def _judged(row: Row, limit: Roof, why: Explanation | UnsetType) -> Row:
    """The row with what explains a fraction above the roof, and what a higher instruction set would allow."""
    if not isinstance(why, UnsetType):
        row = replace(row, flags=tuple(dict.fromkeys((*row.flags, why.cause))), above=why.text)
    if isinstance(limit.higher, UnsetType) or isinstance(limit.compute, UnsetType):
        return row
    gain = ratio(limit.higher.flop_per_s / limit.compute.flop_per_s)
    return replace(row, higher=f"{isa_words(limit.higher.isa)} would allow {gain}")


def _giga_per_s(amount: Number, seconds: Number) -> Number:
    """A rate in 10^9 a second; absent when the amount is: pure data movement has no FLOP rate, not a zero one."""
    if isinstance(amount, UnsetType) or isinstance(seconds, UnsetType) or amount <= 0:
        return UNSET
    return amount / seconds / 1e9


def _status(record: Record) -> str:
    match record.outcome:
        case Skipped():
            return "skipped"
        case Failed():
            return "failed"
        case Measured():
            return "measured"


def _reason(record: Record, time: Timing | UnsetType, limit: Roof | NoRoof) -> str:
    match record.outcome:
        case Skipped(reason=reason):
            return reason
        case Failed(stage=stage, message=message):
            return f"{stage}: {message}"
    if isinstance(time, UnsetType):
        return "no usable sample: every round was superseded, empty, or held a time of zero"
    return limit.reason if isinstance(limit, NoRoof) else limit.missing
