"""Scratch memory of kernels: made ahead, handed over as an address, so that nothing is allocated in a timed call."""

import contextlib
import mmap
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

HUGE_BYTES = 2 << 20


class Scratch(int):
    """The address of scratch memory that lives as long as this integer does. One call at a time may use it."""

    memory: np.ndarray

    @classmethod
    def of(cls, size: int) -> "Scratch":
        """``size`` zeroed bytes from a 2 MiB boundary on, huge pages where the system grants them. Raises OSError."""
        if _given:
            return cls.at(_given[-1](max(1, size)))
        whole = max(1, -(-size // HUGE_BYTES)) * HUGE_BYTES
        mapping = mmap.mmap(-1, whole + HUGE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            # Which small pages a panel gets would decide some of its speed; a kernel without huge pages refuses.
            with contextlib.suppress(OSError):
                mapping.madvise(mmap.MADV_HUGEPAGE)
        memory = np.frombuffer(mapping, np.uint8)
        return cls.at(memory[-memory.ctypes.data % HUGE_BYTES :])

    @classmethod
    def at(cls, memory: np.ndarray) -> "Scratch":
        """Scratch memory that begins where ``memory`` does."""
        made = cls(memory.ctypes.data)
        made.memory = memory
        return made


class Workspace(np.ndarray):
    """An operand that a kernel may write although it is no output: scratch that wants a shape and a type."""

    may_be_written = True


def workspace(shape: tuple[int, ...], dtype: np.dtype[Any] | type) -> Workspace:
    """A zeroed workspace of ``shape``, to be returned by ``prepare`` among the inputs."""
    return np.zeros(shape, dtype).view(Workspace)


_given: list[Callable[[int], np.ndarray]] = []


@contextlib.contextmanager
def scratch_from(give: Callable[[int], np.ndarray]) -> Iterator[None]:
    """Inside the block scratch memory is what ``give(bytes)`` returns: zeroed, on a 2 MiB boundary."""
    _given.append(give)
    try:
        yield
    finally:
        _given.pop()
