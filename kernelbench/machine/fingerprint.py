"""The machine's id: a hash of what stays the same from boot to boot."""

import hashlib

import msgspec

from kernelbench.machine import cpulist
from kernelbench.machine.virtualisation import hypervisor_of
from kernelbench.model import Cache, Cpu, Memory, Topology, Unknown

GIB = 1 << 30


def fingerprint(
    cpu: Cpu, caches: tuple[Cache, ...] | Unknown, topology: Topology, memory: Memory, virtualisation: str | Unknown
) -> str:
    """12 hexadecimal digits over the stable facts only.

    No frequency, bogomips, load, free memory, limit or version; memory counts in whole GiB, since each kernel
    keeps a little for itself; why something is unknown does not count, nor does a container around us.
    """
    known_caches = () if isinstance(caches, Unknown) else caches
    numa = topology.numa
    facts = (
        _plain(cpu.model),
        _plain(cpu.signature),
        cpu.architecture,
        [] if isinstance(cpu.features, Unknown) else sorted(cpu.features),
        sorted(_shape(cache) for cache in known_caches),
        _plain(topology.sockets),
        _plain(topology.cores),
        topology.threads,
        [(kind.name, len(cpulist.parse(kind.cpus))) for kind in topology.kinds],
        0 if isinstance(numa, Unknown) else len(numa),
        0 if isinstance(memory.total_bytes, Unknown) else round(memory.total_bytes / GIB),
        hypervisor_of(virtualisation),
    )
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()[:12]


def _plain(value: str | int | Unknown) -> str:
    return "unknown" if isinstance(value, Unknown) else str(value)


def _shape(cache: Cache) -> str:
    """Geometry, and how many CPUs share each instance (which ones may be renumbered)."""
    sharers = sorted(len(cpulist.parse(text)) for text in cache.shared_by)
    geometry = (cache.size_bytes, cache.line_bytes, cache.ways)
    return f"{cache.level} {cache.kind} {' '.join(map(_plain, geometry))} {sharers}"
