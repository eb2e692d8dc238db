"""Workers, a clock and a journal without processes, time or files."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType

from kernelbench.errors import StoreError
from kernelbench.model import Accuracy, Case, Ceiling, OpInfo, Probe, Round, VariantInfo, Work
from kernelbench.protocol import (
    CaseFailed,
    CaseInfo,
    CaseMeasured,
    Catalogue,
    CatalogueReply,
    Ceilings,
    Compile,
    Compiled,
    Describe,
    Described,
    Effort,
    Measure,
    ProbeCeilings,
    Ready,
    Reply,
    Request,
    WorkerSetup,
)
from kernelbench.runner.job import Job, Past, Position, Summary
from kernelbench.runner.process import Died
from kernelbench.runner.schedule import execute
from kernelbench.store.journal import Event

HASH = "cafe"

E = TypeVar("E", bound=Event)

Answer = Callable[[Request], Reply | Died | None]
"""What a worker says to a request; None: the ordinary answer."""


class Clock:
    """Stands still unless told otherwise; may be asked from several threads."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.tick_s = 0.0
        """How far each reading moves it."""

    def __call__(self) -> float:
        self.now_s += self.tick_s
        return self.now_s


class RealTime(Clock):
    """The real clock, where the code under test insists on it."""

    def __call__(self) -> float:
        return time.monotonic()


OP = OpInfo("op", "y = op(x), x of n elements", ("n",))


def variant(name: str, **changes: Any) -> VariantInfo:
    """A compiled variant of ``op`` named ``name``."""
    fields: dict[str, Any] = {
        "name": f"op/{name}",
        "op": "op",
        "style": "naive",
        "dtypes": ("f32",),
        "summary": "One element after another.",
        "fastmath": False,
        "parallel": False,
        "compiled": True,
        "module": "kernels.op",
    }
    return VariantInfo(**(fields | changes))


def case(name: str, *, threads: int = 1, isa: str = "native", dtype: str = "f32") -> Case:
    """A case of a variant named ``name``."""
    return Case(
        id=f"op/{name}/{dtype}/n=64/t={threads}" + (f"/isa={isa}" if isa != "native" else ""),
        op="op",
        variant=f"op/{name}",
        style="naive",
        dtype=dtype,
        shape={"n": 64},
        threads=threads,
        isa=isa,
    )


def job(*cases: Case, **changes: Any) -> Job:
    """A job of 3 rounds on a machine of two threads."""
    fields: dict[str, Any] = {
        "cases": cases,
        "machine": "m",
        "cpus": {1: (0,), 2: (0, 1)},
        "levels": {1: (("L1", 32768), ("DRAM", 1 << 26)), 2: (("L1", 32768), ("DRAM", 1 << 26))},
        "source_hash": HASH,
        "rounds": 3,
        "seed": 7,
        "effort": Effort(),
        "case_timeout_s": 60.0,
        "time_budget_s": 600.0,
        "ceilings": False,
    }
    return Job(**(fields | changes))


class FakeWorker:
    """Answers at once; each answer to a measurement moves the clock by ``step_s``."""

    def __init__(self, factory: "FakeWorkers", setup: WorkerSetup) -> None:
        self.setup = setup
        self.open = True
        self.killed = False
        self.ended = threading.Event()
        self._factory = factory
        self._dead = False

    def start(self, timeout_s: float) -> Reply | Died:
        if self._factory.at_start is not None:
            return self._factory.at_start
        return Ready(1, "none", self._factory.source_hash, 1e-9, 1e-9)

    def request(self, message: Request, timeout_s: float) -> Reply | Died:
        assert self.open, "asked after it was closed"
        assert not self._dead, "asked after it died"
        self._factory.asked.append((self.setup, message, timeout_s))
        if isinstance(message, Compile) and message.case in self._factory.endless:
            assert self.ended.wait(5), "a compilation without end was not killed"
            return Died("compile", "killed by SIGKILL")
        answer = self._factory.answer(message) or self._usual(message)
        self._dead = isinstance(answer, Died)
        return answer

    def _usual(self, message: Request) -> Reply:
        clock = self._factory.clock
        match message:
            case Catalogue():
                return CatalogueReply((OP,), self._factory.variants, self._factory.broken_modules)
            case Describe():
                work = Work("modelled", flop=64.0, mix="add", read_bytes=256.0, write_bytes=256.0)
                return Described(tuple(CaseInfo(one.id, work, 512) for one in message.cases))
            case Compile():
                return Compiled(0.1, 0, 1)
            case ProbeCeilings():
                probe = Probe(clock() - message.started_at, 1e11)
                ceiling = Ceiling(
                    "compute/f32", "compute", message.machine, self.setup.threads, "FLOP/s", value=1e11, probes=(probe,)
                )
                return Ceilings((ceiling,))
            case Measure():
                start_s = clock() - message.started_at
                clock.now_s += self._factory.step_s
                timed: Round | UnsetType = Round(message.round, start_s, (1e-6,) * 3, 10, self.setup.serial)
                if message.verify_only:
                    timed = UNSET
                return CaseMeasured(
                    Accuracy("max error", 0.0, "float64", 1e-6), "compiled loop", False, self.setup.cpus, round=timed
                )
        return CaseFailed("verify", f"unexpected {type(message).__name__}")

    def kill(self) -> None:
        self.killed = True
        self.ended.set()

    def close(self) -> None:
        self.open = False


class FakeWorkers:
    """A factory that remembers every worker and every question."""

    def __init__(self, clock: Clock, answer: Answer = lambda message: None, *, step_s: float = 1.0) -> None:
        self.clock = clock
        self.answer = answer
        self.step_s = step_s
        self.source_hash = HASH
        self.at_start: Reply | Died | None = None
        self.made: list[FakeWorker] = []
        self.asked: list[tuple[WorkerSetup, Request, float]] = []
        self.variants: tuple[VariantInfo, ...] = (variant("a"), variant("b", style="vectorized"))
        self.endless: tuple[Case, ...] = ()
        self.broken_modules: tuple[tuple[str, str], ...] = ()
        self._lock = threading.Lock()

    def __call__(self, setup: WorkerSetup) -> FakeWorker:
        with self._lock:
            worker = FakeWorker(self, setup)
            self.made.append(worker)
            return worker

    @property
    def measured(self) -> list[tuple[int, str]]:
        """(round, case id) in the order they were asked for."""
        return [(message.round, message.case.id) for _, message, _ in self.asked if isinstance(message, Measure)]

    @property
    def compiled(self) -> list[Case]:
        """What was asked to be compiled, in any order."""
        return [message.case for _, message, _ in self.asked if isinstance(message, Compile)]


class Memory:
    """A journal in memory; may fail at its ``full_at``-th event as a full disk does."""

    def __init__(self, full_at: int = -1) -> None:
        self.events: list[Event] = []
        self._full_at = full_at

    def append(self, event: Event) -> None:
        if len(self.events) == self._full_at:
            raise StoreError("the disk is full")
        self.events.append(event)


class Watcher:
    """Keeps what was shown."""

    def __init__(self) -> None:
        self.positions: list[Position] = []
        self.warnings: list[str] = []

    def show(self, position: Position) -> None:
        self.positions.append(position)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


class Bench:
    """One execution with everything faked."""

    def __init__(self, answer: Answer = lambda message: None, *, step_s: float = 1.0) -> None:
        self.clock = Clock()
        self.workers = FakeWorkers(self.clock, answer, step_s=step_s)
        self.journal = Memory()
        self.watcher = Watcher()

    def run(self, the_job: Job, past: Past | None = None) -> Summary:
        return execute(
            the_job,
            workers=self.workers,
            journal=self.journal,
            clock=self.clock,
            progress=self.watcher,
            past=past,
        )

    def events(self, kind: type[E]) -> list[E]:
        return [event for event in self.journal.events if isinstance(event, kind)]
