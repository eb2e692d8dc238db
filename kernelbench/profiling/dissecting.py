"""Asking workers to take a case apart; changed code may crash, which costs only that change."""

from collections.abc import Callable

from msgspec.structs import replace

from kernelbench.errors import KernelbenchError, WorkerError
from kernelbench.protocol import CHANGED, Broken, CaseFailed, Dissect, Dissected, Timed, WorkerSetup
from kernelbench.runner.job import Stillborn, WorkerFactory, start_worker
from kernelbench.runner.process import Died

TIMEOUT_S = 60.0


class KernelFailed(KernelbenchError):
    """The profiled kernel is wrong, raised or crashed."""

    exit_code = 4


class Dissector:
    """Dissects cases, each in a fresh process."""

    def __init__(
        self,
        workers: WorkerFactory,
        cpus_of: Callable[[int], tuple[int, ...]],
        modules: tuple[str, ...],
        source_hash: str,
    ) -> None:
        self._workers, self._cpus_of = workers, cpus_of
        self._modules, self._source_hash = modules, source_hash
        self._serial = 0

    def dissect(self, request: Dissect) -> Dissected:
        """The answer to ``request``, without the changes of code that bring the process down or hang.

        Raises KernelFailed when the kernel itself fails, WorkerError when kernelbench does.
        """
        lost: list[Timed] = []
        while True:
            answer = self._ask(request)
            if isinstance(answer, Dissected):
                return replace(answer, timed=(*answer.timed, *lost))
            name = answer.stage.removeprefix(CHANGED) if isinstance(answer, Died) else ""
            if not isinstance(answer, Died) or name not in request.rewrites:
                raise _failed(request.case.id, answer)
            lost.append(Timed(name, skipped=f"the changed code did not run ({answer.message})"))
            request = replace(request, rewrites=tuple(one for one in request.rewrites if one != name))

    def _ask(self, request: Dissect) -> Dissected | CaseFailed | Broken | Died:
        case = request.case
        setup = WorkerSetup(case.threads, self._cpus_of(case.threads), case.isa, self._modules, self._serial)
        self._serial += 1
        try:
            worker = start_worker(self._workers, setup, self._source_hash)
        except Stillborn as error:
            return error.died
        try:
            answer = worker.request(request, TIMEOUT_S)
        except BaseException:
            worker.kill()
            raise
        finally:
            worker.close()
        if isinstance(answer, Dissected | CaseFailed | Broken | Died):
            return answer
        raise WorkerError(f"a worker answered with {type(answer).__name__} when asked to take {case.id} apart")


def _failed(case_id: str, answer: CaseFailed | Broken | Died | Dissected) -> Exception:
    if isinstance(answer, CaseFailed | Died):
        return KernelFailed(f"{case_id} cannot be profiled: it failed ({answer.stage}): {answer.message}")
    text = answer.message if isinstance(answer, Broken) else type(answer).__name__
    return WorkerError(f"taking {case_id} apart failed: {text}")
