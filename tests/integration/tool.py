"""The command line and its workers as processes: start, ask, kill, look at what is left."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import UNSET, UnsetType

import kernelbench
from kernelbench.model import Case, case_id
from kernelbench.protocol import CaseFailed, CaseMeasured, Effort, Measure, Ready, Reply, Request, WorkerSetup
from kernelbench.runner.process import Died, WorkerProcess

T = TypeVar("T")
KERNELS = Path(__file__).parent / "kernels"
ROOT = Path(kernelbench.__file__).resolve().parents[1]
PLENTY_S = 120.0
"""Far more than anything takes here: it ends a test that hangs, and decides nothing else."""

SHORT = Effort(sample_s=0.001, samples=3, round_s=0.001, warmup_s=0.0)
GIB = 1 << 30
LOOK_AGAIN = threading.Event()


class Tool:
    """`kernelbench` from the sources under test, or another one by its command and import path."""

    def __init__(
        self,
        command: Sequence[str] = (sys.executable, "-P", "-m", "kernelbench"),
        path: str | UnsetType = str(ROOT),
    ) -> None:
        self._command = tuple(command)
        self._path = path

    def start(self, *words: object, folder: Path, **environment: str) -> subprocess.Popen[str]:
        """Begin `kernelbench WORDS` in ``folder``."""
        variables = {**os.environ, **environment}
        variables.pop("PYTHONPATH", None)
        if self._path is not UNSET:
            variables["PYTHONPATH"] = self._path
        return subprocess.Popen(
            [*self._command, *map(str, words)],
            cwd=folder,
            env=variables,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *words: object, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """`kernelbench WORDS` in ``folder``, to its end."""
        with self.start(*words, folder=folder, **environment) as process:
            out, err = process.communicate(timeout=PLENTY_S)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


class Workers:
    """Worker processes, one thread each, that are asked directly."""

    def __init__(self) -> None:
        self._started: list[WorkerProcess] = []

    def start(self, *modules: Path) -> tuple[WorkerProcess, Ready]:
        """A worker that has imported ``modules``."""
        setup = WorkerSetup(1, (min(os.sched_getaffinity(0)),), modules=tuple(map(str, modules)))
        worker = WorkerProcess(setup, memory_bytes=4 * GIB)
        self._started.append(worker)
        ready = worker.start(PLENTY_S)
        assert isinstance(ready, Ready), ready
        return worker, ready

    def end(self) -> None:
        """End all of them."""
        for worker in self._started:
            worker.kill()
            worker.close()


def ask(worker: WorkerProcess, request: Request) -> Reply | Died:
    """The worker's answer, however long it takes."""
    return worker.request(request, PLENTY_S)


def case(variant: str, n: int | tuple[int, ...], dtype: str = "f32", dims: str = "n") -> Case:
    """A case at one thread; ``dims`` spells the op's dimensions, a letter each."""
    shape = dict(zip(dims, (n,) * len(dims) if isinstance(n, int) else n, strict=True))
    return Case(
        id=case_id(variant, dtype, shape, 1),
        op=variant.partition("/")[0],
        variant=variant,
        style="naive",
        dtype=dtype,
        shape=shape,
        threads=1,
    )


def measure(worker: WorkerProcess, wanted: Case) -> CaseMeasured | CaseFailed:
    """Verify, time and verify ``wanted`` in a worker that survives it."""
    answer = ask(worker, Measure(wanted, 0, 0, SHORT, time.monotonic()))
    assert isinstance(answer, CaseMeasured | CaseFailed), answer
    return answer


def wait_for(look: Callable[[], T]) -> T:
    """What ``look`` returned as soon as that is something (true). Fails the test when it never is."""
    end = time.monotonic() + PLENTY_S
    while not (seen := look()):
        assert time.monotonic() < end, "the awaited never came"
        LOOK_AGAIN.wait(0.005)
    return seen
