"""How a worker process ended, in words: where it was, why, and what it took while it lived."""

import signal

from kernelbench.protocol import Catalogue, Compile, Describe, Dissect, Inspect, Measure, Open, ProbeCeilings, Request

_HINTS: dict[int, str] = {
    signal.SIGKILL: " (by the kernel for lack of memory, or by someone)",
    signal.SIGILL: " (an instruction that this CPU lacks: build it for this CPU, or say so with unavailable=)",
}


def ending(status: int | None) -> str:
    """Why a process with this exit status did not answer; None: it still runs."""
    if status is None:
        return "closed its reply pipe without answering: killed"
    if status >= 0:
        return f"exited with status {status} without answering"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"killed by {name}{_HINTS.get(-status, '')}"


def resident_bytes(pid: int) -> int:
    """Resident memory of a process in bytes; 0 once it is gone."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


_FIRST_STAGE: dict[type, str] = {
    Catalogue: "import",
    Describe: "describe",
    Compile: "compile",
    Measure: "inputs",
    Open: "inputs",
    Inspect: "inputs",
    Dissect: "inputs",
    ProbeCeilings: "ceilings",
}
"""Where a worker is that has not announced a stage yet."""


def first_stage(request: Request) -> str:
    """Where a worker is that has been asked this and has announced nothing yet."""
    return _FIRST_STAGE.get(type(request), "start")
