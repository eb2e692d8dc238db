"""Recorded machines (fixtures/*.json, made by extract.py) laid out as files again."""

import json
import os
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures"

HYBRID = "intel_i7_1370p"
ARM_SERVER = "arm_kunpeng_128"
CGROUP2 = "amd_opteron_6134_cgroup2"
ASYMMETRIC = "intel_e5345_asymmetric_caches"
BIG_LITTLE = "nvidia_gb10"
EPYC = "amd_epyc_7451"
OPTERON = "amd_opteron_6328"
GUEST = "kvm_guest_zen4"
ALL = (HYBRID, ARM_SERVER, CGROUP2, ASYMMETRIC, BIG_LITTLE, EPYC, OPTERON, GUEST)


def load(name: str) -> dict[str, Any]:
    """The fixture as data."""
    data: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text())
    return data


def files_of(name: str) -> dict[str, str]:
    """Content of every file by its path."""
    data = load(name)
    files = dict(data["files"])
    for path, values in data["per_cpu"].items():
        for content, cpus in values.items():
            files |= {f"sys/devices/system/cpu/cpu{cpu}/{path}": content for cpu in _numbers(cpus)}
    blocks: dict[int, list[str]] = {}
    for key, values in data["cpuinfo"].items():
        for value, cpus in values.items():
            for cpu in _numbers(cpus):
                blocks.setdefault(cpu, [f"processor\t: {cpu}"]).append(f"{key}\t: {value}")
    files["proc/cpuinfo"] = "\n\n".join("\n".join(blocks[cpu]) for cpu in sorted(blocks))
    return files


def write(files: dict[str, str], root: Path) -> Path:
    """Lay ``files`` out under ``root``, which is returned. To change one later, use ``put``.

    Equal contents are one file with many names: on a large machine that is ten times faster.
    """
    for folder in {(root / path).parent for path in files}:
        folder.mkdir(parents=True, exist_ok=True)
    first: dict[str, Path] = {}
    for path, content in files.items():
        if content in first:
            os.link(first[content], root / path)
        else:
            (root / path).write_text(content + "\n" if content else "")
            first[content] = root / path
    return root


def put(root: Path, path: str, content: bytes | str) -> None:
    """Write or replace one file, leaving those alone that shared its content."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).unlink(missing_ok=True)
    (root / path).write_bytes(content.encode() if isinstance(content, str) else content)


def _numbers(cpus: str) -> list[int]:
    ranges = [part.split("-") for part in cpus.split(",")]
    return [cpu for ends in ranges for cpu in range(int(ends[0]), int(ends[-1]) + 1)]
