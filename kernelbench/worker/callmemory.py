"""The memory of one call: what it allocates, how far the process grows, and what new pages cost it."""

from __future__ import annotations

import mmap
import re
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import UNSET, UnsetType

from kernelbench.protocol import CallMemory
from kernelbench.timing.sampling import Runner
from kernelbench.worker.bench import Bench

STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"
"""proc(5): writing 5 to clear_refs sets VmHWM to VmRSS."""
TOUCHES = 3


def memory_of_call(
    bench: Bench, inputs: int, runner_of: Callable[[Sequence[Any]], Runner], *, compiled: bool
) -> CallMemory:
    """Temporaries, rise of the resident memory, allocations and first touch, of one call each.

    ``inputs`` is how many of the arguments are no outputs; ``runner_of`` enters the kernel with other arguments.
    """
    return CallMemory(
        first_touch_s=first_touch_s(bench.arguments, inputs, runner_of),
        temporaries_bytes=UNSET if compiled else _traced(bench),
        peak_rss_bytes=_rise(bench),
        allocations=_allocations(bench) if compiled else UNSET,
    )


def _traced(bench: Bench) -> int:
    """tracemalloc's peak during a call; NumPy reports its arrays to it."""
    tracemalloc.start()
    try:
        bench.run(1)
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        bench.run(1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return max(0, peak - before)


def _rise(bench: Bench) -> int | UnsetType:
    try:
        CLEAR_REFS.write_text(RESET_PEAK)
        before = _status_bytes("VmRSS")
        bench.run(1)
        after = _status_bytes("VmHWM")
    except OSError:
        return UNSET
    return UNSET if before is UNSET or after is UNSET else max(0, after - before)


def _status_bytes(name: str) -> int | UnsetType:
    found = re.search(rf"^{name}:\s+(\d+) kB", STATUS.read_text(), re.MULTILINE)
    return 1024 * int(found[1]) if found else UNSET


def _allocations(bench: Bench) -> int | UnsetType:
    """Of Numba's runtime, when it can count them."""
    from numba.core.runtime import _nrt_python, rtsys

    if not hasattr(_nrt_python, "memsys_enable_stats"):
        return UNSET
    enabled = _nrt_python.memsys_stats_enabled()
    _nrt_python.memsys_enable_stats()
    try:
        before = rtsys.get_allocation_stats().alloc
        bench.run(1)
        return int(rtsys.get_allocation_stats().alloc - before)
    finally:
        if not enabled:
            _nrt_python.memsys_disable_stats()


def first_touch_s(arguments: Sequence[Any], inputs: int, runner_of: Callable[[Sequence[Any]], Runner]) -> float:
    """Least seconds of a call whose outputs (what follows the ``inputs``) have no pages yet."""
    found = []
    for _ in range(TOUCHES):
        fresh = [*arguments[:inputs], *(_fresh(x) for x in arguments[inputs:])]
        found.append(runner_of(fresh)(1))
    return min(found)


def _fresh(like: np.ndarray) -> np.ndarray:
    """An array of that shape on pages that nobody has touched."""
    return np.frombuffer(mmap.mmap(-1, max(1, like.nbytes)), like.dtype, like.size).reshape(like.shape)
