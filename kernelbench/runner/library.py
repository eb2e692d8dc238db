"""What can be run, and what each case takes: asked of a worker, because only workers import kernels."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from msgspec import structs

from kernelbench.config import Config
from kernelbench.errors import UsageError, WorkerError
from kernelbench.model import Case, Machine
from kernelbench.plan import Plan, expand
from kernelbench.protocol import (
    Broken,
    CaseInfo,
    Catalogue,
    CatalogueReply,
    Describe,
    Described,
    Ready,
    Reply,
    WorkerSetup,
)
from kernelbench.runner.host import ASSUMED_LAST_LEVEL_BYTES
from kernelbench.runner.job import START_TIMEOUT_S, Worker, WorkerFactory, expect_ready
from kernelbench.runner.process import Died, WorkerProcess

IMPORT_TIMEOUT_S = 60.0
"""A user's module that takes longer to import does not end."""

LISTING_MEMORY_BYTES = 4 << 30
"""What a worker may take that only imports kernels."""


class EndsProcess(UsageError):
    """The process that imported the user's modules ended."""

    def __init__(self, died: Died, modules: tuple[str, ...]) -> None:
        self.why = f"the process that imported it ended ({died.stage}: {died.message})"
        super().__init__(f"{', '.join(modules)}: {self.why}; correct it or leave it out")


class Librarian:
    """A living worker that knows every kernel, the user's included."""

    def __init__(self, worker: Worker, modules: tuple[str, ...], ended: tuple[tuple[str, str], ...] = ()) -> None:
        """``ended`` are modules left out of ``modules`` because importing them ended the process, and how.

        Raises EndsProcess where ``modules`` do, ``WorkerError`` for a fault of ours.
        """
        self._worker = worker
        self.modules = modules
        self._ended = ended
        self.source_hash = self._ready().source_hash

    def catalogue(self) -> CatalogueReply:
        """Every op and variant. Raises ``UsageError`` naming a module of the user's that cannot be imported."""
        answer = self.offered()
        if answer.broken_modules:
            more = len(answer.broken_modules) - 1
            rest = f" (and {more} more of the kernel files)" if more else ""
            raise UsageError(f"{left_out(*answer.broken_modules[0])}{rest}; correct it or leave it out")
        return answer

    def offered(self) -> CatalogueReply:
        """Every op and variant that there is, and which modules are broken."""
        answer = self._ask(lambda: self._worker.request(Catalogue(), IMPORT_TIMEOUT_S))
        if not isinstance(answer, CatalogueReply):
            raise _unexpected(answer)
        return structs.replace(answer, broken_modules=(*self._ended, *answer.broken_modules))

    def describe(self, cases: tuple[Case, ...]) -> tuple[CaseInfo, ...]:
        """Work and memory of each case."""
        answer = self._ask(lambda: self._worker.request(Describe(cases), IMPORT_TIMEOUT_S))
        if not isinstance(answer, Described):
            raise _unexpected(answer)
        return answer.infos

    def close(self) -> None:
        """Let the worker go."""
        self._worker.close()

    def _ready(self) -> Ready:
        answer = self._ask(lambda: self._worker.start(START_TIMEOUT_S))
        if isinstance(answer, Broken):
            raise _unexpected(answer)
        ready = expect_ready(answer)
        if isinstance(ready, Died):
            raise _unexpected(ready)
        return ready

    def _ask(self, question: Callable[[], Reply | Died]) -> Reply | Died:
        """The answer; a death is the fault of the user's modules where there are any."""
        answer = question()
        if isinstance(answer, Died) and self.modules:
            raise EndsProcess(answer, self.modules)
        return answer


def left_out(module: str, why: str) -> str:
    """One line about a broken module."""
    return f"{module}: cannot be imported: {why}"


def _unexpected(answer: Reply | Died) -> WorkerError:
    if isinstance(answer, Died):
        return WorkerError(f"the worker that lists kernels ended ({answer.stage}): {answer.message}")
    text = answer.message if isinstance(answer, Broken) else type(answer).__name__
    return WorkerError(f"the worker that lists kernels failed: {text}")


def expanded(config: Config, known: CatalogueReply, machine: Machine) -> Plan:
    """The plan of ``config``. Raises ``UsageError`` where there is none, with the modules that could have given one."""
    try:
        return expand(
            config,
            known.ops,
            known.variants,
            usable_threads=machine.limits.usable_threads,
            isa_levels=machine.cpu.isa_levels,
        )
    except UsageError as error:
        if not known.broken_modules:
            raise
        broken = "; ".join(left_out(*one) for one in known.broken_modules)
        raise UsageError(f"{broken}; what is left is not what was asked for: {error}") from error


@contextmanager
def librarian(modules: tuple[str, ...], workers: WorkerFactory) -> Iterator[Librarian]:
    """A librarian for as long as the block lasts. Raises ``UsageError`` where a module ends its process."""
    with closing(_started(modules, workers)) as library:
        yield library


@contextmanager
def sparing_librarian(modules: tuple[str, ...], workers: WorkerFactory) -> Iterator[Librarian]:
    """A librarian that goes without the modules that end their process; it has the rest in ``modules``."""
    try:
        library = _started(modules, workers)
    except EndsProcess:
        ended = tuple((module, why) for module in modules if (why := _end_of(module, workers)))
        left = dict(ended)
        library = _started(tuple(module for module in modules if module not in left), workers, ended)
    with closing(library):
        yield library


def _started(modules: tuple[str, ...], workers: WorkerFactory, ended: tuple[tuple[str, str], ...] = ()) -> Librarian:
    cpu = min(os.sched_getaffinity(0))
    worker = workers(WorkerSetup(threads=1, cpus=(cpu,), modules=modules))
    try:
        return Librarian(worker, modules, ended)
    except BaseException:
        worker.close()
        raise


def _end_of(module: str, workers: WorkerFactory) -> str:
    """How a process ends that imports ``module`` alone; empty when it lives."""
    try:
        _started((module,), workers).close()
    except EndsProcess as error:
        return error.why
    return ""


def process_factory(memory_bytes: int, last_level_bytes: int = ASSUMED_LAST_LEVEL_BYTES) -> WorkerFactory:
    """Real worker processes of at most ``memory_bytes`` resident memory each."""

    def start(setup: WorkerSetup) -> Worker:
        told = structs.replace(setup, last_level_bytes=last_level_bytes)
        return WorkerProcess(told, memory_bytes=memory_bytes, clock=time.monotonic)

    return start


def list_catalogue(modules: tuple[str, ...]) -> CatalogueReply:
    """Every op and variant, asked of a worker of its own; and the modules that are broken."""
    with sparing_librarian(modules, process_factory(LISTING_MEMORY_BYTES)) as library:
        return library.offered()
