"""The slow witnesses: py-cpuinfo (over a second, a process of its own) and LLVM, asked once and remembered."""

import platform
import subprocess
import sys
from importlib import metadata

import msgspec
from msgspec import Struct

from kernelbench.machine.cpuinfo import CpuInfo
from kernelbench.machine.tree import RECORDED, Tree
from kernelbench.model import Unknown
from kernelbench.remember import remembered

#: Lines of /proc/cpuinfo that identify the processor; the others change from moment to moment.
IDENTITY = (
    "vendor_id",
    "cpu family",
    "model",
    "model name",
    "stepping",
    "microcode",
    "flags",
    "features",
    "cpu implementer",
    "cpu part",
    "cpu variant",
    "cpu revision",
)

PY_CPUINFO_TIMEOUT_S = 30.0


class PyCpuInfo(Struct, frozen=True):
    """What is taken from py-cpuinfo: only what /proc/cpuinfo may leave out. Empty where it does not know."""

    brand_raw: str = ""
    vendor_id_raw: str = ""
    flags: tuple[str, ...] = ()


class LlvmHost(Struct, frozen=True):
    """What LLVM detects about the host."""

    name: str
    features: tuple[str, ...]


def py_cpuinfo(tree: Tree, info: CpuInfo) -> PyCpuInfo | Unknown:
    """Its answer, remembered per processor, kernel and versions."""
    if not tree.live:
        return RECORDED
    return remembered("cpuinfo", _key(info, "py-cpuinfo"), PyCpuInfo, _ask_py_cpuinfo)


def llvm_host(tree: Tree, info: CpuInfo) -> LlvmHost | Unknown:
    """LLVM's CPU name and features, remembered likewise."""
    if not tree.live:
        return RECORDED
    return remembered("llvm", _key(info, "llvmlite"), LlvmHost, _ask_llvm)


def version_of(package: str) -> str:
    """Installed version of ``package``; "" when it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _key(info: CpuInfo, package: str) -> dict[str, str]:
    # Every distinct processor counts: a hybrid machine has several, and which comes first may vary.
    identities = {"\n".join(block.get(key, "") for key in IDENTITY) for block in info.blocks}
    return {
        "processor": "\n\n".join(sorted(identities)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        package: version_of(package),
    }


def _ask_py_cpuinfo() -> PyCpuInfo | Unknown:
    # In its own process: it runs machine code and other programs to ask the CPU, and raises bare Exceptions.
    # -P: a cpuinfo.py in the user's folder is not meant.
    command = [sys.executable, "-P", "-m", "cpuinfo", "--json"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PY_CPUINFO_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Unknown(f"py-cpuinfo could not be run: {error}")
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
        return Unknown(f"py-cpuinfo failed: {lines[-1]}")
    try:
        return msgspec.json.decode(done.stdout, type=PyCpuInfo)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Unknown(f"py-cpuinfo's answer cannot be read: {error}")


def _ask_llvm() -> LlvmHost | Unknown:
    try:
        from kernelbench.native.host import llvm_host as ask

        name, features = ask()
    except (ImportError, OSError, RuntimeError) as error:
        return Unknown(f"LLVM could not be asked: {error}")
    return LlvmHost(name, tuple(sorted(features)))
