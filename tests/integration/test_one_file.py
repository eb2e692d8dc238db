"""A new op is one file: the list, the plan, the run and the reports know it with everything that it declares."""

import csv
import json
from pathlib import Path

import pytest

from tests.integration.tool import Tool

FILE = '''
import numpy as np
from numba import njit

import kernelbench as kb


def inputs(shape, dtype, rng):
    return (kb.random_values(rng, (shape["m"], shape["n"]), dtype),)


def outputs(shape, dtype):
    return (((shape["m"], shape["n"]), dtype),)


def work(shape, dtype):
    size = shape["m"] * shape["n"]
    moved = {"read_bytes": 4 * size, "write_bytes": 4 * size, "working_set_bytes": 8 * size}
    return kb.Work(model="declared", flop=size * shape["times"], **moved)


def check(v):
    exact = v.inputs[0].astype(np.float64) * 2.0 ** v.shape["times"]
    return kb.close_to(v.outputs[0], exact, 1.0, 0.0, metric="max |error|", reference="float64")


double = kb.Op(
    "double", "y[m,n] = 2^times x[m,n]", ("m", "n"), inputs, outputs, work, check,
    params={"times": (1, 2)}, sizes=("3x5",), square=False,
)


def with_times(inputs, shape):
    return (*inputs, shape["times"])


def with_step(inputs, shape):
    return (*inputs, shape["times"], shape["step"])


@double.variant(style="naive", dtypes=("f32",), prepare=with_times)
@njit(nogil=True)
def naive(x, times, y):
    """One element at a time."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            y[i, j] = x[i, j] * 2**times


@double.variant(style="tiled", dtypes=("f32",), prepare=with_step, params={"step": (4, 8)})
@njit(nogil=True, fastmath=True)
def tiled(x, times, step, y):
    """A few rows at a time."""
    for first in range(0, x.shape[0], step):
        for i in range(first, min(first + step, x.shape[0])):
            for j in range(x.shape[1]):
                y[i, j] = x[i, j] * 2**times


@double.variant(style="library", dtypes=("f32",), prepare=with_times)
def numpy(x, times, y):
    """np.ldexp."""
    np.ldexp(x, times, out=y)
'''

IDS = [
    "double/naive/f32/m=3,n=5,times=1/t=1",
    "double/tiled/f32/m=3,n=5,times=1,step=4/t=1",
    "double/tiled/f32/m=3,n=5,times=1,step=8/t=1",
    "double/numpy/f32/m=3,n=5,times=1/t=1",
    "double/naive/f32/m=3,n=5,times=2/t=1",
    "double/tiled/f32/m=3,n=5,times=2,step=4/t=1",
    "double/tiled/f32/m=3,n=5,times=2,step=8/t=1",
    "double/numpy/f32/m=3,n=5,times=2/t=1",
]
SELECTED = ("-m", "double.py", "-k", "double/*", "-t", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "double.py").write_text(FILE)
    # It names no size, so that the op's own count.
    (tmp_path / "plain.toml").write_text("")
    return tmp_path


def test_it_is_listed_with_its_parameters_sizes_and_fast_math(tool: Tool, folder: Path) -> None:
    text = tool.run("list", "-m", "double.py", "double/*", folder=folder).stdout
    assert "parameters: times=1,2" in text
    assert "sizes by default (m x n): 3x5" in text
    assert "tiled, f32, 1 thread, fast-math" in text
    assert "parameters: step=4,8" in text
    data = json.loads(tool.run("list", "-m", "double.py", "double/*", "--json", folder=folder).stdout)
    assert data["ops"][0]["params"] == {"times": [1, 2]}
    assert data["ops"][0]["sizes"] == ["3x5"]
    tiled = next(v for v in data["variants"] if v["name"] == "double/tiled")
    assert (tiled["fastmath"], tiled["params"]) == (True, {"times": [1, 2], "step": [4, 8]})


def test_its_default_sizes_and_parameters_make_the_cases(tool: Tool, folder: Path) -> None:
    done = tool.run("run", "plain.toml", *SELECTED, "--list", folder=folder)
    assert done.stdout.split() == IDS


def test_every_case_of_it_is_verified(tool: Tool, folder: Path) -> None:
    done = tool.run("run", "plain.toml", *SELECTED, "--dry-run", folder=folder)
    assert done.returncode == 0, done.stderr
    assert all(id in done.stdout for id in IDS)


def test_it_is_measured_with_chosen_parameters_and_reported(tool: Tool, folder: Path) -> None:
    words = (*SELECTED, "-s", "2x3", "-p", "times=3", "--param", "step=4", "--rounds", "1", "--no-ceilings")
    done = tool.run("run", "plain.toml", *words, "-o", "r.json", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "double m=2,n=3 times=3" in done.stdout
    assert "tiled step=4" in done.stdout
    table = tool.run("report", "r.json", "--csv", "-", folder=folder).stdout
    found = {row["variant"]: row for row in csv.DictReader(table.splitlines())}
    assert {name: row["params"] for name, row in found.items()} == {
        "double/naive": "times=3",
        "double/tiled": "times=3,step=4",
        "double/numpy": "times=3",
    }
    assert all(row["status"] == "measured" for row in found.values())
    assert "fast-math" in found["double/tiled"]["flags"]
    assert all(row["speedup_vs_naive"] and row["speedup_vs_library"] for row in found.values())
