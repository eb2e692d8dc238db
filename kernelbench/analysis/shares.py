"""What of each cache one thread has: private caches told from shared ones, by the CPUs that the threads run on."""

import functools
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from msgspec import Struct

from kernelbench.model import Cache, Machine, Topology, Unknown

_SIBLINGS = 64
_MOST_THREADS = 1 << 16
"""CPUs of one core, and threads, that are looked at: damaged numbers in a file must not fill the memory."""


class Share(Struct, frozen=True):
    """One level as one thread sees it."""

    level: str
    """"L1", "L2"..."""
    size_bytes: int
    """Capacity of the instance."""
    threads: int
    """Threads that share the instance."""

    @property
    def bytes_per_thread(self) -> float:
        """The footprint of one thread that fits when every sharer has the same."""
        return self.size_bytes / self.threads


class Shares(Struct, frozen=True):
    """The data caches of a team of threads."""

    levels: tuple[Share, ...]
    """Nearest first. Of the threads' shares of one level the smallest: a working set of its size spills nowhere."""
    complete: bool
    """True when every level's size is known for every CPU in use, so that what fits none of them lies in DRAM."""
    kinds: tuple[str, ...] = ()
    """Kinds of core that the threads run on, where the machine has more than one."""


def shares(machine: Machine, threads: int, cpus: Sequence[int] = ()) -> Shares:
    """The share of each data cache that one of ``threads`` threads on ``cpus`` has.

    Without ``cpus`` the threads take them as the runner does: one kind of core before another (fastest
    first), cores before SMT siblings. Where the OS does not say who shares a cache: L1 and L2 are taken as
    private, farther levels as shared by all.
    """
    # What the answer depends on can be hashed, the machine cannot; reports ask the same for thousands of cases.
    return _shares(machine.caches, machine.topology, machine.limits.affinity, threads, tuple(cpus))


def order(machine: Machine) -> list[int]:
    """Allowed CPUs in the order in which threads take them; empty when the topology names none."""
    return _order(machine.topology, machine.limits.affinity)


@functools.lru_cache(maxsize=1024)
def _shares(
    caches: tuple[Cache, ...] | Unknown, topology: Topology, affinity: str, threads: int, cpus: tuple[int, ...]
) -> Shares:
    used = list(cpus) or _order(topology, affinity)
    # More threads than CPUs go round them, as they do when they are pinned.
    used = sorted(used[thread % len(used)] for thread in range(min(threads, _MOST_THREADS))) if used else []
    kinds = [k.name for k in topology.kinds if any(_count(span, used) for span in _spans(k.cpus))]
    if isinstance(caches, Unknown):
        return Shares((), False)
    data = [cache for cache in caches if cache.kind != "instruction"]
    numbers = sorted({cache.level for cache in data})
    found = [_smallest([c for c in data if c.level == level], used, threads) for level in numbers]
    known = tuple(share for share in found if isinstance(share, Share))
    hybrid = len(topology.kinds) > 1
    return Shares(known, bool(numbers) and len(known) == len(numbers), tuple(kinds) if hybrid else ())


def _order(topology: Topology, affinity: str) -> list[int]:
    allowed = _spans(affinity)
    kinds = [_spans(kind.cpus) for kind in topology.kinds]
    ranked = []
    for position, core in enumerate(topology.smt_siblings):
        cpus = [cpu for low, high in _spans(core) for cpu in range(low, min(high, low + _SIBLINGS) + 1)]
        for sibling, cpu in enumerate(cpu for cpu in cpus if _within(cpu, allowed)):
            kind = next((rank for rank, spans in enumerate(kinds) if _within(cpu, spans)), 0)
            ranked.append((kind, sibling, position, cpu))
    return [cpu for _, _, _, cpu in sorted(ranked)]


def _smallest(caches: Sequence[Cache], used: Sequence[int], threads: int) -> Share | Unknown:
    """The smallest share of one level; Unknown when some CPU in use is not known to have that level."""
    by_cpu: dict[int, Share] = {}
    assumed: list[Share] = []
    for cache in caches:
        name, size = f"L{cache.level}", cache.size_bytes
        if isinstance(size, Unknown):
            continue
        if not used or not cache.shared_by:
            assumed.append(Share(name, size, _assumed_sharers(cache, threads)))
            continue
        for instance in map(_spans, cache.shared_by):
            tenants = sum(_count(span, used) for span in instance)
            for low, high in instance:
                here = used[bisect_left(used, low) : bisect_right(used, high)]
                by_cpu |= dict.fromkeys(here, Share(name, size, max(1, tenants)))
    if not assumed and set(used) - set(by_cpu):
        return Unknown("some CPU in use is not known to have this level")
    found = [*by_cpu.values(), *assumed]
    return min(found, key=lambda share: share.bytes_per_thread) if found else Unknown("no size is known")


def _assumed_sharers(cache: Cache, threads: int) -> int:
    if cache.shared_by:
        return math.ceil(threads / len(cache.shared_by))
    return 1 if cache.level <= 2 else threads


def _spans(cpus: str) -> list[tuple[int, int]]:
    """ "0-3,8" as [(0, 3), (8, 8)]; what is no CPU list has none, for result files are not ours to trust."""
    found = re.findall(r"(\d{1,6})(?:-(\d{1,6}))?", cpus)
    return [(int(low), int(high or low)) for low, high in found]


def _within(cpu: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(low <= cpu <= high for low, high in spans)


def _count(span: tuple[int, int], used: Sequence[int]) -> int:
    """Threads on the CPUs of ``span``; ``used`` is sorted."""
    return bisect_right(used, span[1]) - bisect_left(used, span[0])
