"""`kernelbench run` interrupted and resumed: what is kept, what is said, what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from kernelbench.errors import StoreError
from kernelbench.model import Result
from kernelbench.runner import session
from kernelbench.store.files import read_result
from tests.builders import machine
from tests.runner.answers import interrupts
from tests.runner.fakes import FakeWorkers

Kernelbench = Callable[..., int]


def test_an_interrupted_run_keeps_what_is_done_and_can_be_resumed(
    kernelbench: Kernelbench, workers: FakeWorkers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workers.answer = interrupts(after=3)
    assert kernelbench("c.toml", "-o", "run.json", "--no-html") == 130
    assert read_result(tmp_path / "run.json").interrupted
    assert "--resume run.journal" in capsys.readouterr().err

    workers.answer = lambda message: None
    workers.asked.clear()
    assert kernelbench("--resume", "run.json", "--no-html") == 0
    assert len(workers.measured) == 1
    result = read_result(tmp_path / "run.json")
    assert not result.interrupted
    assert [sorted(r.index for r in record.outcome.rounds) for record in result.records] == [[0, 1], [0, 1]]
    assert not (tmp_path / "run.journal").exists()


def test_a_resumed_result_has_the_structure_of_an_uninterrupted_one(
    kernelbench: Kernelbench, workers: FakeWorkers, tmp_path: Path
) -> None:
    kernelbench("c.toml", "-o", "whole.json", "--no-html")
    workers.answer = interrupts(after=1)
    kernelbench("c.toml", "-o", "parts.json", "--no-html")
    workers.answer = lambda message: None
    kernelbench("--resume", "parts.journal", "--no-html")
    whole, parts = (read_result(tmp_path / name) for name in ("whole.json", "parts.json"))
    assert [(r.case, r.flags, r.work) for r in whole.records] == [(r.case, r.flags, r.work) for r in parts.records]
    assert (whole.config, whole.machines, whole.interrupted) == (parts.config, parts.machines, parts.interrupted)


def test_an_interrupt_before_anything_is_measured_leaves_nothing(
    kernelbench: Kernelbench, workers: FakeWorkers, tmp_path: Path
) -> None:
    workers.answer = interrupts(after=0)
    assert kernelbench("c.toml", "--no-html") == 130
    assert list((tmp_path / "results").iterdir()) == []


def test_a_resumed_run_takes_no_selection(kernelbench: Kernelbench, capsys: pytest.CaptureFixture[str]) -> None:
    assert kernelbench("--resume", "run.journal", "--seed", "3") == 2
    assert "--seed cannot be changed" in capsys.readouterr().err


def test_resuming_what_left_no_journal_says_what_to_give(
    kernelbench: Kernelbench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kernelbench("--resume", "none.json") == 2
    assert "none.journal does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["machine", "sources"])
def test_a_run_is_not_resumed_where_it_would_measure_something_else(
    what: str,
    kernelbench: Kernelbench,
    workers: FakeWorkers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    workers.answer = interrupts(after=1)
    kernelbench("c.toml", "-o", "run.json", "--no-html")
    if what == "machine":
        monkeypatch.setattr(session, "detect", lambda: replace(machine(), id="ffffffffffff"))
    else:
        workers.source_hash = "beef"
    assert kernelbench("--resume", "run.json") == 2
    assert "start a new run" in capsys.readouterr().err
    assert (tmp_path / "run.journal").exists()


def test_a_full_disk_at_the_end_keeps_the_journal_and_resuming_writes_the_result(
    kernelbench: Kernelbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, result: Result) -> None:
        raise StoreError(f"{path} was not written: the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(session, "write_result", full)
        assert kernelbench("c.toml", "-o", "run.json", "--no-html") == 70
    assert "--resume run.journal" in capsys.readouterr().err
    assert kernelbench("--resume", "run.journal", "--no-html") == 0
    assert len(read_result(tmp_path / "run.json").records) == 2


def test_a_second_run_into_the_same_file_does_not_touch_an_unfinished_one(
    kernelbench: Kernelbench, workers: FakeWorkers, tmp_path: Path
) -> None:
    workers.answer = interrupts(after=1)
    kernelbench("c.toml", "-o", "run.json", "--no-html")
    before = (tmp_path / "run.journal").read_bytes()
    workers.answer = lambda message: None
    assert kernelbench("c.toml", "-o", "run.json", "--no-html") == 2
    assert (tmp_path / "run.journal").read_bytes() == before
