"""A worker by path: the harness from where the file lies, the rooms under test from another tree."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kernelbench
from kernelbench.worker.alone import UNDER_TEST, Rooms

PACKAGE = Path(kernelbench.__file__).resolve().parent


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Another state of kernelbench: of its rooms only those under test, and a harness that must not be used."""
    package = tmp_path / "kernelbench"
    for room in ("kernels", "simd"):
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").write_text(f"WHO = 'tree {room}'\n")
    (package / "__init__.py").write_text("raise SystemExit('the tree must not be the harness')\n")
    return tmp_path


@pytest.mark.parametrize("name", UNDER_TEST)
def test_rooms_under_test_come_from_the_tree(tree: Path, name: str) -> None:
    spec = Rooms(str(tree)).find_spec(name)
    assert spec is not None
    assert spec.origin == str(tree / "kernelbench" / name.partition(".")[2] / "__init__.py")


def test_the_package_itself_is_that_of_the_harness(tree: Path) -> None:
    spec = Rooms(str(tree)).find_spec("kernelbench")
    assert spec is not None
    assert spec.origin == str(PACKAGE / "__init__.py")


@pytest.mark.parametrize("name", ["numpy", "kernelbench.worker", "kernelbench.kernels.relu", "kernelbenchmark"])
def test_everything_else_is_found_as_ever(tree: Path, name: str) -> None:
    assert Rooms(str(tree)).find_spec(name) is None


def test_without_a_tree_all_rooms_are_the_harness_own() -> None:
    spec = Rooms("").find_spec("kernelbench.kernels")
    assert spec is not None
    assert spec.origin == str(PACKAGE / "kernels" / "__init__.py")


def imported(code: str, tree: Path, cwd: Path) -> str:
    """What a process prints that runs ``code`` behind such a finder, with nothing of ours on its import path."""
    start = f"import sys; sys.path.insert(0, {str(PACKAGE / 'worker')!r}); import alone; del sys.path[0]\n"
    start += f"sys.meta_path.insert(0, alone.Rooms({str(tree)!r}))\n"
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", start + code], cwd=cwd, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_process_gets_the_tree_s_kernels_and_the_running_harness(tree: Path, tmp_path: Path) -> None:
    code = "import kernelbench.kernels as k, kernelbench.protocol as p; print(k.WHO, p.__file__)"
    assert imported(code, tree, tmp_path).split() == ["tree", "kernels", str(PACKAGE / "protocol" / "__init__.py")]


def test_a_module_of_a_room_that_only_the_tree_has_is_found(tree: Path, tmp_path: Path) -> None:
    (tree / "kernelbench" / "kernels" / "fresh.py").write_text("WHO = 'fresh'\n")
    assert imported("from kernelbench.kernels.fresh import WHO; print(WHO)", tree, tmp_path) == "fresh\n"


def test_a_copy_of_the_file_elsewhere_brings_its_own_harness(tmp_path: Path) -> None:
    worker = tmp_path / "kernelbench" / "worker"
    worker.mkdir(parents=True)
    shutil.copy(PACKAGE / "worker" / "alone.py", worker)
    code = f"import sys; sys.path.insert(0, {str(worker)!r}); import alone; print(alone.HARNESS)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / "kernelbench")
