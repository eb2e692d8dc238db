"""What the machine's facts mean for a run: where workers go, what they may take, what is probed."""

import psutil

from kernelbench.machine import cache_levels, cpulist, last_level_bytes, placement
from kernelbench.model import Machine, Unknown

FREE_SHARE = 0.8
"""Share of the free memory that a worker may take; the rest is for the parent and for other people."""

DRAM_FACTOR = 4
"""Memory bandwidth is probed on this many times the last-level cache (STREAM's rule)."""

ASSUMED_LAST_LEVEL_BYTES = 64 << 20
"""Where the last level is unknown: larger than most, so that what is called DRAM is hardly a cache."""

_PAGE_BYTES = 4096


def worker_memory(machine: Machine, wanted_bytes: int) -> int:
    """``wanted_bytes``, or if that is 0 what is free now, within the control group's limit."""
    if wanted_bytes:
        return wanted_bytes
    free = psutil.virtual_memory().available
    limit = machine.limits.memory_limit_bytes
    if not isinstance(limit, Unknown):
        free = min(free, limit)
    return int(free * FREE_SHARE)


def pinning(machine: Machine, threads: set[int]) -> dict[int, tuple[int, ...]]:
    """CPUs for each number of threads. Raises ``UsageError`` for more threads than usable."""
    return {count: placement(machine, count) for count in sorted(threads)}


def sharing(machine: Machine, cpus: dict[int, tuple[int, ...]]) -> frozenset[int]:
    """The numbers of threads at which two of the CPUs are SMT siblings."""
    cores = [set(cpulist.parse(core)) for core in machine.topology.smt_siblings]
    return frozenset(count for count, mine in cpus.items() if any(len(core & set(mine)) > 1 for core in cores))


def last_level(machine: Machine) -> int:
    """Bytes of the last-level cache, assumed where unknown."""
    found = last_level_bytes(machine)
    return ASSUMED_LAST_LEVEL_BYTES if isinstance(found, Unknown) else found


def levels(machine: Machine, cpus: tuple[int, ...], memory_bytes: int) -> tuple[tuple[str, int], ...]:
    """Memory levels as seen by threads on ``cpus``: (name, bytes of one thread's share), DRAM last.

    DRAM is as much as all threads together must touch to leave the last level behind, divided among
    them, and never more than a quarter of what a worker may take.
    """
    total = min(DRAM_FACTOR * last_level(machine), memory_bytes // 4)
    share = max(_PAGE_BYTES, total // len(cpus) // _PAGE_BYTES * _PAGE_BYTES)
    return (*cache_levels(machine, len(cpus), cpus), ("DRAM", share))
