"""`tune` on a kernel of the user's own, from the search to the run that uses what it found."""

import json
from pathlib import Path

import pytest

from tests.integration.tool import Tool

FILE = '''
import numpy as np

import kernelbench as kb


def inputs(shape, dtype, rng):
    return (kb.random_values(rng, (shape["n"],), dtype),)


def outputs(shape, dtype):
    return (((shape["n"],), dtype),)


def work(shape, dtype):
    return kb.Work(model="declared", read_bytes=4 * shape["n"], write_bytes=4 * shape["n"])


def check(v):
    return kb.close_to(v.outputs[0], 2.0 * v.inputs[0].astype(np.float64), 1.0, 0.0, metric="max |error|",
                       reference="float64")


double = kb.Op("double", "y[n] = 2 x[n]", ("n",), inputs, outputs, work, check)


@double.variant(
    style="tiled", dtypes=("f32",), prepare=lambda inputs, shape: (*inputs, shape["step"]),
    tunable={"step": (1, 3, 8, 512)},
)
def sliced(x, step, y):
    """A slice of ``step`` elements at a time; one value of it is wrong."""
    for i in range(0, x.size, step):
        y[i:i + step] = x[i:i + step] * np.float32(3 if step == 3 else 2)
'''


@pytest.fixture(scope="module")
def tuned(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict, str]:
    """The kernel's file, what `tune` found, and what it said on stderr."""
    file = tmp_path_factory.mktemp("tuned") / "double.py"
    file.write_text(FILE)
    words = ("tune", "double/sliced", "-m", file, "-s", "2048", "--budget", "120s", "--json", "--wait-quiet", "0")
    done = tool.run(*words, folder=file.parent)
    assert done.returncode == 4, done.stderr
    return file, json.loads(done.stdout)["tunings"][0], done.stderr


def test_the_fastest_value_wins_and_is_stored(tuned: tuple[Path, dict, str]) -> None:
    _, found, told = tuned
    assert found["winner"] == [512]
    assert found["confirmed"]["high"] < 1
    assert "stored for `run`: double/sliced/f32/n=2048/t=1" in told


def test_a_value_that_gives_wrong_results_is_left_out(tuned: tuple[Path, dict, str]) -> None:
    (wrong,) = [one for one in tuned[1]["tried"] if one["values"] == [3]]
    assert wrong["failed"].startswith("verify: ")


def test_a_run_uses_what_was_found_and_says_so(tool: Tool, tuned: tuple[Path, dict, str], tmp_path: Path) -> None:
    words = ("run", "--quick", "-k", "double/*", "-s", "2048", "-m", tuned[0], "-o", "run.json", "--no-html")
    done = tool.run(*words, "--no-ceilings", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "using tuned parameters for double/sliced: step=512" in done.stderr
    (record,) = json.loads((tmp_path / "run.json").read_text())["records"]
    assert record["case"]["id"] == "double/sliced/f32/n=2048/t=1/tuned"
    assert record["tuning"] == {"step": 512}


def test_a_run_can_do_without(tool: Tool, tuned: tuple[Path, dict, str]) -> None:
    words = ("run", "-k", "double/*", "-s", "2048", "-m", tuned[0], "--no-tuned", "--list")
    done = tool.run(*words, folder=tuned[0].parent)
    assert done.stdout == "double/sliced/f32/n=2048/t=1\n"
    assert "tuned parameters" not in done.stderr


def test_a_kernel_without_parameters_is_told_which_have_some(tool: Tool, tmp_path: Path) -> None:
    done = tool.run("tune", "relu/naive", folder=tmp_path)
    assert done.returncode == 2
    assert "relu/naive has no tunable parameters" in done.stderr
    assert "matmul/packed" in done.stderr
