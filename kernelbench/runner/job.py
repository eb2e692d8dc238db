"""What is to be executed, as data, and the few things an execution needs from outside."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct, UnsetType

from kernelbench.errors import UsageError, WorkerError
from kernelbench.model import Case, Ceiling, Round
from kernelbench.protocol import Broken, Effort, Ready, Reply, Request, WorkerSetup
from kernelbench.runner.process import Died
from kernelbench.store.journal import CaseDead, CeilingsDone, Event, RoundDone

START_TIMEOUT_S = 120.0
"""A worker imports for about a second; on a loaded host much longer."""

Clock = Callable[[], float]
"""Seconds that only grow; every process of the host must agree on them (``time.monotonic``)."""


class Job(Struct, frozen=True):
    """Everything that decides what is executed. Times in seconds."""

    cases: tuple[Case, ...]
    machine: str
    """Machine id."""
    cpus: dict[int, tuple[int, ...]]
    """CPUs to pin to, for each number of threads that occurs."""
    levels: dict[int, tuple[tuple[str, int], ...]]
    """Memory levels to probe (``ProbeCeilings.levels``), for each number of threads that occurs."""
    source_hash: str
    """Hash of the sources under test; a worker that has another one is refused. Empty where no kernel is timed."""
    rounds: int
    seed: int
    effort: Effort
    case_timeout_s: float
    time_budget_s: float
    modules: tuple[str, ...] = ()
    """Absolute paths of the user's kernel files."""
    shares_cores: frozenset[int] = frozenset()
    """The numbers of threads at which two of the CPUs belong to one core."""
    ceilings: bool = True
    isa_levels: tuple[str, ...] = ()
    """Instruction-set levels usable on the machine, rising."""
    known: tuple[Ceiling, ...] = ()
    """Ceilings of a recent machine card, their probes' times relative to this run; empty without one."""
    known_from: str = ""
    """Which card, in words."""
    verify_only: bool = False


def most_adds(one: Round) -> float:
    """The most independent adds a cycle beside any of the round's samples; 0 where not measured."""
    return max(one.interference.adds_per_cycle, default=0.0)


AGAIN_UP_TO_S = 0.01
"""A case with longer samples is not measured again: hardly any stretch of that length is quiet on a shared host."""


def wants_again(one: Round | UnsetType) -> bool:
    """True for a round without a quiet moment, where a later one may have it."""
    if isinstance(one, UnsetType) or one.undisturbed_s:
        return False
    return min(one.samples_s) * one.calls_per_sample <= AGAIN_UP_TO_S


class Past(Struct, frozen=True):
    """What an earlier, interrupted execution of the same job left behind."""

    done: frozenset[tuple[int, str]] = frozenset()
    """(round, case id) measured."""
    probed: tuple[tuple[int, int, str], ...] = ()
    """(round, threads, isa) of every pass of ceiling probes."""
    disturbed: frozenset[tuple[int, str]] = frozenset()
    """(round, case id) measured without a quiet moment."""
    dead: frozenset[str] = frozenset()
    """Ids of failed cases."""
    offset_s: float = 0.0
    """Time of the run already spent."""
    workers: int = 0
    """Worker processes already used: the next serial number."""
    best_adds_per_cycle: float = 0.0
    """The most independent adds a cycle seen beside any sample."""

    @staticmethod
    def of(events: tuple[Event, ...]) -> "Past":
        """Replay a journal."""
        rounds = [event for event in events if isinstance(event, RoundDone)]
        ceilings = [event for event in events if isinstance(event, CeilingsDone)]
        last = {(event.round, event.case_id): event for event in rounds}
        timed = [event.measured.round for event in rounds if event.measured.round]
        ends = [one.start_s + sum(one.samples_s) * one.calls_per_sample for one in timed]
        ends += [probe.at_s for event in ceilings for ceiling in event.ceilings for probe in ceiling.probes]
        return Past(
            done=frozenset((event.round, event.case_id) for event in rounds),
            disturbed=frozenset(key for key, event in last.items() if wants_again(event.measured.round)),
            probed=tuple((event.round, event.threads, event.isa) for event in ceilings),
            dead=frozenset(event.case_id for event in events if isinstance(event, CaseDead)),
            offset_s=max(ends, default=0.0),
            workers=max((one.worker for one in timed), default=-1) + 1,
            best_adds_per_cycle=max((most_adds(one) for one in timed), default=0.0),
        )


class Summary(Struct, frozen=True):
    """How an execution ended."""

    interrupted: bool
    rounds: int
    """Rounds completed or at least begun; fewer than asked for when the time budget was spent."""
    warnings: tuple[str, ...]
    faults: tuple[str, ...]
    """Failures of kernelbench's own code in a worker; not the kernels' doing."""
    notes: tuple[str, ...] = ()
    """What else a user should know: where the ceilings come from."""
    fresh_ceilings: tuple[Ceiling, ...] = ()
    """Those measured before the rounds because no card had them: worth a card."""


class Position(Struct, frozen=True):
    """Where an execution is."""

    phase: str
    """"compiling" or "round 2/6"."""
    done: int
    total: int
    label: str
    """What is being done now (a case id)."""
    steady: bool = True
    """Whether the rest will take as long as what is done; else no time left is told."""


class Progress(Protocol):
    """Shows where an execution is."""

    def show(self, position: Position) -> None:
        """The execution is here now."""

    def warn(self, text: str) -> None:
        """Something the user should know now."""


class Sink(Protocol):
    """Takes events; a journal, or a list where nothing is kept."""

    def append(self, event: Event) -> None:
        """Keep the event, safely once this returns."""


class Worker(Protocol):
    """What the scheduler needs of a worker process (``WorkerProcess`` has it)."""

    def start(self, timeout_s: float) -> Reply | Died:
        """Wait for its first word."""

    def request(self, message: Request, timeout_s: float) -> Reply | Died:
        """Ask and wait."""

    def kill(self) -> None:
        """End it now; may be called from another thread."""

    def close(self) -> None:
        """Let it leave."""


WorkerFactory = Callable[[WorkerSetup], Worker]


class Stillborn(Exception):
    """A worker died before it could be asked anything."""

    def __init__(self, died: Died) -> None:
        super().__init__(died.message)
        self.died = died


def start_worker(workers: WorkerFactory, setup: WorkerSetup, source_hash: str) -> Worker:
    """A worker that is ready to be asked.

    Raises ``Stillborn`` when it died at once, ``UsageError`` when the sources under test are no longer
    those of ``source_hash``, ``WorkerError`` when kernelbench's own code failed in it.
    """
    worker = workers(setup)
    try:
        answer = worker.start(START_TIMEOUT_S)
        if isinstance(answer, Broken):
            raise WorkerError(f"a worker failed to start: {answer.message}")
        ready = expect_ready(answer)
        if isinstance(ready, Died):
            raise Stillborn(ready)
        if source_hash and ready.source_hash != source_hash:
            raise UsageError(
                "the kernels' sources or library versions changed while the run was going on"
                f" ({source_hash[:12]} -> {ready.source_hash[:12]}): its rounds would not measure the same code;"
                " start a new run"
            )
    except BaseException:
        worker.kill()
        worker.close()
        raise
    return worker


def expect_ready(answer: Reply | Died) -> Ready | Died:
    """``answer`` as the first word of a worker; ``WorkerError`` when it is neither that nor a death."""
    if isinstance(answer, Ready | Died):
        return answer
    raise WorkerError(f"a worker began with {type(answer).__name__} instead of Ready: {answer}")
