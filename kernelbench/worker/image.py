"""What a case's memory holds before a call: compared between two sides, and restored between their turns."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import numpy as np

from kernelbench.worker.bench import Bench


@contextlib.contextmanager
def scratch_from(give: Callable[[int], np.ndarray]) -> Iterator[list[np.ndarray]]:
    """Inside the block kernels get their scratch memory from ``give``; yields the list of what they got."""
    given: list[np.ndarray] = []

    def noted(size: int) -> np.ndarray:
        given.append(give(size))
        return given[-1]

    with _hook(noted):
        yield given


def _hook(give: Callable[[int], np.ndarray]) -> AbstractContextManager[None]:
    """The kernels' own hook; kernels of a tree older than it keep their scratch in memory of their own."""
    try:
        from kernelbench.kernels._scratch import scratch_from as hook
    except ImportError:
        return contextlib.nullcontext()
    return hook(give)


class Image:
    """The memory of a bench as it is before a call: inputs, and scratch as it was prepared."""

    def __init__(self, bench: Bench, scratch: list[np.ndarray], base: int) -> None:
        """``base`` is the address that places are counted from. To be made before the first call."""
        self._bench = bench
        self._scratch = [(placed, placed.copy()) for placed in scratch]
        arrays = [*scratch, *bench.operands]
        places = [f"{array.ctypes.data - base:x}:{array.nbytes:x}" for array in arrays]
        self.layout = " ".join([*places, f"{self._checksum():x}"])
        """Places and sizes of all operands, and a checksum of the inputs and the scratch."""

    def _checksum(self) -> int:
        found = 0
        for array in [*(placed for placed, _ in self._scratch), *self._bench.inputs]:
            found = zlib.crc32(array.reshape(-1).view(np.uint8).data, found)
        return found

    def restore(self) -> None:
        """Write all of it anew."""
        self._bench.restore_inputs()
        for placed, pristine in self._scratch:
            placed[...] = pristine
