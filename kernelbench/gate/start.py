"""Worker processes of one side: the running harness with that side's kernels, in that side's Python."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import structs

from kernelbench.gate.sides import Side
from kernelbench.protocol import WorkerSetup
from kernelbench.runner.process import WorkerProcess

ALONE = Path(__file__).resolve().parents[1] / "worker" / "alone.py"


def starter(side: Side, memory_bytes: int, last_level_bytes: int) -> Callable[[WorkerSetup], WorkerProcess]:
    """Starts workers of ``side`` of at most ``memory_bytes`` resident memory each."""

    def start(setup: WorkerSetup) -> WorkerProcess:
        return WorkerProcess(
            structs.replace(setup, modules=side.modules, last_level_bytes=last_level_bytes),
            memory_bytes=memory_bytes,
            clock=time.monotonic,
            command=(side.python or sys.executable, "-P", str(ALONE)),
            variables={"KERNELBENCH_ROOMS": side.rooms},
        )

    return start
