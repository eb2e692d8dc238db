"""Scratch memory of kernels: made ahead, handed over as an address, so that nothing is allocated in a timed call."""

import contextlib
import mmap

import numpy as np

HUGE_BYTES = 2 << 20


class Scratch(int):
    """The address of scratch memory that lives as long as this integer does. One call at a time may use it."""

    memory: np.ndarray

    @classmethod
    def of(cls, size: int) -> "Scratch":
        """``size`` zeroed bytes from a 2 MiB boundary on, huge pages where the system grants them. Raises OSError."""
        whole = max(1, -(-size // HUGE_BYTES)) * HUGE_BYTES
        mapping = mmap.mmap(-1, whole + HUGE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            # Which small pages a panel gets would decide some of its speed; a kernel without huge pages refuses.
            with contextlib.suppress(OSError):
                mapping.madvise(mmap.MADV_HUGEPAGE)
        memory = np.frombuffer(mapping, np.uint8)
        made = cls(memory.ctypes.data + -memory.ctypes.data % HUGE_BYTES)
        made.memory = memory
        return made
