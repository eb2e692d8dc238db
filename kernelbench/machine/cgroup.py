"""What control groups allow this process: CPU quota, memory, CPUs. Versions 1 and 2, also side by side.

Limits hold for a group and everything below it, so the tightest on the way from the process's own group
up to the mount point counts (Linux Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/).
"""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from kernelbench.machine.tree import Tree, to_int
from kernelbench.model import Unknown

NO_LIMIT = Unknown("no limit")

#: Version 1 says "no limit" as the largest page-aligned 63-bit number; page sizes differ, so anything
#: from 2^60 (a million terabytes) up is taken as such.
V1_UNLIMITED_BYTES = 1 << 60


class Mount(Struct, frozen=True):
    """One mounted hierarchy."""

    version: int
    folder: str
    """Mount point, relative to the root of the tree."""
    group: str
    """Group that the mount point shows ("/" unless a container sees only its own)."""
    controllers: frozenset[str]
    """Version 1 controllers; empty for version 2."""


def cpu_quota(tree: Tree) -> float | Unknown:
    """CPUs' worth of time per period (1.5 = one and a half)."""
    found = []
    for version, folder in _groups(tree, "cpu"):
        quota: int | Unknown
        period: int | Unknown
        if version == 2:
            words = [*_text(tree, f"{folder}/cpu.max").split(), "", ""]
            quota, period = to_int(words[0], "cpu.max"), to_int(words[1], "cpu.max")
        else:
            quota, period = tree.number(f"{folder}/cpu.cfs_quota_us"), tree.number(f"{folder}/cpu.cfs_period_us")
        if not isinstance(quota, Unknown) and not isinstance(period, Unknown) and quota > 0 and period > 0:
            found.append(quota / period)
    return min(found) if found else _none(tree)


def throttled_s(tree: Tree) -> float | Unknown:
    """Seconds that CPU quotas have held this process's groups back, over all CPUs, since the groups were made.

    A group counts only its own quota, so those on the way up are added; where two hold back at once, both count.
    """
    found = []
    for version, folder in _groups(tree, "cpu"):
        # Version 2 counts microseconds, version 1 nanoseconds; a group that cannot have a quota (the root) has no line.
        key, scale = ("throttled_usec", 1e-6) if version == 2 else ("throttled_time", 1e-9)
        match = re.search(rf"^{key} ([0-9]{{1,18}})$", _text(tree, f"{folder}/cpu.stat"), re.MULTILINE)
        if match:
            found.append(int(match[1]) * scale)
    return sum(found) if found else _none(tree)


def memory_limit_bytes(tree: Tree) -> int | Unknown:
    """Tightest hard memory limit."""
    found = []
    for version, folder in _groups(tree, "memory"):
        value = tree.number(f"{folder}/{'memory.max' if version == 2 else 'memory.limit_in_bytes'}")
        if not isinstance(value, Unknown) and 0 < value < V1_UNLIMITED_BYTES:
            found.append(value)
    return min(found) if found else _none(tree)


def cpuset(tree: Tree) -> tuple[int, ...] | Unknown:
    """CPUs that the process's own group may use; what the kernel made of all groups above is in it."""
    for version, folder in _groups(tree, "cpuset"):
        names = ("cpuset.cpus.effective",) if version == 2 else ("cpuset.effective_cpus", "cpuset.cpus")
        for name in names:
            cpus = tree.cpus(f"{folder}/{name}")
            if not isinstance(cpus, Unknown):
                return cpus
    return NO_LIMIT


def _none(tree: Tree) -> Unknown:
    own = tree.text("proc/self/cgroup")
    return Unknown(f"no cgroup information: {own.unknown}") if isinstance(own, Unknown) else NO_LIMIT


def _groups(tree: Tree, controller: str) -> Iterator[tuple[int, str]]:
    """(version, folder) of every group that the process is in for ``controller``, its own first."""
    paths = _own_groups(tree)
    for mount in _mounts(tree):
        if mount.version == 1 and controller not in mount.controllers:
            continue
        path = paths.get("" if mount.version == 2 else controller)
        if path is None and controller == "cpuset":
            # Kernels and recordings without /proc/self/cgroup still name the cpuset.
            path = _text(tree, "proc/self/cpuset") or None
        if path is not None:
            yield from ((mount.version, folder) for folder in _upwards(mount, path))


def _upwards(mount: Mount, path: str) -> Iterator[str]:
    """Folders from the group ``path`` up to the mount point."""
    shown = mount.group.rstrip("/")
    inside = path == shown or path.startswith(f"{shown}/")
    # A path outside what is mounted ("/../x", or the host's name of a container's group): the mount point is ours.
    parts = [part for part in path[len(shown) :].split("/") if part] if inside and "/.." not in path else []
    for depth in range(len(parts), -1, -1):
        yield "/".join([mount.folder, *parts[:depth]])


def _own_groups(tree: Tree) -> dict[str, str]:
    """Path of the process's group by controller; "" is version 2."""
    groups: dict[str, str] = {}
    for line in _text(tree, "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number.isdecimal() and path.startswith("/"):
            groups |= dict.fromkeys(controllers.split(","), path)
    return groups


def _mounts(tree: Tree) -> tuple[Mount, ...]:
    """Mounted hierarchies; the customary places where no mount table can be read."""
    found = tuple(_from_mountinfo(_text(tree, "proc/self/mountinfo").splitlines()))
    found = found or tuple(_from_mounts(_text(tree, "proc/mounts").splitlines()))
    if found:
        return found
    base = "sys/fs/cgroup"
    if tree.exists(f"{base}/cgroup.controllers"):
        return (Mount(2, base, "/", frozenset()),)
    return tuple(Mount(1, f"{base}/{name}", "/", frozenset(name.split(","))) for name in tree.names(base, "[a-z_,]+"))


def _from_mountinfo(lines: Iterable[str]) -> Iterator[Mount]:
    """proc_pid_mountinfo(5): id parent major:minor root mount-point options [tags...] - type source super-options."""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) >= 5 and len(kind) >= 3:
            yield from _mount(kind[0], fields[4], fields[3], kind[2])


def _from_mounts(lines: Iterable[str]) -> Iterator[Mount]:
    """proc_pid_mounts(5): source mount-point type options ..."""
    for line in lines:
        fields = line.split()
        if len(fields) >= 4:
            yield from _mount(fields[2], fields[1], "/", fields[3])


def _mount(kind: str, folder: str, group: str, options: str) -> Iterator[Mount]:
    if kind in ("cgroup", "cgroup2"):
        controllers = frozenset(options.split(",")) if kind == "cgroup" else frozenset()
        yield Mount(2 if kind == "cgroup2" else 1, _unescape(folder).strip("/"), _unescape(group), controllers)


def _unescape(path: str) -> str:
    r"""Mount tables write a space as \040."""
    return re.sub(r"\\([0-3][0-7]{2})", lambda match: chr(int(match[1], 8)), path)


def _text(tree: Tree, path: str) -> str:
    """Content, or "" where there is none: an absent group file sets no limit."""
    content = tree.text(path)
    return "" if isinstance(content, Unknown) else content
