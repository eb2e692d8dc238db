"""What a run holds while it goes on: its journal, and the polite kill turned into an interrupt."""

import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from kernelbench.errors import UsageError


@contextlib.contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Hold the journal alone: two runs that write into one would ruin it. The kernel lets go when we die.

    Raises ``UsageError`` when another process holds it or it cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); give the journal of a run") from error
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(f"{path} belongs to a run that is still going on; wait for its end") from error


@contextlib.contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """A polite kill keeps what is done, as Ctrl-C does. Only in the main thread."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
