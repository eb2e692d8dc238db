"""What limits this process: affinity, cgroups, huge-page mode."""

import os
import re

from kernelbench.machine import cgroup, cpulist
from kernelbench.machine.tree import Tree
from kernelbench.model import Limits, Unknown

THP_DIR = "sys/kernel/mm/transparent_hugepage"


def allowed_cpus(tree: Tree, online: tuple[int, ...]) -> tuple[int, ...]:
    """CPUs that this process may run on: the affinity mask, or what a recorded tree tells of it."""
    if tree.live:
        return tuple(sorted(os.sched_getaffinity(0)))
    status = tree.text("proc/self/status")
    match = None if isinstance(status, Unknown) else re.search(r"^Cpus_allowed_list:\s*([0-9,-]+)$", status, re.M)
    listed = _parsed(match[1]) if match else cgroup.cpuset(tree)
    allowed = () if isinstance(listed, Unknown) else tuple(cpu for cpu in listed if cpu in online)
    return allowed or online


def read(tree: Tree, allowed: tuple[int, ...]) -> Limits:
    """``allowed``: the affinity mask."""
    quota = cgroup.cpu_quota(tree)
    # Rounded down: with one thread more than the quota, all are stopped for part of every period.
    usable = len(allowed) if isinstance(quota, Unknown) else max(1, min(len(allowed), int(quota)))
    return Limits(
        affinity=cpulist.format_cpus(allowed),
        usable_threads=usable,
        cpu_quota=quota,
        memory_limit_bytes=cgroup.memory_limit_bytes(tree),
        huge_pages=_chosen(tree, f"{THP_DIR}/enabled"),
        shmem_huge_pages=_chosen(tree, f"{THP_DIR}/shmem_enabled"),
    )


def _parsed(text: str) -> tuple[int, ...] | Unknown:
    try:
        return cpulist.parse(text)
    except ValueError as error:
        return Unknown(f"/proc/self/status: {error}")


def _chosen(tree: Tree, path: str) -> str | Unknown:
    """The bracketed word of "always [madvise] never"."""
    text = tree.text(path)
    if isinstance(text, Unknown):
        return text
    match = re.search(r"\[([a-z_]+)\]", text)
    return match[1] if match else Unknown(f"/{path} holds {text[:30]!r}, no choice in brackets")
