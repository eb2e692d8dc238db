"""The one worker process that lives while anything is timed."""

from collections.abc import Iterator

from kernelbench.errors import WorkerError
from kernelbench.protocol import Broken, CaseFailed, Measure, ProbeCeilings, Reply, WorkerSetup
from kernelbench.runner.job import Job, Stillborn, Worker, WorkerFactory, start_worker
from kernelbench.runner.process import Died

Group = tuple[int, str]
"""(threads, isa): what a worker process is started for."""


class Live:
    """Starts a worker for a group when one is needed and asks it; at most one lives."""

    def __init__(self, job: Job, workers: WorkerFactory, serials: Iterator[int]) -> None:
        self._job = job
        self._workers = workers
        self._serials = serials
        self._worker: Worker | None = None
        self._group: Group | None = None

    def ask(self, group: Group, request: Measure | ProbeCeilings, timeout_s: float) -> Reply | Died:
        """The answer of the living worker of ``group``, or of a fresh one.

        Raises ``WorkerError`` when none starts at the native level, ``UsageError`` when the sources changed.
        """
        threads, isa = group
        if self._group != group:
            self.close()
        if self._worker is None:
            shares = threads in self._job.shares_cores
            setup = WorkerSetup(threads, self._job.cpus[threads], isa, self._job.modules, next(self._serials), shares)
            try:
                self._worker = start_worker(self._workers, setup, self._job.source_hash)
            except Stillborn as error:
                # Native code that does not even start is no kernel's fault; a lower level may be misdetected.
                if isa == "native":
                    raise WorkerError(f"a worker process ended at its start: {error}") from error
                return error.died
            self._group = group
        return self._worker.request(request, timeout_s)

    def kill(self) -> None:
        """End the living worker now."""
        if self._worker is not None:
            self._worker.kill()

    def close(self) -> None:
        """Let the living worker leave."""
        if self._worker is not None:
            self._worker.close()
            self._worker, self._group = None, None


def failure(answer: Reply | Died) -> tuple[str, str, bool]:
    """(stage, why, whether it is kernelbench's own fault) of an answer that is not the hoped-for one."""
    if isinstance(answer, CaseFailed | Died):
        return answer.stage, answer.message, False
    if isinstance(answer, Broken):
        return "harness", answer.message, True
    return "harness", f"the worker answered with {type(answer).__name__}", True
