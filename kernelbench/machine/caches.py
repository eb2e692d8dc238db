"""CPU caches from sysfs, and what share of each a pinned thread sees."""

import re

from kernelbench.errors import UsageError
from kernelbench.machine import cpulist
from kernelbench.machine.tree import Tree, to_int
from kernelbench.model import Cache, Machine, Unknown

CPU_DIR = "sys/devices/system/cpu"
KINDS = ("data", "instruction", "unified")
_SCALE = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def read(tree: Tree, cpus: tuple[int, ...]) -> tuple[Cache, ...] | Unknown:
    """Caches of ``cpus``, nearest first; those of one level that differ (hybrid cores) are separate."""
    instances: dict[Cache, dict[tuple[int, ...], None]] = {}
    for cpu in cpus:
        for index in tree.names(f"{CPU_DIR}/cpu{cpu}/cache", "index[0-9]+"):
            folder = f"{CPU_DIR}/cpu{cpu}/cache/{index}"
            cache = _geometry(tree, folder)
            if isinstance(cache, Unknown):
                continue
            shared = tree.cpus(f"{folder}/shared_cpu_list", f"{folder}/shared_cpu_map")
            known = instances.setdefault(cache, {})
            # A list without the CPU it belongs to is damage: nobody is said to share it.
            if not isinstance(shared, Unknown) and cpu in shared:
                known[shared] = None
    if not instances:
        return Unknown(f"no cache folders under /{CPU_DIR}")
    found = [_with_sharers(cache, sorted(shared)) for cache, shared in instances.items()]
    return tuple(sorted(found, key=lambda cache: (cache.level, KINDS.index(cache.kind))))


def cpus_of(cache: Cache) -> tuple[tuple[int, ...], ...]:
    """The CPUs of each instance."""
    return tuple(cpulist.parse(text) for text in cache.shared_by)


def cache_levels(machine: Machine, threads: int, cpus: tuple[int, ...]) -> tuple[tuple[str, int], ...]:
    """(level name, bytes of one thread's share) of the data caches, nearest first.

    Thread i runs on ``cpus[i % len(cpus)]``; an instance is divided by the threads on the CPUs that share
    it, and the smallest share counts, so that no thread of a working set that size spills. A level that
    some pinned CPU is not known to have gives no entry.

    Raises UsageError when there are no CPUs or threads.
    """
    if threads < 1 or not cpus:
        raise UsageError(f"{threads} threads on CPUs {cpus!r}: give at least one thread and one CPU to pin it to")
    if isinstance(machine.caches, Unknown):
        return ()
    used = [cpus[thread % len(cpus)] for thread in range(threads)]
    levels = []
    for level in sorted({cache.level for cache in machine.caches if cache.kind != "instruction"}):
        caches = [cache for cache in machine.caches if cache.level == level and cache.kind != "instruction"]
        shares = _shares(caches, used)
        if set(used) <= set(shares):
            levels.append((f"L{level}", min(shares.values())))
    return tuple(levels)


def last_level_bytes(machine: Machine) -> int | Unknown:
    """Bytes of the largest instance of the last level."""
    if isinstance(machine.caches, Unknown):
        return machine.caches
    data = [cache for cache in machine.caches if cache.kind != "instruction"]
    if not data:
        return Unknown("only instruction caches are known")
    last = max(cache.level for cache in data)
    sizes = [cache.size_bytes for cache in data if cache.level == last]
    known = [size for size in sizes if not isinstance(size, Unknown)]
    return max(known) if known else sizes[0]


def _shares(caches: list[Cache], used: list[int]) -> dict[int, int]:
    """Bytes of one thread's share of the given level, by CPU."""
    shares: dict[int, int] = {}
    for cache in caches:
        if isinstance(cache.size_bytes, Unknown):
            continue
        for instance in cpus_of(cache):
            tenants = [cpu for cpu in used if cpu in instance]
            for cpu in tenants:
                shares[cpu] = cache.size_bytes // len(tenants)
    return shares


def _geometry(tree: Tree, folder: str) -> Cache | Unknown:
    level = tree.number(f"{folder}/level")
    kind = tree.word(f"{folder}/type")
    if isinstance(level, Unknown) or not 1 <= level <= 9:
        return Unknown(f"/{folder} gives no level")
    if isinstance(kind, Unknown) or kind.lower() not in KINDS:
        return Unknown(f"/{folder} gives no type of cache")
    return Cache(
        level=level,
        kind=kind.lower(),
        size_bytes=_size(tree, f"{folder}/size"),
        line_bytes=_positive(tree.number(f"{folder}/coherency_line_size"), folder),
        ways=_positive(tree.number(f"{folder}/ways_of_associativity"), folder),
        shared_by=(),
    )


def _with_sharers(cache: Cache, shared: list[tuple[int, ...]]) -> Cache:
    texts = tuple(map(cpulist.format_cpus, shared))
    return Cache(cache.level, cache.kind, cache.size_bytes, cache.line_bytes, cache.ways, texts)


def _size(tree: Tree, path: str) -> int | Unknown:
    """Bytes from "48K", "8192K" or "1M"."""
    text = tree.text(path)
    if isinstance(text, Unknown):
        return text
    match = re.fullmatch("([0-9]{1,9})([KMG]?)", text)
    if not match:
        return Unknown(f"/{path} holds {text[:20]!r}, not a size such as '48K'")
    return _positive(to_int(match[1], f"/{path}", _SCALE[match[2]]), path)


def _positive(value: int | Unknown, where: str) -> int | Unknown:
    """Some guests report 0 for what they hide."""
    return value if isinstance(value, Unknown) or value > 0 else Unknown(f"/{where} says {value}")
