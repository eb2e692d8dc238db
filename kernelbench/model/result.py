"""One run as one JSON file: ceilings, records with their rounds, and who measured how."""

from itertools import compress
from operator import not_
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from kernelbench.model.case import Accuracy, Case, Work
from kernelbench.model.machine import Machine
from kernelbench.model.paired import PairedCell, SideInfo
from kernelbench.model.profile import Profile

SCHEMA_VERSION = 1
"""Layout of the file; readers ignore fields they do not know within a version."""

METHOD_VERSION = 2
"""Way of measuring; times from different methods are not compared."""


class Probe(Struct, frozen=True, omit_defaults=True):
    """One timestamped measurement of a ceiling."""

    at_s: float
    """Seconds since the run began; negative for a probe of a machine card made before it."""
    value: float
    clock_hz: float | UnsetType = UNSET
    """Effective core clock measured beside it; absent where no clock probe exists for the architecture."""


class Ceiling(Struct, frozen=True, omit_defaults=True):
    """One measured limit of the machine. ``value`` is the best probe: the largest, of latencies the smallest."""

    id: str
    """"compute/f32/avx512/fma/t=1", "memory/copy/16384/t=2", "latency/16384/t=1" (working set of one thread, bytes)."""
    kind: str
    """"compute", "memory" or "latency"."""
    machine: str
    threads: int
    unit: str
    """"FLOP/s", "OP/s", "B/s" or "s"."""
    device: str = "cpu"
    value: float | UnsetType = UNSET
    """Best probe; absent when skipped."""
    dtype: str | UnsetType = UNSET
    isa: str | UnsetType = UNSET
    level: str | UnsetType = UNSET
    """"L1", "L2", "L3", "DRAM": present on the ladder point that stands for the level."""
    mix: str | UnsetType = UNSET
    """compute: fma, add, fma_add, dot; memory: read, write, copy, triad, update, copy_nt, triad_nt."""
    working_set_bytes: int | UnsetType = UNSET
    """Bytes that one thread touches (all its operands together)."""
    probes: tuple[Probe, ...] = ()
    spread: float | UnsetType = UNSET
    """|best - median| / best over the probes; absent with fewer than 2."""
    provenance: str = ""
    """How it was measured, in words, with the instruction seen in the emitted code."""
    skipped: str | UnsetType = UNSET
    """Why there is no value; absent when measured."""


SMALL_DRAM = "less than four times the last level: memory is short, and caches may flatter it"
"""Stands in the provenance of a DRAM ceiling for which there was too little memory."""


class Interference(Struct, frozen=True, omit_defaults=True):
    """What disturbed a round."""

    involuntary_switches: tuple[int, ...] = ()
    """Per sample."""
    page_faults: tuple[int, ...] = ()
    """Per sample, minor and major."""
    clock_hz: tuple[float, ...] = ()
    """Dependent-add clock probe beside each sample; empty where the architecture has none."""
    adds_per_cycle: tuple[float, ...] = ()
    """Independent adds a cycle beside each sample: fewer when a neighbour shares the core; empty where not measured."""
    disturbed: tuple[bool, ...] = ()
    """Per sample: preempted, at a slow clock or on a shared core. Empty: not judged, all count."""
    quiet_share: float | UnsetType = UNSET
    """Share of all slices tried that were undisturbed; the samples are made of those where there are enough."""
    steal_s: float | UnsetType = UNSET
    """CPU time stolen by the hypervisor during the round; absent where not reported."""
    throttled_s: float | UnsetType = UNSET
    """Time the cgroup quota stopped us; absent without a quota."""


MIN_QUIET = 3
"""Undisturbed samples that may stand for a round (all of them where it has fewer): one or two may be luck."""


class Round(Struct, frozen=True, omit_defaults=True):
    """The samples of one case in one worker process: the unit of replication."""

    index: int
    """Which round of the run this belongs to, from 0."""
    start_s: float
    """Seconds since the run began."""
    samples_s: tuple[float, ...]
    """Seconds per call, one per sample."""
    calls_per_sample: int
    worker: int
    """Serial number of the worker process within the run."""
    clock_hz: float | UnsetType = UNSET
    """Median of the round's clock probes."""
    interference: Interference = Interference()
    superseded: bool = False
    """Measured again later, kept for the record, not used."""

    @property
    def undisturbed_s(self) -> tuple[float, ...]:
        """The undisturbed samples; empty when there are too few to stand for the round.

        A round that does not say which samples were disturbed counts whole.
        """
        marks = self.interference.disturbed
        if True not in marks or len(marks) != len(self.samples_s):
            return self.samples_s
        kept = tuple(compress(self.samples_s, map(not_, marks)))
        return kept if len(kept) >= min(MIN_QUIET, len(self.samples_s)) else ()


class Measured(Struct, frozen=True, tag="measured", tag_field="kind", omit_defaults=True):
    """It ran, was verified, and was timed."""

    timer: str
    """"compiled loop" or "python loop"."""
    includes_python_call: bool
    rounds: tuple[Round, ...]


class Skipped(Struct, frozen=True, tag="skipped", tag_field="kind"):
    """Not run, with the arithmetic or the missing thing."""

    reason: str


class Failed(Struct, frozen=True, tag="failed", tag_field="kind"):
    """Wrong, crashed, hung or out of memory."""

    stage: str
    """"import", "inputs", "compile", "verify", "warm-up", "timing", "verify-after"."""
    message: str


Outcome = Measured | Skipped | Failed


class Record(Struct, frozen=True, omit_defaults=True):
    """One case and what became of it."""

    case: Case
    machine: str
    outcome: Outcome
    device: str = "cpu"
    work: Work = Work(model="absent")
    accuracy: Accuracy | UnsetType = UNSET
    """Absent when nothing was verified (skipped, failed before)."""
    isa_used: str | UnsetType = UNSET
    """Widest level whose registers appear in the emitted code; absent for code we did not compile."""
    fastmath: bool = False
    placement: tuple[int, ...] = ()
    """CPUs the threads were pinned to, in thread order."""
    huge_pages: float | UnsetType = UNSET
    """Share of the operands' memory that the kernel really backed with huge pages, read in the first round."""
    source_hash: str | UnsetType = UNSET
    """Hash of all sources under test."""
    tuning: dict[str, int | float | str] = {}
    """Every tunable parameter of a tuned case with its value; empty where all have their defaults."""
    compile_s: float | UnsetType = UNSET
    """Seconds to compile it when it was compiled, not when loaded from the cache."""
    flags: tuple[str, ...] = ()
    """"noisy", "above-roof"... set when measuring; derived ones are added by reports."""
    parent: str | UnsetType = UNSET
    """Case id of the workload this is a part of."""


class Tool(Struct, frozen=True, omit_defaults=True):
    """Which kernelbench measured."""

    version: str
    method_version: int
    commit: str | UnsetType = UNSET
    dirty: bool | UnsetType = UNSET


class Result(Struct, frozen=True, omit_defaults=True):
    """The whole file."""

    schema_version: int
    kind: str
    """"run", "ab", "calibration", "profile" or "baseline"."""
    kernelbench: Tool
    created: str
    """UTC, ISO 8601."""
    config: dict[str, Any]
    """The resolved configuration."""
    machines: dict[str, Machine]
    """By id; most files have one."""
    ceilings: tuple[Ceiling, ...] = ()
    records: tuple[Record, ...] = ()
    expectations: tuple[dict[str, Any], ...] = ()
    sides: tuple[SideInfo, ...] = ()
    """BASE and HEAD of an "ab" file."""
    paired: tuple[PairedCell, ...] = ()
    """The cells of an "ab" file."""
    profile: Profile | UnsetType = UNSET
    """Of a "profile" file: one kernel in depth; its sweeps are among the records."""
    interrupted: bool = False
    """True when the run was stopped early and holds what was done."""
    notes: tuple[str, ...] = ()
    """What else a reader should know about the whole run, a line each: a host that was not quiet, stolen time."""
