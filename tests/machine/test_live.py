"""The machine that the tests run on. Whatever it is, these hold."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from kernelbench.machine import answers, detect, placement
from kernelbench.machine.cpuinfo import CpuInfo
from kernelbench.machine.cpulist import parse
from kernelbench.model import Unknown

IMPORTS = """
import sys
from kernelbench.machine import detect
detect()
print(sorted({"numpy", "numba", "cpuinfo", "archspec", "llvmlite"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def cache_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder that has been filled by one detection."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        detect()
    return folder


@pytest.fixture(autouse=True)
def warm(cache_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_home))


def test_the_affinity_mask_is_that_of_this_process() -> None:
    assert set(parse(detect().limits.affinity)) == os.sched_getaffinity(0)


def test_every_usable_thread_can_be_placed_on_a_cpu_of_its_own() -> None:
    machine = detect()
    cpus = placement(machine, machine.limits.usable_threads)
    assert len(set(cpus)) == len(cpus)
    assert set(cpus) <= os.sched_getaffinity(0)


def test_the_id_stays_the_same() -> None:
    assert detect().id == detect().id


def test_versions_are_those_installed() -> None:
    assert detect().software.packages["numpy"] == metadata.version("numpy")


def test_a_warm_detection_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*args: object, **options: object) -> None:
        raise AssertionError(f"asked again: {args}")

    monkeypatch.setattr(subprocess, "run", forbidden)
    detect()


def test_a_warm_detection_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_another_processor_is_not_answered_from_the_cache() -> None:
    one = CpuInfo(({"model name": "A", "flags": "sse2"},))
    other = CpuInfo(({"model name": "A", "flags": "sse2 avx"},))
    faster = CpuInfo(({"model name": "A", "flags": "sse2", "cpu mhz": "9000"},))
    assert answers._key(one, "llvmlite") != answers._key(other, "llvmlite")
    assert answers._key(one, "llvmlite") == answers._key(faster, "llvmlite")


def test_a_py_cpuinfo_that_cannot_run_is_a_reason_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert isinstance(answers._ask_py_cpuinfo(), Unknown)


def test_a_failing_py_cpuinfo_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo.py").write_text("raise Exception('only works on some architectures')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "only works on some architectures" in str(answers._ask_py_cpuinfo())
