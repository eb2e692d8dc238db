"""Tuning from what the user names to what is found: which cases, compiled, searched one by one."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import UNSET, Struct, UnsetType, structs

from kernelbench.analysis.stats import median
from kernelbench.config import Config
from kernelbench.config_check import did_you_mean
from kernelbench.errors import UsageError
from kernelbench.gate.pair import Pair
from kernelbench.gate.round import Pace
from kernelbench.gate.session import PAGE_BYTES, SPARE_BYTES, STACK_PAGES
from kernelbench.machine import detect
from kernelbench.model import Case, Machine, Tuning, Values, VariantInfo, Work
from kernelbench.plan import admit, expand
from kernelbench.protocol import Compile, Compiled, WorkerSetup
from kernelbench.runner.choosing import dtype_of
from kernelbench.runner.host import last_level, pinning, sharing, worker_memory
from kernelbench.runner.job import Position, Progress, Stillborn, start_worker
from kernelbench.runner.library import librarian, process_factory
from kernelbench.runner.process import WorkerProcess
from kernelbench.tuning.contest import Contest
from kernelbench.tuning.duel import Duel, Seen, tuned
from kernelbench.tuning.match import Match
from kernelbench.tuning.search import count, search_for, why_sampled

PACE = Pace(pairs=16, least=3, round_s=0.12)
"""Of one meeting: shorter than the gate's, for there are many, and the last of them are repeated."""
SCRATCH_SHARE = 0.25
"""Of the memory a worker may take, what both share at most."""


class Target(Struct, frozen=True):
    """One case to tune."""

    case: Case
    """With its default parameters."""
    work: Work
    tunable: dict[str, Values]


class Session(Struct, frozen=True):
    """What is to be tuned, before anything is measured."""

    config: Config
    machine: Machine
    targets: tuple[Target, ...]
    skipped: tuple[tuple[str, str], ...]
    """(case id, why not)."""
    memory_bytes: int
    source_hash: str


def prepare(config: Config, *, any_dtype: bool, any_threads: bool) -> Session:
    """Detect the machine and plan the cases that have something to tune.

    ``any_dtype``, ``any_threads``: all that ``config`` asks for, not only f32, and a parallel kernel's most threads.
    Raises UsageError for a kernel without tunable parameters, naming those that have some.
    """
    machine = detect()
    memory_bytes = worker_memory(machine, config.worker_memory_bytes) // 2  # two workers live at a time
    with librarian(config.modules, process_factory(memory_bytes, last_level(machine))) as library:
        known = library.catalogue()
        variants = {variant.name: variant for variant in known.variants}
        plan = expand(
            config,
            known.ops,
            known.variants,
            usable_threads=machine.limits.usable_threads,
            isa_levels=machine.cpu.isa_levels,
        )
        named = dict.fromkeys(case.variant for case in (*plan.cases, *(case for case, _ in plan.skipped)))
        _check_tunable([variants[name] for name in named], known.variants, config.kernels)
        cases = [case for case in plan.cases if variants[case.variant].tunable]
        cases = [case for case in cases if any_dtype or case.dtype == dtype_of(variants[case.variant])]
        cases = [case for case in cases if any_threads or case.threads == _most_threads(case, cases)]
        infos = library.describe(tuple(cases))
        plan = structs.replace(plan, cases=tuple(cases))
        plan = admit(plan, infos, known.variants, memory_bytes=memory_bytes, python_cap_s=config.python_cap_s)
        works = {info.case_id: info.work for info in infos}
        targets = tuple(Target(case, works[case.id], variants[case.variant].tunable) for case in plan.cases)
        skipped = tuple((case.id, reason) for case, reason in plan.skipped if variants[case.variant].tunable)
        return Session(config, machine, targets, skipped, memory_bytes, library.source_hash)


def _most_threads(case: Case, cases: list[Case]) -> int:
    return max(other.threads for other in cases if other.variant == case.variant)


def _check_tunable(named: list[VariantInfo], known: tuple[VariantInfo, ...], globs: tuple[str, ...]) -> None:
    if any(variant.tunable for variant in named):
        return
    names = [variant.name for variant in known if variant.tunable]
    asked = ", ".join(globs)
    hint = did_you_mean(asked, names) if names else "no kernel has any"
    raise UsageError(f"{asked} has no tunable parameters; {hint}")


def compile_all(session: Session, progress: Progress) -> dict[str, str]:
    """Compile every kernel ahead of its budget; why some do not compile, by case id."""
    failures: dict[str, str] = {}
    start = process_factory(session.memory_bytes, last_level(session.machine))
    serials = itertools.count()
    for number, target in enumerate(session.targets):
        case = target.case
        progress.show(Position("compiling", number, len(session.targets), case.variant))
        cpus = pinning(session.machine, {case.threads})[case.threads]
        setup = WorkerSetup(case.threads, cpus, case.isa, session.config.modules, next(serials))
        try:
            worker = start_worker(start, setup, session.source_hash)
        except Stillborn as error:
            failures[case.id] = str(error)
            continue
        try:
            answer = worker.request(Compile(case), session.config.case_timeout_s)
        finally:
            worker.close()
        if not isinstance(answer, Compiled):
            failures[case.id] = answer.message if hasattr(answer, "message") else type(answer).__name__
    return failures


def tune(
    session: Session,
    target: Target,
    progress: Progress,
    *,
    budget_s: float,
    clock: Callable[[], float] = time.monotonic,
) -> Tuning:
    """Search one case within ``budget_s`` seconds, give or take the meeting that is going on when they are over."""
    seed = session.config.seed
    rng, seen = random.Random(f"{seed}/{target.case.id}"), Seen()
    start = starter(session, target, seen, rng, clock)
    search = search_for(target.tunable, seed)
    total = count(target.tunable)

    def show(phase: str, done: int, of: int, values: Values) -> None:
        label = " ".join(f"{name}={value}" for name, value in zip(target.tunable, values, strict=True))
        progress.show(Position(phase, done, of or total - 1, label, steady=False))

    contest = Contest(target.tunable, search, start, budget_s=budget_s, clock=clock, rng=rng, show=show)
    contest.run()
    notes = [why_sampled(target.tunable), seen.why_private and f"each side used memory of its own: {seen.why_private}"]
    return Tuning(
        case=target.case,
        machine=session.machine.id,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        tunable=target.tunable,
        candidates=total,
        strategy=search.name,
        tried=tuple(rounds.tried(values) for values, rounds in contest.known.items()),
        winner=contest.winner,
        reason=contest.reason,
        default_s=median(contest.default_s) if contest.default_s else UNSET,
        confirmed=contest.confirmed,
        budget_s=budget_s,
        spent_s=contest.spent_s,
        interrupted=contest.interrupted,
        failed=contest.failed,
        notes=tuple(note for note in notes if note),
    )


def starter(
    session: Session, target: Target, seen: Seen, rng: random.Random, clock: Callable[[], float]
) -> Callable[[Values], Match]:
    """Begins a match: a fresh pair of processes on this machine, the reference open in the first."""
    case, config, machine = target.case, session.config, session.machine
    cpus = pinning(machine, {case.threads})
    shares = case.threads in sharing(machine, cpus)

    def worker(_: int, setup: WorkerSetup) -> WorkerProcess:
        told = structs.replace(setup, modules=config.modules, last_level_bytes=last_level(machine))
        return WorkerProcess(told, memory_bytes=session.memory_bytes, clock=time.monotonic)

    def start(reference: Values) -> Match:
        setup = WorkerSetup(case.threads, cpus[case.threads], case.isa, shares_cores=shares)
        skips = rng.randrange(STACK_PAGES) * PAGE_BYTES
        pair = Pair(worker, setup, shared_bytes(session, target), config.case_timeout_s, skips)
        return Duel(
            pair,
            tuned(case, target.tunable, reference),
            lambda values: tuned(case, target.tunable, values),
            seen,
            seed=config.seed,
            pace=PACE,
            clock=clock,
            rng=rng,
        )

    return start


def shared_bytes(session: Session, target: Target) -> int:
    """Room for the operands, as the work model tells, and for each thread's scratch, which no model counts."""
    work = target.work
    sizes = [0.0 if isinstance(size, UnsetType) else size for size in (work.working_set_bytes, work.prepared_bytes)]
    wanted = int(1.25 * sum(sizes)) + target.case.threads * SPARE_BYTES
    return min(wanted, int(SCRATCH_SHARE * session.memory_bytes)) >> 21 << 21
