"""One measuring run at a time on a host: two would disturb each other."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import filelock

SHARED_MODE = 0o666
"""Any user of the host may take the lock, not only the one who made its file."""


class HostLock:
    """A lock for the whole host, on a file in the system's temporary folder.

    The operating system gives it back when the process dies, however it dies. The file stays and holds
    the id of the last process that had it, for the message to those who wait.

        with HostLock() as lock:
            if not lock.acquire(60, warn):
                warn("another run is still going on; measuring anyway")
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or Path(tempfile.gettempdir()) / "kernelbench.lock"
        # Not thread-local: an interrupt handler or another thread may have to release it.
        self._lock = filelock.FileLock(self._path, mode=SHARED_MODE, thread_local=False)

    def acquire(self, wait_s: float, on_wait: Callable[[str], None]) -> bool:
        """Take the lock, waiting up to ``wait_s`` seconds; False when another still has it then, or it cannot be had.

        ``on_wait`` is called once with a line for the user before any waiting, or with the reason why no
        lock can be had at all.
        """
        try:
            if self._try(0):
                return True
            on_wait(f"another kernelbench run {self._owner()}is measuring on this host; waiting up to {wait_s:g} s")
            return self._try(wait_s)
        except OSError as error:
            on_wait(f"cannot tell whether another run is measuring: {self._path}: {error.strerror or error}")
            return False

    def release(self) -> None:
        """Give it back; without holding it, nothing happens."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _try(self, wait_s: float) -> bool:
        try:
            self._lock.acquire(timeout=wait_s, poll_interval=0.1)
        except filelock.Timeout:
            return False
        # Without O_CREAT: in a sticky folder the kernel refuses that for another user's file.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            os.write(descriptor, f"{os.getpid()}\n".encode())
        finally:
            os.close(descriptor)
        return True

    def _owner(self) -> str:
        """ "(process 1234) " where the file says so."""
        try:
            text = self._path.read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            # Who it is only helps the message; that somebody has the lock is known already.
            return ""
        return f"(process {text}) " if text.isascii() and text.isdigit() else ""
