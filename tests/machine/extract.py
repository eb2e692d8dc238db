"""Make a small fixture from a recorded /proc and /sys: the few files that detection reads, nothing else.

    python tests/machine/extract.py RECORDING "where it comes from" OUT.json [--rename OLD=NEW]...

RECORDING is a tar file with one machine in it, or a folder ("/" records the machine it runs on). Values that
are the same on many CPUs are stored once, with a CPU list. ``--rename`` replaces names that identify a host.
"""

import argparse
import json
import re
import tarfile
import tempfile
from pathlib import Path

CPU_DIR = "sys/devices/system/cpu"

#: Whole files, as glob patterns.
FILES = (
    "proc/self/cgroup",
    "proc/self/cpuset",
    "proc/loadavg",
    "sys/devices/system/cpu/online",
    "sys/devices/system/cpu/cpufreq/boost",
    "sys/devices/system/cpu/intel_pstate/no_turbo",
    "sys/devices/system/node/node*/cpulist",
    "sys/devices/system/node/node*/cpumap",
    "sys/devices/cpu_*/cpus",
    "sys/devices/system/clocksource/clocksource0/available_clocksource",
    "sys/class/dmi/id/sys_vendor",
    "sys/class/dmi/id/product_name",
    "sys/hypervisor/type",
    "sys/kernel/mm/transparent_hugepage/enabled",
    "sys/kernel/mm/transparent_hugepage/shmem_enabled",
    "cgroup/**/cpuset.cpus.effective",
    ".dockerenv",
)

#: Limits, looked for in the recorded process's own groups and those above, in every hierarchy.
CGROUP = (
    "cpu.max",
    "memory.max",
    "cpu.cfs_quota_us",
    "cpu.cfs_period_us",
    "memory.limit_in_bytes",
    "cpuset.cpus",
    "cpuset.effective_cpus",
    "cpuset.cpus.effective",
)

#: Files of which only the matching lines (or parts of lines) are kept.
PARTS = {
    "proc/meminfo": r"^(?:MemTotal|MemAvailable|SwapTotal|SwapFree):.*$",
    "proc/stat": r"^(?:cpu |procs_running ).*$",
    "proc/version": r"^Linux version [^ ]+",
    "proc/mounts": r"^[^ ]+ [^ ]+ cgroup2? .*$",
    "proc/self/mountinfo": r"^.* - cgroup2? .*$",
    "proc/self/status": r"^Cpus_allowed_list:.*$",
    "sys/devices/system/node/node*/meminfo": r"^Node [0-9]+ MemTotal:.*$",
}

PER_CPU = (
    "cpu_capacity",
    "topology/core_cpus_list",
    "topology/thread_siblings_list",
    "topology/physical_package_id",
    "cpufreq/cpuinfo_min_freq",
    "cpufreq/cpuinfo_max_freq",
    "cpufreq/scaling_cur_freq",
    "cpufreq/scaling_governor",
    "cache/index*/level",
    "cache/index*/type",
    "cache/index*/size",
    "cache/index*/coherency_line_size",
    "cache/index*/ways_of_associativity",
    "cache/index*/shared_cpu_list",
)

CPUINFO = (
    "vendor_id",
    "cpu family",
    "model",
    "model name",
    "stepping",
    "cpu MHz",
    "physical id",
    "core id",
    "flags",
    "Features",
    "BogoMIPS",
    "bogomips",
    "CPU implementer",
    "CPU architecture",
    "CPU variant",
    "CPU part",
    "CPU revision",
)


def main() -> None:
    """Read the arguments, write the fixture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("source")
    parser.add_argument("out", type=Path)
    parser.add_argument("--rename", action="append", default=[], metavar="OLD=NEW")
    given = parser.parse_args()
    if given.recording.is_dir():
        fixture = extract(given.recording)
    else:
        with tempfile.TemporaryDirectory() as folder, tarfile.open(given.recording) as archive:
            archive.extractall(folder, filter="data")
            fixture = extract(next(path.parent for path in sorted(Path(folder).rglob("proc")) if path.is_dir()))
    text = json.dumps({"source": given.source, **fixture}, indent=1, ensure_ascii=False)
    for old, _, new in (rename.partition("=") for rename in given.rename):
        text = text.replace(old, new)
    given.out.write_text(text + "\n")


def extract(root: Path) -> dict[str, object]:
    """The fixture of the machine under ``root``."""
    files = {_relative(path, root): _read(path) for pattern in FILES for path in sorted(root.glob(pattern))}
    for folder in _own_groups(root):
        present = (folder / name for name in CGROUP if (folder / name).is_file())
        files |= {_relative(path, root): _read(path) for path in present}
    for pattern, wanted in PARTS.items():
        for path in sorted(root.glob(pattern)):
            files[_relative(path, root)] = "\n".join(re.findall(wanted, _read(path), re.MULTILINE))
    per_cpu: dict[str, dict[str, list[int]]] = {}
    for folder in (root / CPU_DIR).glob("cpu[0-9]*"):
        for path in (found for pattern in PER_CPU for found in folder.glob(pattern)):
            values = per_cpu.setdefault(_relative(path, folder), {})
            values.setdefault(_read(path), []).append(int(folder.name[3:]))
    return {
        "files": files,
        "per_cpu": {path: _listed(values) for path, values in sorted(per_cpu.items())},
        "cpuinfo": {key: _listed(values) for key, values in _cpuinfo(root).items()},
    }


def _own_groups(root: Path) -> list[Path]:
    paths = {line.split(":", 2)[2] for line in _read(root / "proc/self/cgroup").splitlines()}
    groups = {group for path in paths for group in (Path(path), *Path(path).parents)}
    hierarchies = [folder for folder in sorted(root.glob("sys/fs/cgroup/*")) if not folder.is_symlink()]
    return sorted(
        folder / group.relative_to("/")
        for folder in (root / "sys/fs/cgroup", *hierarchies)
        for group in groups
        if (folder / group.relative_to("/")).is_dir()
    )


def _cpuinfo(root: Path) -> dict[str, dict[str, list[int]]]:
    keys: dict[str, dict[str, list[int]]] = {}
    for block in _read(root / "proc/cpuinfo").split("\n\n"):
        pairs = dict(re.findall(r"^(\w[\w ]*?)\s*:[ \t]*(.*)$", block, re.MULTILINE))
        for key in CPUINFO:
            if key in pairs and "processor" in pairs:
                keys.setdefault(key, {}).setdefault(pairs[key], []).append(int(pairs["processor"]))
    return keys


def _listed(values: dict[str, list[int]]) -> dict[str, str]:
    return {value: _cpu_list(sorted(cpus)) for value, cpus in sorted(values.items(), key=lambda item: min(item[1]))}


def _cpu_list(cpus: list[int]) -> str:
    """ "0-3,8". Not the detector's own: a fault there must not hide in the fixtures."""
    parts: list[str] = []
    start = 0
    for end in range(1, len(cpus) + 1):
        if end == len(cpus) or cpus[end] != cpus[end - 1] + 1:
            parts.append(str(cpus[start]) if end - start == 1 else f"{cpus[start]}-{cpus[end - 1]}")
            start = end
    return ",".join(parts)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        # Some sysfs files exist but refuse to be read (cpuinfo_cur_freq): recorded as empty.
        return ""


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root))


if __name__ == "__main__":
    main()
