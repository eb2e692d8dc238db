"""A user's own kernels, good and bad: each fault is one line that names the kernel, and the run goes on."""

import re
import subprocess
from pathlib import Path

import pytest
from msgspec import Struct

from kernelbench.model import Failed, Measured, Result, Skipped
from kernelbench.store.files import read_result
from tests.integration.tool import KERNELS, Tool

CONFIG = """
rounds = 1
ceilings = false

[kernels]
modules = ["misbehaved.py", "unimportable.py", "duplicate.py", "deadly.py"]

[effort]
sample_s = 0.001
samples = 3
round_s = 0.02
warmup_s = 0.01

[[matrix]]
kernels = ["twice/*"]
sizes = [1024]
threads = [1]
"""
MODULES = {
    "unimportable.py": "import no_such_package\n",
    "duplicate.py": """
import kernelbench as kb
relu = kb.variants()["relu/naive"].op
relu.variant(style="naive", dtypes=("f32",), name="mine")(lambda x, y: None)
relu.variant(style="naive", dtypes=("f32",), name="naive")(lambda x, y: None)
""",
    "deadly.py": "import os\nos._exit(3)\n",
}
BROKEN = {
    "unimportable.py": "ModuleNotFoundError: No module named 'no_such_package' (line 1)",
    "duplicate.py": "variant 'relu/naive' is declared twice, in kernelbench.kernels.relu as well; choose another name",
    "deadly.py": "the process that imported it ended (import: exited with status 3 without answering)",
}
FAILED = {
    "takes_too_few": ("compile", r"takes_too_few\(x\) is called with 1 input and 1 output: too many positional"),
    "takes_too_many": ("compile", r"takes_too_many\(x, n, y\) is called with 1 input and 1 output: missing .*'y'"),
    "returns_a_value": ("verify", "returns ndarray and writes nothing into its outputs: write into the last argument"),
    "returns_a_view": ("verify", "returns a view of input 0 and writes nothing"),
    "rebinds": ("verify", "wrote nothing into its outputs: write into the last argument"),
    "mutates": ("verify-after|verify", "wrong result|changed its inputs"),
    "writes_before_its_input": ("verify", "wrote 1 element before input 0"),
    "writes_after_its_input": ("verify", "wrote 1 element after input 0"),
    "writes_before_its_output": ("verify", "wrote 1 element before output 0"),
    "writes_after_its_output": ("verify", "wrote 1 element after output 0"),
    "illegal": ("verify", "killed by SIGILL .*an instruction that this CPU lacks"),
    "library_is_text": ("compile", "not a shared library"),
}
FLAGGED = {
    "leaks": ("leaks", r"leaks 4\.\d+ KiB a call: free what it allocates|leaks 4 KiB a call"),
    "prints": ("prints", r'prints while it is called, which takes time: "still working \?\[31m"'),
    "starts_a_thread": ("threads", r"has threads of its own that take .* declare it parallel=True"),
}


class Ended(Struct, frozen=True):
    """A run that met every fault."""

    process: subprocess.CompletedProcess[str]
    result: Result

    def outcome(self, name: str) -> object:
        (found,) = [r.outcome for r in self.result.records if r.case.variant == f"twice/{name}"]
        return found


@pytest.fixture(scope="module")
def ended(tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("mine")
    for name, text in {**MODULES, "run.toml": CONFIG}.items():
        (folder / name).write_text(text)
    (folder / "misbehaved.py").write_text((KERNELS / "misbehaved.py").read_text())
    process = tool.run("run", "run.toml", "-o", "run.json", "--no-html", folder=folder)
    assert (folder / "run.json").exists(), process.stderr
    return Ended(process, read_result(folder / "run.json"))


@pytest.mark.parametrize("module", BROKEN)
def test_a_module_that_cannot_be_used_is_named_with_the_reason_in_one_line(ended: Ended, module: str) -> None:
    (line,) = [line for line in ended.process.stderr.splitlines() if f"/{module}: cannot be imported" in line]
    assert line.startswith("warning: ")
    assert BROKEN[module] in line
    assert line.endswith("its kernels are left out")


@pytest.mark.parametrize("name", FAILED)
def test_a_bad_kernel_fails_with_its_stage_and_what_to_do(ended: Ended, name: str) -> None:
    stage, message = FAILED[name]
    outcome = ended.outcome(name)
    assert isinstance(outcome, Failed)
    assert re.fullmatch(stage, outcome.stage)
    assert re.search(message, outcome.message), outcome.message
    assert "\n" not in outcome.message


@pytest.mark.parametrize("name", FLAGGED)
def test_what_a_kernel_does_beside_its_work_is_flagged_and_said_once(ended: Ended, name: str) -> None:
    flag, text = FLAGGED[name]
    (record,) = [r for r in ended.result.records if r.case.variant == f"twice/{name}"]
    assert isinstance(record.outcome, Measured)
    assert flag in record.flags
    (line,) = [line for line in ended.process.stderr.splitlines() if f"twice/{name} " in line]
    assert re.search(text, line), line


@pytest.mark.parametrize("name", ["compiled", "numpy"])
def test_sound_kernels_are_measured_without_flags(ended: Ended, name: str) -> None:
    (record,) = [r for r in ended.result.records if r.case.variant == f"twice/{name}"]
    assert isinstance(record.outcome, Measured)
    assert not {"leaks", "prints", "threads"} & {*record.flags}
    assert (record.work.model, record.work.read_bytes, record.work.write_bytes) == ("absent", 4096, 4096)


def test_a_library_that_is_not_built_is_skipped_with_what_to_do(ended: Ended) -> None:
    outcome = ended.outcome("library_not_built")
    assert isinstance(outcome, Skipped)
    assert "libtwice.so: no such library; build it first" in outcome.reason


def test_the_run_ends_with_4_and_prints_nothing_of_the_kernels_on_stdout(ended: Ended) -> None:
    assert ended.process.returncode == 4
    assert "still working" not in ended.process.stdout
    assert "\x1b" not in ended.process.stdout + ended.process.stderr
    assert "Traceback" not in ended.process.stderr


def test_when_only_the_broken_module_was_asked_for_it_is_a_usage_error(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MODULES["unimportable.py"])
    process = tool.run("run", "-m", "mine.py", "-k", "mine/*", folder=tmp_path)
    assert process.returncode == 2
    assert "mine.py: cannot be imported: ModuleNotFoundError" in process.stderr
    assert "no kernel matches 'mine/*'" in process.stderr
