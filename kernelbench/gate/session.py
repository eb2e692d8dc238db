"""A paired comparison from two sides to a result: what both can run, compiled, measured in turns, judged."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import UNSET, Struct, structs

from kernelbench.config import Config
from kernelbench.errors import UsageError
from kernelbench.gate.asking import Known, ask
from kernelbench.gate.cells import Board, CellState
from kernelbench.gate.execute import Execution, Job, Outcome
from kernelbench.gate.pair import Pair
from kernelbench.gate.roles import BoardLike, Group
from kernelbench.gate.sides import Side
from kernelbench.gate.start import starter
from kernelbench.machine import detect
from kernelbench.model import Case, Machine
from kernelbench.protocol import RESERVED_BYTES, WorkerSetup
from kernelbench.runner.compiling import compile_all, units_of
from kernelbench.runner.host import last_level, pinning, sharing, worker_memory
from kernelbench.runner.job import Job as CompileJob
from kernelbench.runner.job import Position, Progress
from kernelbench.thresholds import Thresholds

SPARE_BYTES = RESERVED_BYTES + (32 << 20)
"""Shared memory beyond what the cells' operands take: page boundaries, and scratch that no work model counts."""
STACK_PAGES, PAGE_BYTES = 256, 4096
"""A round's stack begins on one of so many pages: some are slower than others, for both sides alike."""


class Session(Struct, frozen=True):
    """Both sides, planned and compiled; ``measure`` it."""

    config: Config
    machine: Machine
    sides: tuple[Side, Side]
    known: tuple[Known, Known]
    memory_bytes: int


def prepare(config: Config, sides: tuple[Side, Side], progress: Progress) -> Session:
    """Ask both sides what they can run, and compile it. Raises UsageError when neither has what is asked for."""
    machine = detect()
    # Two workers live at a time.
    memory_bytes = worker_memory(machine, config.worker_memory_bytes) // 2
    progress.show(Position("planning", 0, 2, sides[0].label))
    known = ask(config, machine, sides, memory_bytes)
    if all(one.missing for one in known):
        raise UsageError(known[1].missing)
    common = [case for case_id, case in known[0].cases.items() if case_id in known[1].cases]
    same = known[0].source_hash == known[1].source_hash and sides[0].python == sides[1].python
    uncompiled: list[dict[str, str]] = []
    for index, side in enumerate(sides):
        if index and same:  # its code is there already
            uncompiled.append(uncompiled[0])
            continue
        uncompiled.append(_compile(config, machine, side, known[index].source_hash, common, memory_bytes, progress))
    first, second = (structs.replace(one, uncompiled=bad) for one, bad in zip(known, uncompiled, strict=True))
    return Session(config, machine, sides, (first, second), memory_bytes)


def _compile(
    config: Config,
    machine: Machine,
    side: Side,
    source_hash: str,
    cases: Sequence[Case],
    memory_bytes: int,
    progress: Progress,
) -> dict[str, str]:
    """Compile every kernel once; why some do not, by case id."""
    if not cases:
        return {}
    job = CompileJob(
        cases=tuple(cases),
        machine=machine.id,
        cpus=pinning(machine, {case.threads for case in cases}),
        levels={},
        source_hash=source_hash,
        rounds=1,
        seed=config.seed,
        effort=config.effort,
        case_timeout_s=config.case_timeout_s,
        time_budget_s=config.time_budget_s,
        modules=side.modules,
    )
    units = units_of(list(cases))
    failures: dict[str, str] = {}
    start = starter(side, memory_bytes, last_level(machine))
    for count, verdict in enumerate(compile_all(job, units, start, itertools.count()), 1):
        progress.show(Position(f"compiling {side.label}", count, len(units), verdict.unit.case.variant))
        if verdict.failure:
            failures |= dict.fromkeys(verdict.unit.case_ids, verdict.failure)
    return failures


class Measured(Struct, frozen=True):
    """All cells, and how the measuring went."""

    session: Session
    board: BoardLike
    outcome: Outcome
    created: str


def measure(
    session: Session,
    thresholds: Thresholds,
    progress: Progress,
    *,
    time_budget_s: float = 0.0,
    private: bool = False,
    slowdowns: Mapping[str, float] = {},
    floors: Mapping[str, float] = {},
    clock: Callable[[], float] = time.monotonic,
) -> Measured:
    """Measure every case that both sides can run. ``private`` gives each side memory of its own, to see what for.

    ``time_budget_s`` 0 is ``PER_CELL_S`` a cell. ``slowdowns`` are shares of extra work to put into HEAD, ``floors``
    this host's (``store.floors``), both by case id.
    """
    cells = cells_of(session, thresholds, floors)
    for cell in cells:
        cell.slowdown = slowdowns.get(cell.case.id, 0.0)
    budget_s = time_budget_s or max(LEAST_S, PER_CELL_S * len(cells))
    return carry_out(session, Board(cells), progress, time_budget_s=budget_s, private=private, clock=clock)


def cells_of(session: Session, thresholds: Thresholds, floors: Mapping[str, float]) -> list[CellState]:
    """A cell for every case that both sides can run; what does not compile has failed already.

    A cell is judged by the user's threshold, or by this host's floor for it where that is larger.
    """
    base, head = session.known
    cells = []
    for case_id, case in base.cases.items():
        if case_id not in head.cases or differs(session, case_id):
            continue
        asked, floor = thresholds.of(case_id), floors.get(case_id, 0.0)
        cell = CellState(case, max(asked, floor), floor=floor if floor > asked else 0.0)
        for side, known in enumerate(session.known):
            if case_id in known.uncompiled:
                cell.failed = (side, "compile", known.uncompiled[case_id])
        cells.append(cell)
    return cells


def carry_out(
    session: Session,
    board: BoardLike,
    progress: Progress,
    *,
    time_budget_s: float,
    private: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Measured:
    """Measure the rounds that ``board`` wants, on this machine."""
    config, machine, cells = session.config, session.machine, board.cells
    starters = [starter(side, session.memory_bytes, last_level(machine)) for side in session.sides]
    cpus = pinning(machine, {cell.case.threads for cell in cells})
    shares = sharing(machine, cpus)
    shared_bytes = 0 if private else _shared_bytes(session, [cell.case for cell in cells])

    rng = random.Random(config.seed)

    def start(group: Group) -> Pair:
        threads, isa = group
        setup = WorkerSetup(threads, cpus[threads], isa, shares_cores=threads in shares)
        stack_skips_bytes = rng.randrange(STACK_PAGES) * PAGE_BYTES
        return Pair(
            lambda side, wanted: starters[side](wanted), setup, shared_bytes, config.case_timeout_s, stack_skips_bytes
        )

    job = Job(time_budget_s, config.seed)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Measured(session, board, Execution(job, board, start, clock, progress).run(), created)


PER_CELL_S = 3.7
"""Default time for each cell, so that the whole command, with planning and compiling, takes 4 s a cell at most: six
rounds of 0.25 s and its share of starting processes, as much again to confirm, the rest for what stays open."""
LEAST_S = 60.0


def differs(session: Session, case_id: str) -> str:
    """Why two cases of one id are not the same problem; empty when they are."""
    one, other = (known.cases[case_id] for known in session.known)
    for name in ("shape", "params", "dtypes"):
        if getattr(one, name) != getattr(other, name):
            return f"{name} differs: {getattr(one, name)} on BASE, {getattr(other, name)} on HEAD"
    return ""


def _shared_bytes(session: Session, cases: Sequence[Case]) -> int:
    """Room for the operands of the largest case of either side, as the work models tell."""
    most = 0.0
    for case in cases:
        for known in session.known:
            work = known.works[case.id]
            sizes = [0.0 if size is UNSET else size for size in (work.working_set_bytes, work.prepared_bytes)]
            sets = 4 * last_level(session.machine) if case.cache == "cold" else 0
            most = max(most, 1.25 * sum(sizes) + sets)
    wanted = int(most) + SPARE_BYTES
    return min(wanted, session.memory_bytes // 4) >> 21 << 21
