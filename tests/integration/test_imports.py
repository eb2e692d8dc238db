"""What each command loads: heavy packages only where they are needed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kernelbench.store.files import write_result
from tests.builders import record, result
from tests.integration.tool import PLENTY_S, ROOT

CALL = """
import json, sys
from kernelbench import cli
code = cli._exit_code(sys.argv[1:])
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "run.json"
    write_result(path, result([record()]))
    return path


def loaded_by(*words: str) -> set[str]:
    """Top-level packages in memory after `kernelbench WORDS`, which must end well."""
    done = subprocess.run(
        [sys.executable, "-c", CALL, *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=PLENTY_S,
        check=True,
    )
    code, names = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return set(names)


def test_help_loads_neither_numba_nor_numpy_nor_what_any_command_needs() -> None:
    heavy = {"numba", "numpy", "llvmlite", "altair", "rich", "psutil", "jinja2", "tabulate", "plotext", "cpuinfo"}
    assert loaded_by("--help") & heavy == set()


@pytest.mark.parametrize("command", ["info", "report", "compare", "run"])
def test_the_help_of_a_command_loads_neither_numba_nor_numpy(command: str) -> None:
    assert loaded_by(command, "--help") & {"numba", "numpy", "llvmlite"} == set()


def test_info_loads_no_numba() -> None:
    assert "numba" not in loaded_by("info", "--json")


def test_a_report_loads_no_numba(stored: Path) -> None:
    assert "numba" not in loaded_by("report", str(stored))
    assert "numba" not in loaded_by("report", str(stored), "--html", str(stored.with_suffix(".html")))


def test_a_comparison_loads_no_numba(stored: Path) -> None:
    assert "numba" not in loaded_by("compare", str(stored), str(stored))
