"""The sweeps of a profile: ordinary cases, measured by the ordinary schedule into ordinary records."""

import time
from datetime import UTC, datetime

from msgspec import Struct, UnsetType
from msgspec.structs import replace

from kernelbench import config as configuration
from kernelbench.model import SCHEMA_VERSION, Case, Ceiling, Record
from kernelbench.profiling.evidence import Sizes
from kernelbench.profiling.selecting import Subject
from kernelbench.profiling.variations import Sized, around_knees, renamed
from kernelbench.runner import cards
from kernelbench.runner.guards import sigterm_as_interrupt
from kernelbench.runner.host import last_level, levels, pinning, sharing
from kernelbench.runner.job import Job, Progress
from kernelbench.runner.library import process_factory
from kernelbench.runner.schedule import execute
from kernelbench.runner.tool import this_tool
from kernelbench.store.assemble import assemble
from kernelbench.store.journal import Event, Header, PlannedCase

POINTS = {"full": 12, "quick": 6}
"""Of the size sweep, beside the profiled size."""
CALL_LIMIT_S = 0.1
"""Larger sizes whose call would take longer are left out."""


class Sweeps(Struct, frozen=True):
    """What the sweeps gave."""

    records: tuple[Record, ...] = ()
    ceilings: tuple[Ceiling, ...] = ()
    notes: tuple[str, ...] = ()
    interrupted: bool = False


class Planned(Struct, frozen=True):
    """The cases of every sweep; the profiled one belongs to each and comes first."""

    sizes: tuple[Case, ...]
    threads: tuple[Case, ...]
    isa: tuple[Case, ...]
    cold: Case
    works: dict[str, PlannedCase]


def planned(subject: Subject, sizes: Sizes, call_s: float, effort: str) -> Planned:
    """The cases worth measuring: sizes around the caches' knees, 1, 2, 4... threads, every usable level, cold."""
    case = subject.case
    machine = subject.machine
    known = [*sizes.smaller, *(one for one in sizes.larger if _short(one, subject, call_s))]
    around = around_knees(sizes.levels, known, POINTS[effort])
    counts = cards.default_threads(machine.limits.usable_threads) if subject.variant.parallel else (case.threads,)
    ours = subject.variant.compiled and subject.variant.style != "library"
    names = cards.usable_levels(machine) if ours and case.isa == "native" else ()
    threads = tuple(renamed(replace(case, threads=count)) for count in counts)
    isa = tuple(renamed(replace(case, isa=name)) for name in names)
    cold = renamed(replace(case, cache="cold"))
    works = {one.case.id: PlannedCase(one.case, one.work) for one in around}
    works |= {one.id: PlannedCase(one, subject.work) for one in (case, *threads, *isa, cold)}
    return Planned(tuple(one.case for one in around), threads, isa, cold, works)


def sweep(subject: Subject, plan: Planned, progress: Progress) -> Sweeps:
    """Measure every case of ``plan``. Ctrl-C keeps what is done.

    Raises WorkerError when workers cannot be started.
    """
    events: list[Event] = []

    class Kept:
        def append(self, event: Event) -> None:
            events.append(event)

    machine, settled = subject.machine, subject.config
    cases = tuple(one.case for one in plan.works.values())
    cpus = pinning(machine, {case.threads for case in cases})
    known, named = cards.recent(machine, datetime.now(UTC))
    job = Job(
        cases=cases,
        machine=machine.id,
        cpus=cpus,
        levels={count: levels(machine, mine, subject.memory_bytes) for count, mine in cpus.items()},
        source_hash=subject.source_hash,
        rounds=settled.rounds,
        seed=settled.seed,
        effort=settled.effort,
        case_timeout_s=settled.case_timeout_s,
        time_budget_s=settled.time_budget_s,
        modules=settled.modules,
        shares_cores=sharing(machine, cpus),
        isa_levels=cards.usable_levels(machine),
        known=known,
        known_from=named,
    )
    created = datetime.now(UTC).isoformat(timespec="seconds")
    workers = process_factory(subject.memory_bytes, last_level(machine))
    with sigterm_as_interrupt():
        summary = execute(job, workers=workers, journal=Kept(), clock=time.monotonic, progress=progress)
    cards.keep_fresh(machine, summary.fresh_ceilings, created)
    header = Header(
        schema_version=SCHEMA_VERSION,
        created=created,
        tool=this_tool(),
        config=configuration.as_dict(settled),
        machine=machine,
        cases=tuple(plan.works.values()),
        skipped=(),
        rounds=settled.rounds,
        modules=settled.modules,
        source_hash=subject.source_hash,
    )
    made = assemble(header, tuple(events), interrupted=summary.interrupted)
    return Sweeps(made.records, made.ceilings, (*made.notes, *summary.notes), summary.interrupted)


def _short(one: Sized, subject: Subject, call_s: float) -> bool:
    own = subject.work.working_set_bytes
    if isinstance(own, UnsetType) or own <= 0:
        return False
    growth = max(one.footprint_bytes * subject.case.threads / own, 1.0)
    flop, whole = one.work.flop, subject.work.flop
    if not isinstance(flop, UnsetType) and not isinstance(whole, UnsetType) and whole > 0:
        growth = max(growth, flop / whole)
    return growth * call_s <= CALL_LIMIT_S
