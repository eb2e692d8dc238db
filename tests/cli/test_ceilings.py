"""`kernelbench ceilings` with a machine and a measurement that are made up."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kernelbench import cli
from kernelbench import machine as detection
from kernelbench.cli.ceilings import parse_threads
from kernelbench.errors import UsageError, WorkerError
from kernelbench.model import Machine
from kernelbench.runner import cards
from kernelbench.runner.job import Position
from kernelbench.store.card import Card, load, path_of, save
from kernelbench.store.lock import HostLock
from tests.builders import MACHINE_ID, machine
from tests.report.card_data import card

Kernelbench = Callable[..., int]


class Measuring:
    """Stands for the measurement: remembers what was asked and keeps the card as the real one does."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[int, ...], bool]] = []
        self.had_card: list[bool] = []
        self.keeps = True

    def __call__(self, of: Machine, threads: tuple[int, ...], *, quick: bool, progress: Any) -> Card:
        self.asked.append((threads, quick))
        self.had_card.append(path_of(of.id).exists())
        progress.show(Position("ceilings", 0, 2, "t=1"))
        made = card(quick=quick)
        if self.keeps:
            save(made)
        return made


@pytest.fixture
def measuring(monkeypatch: pytest.MonkeyPatch) -> Measuring:
    made = Measuring()
    monkeypatch.setattr(cards, "measure", made)
    return made


@pytest.fixture
def kernelbench(measuring: Measuring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernelbench:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # The lock of this host belongs to real runs.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(detection, "detect", machine)
    return lambda *words: cli._exit_code(["ceilings", *words])


def test_tables_go_to_stdout_and_progress_to_stderr(kernelbench: Kernelbench, capsys: pytest.CaptureFixture) -> None:
    assert kernelbench() == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"Machine {MACHINE_ID}: Example CPU 9000")
    assert "Load latency" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out
    assert err == "ceilings  0/2  t=1\n"


def test_json_is_machines_and_ceilings_and_nothing_else(
    kernelbench: Kernelbench, capsys: pytest.CaptureFixture
) -> None:
    assert kernelbench("--json", "--quiet") == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert list(document) == ["machines", "ceilings"]
    assert list(document["machines"]) == [MACHINE_ID]
    assert len(document["ceilings"]) == len(card().ceilings)
    assert "null" not in out
    assert err == ""


def test_threads_and_haste_reach_the_measurement(kernelbench: Kernelbench, measuring: Measuring) -> None:
    assert kernelbench("-t", "2,1", "-t", "all", "--quick") == 0
    assert kernelbench() == 0
    assert measuring.asked == [((1, 2), True), ((), False)]


def test_options_are_environment_variables_too(
    kernelbench: Kernelbench, measuring: Measuring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERNELBENCH_CEILINGS_QUICK", "1")
    monkeypatch.setenv("KERNELBENCH_CEILINGS_THREADS", "2")
    assert kernelbench() == 0
    assert measuring.asked == [((2,), True)]


@pytest.mark.parametrize("word", ["0", "3", "-1", "two", "", "1.5", "9" * 30])
def test_a_thread_count_that_cannot_be_is_named_with_what_is_accepted(word: str) -> None:
    with pytest.raises(UsageError, match=r"give numbers from 1 to 2, or \"all\"") as caught:
        parse_threads([f"1,{word}"], usable=2)
    assert repr(word) in str(caught.value)


def test_a_wrong_thread_count_is_refused_before_anything_is_measured(
    kernelbench: Kernelbench, measuring: Measuring
) -> None:
    assert kernelbench("-t", "3") == 2
    assert measuring.asked == []


def test_page_and_card_are_written_and_named(kernelbench: Kernelbench, capsys: pytest.CaptureFixture) -> None:
    assert kernelbench("--html", "c.html", "-o", "new/c.json", "--quiet") == 0
    assert capsys.readouterr().err == "wrote new/c.json\nwrote c.html\n"
    assert Path("c.html").read_text().startswith("<!doctype html>")
    assert msgspec.json.decode(Path("new/c.json").read_bytes(), type=Card) == card()


def test_one_file_for_page_and_card_is_refused(kernelbench: Kernelbench, measuring: Measuring) -> None:
    assert kernelbench("--html", "c", "-o", "c") == 2
    assert measuring.asked == []


@pytest.mark.parametrize("option", ["--html", "-o"])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_measured(
    kernelbench: Kernelbench, measuring: Measuring, option: str, capsys: pytest.CaptureFixture
) -> None:
    Path("file").write_text("")
    assert kernelbench(option, "file/c") == 2
    assert kernelbench(option, ".") == 2
    assert "cannot be written to" in capsys.readouterr().err
    assert measuring.asked == []


def test_a_card_already_there_is_measured_again_and_lives_until_the_new_one(
    kernelbench: Kernelbench, measuring: Measuring
) -> None:
    save(card())
    assert kernelbench() == 0
    assert measuring.had_card == [True]


def test_fresh_forgets_the_earlier_card_first(kernelbench: Kernelbench, measuring: Measuring) -> None:
    save(card())
    assert kernelbench("--fresh") == 0
    assert measuring.had_card == [False]
    assert isinstance(load(MACHINE_ID, "abc123", card().created), Card)


def test_a_card_that_could_not_be_kept_is_a_warning(
    kernelbench: Kernelbench, measuring: Measuring, capsys: pytest.CaptureFixture
) -> None:
    measuring.keeps = False
    assert kernelbench("--quiet") == 0
    assert capsys.readouterr().err == "warning: this card could not be kept for later runs: no card\n"


def test_a_worker_that_fails_is_our_fault_and_prints_no_table(
    kernelbench: Kernelbench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> Card:
        raise WorkerError("the ceilings at t=1 could not be measured")

    monkeypatch.setattr(cards, "measure", broken)
    assert kernelbench() == 70
    out, err = capsys.readouterr()
    assert out == ""
    assert "could not be measured" in err


def test_another_run_on_this_host_is_waited_for_and_named(
    kernelbench: Kernelbench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(cli.importlib.import_module("kernelbench.cli.ceilings"), "LOCK_WAIT_S", 0.0)
    with HostLock() as other:
        assert other.acquire(0, lambda _: None)
        assert kernelbench() == 0
    assert "another kernelbench run" in capsys.readouterr().err
