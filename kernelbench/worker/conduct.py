"""What a kernel does beside its work while it is called: prints, leaks, threads of its own."""

from __future__ import annotations

import ctypes
import os
import resource
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kernelbench.timing.sampling import Runner
from kernelbench.units import percent, size_bytes

GROWTH_BYTES = 1 << 20
"""Less growth than this over all timed calls may be anyone's: pages of the timing's own lists, of a pool's stacks."""
AGAIN_BYTES = 64 << 10
"""Less growth than this in the calls that confirm it is none: the kernel counts pages in batches of up to 64."""
AGAIN_S = 0.2
"""Time for those calls."""
BUSY_SHARE = 0.1
"""CPU time of other threads, as a share of the timed one's, that a kernel of one thread does not explain."""
MANY_THREADS = 4
"""So many more threads than before the calls are no pool that a library starts once."""
_SHOWN_BYTES = 200


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _threads() -> frozenset[int]:
    return frozenset(int(path.name) for path in Path("/proc/self/task").iterdir())


def _cpu_s(threads: Iterable[int]) -> float:
    """CPU time of these threads of this process; of one that ended, or where the kernel does not tell, 0."""
    total = 0
    for thread in threads:
        with suppress(OSError):
            total += int(Path(f"/proc/self/task/{thread}/schedstat").read_text().split()[0])
    return total * 1e-9


class Conduct:
    """Watches the calls of one case. ``remarks`` says what it saw, once all is over."""

    def __init__(self, *, one_thread: bool, resident: Callable[[], int] = _resident_bytes) -> None:
        """``one_thread``: the case has one thread, so nothing else should take CPU time."""
        self._one_thread, self._resident = one_thread, resident
        self._remarks: dict[str, str] = {}
        self._own_s = self._others_s = 0.0
        self._started: frozenset[int] = frozenset()
        """Threads that began during its calls: what other cases left running, before or between, is not its doing."""
        self._before_bytes = 0

    @contextmanager
    def watching(self, *, timed: bool = False) -> Iterator[None]:
        """Around calls of the kernel and nothing else that prints; ``timed``: their CPU time counts."""
        end, before = _printed_bytes(), _threads()
        strangers = before - self._started - {threading.get_native_id()}
        process, own, theirs = time.process_time(), time.thread_time(), _cpu_s(strangers)
        yield
        self._started |= _threads() - before
        if timed:
            mine = time.thread_time() - own
            self._own_s += mine
            self._others_s += time.process_time() - process - mine - (_cpu_s(strangers) - theirs)
        said = _printed_since(end)
        if said:
            self._remarks.setdefault("prints", f'prints while it is called, which takes time: "{said}"')

    def warm(self) -> None:
        """From now on memory should stay as it is."""
        self._before_bytes = self._resident()

    def remarks(self, run: Runner, calls: int, call_s: float) -> dict[str, str]:
        """Flag -> one line. ``calls`` were made since ``warm``, of ``call_s`` seconds each; some more may be made."""
        self._see_leak(run, calls, call_s)
        more = len(_threads() & self._started)
        if more >= MANY_THREADS and self._one_thread:
            self._remarks["threads"] = f"leaves {more} threads running: end them, or keep one pool"
        elif self._one_thread and self._others_s > BUSY_SHARE * self._own_s:
            self._see_threads(run, call_s)
        return dict(self._remarks)

    def _see_threads(self, run: Runner, call_s: float) -> None:
        """CPU time that others take in more calls as well is the kernel's doing; a pool that starts takes it once.

        The calls last long enough for Python to pass its lock to another thread, which it does every 5 ms.
        """
        self._own_s = self._others_s = 0.0
        with self.watching(timed=True):
            run(max(1, int(AGAIN_S / call_s)))
        if self._others_s > BUSY_SHARE * self._own_s:
            share = percent(self._others_s / max(self._own_s, 1e-9))
            self._remarks["threads"] = (
                f"has threads of its own that take {share} of the CPU time of the timed one: declare it parallel=True"
            )

    def _see_leak(self, run: Runner, calls: int, call_s: float) -> None:
        """Growth that goes on in more calls is a leak; what was only taken once is not."""
        before = self._resident()
        grown = before - self._before_bytes
        if grown < GROWTH_BYTES:
            return
        again = max(3, min(calls, int(AGAIN_S / call_s)))
        run(again)
        more = self._resident() - before
        if more >= AGAIN_BYTES and (more >= GROWTH_BYTES or more / again >= 0.5 * grown / calls):
            self._remarks["leaks"] = f"leaks {size_bytes(more / again)} a call: free what it allocates"


def _printed_bytes() -> int:
    """Size of the file that standard output goes to; -1 where it is no file."""
    ctypes.CDLL(None).fflush(None)
    sys.stdout.flush()
    seen = os.fstat(1)
    return seen.st_size if stat.S_ISREG(seen.st_mode) else -1


def _printed_since(end: int) -> str:
    """The first line printed since the file ended at ``end``; "..." where it was cut meanwhile, "" for nothing."""
    now = _printed_bytes()
    if end < 0 or now == end:
        return ""
    text = os.pread(1, _SHOWN_BYTES, end).decode(errors="replace") if now > end else ""
    return next((line.strip() for line in text.splitlines() if line.strip()), "...")
