"""Kinds of core on a hybrid machine: Intel's performance and efficiency cores, ARM's big and little ones."""

from kernelbench.machine import cpulist
from kernelbench.machine.caches import cpus_of
from kernelbench.machine.cpuinfo import CpuInfo
from kernelbench.machine.tree import Tree
from kernelbench.model import Cache, CoreKind, Unknown

CPU_DIR = "sys/devices/system/cpu"
NAMES = ("performance", "efficiency", "low-power")

#: Intel gives each kind its own performance-counter device, with a CPU list.
INTEL_DEVICES = ("cpu_core", "cpu_atom", "cpu_lowpower")

#: Favoured cores of one kind differ by a few percent in top frequency (5.2 against 5.0 GHz); kinds by more.
SAME_SPEED = 0.9

Groups = list[tuple[int, ...]]


def read(
    tree: Tree,
    info: CpuInfo,
    cpus: tuple[int, ...],
    caches: tuple[Cache, ...] | Unknown,
    cores: tuple[tuple[int, ...], ...] | Unknown,
) -> tuple[CoreKind, ...]:
    """Kinds of the online ``cpus``, fastest first; a single kind "core" where all are alike."""
    max_hz = {cpu: hz for cpu in cpus if (hz := _max_hz(tree, cpu)) > 0}
    groups = _by_device(tree, cpus)
    if len(groups) < 2:
        speed = {cpu: value for cpu in cpus if (value := _capacity(tree, cpu)) > 0}
        if len(speed) < len(cpus) or len(set(speed.values())) == 1:
            speed = max_hz
        groups = _by_part(info, cpus, speed) or _by_geometry(cpus, caches, cores, speed)
    if len(groups) < 2:
        return (CoreKind("core", cpulist.format_cpus(cpus), _fastest(cpus, max_hz)),)
    names = (*NAMES, *(f"kind-{rank}" for rank in range(len(NAMES) + 1, len(groups) + 1)))
    return tuple(
        CoreKind(name, cpulist.format_cpus(group), _fastest(group, max_hz))
        for name, group in zip(names, groups, strict=False)
    )


def _by_device(tree: Tree, cpus: tuple[int, ...]) -> Groups:
    groups: Groups = []
    for device in INTEL_DEVICES:
        listed = tree.cpus(f"sys/devices/{device}/cpus")
        if not isinstance(listed, Unknown) and (present := tuple(cpu for cpu in listed if cpu in cpus)):
            groups.append(present)
    return groups if sorted(cpu for group in groups for cpu in group) == list(cpus) else []


def _by_part(info: CpuInfo, cpus: tuple[int, ...], speed: dict[int, int]) -> Groups:
    """ARM: CPUs of different designs, when their speed says which is which."""
    parts = info.parts
    if not set(cpus) <= set(parts) or not set(cpus) <= set(speed):
        return []
    return _fastest_first(_grouped({cpu: parts[cpu] for cpu in cpus}), speed)


def _by_geometry(
    cpus: tuple[int, ...],
    caches: tuple[Cache, ...] | Unknown,
    cores: tuple[tuple[int, ...], ...] | Unknown,
    speed: dict[int, int],
) -> Groups:
    """CPUs that differ both in caches or SMT width and in top speed.

    Caches alone do not make a kind (a die with more L3 is the same core), nor does speed alone (favoured cores).
    """
    if isinstance(caches, Unknown) or isinstance(cores, Unknown) or not set(cpus) <= set(speed):
        return []
    shape: dict[int, tuple[object, ...]] = {cpu: (len(core),) for core in cores for cpu in core}
    for cache in caches:
        for instance in cpus_of(cache):
            for cpu in set(instance).intersection(shape):
                shape[cpu] += ((cache.level, cache.kind, cache.size_bytes),)
    merged: Groups = []
    for group in _fastest_first(_grouped(shape), speed):
        if merged and _top(group, speed) >= SAME_SPEED * _top(merged[-1], speed):
            merged[-1] = tuple(sorted(merged[-1] + group))
        else:
            merged.append(group)
    return merged


def _grouped(key_of: dict[int, str] | dict[int, tuple[object, ...]]) -> Groups:
    groups: dict[object, list[int]] = {}
    for cpu, key in key_of.items():
        groups.setdefault(key, []).append(cpu)
    return [tuple(sorted(group)) for group in groups.values()]


def _fastest_first(groups: Groups, speed: dict[int, int]) -> Groups:
    return sorted(groups, key=lambda group: (-_top(group, speed), group))


def _top(group: tuple[int, ...], speed: dict[int, int]) -> int:
    return max(speed[cpu] for cpu in group)


def _fastest(group: tuple[int, ...], max_hz: dict[int, int]) -> float | Unknown:
    known = [max_hz[cpu] for cpu in group if cpu in max_hz]
    return float(max(known)) if known else Unknown(f"no /{CPU_DIR}/cpu{group[0]}/cpufreq/cpuinfo_max_freq")


def _max_hz(tree: Tree, cpu: int) -> int:
    """Top frequency in Hz; 0 where the kernel does not tell."""
    value = tree.number(f"{CPU_DIR}/cpu{cpu}/cpufreq/cpuinfo_max_freq", 1000)
    return 0 if isinstance(value, Unknown) else value


def _capacity(tree: Tree, cpu: int) -> int:
    """The scheduler's relative capacity, 1024 for the fastest (ARM); 0 where the kernel does not tell."""
    value = tree.number(f"{CPU_DIR}/cpu{cpu}/cpu_capacity")
    return 0 if isinstance(value, Unknown) else value
