"""One bad kernel costs one case: whatever it does, the others are measured and the reason is told."""

import re
import subprocess
from pathlib import Path

import pytest
from msgspec import Struct

from kernelbench.model import Failed, Measured, Result, Skipped
from kernelbench.store.files import read_result
from tests.integration.tool import KERNELS, Tool

CONFIG = f"""
rounds = 2
ceilings = false
case_timeout_s = 15
worker_memory_bytes = {768 << 20}
kernels.modules = ["{KERNELS / "faulty.py"}"]

[effort]
sample_s = 0.001
samples = 3
round_s = 0.001
warmup_s = 0

[[matrix]]
kernels = ["double/*", "relu/vectorized"]
dtypes = ["f32"]
sizes = [64]
threads = [1]
"""

FAULTS = {
    "segfault": ("verify", "killed by SIGSEGV"),
    "wild_store": ("verify", "killed by SIGSEGV"),
    "endless": ("verify", "no answer within 15.0 s: killed"),
    "leaves": ("verify", "exited with status 3 without answering"),
    "exits": ("verify", "exited with status 1 without answering.*this kernel had enough"),
    "nan": ("verify", r"1 of 64 elements wrong; worst at \[32\]: got nan"),
    "one_wrong": ("verify", r"1 of 64 elements wrong; worst at \[5\]: got .*, expected"),
    "hoards": ("verify", "out of memory|used more than 768 MiB of memory: killed"),
    "hoards_native": ("verify", "MemoryError|used more than 768 MiB of memory: killed"),
    "reserves": ("verify", "raised an exception .*MemoryError"),
    "untypable": ("compile", "no_such_attribute"),
    "unchecked": ("verify", "returned NoneType, not Accuracy"),
    "garbled": ("verify", r"^ValueError: first second \? .{400,500}\.\.\.$"),
    "unprepared": ("inputs", "ValueError: these operands cannot be prepared"),
}
SOUND = ("double/counted_by_numpy", "double/sound", "double/sound_python", "relu/vectorized")


class Ended(Struct, frozen=True):
    """A run that met every fault."""

    process: subprocess.CompletedProcess[str]
    result: Result


@pytest.fixture(scope="module")
def ended(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("faults")
    (folder / "faults.toml").write_text(CONFIG)
    process = tool.run("run", "faults.toml", "-o", "run.json", "--no-html", folder=folder)
    assert (folder / "run.json").exists(), process.stderr
    return Ended(process, read_result(folder / "run.json"))


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_kernel_is_failed_with_its_stage_and_a_message_that_names_the_cause(ended: Ended, name: str) -> None:
    stage, message = FAULTS[name]
    (outcome,) = [r.outcome for r in ended.result.records if r.case.variant == f"double/{name}"]
    assert isinstance(outcome, Failed)
    assert outcome.stage == stage
    assert re.search(message, outcome.message), outcome.message


def test_every_other_case_is_measured_in_every_round(ended: Ended) -> None:
    outcomes = {r.case.variant: r.outcome for r in ended.result.records if r.case.variant in SOUND}
    assert sorted(outcomes) == sorted(SOUND)
    for name, outcome in outcomes.items():
        assert isinstance(outcome, Measured), name
        assert [one.index for one in outcome.rounds if not one.superseded] == [0, 1], name


def test_a_case_whose_work_is_not_a_number_is_skipped_with_the_reason(ended: Ended) -> None:
    (outcome,) = [r.outcome for r in ended.result.records if r.case.variant == "double/workless"]
    assert isinstance(outcome, Skipped)
    assert "its work model fails for this shape" in outcome.reason
    assert "NaN" in outcome.reason
    assert "flop" in outcome.reason


def test_a_run_with_failed_kernels_exits_with_4(ended: Ended) -> None:
    assert ended.process.returncode == 4


def test_the_user_is_warned_of_every_failure_and_sees_no_traceback(ended: Ended) -> None:
    for name in FAULTS:
        assert f"warning: double/{name}/f32/n=64/t=1 failed (" in ended.process.stderr
    assert "Traceback" not in ended.process.stderr
    assert "\x1b" not in ended.process.stderr


def test_a_module_that_ends_the_process_on_import_is_named(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "ends.py").write_text("import os\nos._exit(7)\n")
    process = tool.run("list", "-m", "ends.py", folder=tmp_path)
    assert process.returncode == 4
    assert "relu/naive" in process.stdout
    assert "ends.py" in process.stderr
    assert "exited with status 7" in process.stderr
