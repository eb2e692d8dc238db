"""How a worker process ended, in words, and what it took while it lived."""

import signal


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
    hint = " (by the kernel for lack of memory, or by someone)" if -status == signal.SIGKILL else ""
    return f"killed by {name}{hint}"


def resident_bytes(pid: int) -> int:
    """Resident memory of a process in bytes; 0 once it is gone."""
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
