"""Sockets, cores, SMT siblings and NUMA nodes from sysfs, with /proc/cpuinfo where sysfs is silent."""

import re
from collections.abc import Sequence

from kernelbench.machine import cpulist
from kernelbench.machine.cpuinfo import CpuInfo, is_number
from kernelbench.machine.tree import Tree
from kernelbench.model import CoreKind, NumaNode, Topology, Unknown

CPU_DIR = "sys/devices/system/cpu"
NODE_DIR = "sys/devices/system/node"


def online_cpus(tree: Tree, info: CpuInfo) -> tuple[int, ...]:
    """Logical CPUs in use. With no source at all it is CPU 0: something must run this."""
    listed = tree.cpus(f"{CPU_DIR}/online")
    if not isinstance(listed, Unknown):
        return listed
    named = [block.get("processor", "") for block in info.blocks]
    numbered = sorted({int(name) for name in named if is_number(name)})
    folders = [int(name[3:]) for name in tree.names(CPU_DIR, "cpu[0-9]{1,5}")]
    return tuple(numbered or folders) or (0,)


def numa_nodes(tree: Tree) -> tuple[NumaNode, ...] | Unknown:
    """NUMA nodes by number."""
    names = tree.names(NODE_DIR, "node[0-9]{1,5}")
    return tuple(_node(tree, name) for name in names) or Unknown(f"no nodes under /{NODE_DIR}")


def core_siblings(tree: Tree, info: CpuInfo, cpus: tuple[int, ...]) -> tuple[tuple[int, ...], ...] | Unknown:
    """The logical CPUs of each physical core, by number."""
    found: dict[tuple[int, ...], None] = {}
    for cpu in cpus:
        folder = f"{CPU_DIR}/cpu{cpu}/topology"
        siblings = tree.cpus(f"{folder}/core_cpus_list", f"{folder}/core_cpus")
        if isinstance(siblings, Unknown):
            siblings = tree.cpus(f"{folder}/thread_siblings_list", f"{folder}/thread_siblings")
        if isinstance(siblings, Unknown) or cpu not in siblings:
            return _siblings_from_cpuinfo(info, cpus)
        found[tuple(sibling for sibling in siblings if sibling in cpus)] = None
    # Damaged lists can overlap; a CPU belongs to one core only.
    if sum(map(len, found)) != len(cpus):
        return Unknown("the sibling lists under /sys/devices/system/cpu contradict each other")
    return tuple(sorted(found))


def read(
    tree: Tree,
    info: CpuInfo,
    cpus: tuple[int, ...],
    cores: tuple[tuple[int, ...], ...] | Unknown,
    kinds: tuple[CoreKind, ...],
) -> Topology:
    """The topology of the online ``cpus``. Cores that cannot be told apart are listed one per CPU."""
    numa = numa_nodes(tree)
    separate = tuple((cpu,) for cpu in cpus) if isinstance(cores, Unknown) else cores
    return Topology(
        sockets=_sockets(tree, info, cpus),
        cores=cores if isinstance(cores, Unknown) else len(cores),
        threads=len(cpus),
        smt_siblings=tuple(map(cpulist.format_cpus, _placement_order(separate, kinds, numa))),
        kinds=kinds,
        numa=numa,
    )


def _placement_order(
    cores: Sequence[tuple[int, ...]], kinds: tuple[CoreKind, ...], numa: tuple[NumaNode, ...] | Unknown
) -> list[tuple[int, ...]]:
    """Fast kinds first, one NUMA node after another, CPU 0's core last of its kind: it takes the interrupts."""
    kind_of = {cpu: rank for rank, kind in enumerate(kinds) for cpu in cpulist.parse(kind.cpus)}
    nodes = () if isinstance(numa, Unknown) else numa
    node_of = {cpu: node.id for node in nodes for cpu in cpulist.parse(node.cpus)}
    return sorted(
        cores, key=lambda core: (kind_of.get(core[0], len(kinds)), 0 in core, node_of.get(core[0], 0), core[0])
    )


def _node(tree: Tree, name: str) -> NumaNode:
    cpus = tree.cpus(f"{NODE_DIR}/{name}/cpulist", f"{NODE_DIR}/{name}/cpumap")
    text = tree.text(f"{NODE_DIR}/{name}/meminfo")
    memory: int | Unknown
    if isinstance(text, Unknown):
        memory = text
    else:
        match = re.search(r"MemTotal:\s+([0-9]{1,15}) kB", text)
        memory = int(match[1]) * 1024 if match else Unknown(f"/{NODE_DIR}/{name}/meminfo has no MemTotal")
    listed = "" if isinstance(cpus, Unknown) else cpulist.format_cpus(cpus)
    return NumaNode(int(name[4:]), listed, memory)


def _sockets(tree: Tree, info: CpuInfo, cpus: tuple[int, ...]) -> int | Unknown:
    ids = [tree.number(f"{CPU_DIR}/cpu{cpu}/topology/physical_package_id") for cpu in cpus]
    known = {number for number in ids if not isinstance(number, Unknown) and number >= 0}
    if not known:
        known = {int(text) for block in info.blocks if is_number(text := block.get("physical id", ""))}
    return len(known) or Unknown(f"neither /{CPU_DIR}/cpu*/topology nor /proc/cpuinfo names packages")


def _siblings_from_cpuinfo(info: CpuInfo, cpus: tuple[int, ...]) -> tuple[tuple[int, ...], ...] | Unknown:
    cores: dict[tuple[str, str], list[int]] = {}
    for block in info.blocks:
        if all(is_number(block.get(key, "")) for key in ("processor", "physical id", "core id")):
            cores.setdefault((block["physical id"], block["core id"]), []).append(int(block["processor"]))
    if sorted(cpu for core in cores.values() for cpu in core) != list(cpus):
        return Unknown(f"neither /{CPU_DIR}/cpu*/topology nor /proc/cpuinfo names every CPU's core")
    return tuple(sorted(tuple(core) for core in cores.values()))
