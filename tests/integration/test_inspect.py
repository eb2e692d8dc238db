"""`kernelbench inspect` on real kernels: widths proven at every level, and what cannot be seen."""

import json
import platform
from pathlib import Path
from typing import Any

import pytest

from tests.integration.tool import Tool

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")

WIDTHS = {"scalar": "scalar", "sse2": "xmm", "sse4.2": "xmm", "avx2": "ymm", "avx512": "zmm"}
BY_COMPILER = (
    "triad/vectorized",
    "relu/vectorized",
    "sum/vectorized",
    "dot/vectorized",
    "max/vectorized",
    "layernorm/vectorized",
    "dequantize/vectorized",
    "copy/vectorized",
    "multiply/vectorized",
    "squared_difference/vectorized",
    "euclidean/vectorized",
    "axpy/vectorized",
)
"""Loops that the compiler turns into vectors, of whatever width it may."""


def inspected(tool: Tool, folder: Path, *words: object) -> dict[str, Any]:
    done = tool.run("inspect", *words, "--json", "--quiet", folder=folder)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def usable(tool: Tool, folder: Path) -> list[str]:
    machine = json.loads(tool.run("info", "--json", folder=folder).stdout)
    return [level["name"] for level in machine["cpu"]["isa_levels"] if level["usable"] and level["name"] in WIDTHS]


SWEPT = [name if number < 1 else pytest.param(name, marks=pytest.mark.slow) for number, name in enumerate(BY_COMPILER)]


@pytest.mark.parametrize("kernel", SWEPT)
def test_the_hot_loop_proves_the_width_of_every_level(tool: Tool, tmp_path: Path, kernel: str) -> None:
    levels = usable(tool, tmp_path)
    found = inspected(tool, tmp_path, kernel, "--isa", ",".join(levels), "--no-time")["inspections"]
    assert {one["case"].get("isa", "native"): one["mix"]["width"] for one in found} == {x: WIDTHS[x] for x in levels}
    assert all(one["vectorized"] == (one["mix"]["width"] != "scalar") for one in found)


def test_iterations_are_counted_and_cycles_follow_from_them(tool: Tool, tmp_path: Path) -> None:
    (found,) = inspected(tool, tmp_path, "sum/naive", "-s", "4096")["inspections"]
    per_iteration = found["mix"]["flop"]
    assert found["iterations"] * per_iteration == 4096
    assert found["share"] > 0.95
    assert found["cycles"] == pytest.approx(found["call_s"] * found["clock_hz"] / found["iterations"])
    assert any("fast-math" in reason for reason in found["reasons"])
    assert found["where"].startswith("sum.py:")


def test_two_variants_are_compared_line_by_line(tool: Tool, tmp_path: Path) -> None:
    words = ("inspect", "sum/naive", "--against", "sum/vectorized", "--no-time", "--quiet")
    done = tool.run(*words, folder=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "--- sum/naive" in done.stdout
    assert "+++ sum/vectorized" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("matmul",), "'matmul' is an op; inspect takes one of its variants: matmul/python"),
        (("matmul/numpy",), "matmul/numpy is called from Python"),
        (("matmul/openblas",), "matmul/openblas lies in a library"),
        (("sum/naiv",), "did you mean sum/naive"),
        (("sum/naive", "--dtype", "i8"), "sum/naive has no dtype 'i8'; it has f64, f32"),
        (("sum/naive", "--isa", "avx9"), "'avx9' given; did you mean avx2"),
        (("sum/naive", "--isa", ","), "--isa ',' names no level"),
        (("sum/naive", "-s", "8,9"), "names several sizes; inspect takes one"),
        (("sum/naive", "-s", "2x3"), "the size 2x3 has 2"),
        (("sum/naive", "-t", "2"), "sum/naive works on one thread: leave --threads 2 out"),
        (("sum/naive", "-m", "no_such_file.py"), "no_such_file.py"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, tuple) else "",
)
def test_a_slip_is_one_line_and_exit_code_2(tool: Tool, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = tool.run("inspect", *words, folder=tmp_path)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
