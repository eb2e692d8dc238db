"""What a report says beside its table: the machine, the finding, the method, what was not measured."""

from collections.abc import Iterable, Sequence

from msgspec import Struct, UnsetType

from kernelbench.analysis.drift import drift_at, episodes
from kernelbench.analysis.ladder import usable
from kernelbench.analysis.roofline import compute_name, threads_text
from kernelbench.analysis.stats import MIN_ROUNDS
from kernelbench.model import Ceiling, Machine, Result, Unknown
from kernelbench.report.columns import show
from kernelbench.report.rows import Row
from kernelbench.report.text import safe_text
from kernelbench.units import giga, hertz, percent, seconds, size_bytes

NOT_MEASURED = "not measured"
"""Stands where a ceiling has no value."""


class Fact(Struct, frozen=True):
    """One line about a machine or a run."""

    label: str
    text: str
    known: bool = True
    """False when ``text`` says why the fact could not be had."""


class CeilingLine(Struct, frozen=True):
    """One measured limit, ready to show."""

    name: str
    value: str
    """"117 GFLOP/s", or ``NOT_MEASURED``."""
    spread: str
    footprint: str
    """Working set of one thread; empty for compute."""
    provenance: str
    """How it was measured, or why it was not."""


def machine_facts(machine: Machine) -> tuple[Fact, ...]:
    """The machine as label and text; what is unknown says why."""
    cpu, topology, limits = machine.cpu, machine.topology, machine.limits
    usable_levels = [level.name for level in cpu.isa_levels if level.usable]
    pairs: list[tuple[str, object]] = [
        ("CPU", cpu.model),
        ("Microarchitecture", cpu.microarchitecture),
        ("Usable instruction sets", ", ".join(usable_levels) or Unknown("none was found usable")),
        ("Cores, threads", f"{topology.cores} cores, {threads_text(topology.threads)}"),
        ("Usable threads", limits.usable_threads),
        ("Caches", _caches(machine)),
        ("Memory", _sized(machine.memory.total_bytes)),
        ("Frequency", _hertz(machine.frequency.max_hz)),
        ("Governor", machine.frequency.governor),
        ("Virtualisation", machine.virtualisation),
        ("Hardware counters", machine.counters),
        ("Huge pages", limits.huge_pages),
        ("System", machine.software.os),
        ("Python", machine.software.python),
        ("Packages", ", ".join(f"{k} {v}" for k, v in sorted(machine.software.packages.items()))),
        ("Thread layer", machine.software.thread_layer),
        ("Fingerprint", machine.id),
    ]
    return tuple(Fact(label, safe_text(str(value)), not isinstance(value, Unknown)) for label, value in pairs)


def ceiling_lines(ceilings: Iterable[Ceiling]) -> tuple[CeilingLine, ...]:
    """Compute ceilings, then the levelled bandwidths, then what was skipped."""
    ceilings = list(ceilings)
    shown = list(usable(ceilings, "compute"))
    shown += [c for c in usable(ceilings, "memory") if not isinstance(c.level, UnsetType)]
    shown += [c for c in ceilings if not isinstance(c.skipped, UnsetType)]
    return tuple(
        CeilingLine(
            name=safe_text(ceiling_name(c)),
            value=safe_text(_ceiling_value(c)),
            spread=show(c.spread, percent),
            footprint="" if isinstance(c.working_set_bytes, UnsetType) else size_bytes(c.working_set_bytes),
            provenance=safe_text(c.provenance if isinstance(c.skipped, UnsetType) else c.skipped),
        )
        for c in shown
    )


def ceiling_name(ceiling: Ceiling) -> str:
    """A ceiling in words: "f32 AVX-512 FMA 1 thread", "L2 copy 1 thread", or its id when it has no such name."""
    if isinstance(ceiling.mix, UnsetType):
        return ceiling.id
    if ceiling.kind == "compute" and not isinstance(ceiling.dtype, UnsetType):
        return compute_name(ceiling)
    if ceiling.kind == "memory" and not isinstance(ceiling.level, UnsetType):
        return f"{ceiling.level} {ceiling.mix} {threads_text(ceiling.threads)}"
    return ceiling.id


def method(result: Result, rows: Sequence[Row]) -> tuple[str, ...]:
    """How each kind of number was obtained, one sentence each."""
    counts = sorted({r.rounds for r in rows if r.rounds})
    spread = " to ".join(dict.fromkeys(str(c) for c in (counts[0], counts[-1]))) if counts else "no"
    few = bool(counts) and counts[0] < MIN_ROUNDS
    return (
        f"Time: measured, per call, in {spread} fresh process rounds a case; the median is over the rounds' medians"
        + (f", and has no interval below {MIN_ROUNDS} rounds." if few else ", with its 95% sign-test interval."),
        "Rates and % roof: from the best sample, because a roof is a limit; speedups: from the medians.",
        "FLOP and bytes: modelled by the op's formula (compulsory traffic), so an intensity is an upper bound.",
        "Roofs: the largest of many probes on this machine; bandwidth is read off the measured ladder at the "
        "case's working set per thread and share of writes, so the level's name is only a label.",
        safe_text(steadiness(result.ceilings)),
        "Error: the worst over all rounds against the reference, checked before and after the timing.",
        safe_text(
            f"Measured by kernelbench {result.kernelbench.version}, method {result.kernelbench.method_version}, "
            f"at {result.created}."
        ),
        *(safe_text(f"Noted: {note}.") for note in result.notes),
    )


def steadiness(ceilings: Sequence[Ceiling]) -> str:
    """Whether the machine kept its speed: checks of the compute ceilings in the course of the run, in one sentence."""
    checked = [c for c in usable(ceilings, "compute") if sum(probe.at_s >= 0 for probe in c.probes) > 1]
    if not checked:
        return "Steadiness: the ceilings were not probed again during the run."
    times = sorted({probe.at_s for c in checked for probe in c.probes if probe.at_s >= 0})
    low = min(drift_at(checked, at_s) for at_s in times)
    text = f"Steadiness: checked {len(times)} times during the run, the compute ceilings gave {percent(low)} to 100%."
    slow = [e for e in episodes(checked) if e.end_s >= 0]
    if not slow:
        return text
    spans = ", ".join(f"{seconds(max(0.0, e.start_s))} to {seconds(e.end_s)} ({percent(e.share)})" for e in slow)
    return (
        f"{text} The machine was at some half of its speed at {spans}; rounds of then count only without a later one."
    )


def _caches(machine: Machine) -> str | Unknown:
    if isinstance(machine.caches, Unknown):
        return machine.caches
    return ", ".join(f"{c.name} {_sized(c.size_bytes)}" for c in machine.caches) or Unknown("none was found")


def _sized(value: int | Unknown) -> str | Unknown:
    return value if isinstance(value, Unknown) else size_bytes(value)


def _hertz(value: float | Unknown) -> str | Unknown:
    return value if isinstance(value, Unknown) else hertz(value)


def _ceiling_value(ceiling: Ceiling) -> str:
    if isinstance(ceiling.value, UnsetType):
        return NOT_MEASURED
    if ceiling.unit == "s":
        return seconds(ceiling.value)
    return f"{giga(ceiling.value)} G{ceiling.unit}"
