"""The compile phase: each distinct kernel once, in two processes side by side.

Nothing is timed here, so the processes may disturb each other; afterwards every worker finds its code
in the cache.
"""

import queue
import threading
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from kernelbench.errors import WorkerError
from kernelbench.model import Case
from kernelbench.protocol import Broken, CaseFailed, Compile, Compiled, WorkerSetup
from kernelbench.runner.job import Job, Stillborn, Worker, WorkerFactory, start_worker
from kernelbench.runner.process import Died

SIDE_BY_SIDE = 2


class Unit(Struct, frozen=True):
    """One thing to compile, and the cases that need it."""

    case: Case
    """Stands for all of them."""
    case_ids: tuple[str, ...]


class Verdict(Struct, frozen=True):
    """What became of a unit."""

    unit: Unit
    failure: str = ""
    """Why it did not compile; empty when it did."""
    fault: bool = False
    """True when kernelbench's own code failed rather than the kernel."""


def units_of(cases: list[Case]) -> list[Unit]:
    """Distinct (variant, dtype, isa), grouped by isa because a worker has one."""
    found: dict[tuple[str, str, str], list[Case]] = {}
    for case in cases:
        found.setdefault((case.isa, case.variant, case.dtype), []).append(case)
    return [Unit(found[key][0], tuple(case.id for case in found[key])) for key in sorted(found)]


def compile_all(
    job: Job, units: list[Unit], workers: WorkerFactory, serials: Iterator[int]
) -> Generator[Verdict, None, None]:
    """Compile, giving verdicts as they come. Leaving early (an exception, a closed iterator) kills the workers.

    Raises ``WorkerError`` when a worker cannot even start.
    """
    pool = _Pool(job, deque(units), workers, serials)
    lanes = min(SIDE_BY_SIDE, len(units))
    with ThreadPoolExecutor(max(1, lanes)) as threads:
        try:
            running = [threads.submit(pool.serve, lane) for lane in range(lanes)]
            ended = 0
            while ended < lanes:
                item = pool.results.get()
                if item is None:
                    ended += 1
                else:
                    yield item
            for future in running:
                future.result()
        finally:
            pool.stop()


class _Pool:
    """Threads that take units from one queue, each with one worker at a time."""

    def __init__(self, job: Job, units: deque[Unit], workers: WorkerFactory, serials: Iterator[int]) -> None:
        self.results: queue.SimpleQueue[Verdict | None] = queue.SimpleQueue()
        self._job = job
        self._units = units
        self._workers = workers
        self._serials = serials
        self._alive: dict[int, Worker] = {}
        self._stopped = False
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Nothing more is begun; what runs is killed."""
        with self._lock:
            self._stopped = True
            for worker in self._alive.values():
                worker.kill()

    def serve(self, lane: int) -> None:
        """Compile until nothing is left; a None among the results says that this lane has ended.

        The kernel kills a worker whose starting *thread* ends (PR_SET_PDEATHSIG), so a lane keeps its
        workers to itself and closes them here.
        """
        isa = ""
        try:
            while (unit := self._next()) is not None:
                if unit.case.isa != isa:
                    self._close(lane)
                    isa = unit.case.isa
                self.results.put(self._compile(lane, unit))
        finally:
            self._close(lane)
            self.results.put(None)

    def _next(self) -> Unit | None:
        with self._lock:
            return self._units.popleft() if self._units and not self._stopped else None

    def _compile(self, lane: int, unit: Unit) -> Verdict:
        try:
            worker = self._worker(lane, unit.case.isa)
        except Stillborn as error:
            # Native code that does not even start is no kernel's fault; a lower level may be misdetected.
            if unit.case.isa == "native":
                raise WorkerError(f"a worker process ended at its start: {error}") from error
            return Verdict(unit, str(error))
        answer = worker.request(Compile(unit.case), self._job.case_timeout_s)
        if isinstance(answer, Compiled):
            return Verdict(unit)
        if isinstance(answer, CaseFailed | Died) and answer.stage == "inputs":
            # It never came to compiling, and other sizes may be fine: measuring meets it case by case.
            self._close(lane)
            return Verdict(unit)
        if isinstance(answer, CaseFailed):
            return Verdict(unit, answer.message)
        self._close(lane)
        if isinstance(answer, Died):
            return Verdict(unit, answer.message)
        text = answer.message if isinstance(answer, Broken) else f"the worker answered with {type(answer).__name__}"
        return Verdict(unit, text, fault=True)

    def _worker(self, lane: int, isa: str) -> Worker:
        if lane not in self._alive:
            widest = max(self._job.cpus.values(), key=len)
            setup = WorkerSetup(1, (widest[lane % len(widest)],), isa, self._job.modules, next(self._serials))
            worker = start_worker(self._workers, setup, self._job.source_hash)
            with self._lock:
                self._alive[lane] = worker
                if self._stopped:
                    worker.kill()
        return self._alive[lane]

    def _close(self, lane: int) -> None:
        with self._lock:
            worker = self._alive.pop(lane, None)
        if worker is not None:
            worker.close()
