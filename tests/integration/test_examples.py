"""The kernels that the examples and docs/OWN_KERNELS.md show: they compile, are right, and stand in one report."""

import csv
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.tool import PLENTY_S, ROOT, Tool

SAXPY = ROOT / "examples" / "saxpy"
PAGE = (ROOT / "docs" / "OWN_KERNELS.md").read_text()
TINY = ("--rounds", "1", "--no-ceilings")

needs_compiler = pytest.mark.skipif(not shutil.which("gcc"), reason="no gcc on this machine to build the C kernel")


def build(source: Path) -> None:
    """Build a C file with the one line that its comment gives."""
    (line,) = re.findall(r"^\W*(gcc .*?)(?: \*/)?$", source.read_text(), re.MULTILINE)
    done = subprocess.run(
        line, shell=True, cwd=source.parent, capture_output=True, text=True, timeout=PLENTY_S, check=False
    )
    assert done.returncode == 0, done.stderr


def rows(tool: Tool, folder: Path) -> dict[str, dict[str, str]]:
    """Variant -> its line in the CSV of the result ``r.json``."""
    table = tool.run("report", "r.json", "--csv", "-", folder=folder).stdout
    return {row["variant"]: row for row in csv.DictReader(table.splitlines())}


def parts(name: str) -> str:
    """What the page shows of the file ``name``, one block after the other."""
    return "\n\n".join(re.findall(rf"<!-- tested: {name} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def saxpy(tmp_path: Path) -> Path:
    """The example as it is in a checkout where nothing was built."""
    shutil.copytree(SAXPY, tmp_path / "saxpy", ignore=shutil.ignore_patterns("*.so", "__pycache__", "results"))
    return tmp_path / "saxpy"


@needs_compiler
def test_c_numpy_numba_and_torch_stand_on_one_roofline_after_one_command(tool: Tool, saxpy: Path) -> None:
    build(saxpy / "saxpy.c")
    done = tool.run("run", "-m", "saxpy.py", "-k", "saxpy/*", "-s", "4096", *TINY, "-o", "r.json", folder=saxpy)
    assert done.returncode == 0, done.stderr
    found = rows(tool, saxpy)
    assert set(found) == {"saxpy/numba", "saxpy/c", "saxpy/numpy", "saxpy/torch"}
    without = set() if importlib.util.find_spec("torch") else {"saxpy/torch"}
    assert {name for name, row in found.items() if row["status"] != "measured"} == without
    assert all("torch is not installed" in found[name]["reason"] for name in without)
    page = (saxpy / "r.html").read_text()
    assert [name for name in found if name not in page] == []


@needs_compiler
def test_the_c_kernel_is_timed_without_python(tool: Tool, saxpy: Path) -> None:
    build(saxpy / "saxpy.c")
    words = ("-k", "saxpy/c", "-k", "saxpy/numpy", "-s", "64", *TINY)
    assert tool.run("run", "-m", "saxpy.py", *words, "-o", "r.json", folder=saxpy).returncode == 0
    found = rows(tool, saxpy)
    assert ["dispatch" in found[name]["flags"] for name in ("saxpy/c", "saxpy/numpy")] == [False, True]


def test_an_unbuilt_library_costs_its_own_kernel_and_says_so(tool: Tool, saxpy: Path) -> None:
    done = tool.run("run", "-m", "saxpy.py", "-k", "saxpy/*", "-s", "64", "--dry-run", folder=saxpy)
    assert done.returncode == 0, done.stderr
    assert "libsaxpy.so: no such library; build it first" in done.stdout
    assert "saxpy/numba" in done.stdout


def test_the_file_that_the_page_builds_up_is_right_in_every_case(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(parts("own.py"))
    (tmp_path / "rowsum.c").write_text(parts("rowsum.c"))
    if shutil.which("gcc"):
        build(tmp_path / "rowsum.c")
    words = ("-k", "rowsum/*", "-k", "gate/*", "-t", "1", "--dry-run")
    done = tool.run("run", "-m", "own.py", *words, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    names = (
        "rowsum/naive",
        "rowsum/vectorized",
        "rowsum/numpy",
        "rowsum/transposed",
        "rowsum/c",
        "gate/numpy",
        "gate/loop",
    )
    assert [name for name in names if name not in done.stdout] == []
