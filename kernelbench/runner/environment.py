"""The environment that a worker process is started in."""

import os
import sysconfig
from pathlib import Path

from kernelbench.protocol import WorkerSetup


def worker_environment(setup: WorkerSetup, memory_bytes: int, request_fd: int, reply_fd: int) -> dict[str, str]:
    """The environment of a worker: what libraries read at import must be there before it starts."""
    threads = dict.fromkeys(
        ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(setup.threads)
    )
    return {
        **os.environ,
        **threads,
        **_import_path(),
        "KERNELBENCH_PARENT_PID": str(os.getpid()),
        "KERNELBENCH_WORKER_MEMORY": str(memory_bytes),
        "KERNELBENCH_REQUEST_FD": str(request_fd),
        "KERNELBENCH_REPLY_FD": str(reply_fd),
    }


def _import_path() -> dict[str, str]:
    """What makes the worker import this very kernelbench, and nothing that lies in the current folder."""
    here = Path(__file__).resolve().parents[2]
    path = {"PYTHONSAFEPATH": "1"}
    # An installed package is found anyway, and its folder put first would shadow the standard library.
    if here != Path(sysconfig.get_paths()["purelib"]).resolve():
        path["PYTHONPATH"] = os.pathsep.join(filter(None, [str(here), os.environ.get("PYTHONPATH", "")]))
    return path
