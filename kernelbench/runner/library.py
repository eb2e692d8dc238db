"""What can be run, and what each case takes: asked of a worker, because only workers import kernels."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import structs

from kernelbench.errors import UsageError, WorkerError
from kernelbench.model import Case
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


class Librarian:
    """A living worker that knows every kernel, the user's included."""

    def __init__(self, worker: Worker, modules: tuple[str, ...]) -> None:
        self._worker = worker
        self._modules = modules
        self.source_hash = self._ready().source_hash

    def catalogue(self) -> CatalogueReply:
        """Every op and variant. Raises ``UsageError`` naming a module of the user's that cannot be imported."""
        answer = self._ask(lambda: self._worker.request(Catalogue(), IMPORT_TIMEOUT_S))
        if not isinstance(answer, CatalogueReply):
            raise _unexpected(answer)
        if answer.broken_modules:
            file, why = answer.broken_modules[0]
            more = len(answer.broken_modules) - 1
            rest = f" (and {more} more of the kernel files)" if more else ""
            raise UsageError(f"{file}: cannot be imported: {why}{rest}; correct it or leave it out")
        return answer

    def describe(self, cases: tuple[Case, ...]) -> tuple[CaseInfo, ...]:
        """Work and memory of each case."""
        answer = self._ask(lambda: self._worker.request(Describe(cases), IMPORT_TIMEOUT_S))
        if not isinstance(answer, Described):
            raise _unexpected(answer)
        return answer.infos

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
        if isinstance(answer, Died) and self._modules:
            raise UsageError(
                f"{', '.join(self._modules)}: the process that imported this ended"
                f" ({answer.stage}: {answer.message}); correct it or leave it out"
            )
        return answer


def _unexpected(answer: Reply | Died) -> WorkerError:
    if isinstance(answer, Died):
        return WorkerError(f"the worker that lists kernels ended ({answer.stage}): {answer.message}")
    text = answer.message if isinstance(answer, Broken) else type(answer).__name__
    return WorkerError(f"the worker that lists kernels failed: {text}")


@contextmanager
def librarian(modules: tuple[str, ...], workers: WorkerFactory) -> Iterator[Librarian]:
    """A librarian for as long as the block lasts."""
    cpu = min(os.sched_getaffinity(0))
    worker = workers(WorkerSetup(threads=1, cpus=(cpu,), modules=modules))
    try:
        yield Librarian(worker, modules)
    finally:
        worker.close()


def process_factory(memory_bytes: int, last_level_bytes: int = ASSUMED_LAST_LEVEL_BYTES) -> WorkerFactory:
    """Real worker processes of at most ``memory_bytes`` resident memory each."""

    def start(setup: WorkerSetup) -> Worker:
        told = structs.replace(setup, last_level_bytes=last_level_bytes)
        return WorkerProcess(told, memory_bytes=memory_bytes, clock=time.monotonic)

    return start


def list_catalogue(modules: tuple[str, ...]) -> CatalogueReply:
    """Every op and variant, asked of a worker of its own."""
    with librarian(modules, process_factory(LISTING_MEMORY_BYTES)) as library:
        return library.catalogue()
