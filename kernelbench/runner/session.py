"""A run from configuration to result: detect, plan, measure into a journal, assemble, write."""

import time
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct, structs

from kernelbench import config as configuration
from kernelbench.config import Config
from kernelbench.errors import KernelbenchError, StoreError, UsageError
from kernelbench.machine import detect
from kernelbench.model import METHOD_VERSION, SCHEMA_VERSION, Machine, Result, Work
from kernelbench.plan import Plan, admit
from kernelbench.runner import cards, tuned
from kernelbench.runner.guards import claimed, sigterm_as_interrupt
from kernelbench.runner.host import last_level, levels, pinning, sharing, worker_memory
from kernelbench.runner.job import Job, Past, Progress, Sink, Summary
from kernelbench.runner.library import expanded, left_out, librarian, process_factory, sparing_librarian
from kernelbench.runner.quiet import noting_quiet
from kernelbench.runner.schedule import execute
from kernelbench.runner.tool import this_tool
from kernelbench.store.assemble import assemble
from kernelbench.store.files import write_result
from kernelbench.store.journal import CaseDead, Event, Finished, Header, Journal, PlannedCase, Resumed, RoundDone, read


class Session(Struct, frozen=True):
    """A planned run, before anything is measured."""

    config: Config
    machine: Machine
    plan: Plan
    works: dict[str, Work]
    """Work of one call, by case id."""
    source_hash: str
    memory_bytes: int
    """Most memory a worker may take."""
    broken: tuple[str, ...] = ()
    """One line for each module that could not be imported; its kernels are left out."""
    notes: tuple[str, ...] = ()
    """What the user should know of the plan: which tuned parameters it uses."""


class Finish(Struct, frozen=True):
    """A run that has ended, one way or another."""

    result: Result
    summary: Summary
    broken: tuple[str, ...] = ()
    """As of the session."""


def prepare(config: Config, *, use_tuned: bool = False) -> Session:
    """Detect the machine and plan the cases, ``use_tuned``: with the parameters that `tune` found for this machine.

    Raises ``UsageError`` for a selection that names nothing, or nothing beside modules that cannot be imported.
    """
    machine = detect()
    memory_bytes = worker_memory(machine, config.worker_memory_bytes)
    with sparing_librarian(config.modules, process_factory(memory_bytes, last_level(machine))) as library:
        known = library.offered()
        config = structs.replace(config, modules=library.modules)
        plan = expanded(config, known, machine)
        applied = tuned.apply(plan, known.variants, machine.id) if use_tuned else tuned.Applied(plan)
        plan = applied.plan
        infos = library.describe(plan.cases)
        plan = admit(plan, infos, known.variants, memory_bytes=memory_bytes, python_cap_s=config.python_cap_s)
        works = {info.case_id: info.work for info in infos}
        broken = tuple(left_out(*one) for one in known.broken_modules)
        return Session(config, machine, plan, works, library.source_hash, memory_bytes, broken, applied.notes)


def verify(session: Session, progress: Progress) -> tuple[Summary, tuple[Event, ...]]:
    """Verify every case once without timing it. Nothing is written."""
    events: list[Event] = []

    class Kept:
        def append(self, event: Event) -> None:
            events.append(event)

    job = _job(
        session.config, session.machine, session.plan, session.source_hash, session.memory_bytes, verify_only=True
    )
    return _execute(job, session.machine, session.memory_bytes, Kept(), progress, Past()), tuple(events)


def begin(session: Session, path: Path, created: str) -> Header:
    """Start the journal of a run at ``path``. Raises ``UsageError`` when one is there already."""
    plan = session.plan
    if not plan.cases:
        reasons = "; ".join(f"{case.id}: {reason}" for case, reason in plan.skipped[:3])
        raise UsageError(
            f"nothing to measure: all {len(plan.skipped)} selected cases are skipped ({reasons});"
            " `kernelbench run --list` shows every reason"
        )
    header = Header(
        schema_version=SCHEMA_VERSION,
        created=created,
        tool=this_tool(),
        config=configuration.as_dict(session.config),
        machine=session.machine,
        cases=tuple(PlannedCase(case, session.works[case.id]) for case in plan.cases),
        skipped=plan.skipped,
        rounds=session.config.rounds,
        modules=session.config.modules,
        source_hash=session.source_hash,
        broken=session.broken,
    )
    Journal.create(path, header).close()
    return header


def check_resumable(path: Path) -> None:
    """Refuse a journal that this machine, this kernelbench or these sources cannot continue.

    Raises ``ResultFileError`` when it cannot be read, ``UsageError`` naming what differs.
    """
    header, _ = read(path)
    machine = detect()
    if header.machine.id != machine.id:
        raise UsageError(f"{path} was begun on machine {header.machine.id}, this is {machine.id}: start a new run here")
    if header.tool.method_version != METHOD_VERSION:
        raise UsageError(
            f"{path} was begun with measuring method {header.tool.method_version}, this kernelbench has"
            f" {METHOD_VERSION}: start a new run"
        )
    missing = [module for module in header.modules if not Path(module).is_file()]
    if missing:
        raise UsageError(f"{path} measures kernels of {missing[0]}, which is no longer there: put it back")
    with librarian(header.modules, process_factory(worker_memory(machine, 0))) as library:
        if library.source_hash != header.source_hash:
            raise UsageError(
                f"the kernels' sources or library versions changed since {path} was begun"
                f" ({header.source_hash[:12]} -> {library.source_hash[:12]}): start a new run"
            )


def carry_on(path: Path, progress: Progress, *, wait_quiet_s: float) -> Finish:
    """Measure what the journal at ``path`` still lacks, and assemble everything it holds.

    Begins when the host is quiet, or after ``wait_quiet_s`` seconds; whether it was is in the result's notes.

    What was measured stays in the journal whatever happens; a journal without any measurement is removed
    when the run fails or is interrupted (``KeyboardInterrupt`` then).
    """
    with claimed(path):
        try:
            journal, header, events = Journal.reopen(path)
            with journal:
                summary = _measure(journal, header, events, progress, wait_quiet_s)
        except KernelbenchError as error:
            if not _holds_measurements(path):
                path.unlink()
            elif not isinstance(error, StoreError):
                raise type(error)(
                    f"{error}; what was measured is kept: `kernelbench run --resume {path}` continues it"
                ) from error
            raise
        except KeyboardInterrupt:
            if not _holds_measurements(path):
                path.unlink()
            raise
        if summary.interrupted and not _holds_measurements(path):
            path.unlink()
            raise KeyboardInterrupt
        header, events = read(path)
    return Finish(assemble(header, events, interrupted=summary.interrupted), summary, header.broken)


def write(finish: Finish, output: Path, journal: Path) -> None:
    """Write the result; the journal goes once a complete one is safe.

    Raises ``StoreError`` when the disk refuses; the journal stays then.
    """
    try:
        write_result(output, finish.result)
    except StoreError as error:
        raise StoreError(
            f"{error}; nothing is lost: {journal} holds the run, `kernelbench run --resume {journal}` writes it again"
        ) from error
    if not finish.summary.interrupted:
        journal.unlink()


def now() -> str:
    """The time, UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _holds_measurements(path: Path) -> bool:
    return any(isinstance(event, RoundDone | CaseDead) for event in read(path)[1])


def _measure(
    journal: Journal, header: Header, events: tuple[Event, ...], progress: Progress, wait_quiet_s: float
) -> Summary:
    past = Past.of(events)
    if events:
        journal.append(Resumed(now(), past.offset_s))
    config = configuration.from_dict(header.config)
    memory_bytes = worker_memory(header.machine, config.worker_memory_bytes)
    plan = Plan(tuple(planned.case for planned in header.cases), ())
    job = _job(config, header.machine, plan, header.source_hash, memory_bytes)
    with noting_quiet(wait_quiet_s, progress.warn, journal.note) as notes:
        if job.ceilings:
            known, named = cards.recent(header.machine, datetime.now(UTC))
            job = structs.replace(job, known=known, known_from=named)
        started = now()
        summary = _execute(job, header.machine, memory_bytes, journal, progress, past)
    cards.keep_fresh(header.machine, summary.fresh_ceilings, started)
    journal.append(Finished(summary.interrupted))
    return structs.replace(summary, notes=(*summary.notes, *notes))


def _execute(job: Job, machine: Machine, memory_bytes: int, journal: Sink, progress: Progress, past: Past) -> Summary:
    with sigterm_as_interrupt():
        return execute(
            job,
            workers=process_factory(memory_bytes, last_level(machine)),
            journal=journal,
            clock=time.monotonic,
            progress=progress,
            past=past,
        )


def _job(
    config: Config, machine: Machine, plan: Plan, source_hash: str, memory_bytes: int, *, verify_only: bool = False
) -> Job:
    cpus = pinning(machine, {case.threads for case in plan.cases})
    return Job(
        cases=plan.cases,
        machine=machine.id,
        cpus=cpus,
        levels={threads: levels(machine, mine, memory_bytes) for threads, mine in cpus.items()},
        source_hash=source_hash,
        rounds=1 if verify_only else config.rounds,
        seed=config.seed,
        effort=config.effort,
        case_timeout_s=config.case_timeout_s,
        time_budget_s=config.time_budget_s,
        modules=config.modules,
        shares_cores=sharing(machine, cpus),
        ceilings=config.ceilings and not verify_only,
        isa_levels=cards.usable_levels(machine),
        verify_only=verify_only,
    )
