"""A parent that starts one worker (the stub named, or a real one), prints both process ids and waits to be killed."""

import os
import signal
import sys

from kernelbench.protocol import WorkerSetup
from kernelbench.runner.process import WORKER, WorkerProcess

cpu = min(os.sched_getaffinity(0))
command = (sys.executable, sys.argv[1], "hang") if len(sys.argv) > 1 else WORKER
worker = WorkerProcess(WorkerSetup(1, (cpu,)), memory_bytes=4 << 30, command=command)
worker.start(120)
print(os.getpid(), worker.pid, flush=True)
signal.pause()
