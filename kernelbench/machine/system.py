"""Memory, frequency and load of the host as the kernel tells them now."""

import re

from kernelbench.machine.cpuinfo import CpuInfo
from kernelbench.machine.tree import Tree
from kernelbench.machine.virtualisation import guest_name, hypervisor_of
from kernelbench.model import Frequency, HostLoad, Memory, Unknown

CPU_DIR = "sys/devices/system/cpu"


def memory(tree: Tree) -> Memory:
    """Main memory and swap."""
    text = tree.text("proc/meminfo")
    available = _meminfo(text, "MemAvailable")
    if tree.live and isinstance(available, Unknown) and not isinstance(text, Unknown):
        import psutil

        # Kernels before 3.14 have no MemAvailable; psutil computes it from the low watermarks.
        available = psutil.virtual_memory().available
    total, free = _meminfo(text, "SwapTotal"), _meminfo(text, "SwapFree")
    used = total if isinstance(total, Unknown) else free if isinstance(free, Unknown) else max(0, total - free)
    return Memory(_meminfo(text, "MemTotal"), available, used)


def frequency(tree: Tree, info: CpuInfo, cpus: tuple[int, ...], virtualisation: str | Unknown) -> Frequency:
    """Lowest and highest frequency over ``cpus``, the present one of the first, every governor in use."""
    folders = [f"{CPU_DIR}/cpu{cpu}/cpufreq" for cpu in cpus]
    absent = _no_cpufreq(tree, folders[0], virtualisation)
    lows = [tree.number(f"{folder}/cpuinfo_min_freq", 1000) for folder in folders]
    highs = [tree.number(f"{folder}/cpuinfo_max_freq", 1000) for folder in folders]
    governors = [tree.word(f"{folder}/scaling_governor") for folder in folders]
    names = dict.fromkeys(name for name in governors if not isinstance(name, Unknown))
    return Frequency(
        min_hz=_extreme(lows, absent, largest=False),
        max_hz=_extreme(highs, absent, largest=True),
        current_hz=_current(tree, info, folders[0]),
        governor=", ".join(names) or absent,
        boost=_boost(tree, absent),
    )


def load(tree: Tree) -> HostLoad:
    """How busy the host is."""
    stat = tree.text("proc/stat")
    average = tree.text("proc/loadavg")
    if not isinstance(average, Unknown):
        match = re.match(r"([0-9]{1,9}\.[0-9]+) ", average)
        return HostLoad(
            _runnable(stat), float(match[1]) if match else Unknown("/proc/loadavg holds no number"), _steal(stat)
        )
    return HostLoad(_runnable(stat), average, _steal(stat))


def _meminfo(text: str | Unknown, key: str) -> int | Unknown:
    if isinstance(text, Unknown):
        return text
    match = re.search(rf"^{key}:\s+([0-9]{{1,15}}) kB$", text, re.MULTILINE)
    return int(match[1]) * 1024 if match else Unknown(f"/proc/meminfo has no {key}")


def _no_cpufreq(tree: Tree, folder: str, virtualisation: str | Unknown) -> Unknown:
    if tree.exists(folder):
        return Unknown(f"/{folder} does not tell")
    guest = hypervisor_of(virtualisation) != "none"
    return Unknown(f"no cpufreq folder: {guest_name(virtualisation) if guest else 'no driver loaded'}")


def _extreme(values: list[int | Unknown], absent: Unknown, *, largest: bool) -> float | Unknown:
    known = [value for value in values if not isinstance(value, Unknown) and value > 0]
    return float(max(known) if largest else min(known)) if known else absent


def _current(tree: Tree, info: CpuInfo, folder: str) -> float | Unknown:
    # Only one CPU is asked: on Intel each read interrupts that CPU and samples it for milliseconds.
    hertz = tree.number(f"{folder}/scaling_cur_freq", 1000)
    if not isinstance(hertz, Unknown) and hertz > 0:
        return float(hertz)
    mhz = info.value("cpu mhz")
    if isinstance(mhz, Unknown):
        return mhz
    known = re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,9})?", mhz) and float(mhz) > 0
    return float(mhz) * 1e6 if known else Unknown(f"/proc/cpuinfo says {mhz[:20]!r} MHz")


def _boost(tree: Tree, absent: Unknown) -> bool | Unknown:
    boost = tree.number(f"{CPU_DIR}/cpufreq/boost")
    if not isinstance(boost, Unknown):
        return boost != 0
    off = tree.number(f"{CPU_DIR}/intel_pstate/no_turbo")
    return absent if isinstance(off, Unknown) else off == 0


def _runnable(stat: str | Unknown) -> int | Unknown:
    if isinstance(stat, Unknown):
        return stat
    match = re.search(r"^procs_running ([0-9]{1,9})$", stat, re.MULTILINE)
    return int(match[1]) if match else Unknown("/proc/stat has no procs_running")


def _steal(stat: str | Unknown) -> float | Unknown:
    """proc_stat(5): "cpu user nice system idle iowait irq softirq steal ..." in ticks; guest time is within user."""
    if isinstance(stat, Unknown):
        return stat
    match = re.match(r"cpu +((?:[0-9]{1,18} ){7}[0-9]{1,18})", stat)
    ticks = [int(word) for word in match[1].split()] if match else []
    return ticks[7] / sum(ticks) if sum(ticks) else Unknown("/proc/stat has no steal time")
