"""Operands' memory: 2 MiB-aligned, on huge pages where granted, first touched by the threads that use it.

Which physical pages an operand gets decides 4 to 7% of a memory-bound kernel's speed when left to chance.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kernelbench.timing import codepages
from kernelbench.timing.guards import GUARD, Guard
from kernelbench.timing.shared import Attached

HUGE = 2 << 20
PAGE = 4096
STAGGER = 1024
"""Each operand starts this much further into its page than the one before: two arrays at the same offset
within 4 KiB make loads wait for unrelated stores (4K aliasing)."""


class Arena:
    """One mapping from which a case's operands are cut; freed when the last array in it is gone."""

    def __init__(
        self,
        size_bytes: int,
        cpus: Sequence[int],
        shared: Attached | None = None,
        *,
        guarded: bool = False,
    ) -> None:
        """Map ``size_bytes``, rounded up to whole huge pages; or cut from what is mapped and ``shared`` already.

        ``guarded``: every array that is cut has a guard zone before and after it, in what would be padding anyway.
        Raises MemoryError when there is too little.
        """
        self.arguments = None if shared is None else shared.arguments
        self.stack = 0 if shared is None else shared.stack
        self.code = shared.code if shared is not None and codepages.available() else None
        self._cpus = tuple(cpus)
        self._used = 0
        self._count = 0
        self._guarded = guarded
        self.guards: list[Guard] = []
        """Of the arrays cut so far, in their order."""
        self._lead = np.empty(0, np.uint8)
        self._bytes = self._mapped(size_bytes) if shared is None else shared.operands

    def _mapped(self, size_bytes: int) -> np.ndarray:
        rounded = -(-size_bytes // HUGE) * HUGE
        try:
            mapping = mmap.mmap(-1, rounded + HUGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        except OSError as error:
            raise MemoryError(f"cannot map {rounded + HUGE} bytes for operands: {error.strerror}") from error
        whole = np.frombuffer(mapping, np.uint8)
        # What lies before the first operand guards it, and is no huge page.
        start = -whole.ctypes.data % HUGE or HUGE
        if hasattr(mmap, "MADV_HUGEPAGE"):
            # A kernel without transparent huge pages refuses: what was granted is measured, not assumed.
            with contextlib.suppress(OSError):
                mapping.madvise(mmap.MADV_NOHUGEPAGE, 0, start)
                mapping.madvise(mmap.MADV_HUGEPAGE, start, rounded)
        self._lead = whole[start - GUARD : start]
        return whole[start : start + rounded]

    @staticmethod
    def room(sizes: Sequence[int]) -> int:
        """Bytes an arena needs for operands of these sizes, guarded or not."""
        return sum(-(-size // PAGE) * PAGE + 2 * PAGE for size in sizes) + GUARD

    @property
    def size_bytes(self) -> int:
        """Bytes mapped for operands."""
        return self._bytes.size

    @property
    def address(self) -> int:
        """Where it begins."""
        return int(self._bytes.ctypes.data)

    def block(self, size: int) -> np.ndarray:
        """``size`` zeroed bytes from the next 2 MiB boundary on."""
        self._used, self._count = -(-self._used // HUGE) * HUGE, 0
        return self.empty((size,), np.dtype(np.uint8))

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
        """An uninitialised C-contiguous array, 64-byte aligned, its pages touched in equal parts by the threads."""
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        start = -(-self._used // PAGE) * PAGE + self._count * STAGGER % PAGE
        if self._guarded and 0 < start < self._used + 2 * GUARD:
            start += PAGE  # no room for two guards: it would follow right upon the one before
        if start + size + (GUARD if self._guarded else 0) > self._bytes.size:
            raise MemoryError(f"the arena of {self._bytes.size} bytes has no room for {size} more")
        self._used, self._count = start + size, self._count + 1
        view = self._bytes[start : start + size]
        _first_touch(view, self._cpus)
        if self._guarded:
            self._guard(start, start + size)
        return view.view(dtype).reshape(shape)

    def _guard(self, start: int, end: int) -> None:
        before = self._bytes[start - GUARD : start] if start else self._lead
        guard = Guard(before, self._bytes[end : end + GUARD])
        guard.fill()
        self.guards.append(guard)

    def copy(self, array: np.ndarray) -> np.ndarray:
        """A C-contiguous copy of ``array`` in the arena."""
        placed = self.empty(array.shape, array.dtype)
        placed[...] = array
        return placed

    def huge_share(self) -> float:
        """Share of the used memory that is really on huge pages, read from the kernel."""
        if not self._used:
            return 0.0
        begin = self._bytes.ctypes.data
        return min(1.0, _huge_bytes(begin, begin + self._used) / (-(-self._used // HUGE) * HUGE))


def _first_touch(view: np.ndarray, cpus: Sequence[int]) -> None:
    """Zero ``view`` in contiguous parts, each by a thread on the CPU that will work on it."""
    part = -(-view.size // max(1, len(cpus)))

    def touch(index: int) -> None:
        os.sched_setaffinity(0, {cpus[index]})
        size = min(part, view.size - index * part)
        if size > 0:
            ctypes.memset(view.ctypes.data + index * part, 0, size)

    if len(cpus) < 2 or view.size < PAGE * len(cpus):
        view[:] = 0
        return
    threads = [threading.Thread(target=touch, args=(index,)) for index in range(len(cpus))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _huge_bytes(begin: int, end: int) -> float:
    """Bytes on huge pages in mappings that overlap [begin, end), from /proc/self/smaps."""
    total, inside = 0.0, False
    try:
        lines = Path("/proc/self/smaps").read_text().splitlines()
    except OSError:
        return 0.0
    for line in lines:
        head = line.split(maxsplit=1)[0]
        if "-" in head and not head.endswith(":"):
            low, high = (int(x, 16) for x in head.split("-"))
            inside = low < end and begin < high
        elif inside and head == "AnonHugePages:":
            total += 1024 * int(line.split()[1])
    return total
