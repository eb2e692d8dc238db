"""A worker process: ``python -m kernelbench.worker --setup JSON``, started by the runner only.

It reads requests from the pipe named by KERNELBENCH_REQUEST_FD and answers on KERNELBENCH_REPLY_FD. It dies
with its parent, and its memory is limited, before anything heavy is imported.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import sys
import traceback
from typing import NoReturn

import msgspec

from kernelbench.native.targets import TARGETS
from kernelbench.protocol import Broken, Exit, Reply, Request, Stage, WorkerSetup

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when ``parent`` ends, and end at once when it already has."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def limit_memory(limit_bytes: int) -> None:
    """Private memory beyond what the interpreter and its libraries use fails with MemoryError."""
    if limit_bytes > 0:
        resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))


def choose_isa(isa: str) -> None:
    """Tell Numba, before it is imported, which level to compile for. Exits where no target is known for it."""
    if isa == "native":
        return
    if isa not in TARGETS or platform.machine() != "x86_64":
        sys.exit(f"this kernelbench cannot compile for {isa} on {platform.machine()}; leave --isa at native")
    os.environ["NUMBA_CPU_NAME"], os.environ["NUMBA_CPU_FEATURES"] = TARGETS[isa].cpu, TARGETS[isa].features
    if isa == "scalar":
        os.environ["NUMBA_LOOP_VECTORIZE"] = os.environ["NUMBA_SLP_VECTORIZE"] = "0"


def leave() -> NoReturn:
    """End at once: to take interpreter and compiler down takes a third of a second, in every round of a comparison."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def main() -> None:
    """Set the process up, then answer requests until the pipe closes."""
    setup = msgspec.json.decode(sys.argv[sys.argv.index("--setup") + 1], type=WorkerSetup)
    die_with_parent(int(os.environ["KERNELBENCH_PARENT_PID"]))
    limit_memory(int(os.environ.get("KERNELBENCH_WORKER_MEMORY", "0")))
    choose_isa(setup.isa)
    if not setup.anywhere:
        os.sched_setaffinity(0, set(setup.cpus))
    # Shorter spinning after a parallel BLAS call: 2^20 cycles, 0.3 ms, instead of 2^28, 100 ms.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "20")
    requests = os.fdopen(int(os.environ["KERNELBENCH_REQUEST_FD"]), "rb")
    replies = os.fdopen(int(os.environ["KERNELBENCH_REPLY_FD"]), "wb", buffering=0)
    encoder = msgspec.json.Encoder()

    def say(message: Reply) -> None:
        replies.write(encoder.encode(message) + b"\n")

    try:
        from kernelbench.worker.service import Service

        service = Service(setup, lambda stage: say(Stage(stage)))
        say(service.ready(os.getpid()))
        decoder = msgspec.json.Decoder(Request)
        for line in requests:
            request = decoder.decode(line)
            if isinstance(request, Exit):
                leave()
            say(service.answer(request))
    except Exception:
        # Our own fault, told to the parent whole; a kernel's faults were answered above.
        say(Broken(traceback.format_exc()))
        sys.exit(1)


if __name__ == "__main__":
    main()
