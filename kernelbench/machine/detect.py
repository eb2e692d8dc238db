"""Everything about a machine, put together. Nothing here fails: what cannot be had is an ``Unknown``."""

import platform
from pathlib import Path

from kernelbench.machine import (
    answers,
    caches,
    counters,
    cpuinfo,
    design,
    features,
    kinds,
    limits,
    software,
    system,
    topology,
    virtualisation,
)
from kernelbench.machine.fingerprint import fingerprint
from kernelbench.machine.tree import Tree
from kernelbench.model import Cpu, Machine, Unknown


def detect(root: Path = Path("/"), *, live: bool | None = None) -> Machine:
    """Detect the machine whose /proc and /sys lie under ``root``.

    ``live`` (by default: when the root is "/") says that it is the running machine, so that system calls, LLVM
    and the installed packages may be asked as well. Never raises for missing or damaged files.
    """
    tree = Tree(root, live=root == Path("/") if live is None else live)
    info = cpuinfo.read(tree)
    allowed = limits.allowed_cpus(tree, topology.online_cpus(tree, info))
    # A masked /sys may show fewer CPUs than this process is allowed to run on.
    online = tuple(sorted({*topology.online_cpus(tree, info), *allowed}))
    cores = topology.core_siblings(tree, info, online)
    found_caches = caches.read(tree, online)
    found_topology = topology.read(tree, info, online, cores, kinds.read(tree, info, online, found_caches, cores))
    virtual = virtualisation.read(tree, info)
    cpu, memory, process = _cpu(tree, info), system.memory(tree), limits.read(tree, allowed)
    return Machine(
        id=fingerprint(cpu, found_caches, found_topology, memory, virtual),
        cpu=cpu,
        caches=found_caches,
        topology=found_topology,
        memory=memory,
        frequency=system.frequency(tree, info, online, virtual),
        limits=process,
        virtualisation=virtual,
        counters=counters.read(tree, virtual),
        load=system.load(tree),
        software=software.read(tree, process.affinity),
    )


def _cpu(tree: Tree, info: cpuinfo.CpuInfo) -> Cpu:
    """/proc/cpuinfo first; py-cpuinfo fills what it leaves out (ARM's names, a masked /proc)."""
    asked = answers.py_cpuinfo(tree, info)
    other = answers.PyCpuInfo() if isinstance(asked, Unknown) else asked
    llvm = answers.llvm_host(tree, info)
    architecture = platform.machine() if tree.live else info.architecture
    flags = frozenset(other.flags) or info.flags if isinstance(info.flags, Unknown) else info.flags
    known = features.normalised(architecture, flags)
    emitted = llvm if isinstance(llvm, Unknown) else frozenset(llvm.features)
    return Cpu(
        model=_first(info.value("model name"), other.brand_raw),
        vendor=_first(info.vendor, other.vendor_id_raw),
        architecture=architecture,
        microarchitecture=design.microarchitecture(tree, info, llvm),
        signature=info.signature,
        features=known,
        isa_levels=features.isa_levels(architecture, known, emitted, live=tree.live),
        llvm_name=llvm if isinstance(llvm, Unknown) else llvm.name,
    )


def _first(stated: str | Unknown, otherwise: str) -> str | Unknown:
    return otherwise if isinstance(stated, Unknown) and otherwise else stated
