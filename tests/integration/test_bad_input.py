"""What a user can get wrong: one clear line, the promised exit code, and nothing lost."""

import errno
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kernelbench import cli
from kernelbench.store import atomic
from kernelbench.store.files import read_result
from kernelbench.store.lock import HostLock
from tests.integration.tool import PLENTY_S, Tool

ONE = ("-k", "relu/vectorized", "--dtype", "f32", "-t", "1", "--rounds", "1", "--no-ceilings", "--no-html")
"""One small case, by flags."""

Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tool: Tool, tmp_path: Path) -> Call:
    return lambda *words: tool.run("run", *words, folder=tmp_path)


def only_line(process: subprocess.CompletedProcess[str]) -> str:
    """The error, which is one line of a message and nothing else."""
    assert process.stdout == ""
    assert process.stderr.count("\n") == 1, process.stderr
    assert process.stderr.startswith("error: ")
    return process.stderr


def test_an_unknown_kernel_is_refused_with_the_nearest_ones(run: Call) -> None:
    process = run("-k", "relu/vectorised", "-s", "64")
    assert process.returncode == 2
    error = only_line(process)
    assert "no kernel matches 'relu/vectorised'" in error
    assert "relu/vectorized" in error


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rounds = 3\nseed = = 1\n", ("bad.toml", "line 2", "seed = = 1")),
        ('[[matrix]]\nkernels = ["relu/*"]\nsises = [64]\n', ("bad.toml:3", "matrix[0].sises", "did you mean sizes")),
        ('rounds = "many"\n', ("bad.toml:1", "rounds", "'many'")),
    ],
    ids=["syntax", "unknown key", "wrong type"],
)
def test_a_malformed_configuration_is_refused_with_file_and_line(
    run: Call, tmp_path: Path, text: str, said: tuple[str, ...]
) -> None:
    (tmp_path / "bad.toml").write_text(text)
    process = run("bad.toml")
    assert process.returncode == 2
    error = only_line(process)
    assert [word for word in said if word not in error] == []


@pytest.mark.parametrize("size", ["0", "-64", "64x0x64", "n"])
def test_a_size_that_cannot_be_is_refused_with_the_accepted_forms(run: Call, size: str) -> None:
    process = run(f"--sizes={size}")
    assert process.returncode == 2
    error = only_line(process)
    assert repr(size) in error
    assert "a dimension is a whole number from 1" in error


def test_a_size_that_does_not_fit_in_memory_is_skipped_with_the_arithmetic(run: Call, tmp_path: Path) -> None:
    # 8 TiB of operands: more than any machine that runs these tests may use.
    process = run(*ONE, "-s", f"64,{1 << 40}", "-o", "run.json")
    assert process.returncode == 0, process.stderr
    small, large = (record.outcome for record in read_result(tmp_path / "run.json").records)
    assert {one.index for one in small.rounds} == {0}
    assert "does not fit in memory: needs 8 TiB operands + " in large.reason
    assert "may be used" in large.reason


def test_more_threads_than_usable_are_refused_with_the_number_that_is(run: Call) -> None:
    process = run("-t", "100000")
    assert process.returncode == 2
    assert f"give 1 to {len(os.sched_getaffinity(0))}" in only_line(process)


FOREIGN = {
    "missing": b"",
    "empty": b"",
    "truncated": b'{"schema_version": 1, "kind": "run", "kernelbench": {"vers',
    "not JSON": b"\x7fELF\x02\x01\x01",
    "other JSON": b'{"benchmarks": []}',
    "newer": b'{"schema_version": 999, "kind": "run"}',
}


@pytest.mark.parametrize("command", ["report", "compare"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_that_is_no_result_is_one_line_and_exit_2(
    command: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.json"
    if kind != "missing":
        path.write_bytes(FOREIGN[kind])
    assert cli._exit_code([command, str(path), *([str(path)] if command == "compare" else [])]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {path}: ")
    assert err.count("\n") == 1


def test_a_results_folder_that_cannot_be_written_is_refused_before_anything_runs(run: Call, tmp_path: Path) -> None:
    # A folder below a file refuses root as well, which a read-only one would not.
    (tmp_path / "results").write_text("")
    process = run(*ONE, "-s", "64", "-o", "results/run.json")
    assert process.returncode == 2
    error = only_line(process)
    assert "the results folder results cannot be written to" in error
    assert "--output" in error


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to a read-only folder")
def test_a_read_only_results_folder_is_refused_before_anything_runs(run: Call, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir(mode=0o500)
    process = run(*ONE, "-s", "64")
    assert process.returncode == 2
    assert "cannot be written to (Permission denied)" in only_line(process)


def test_a_full_disk_at_the_end_leaves_the_earlier_file_and_the_measurements(
    tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.json").write_text("the earlier result")

    def full(path: Path, data: bytes, flags: int) -> None:
        path.write_bytes(data[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "tempdir", os.environ["TMPDIR"])
        patched.setattr(atomic, "write_synced", full)
        assert cli._exit_code(["run", *ONE, "-s", "64", "-o", "run.json", "--quiet"]) == 70
    assert Path("run.json").read_text() == "the earlier result"
    (error,) = capsys.readouterr().err.splitlines()
    assert "the disk is full" in error
    assert "--resume run.journal" in error
    assert sorted(os.listdir()) == ["run.journal", "run.json"]  # no temporary file

    assert tool.run("run", "--resume", "run.journal", "--no-html", folder=tmp_path).returncode == 0
    assert len(read_result(Path("run.json")).records) == 1
    assert os.listdir() == ["run.json"]


def test_a_second_run_on_the_host_says_so_and_waits_for_the_first(tool: Tool, tmp_path: Path) -> None:
    with HostLock(Path(os.environ["TMPDIR"]) / "kernelbench.lock") as first:
        assert first.acquire(0, print)
        with tool.start("run", *ONE, "-s", "64", "-o", "run.json", folder=tmp_path) as second:
            assert second.stderr
            line = second.stderr.readline()
            assert f"another kernelbench run (process {os.getpid()}) is measuring on this host" in line
            assert not (tmp_path / "run.journal").exists()
            first.release()
            second.communicate(timeout=PLENTY_S)
    assert second.returncode == 0
    assert (tmp_path / "run.json").exists()
