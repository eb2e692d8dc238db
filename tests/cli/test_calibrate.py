"""``kernelbench calibrate`` as a script calls it; what is measured is made up."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from kernelbench.cli import calibrate as command
from kernelbench.cli import main
from kernelbench.gate.cells import CellState
from kernelbench.gate.session import Measured
from kernelbench.store import floors
from kernelbench.store.files import read_result
from tests.builders import MACHINE_ID
from tests.gate.calibrating import NOISY, RELU, STEADY, TILED, cell, measured, slower


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # The lock of this host belongs to real runs.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def calibrate(*args: str) -> int:
    """The exit code of ``kernelbench calibrate ARGS``."""
    with pytest.raises(SystemExit) as exit_:
        main(["calibrate", *args])
    return int(exit_.value.code or 0)


@pytest.fixture
def as_if(monkeypatch: pytest.MonkeyPatch) -> object:
    """Makes the command find these cells measured."""

    def found(*cells: CellState, notes: Sequence[str] = (), **more: object) -> Measured:
        done = measured(*cells, **more)
        monkeypatch.setattr(command, "_measure", lambda *_: (done, list(notes)))
        return done

    return found


def test_it_prints_the_report_and_stores_result_and_floors(as_if, capsys: pytest.CaptureFixture) -> None:
    as_if(cell(TILED, STEADY), slower(TILED, 0.10), cell(RELU, NOISY))
    assert calibrate("-o", "cal.json", "--quiet") == 0
    assert "identical code: 0.0% of whole runs (2 cells) call a cell regressed" in capsys.readouterr().out
    assert read_result(Path("cal.json")).kind == "calibration"
    assert set(floors.load(MACHINE_ID).floors.floors) == {TILED.id, RELU.id}


def test_the_host_that_was_not_quiet_is_in_report_and_file(as_if, capsys: pytest.CaptureFixture) -> None:
    as_if(cell(TILED, STEADY), notes=["the host was not quiet"])
    calibrate("-o", "cal.json")
    assert "note: the host was not quiet" in capsys.readouterr().out
    assert read_result(Path("cal.json")).notes == ("the host was not quiet",)


def test_json_is_all_there_is_on_standard_output(as_if, capsys: pytest.CaptureFixture) -> None:
    as_if(cell(TILED, STEADY))
    assert calibrate("--json") == 0
    assert json.loads(capsys.readouterr().out)["machine"] == MACHINE_ID


def test_too_few_rounds_leave_stored_floors_as_they_were(as_if, capsys: pytest.CaptureFixture) -> None:
    floors.keep(MACHINE_ID, {TILED.id: 0.07}, {TILED.id: 12}, "2026-01-01T00:00:00+00:00", "ci")
    as_if(cell(TILED, STEADY[:5]))
    assert calibrate("--rounds", "5") == 0
    assert floors.load(MACHINE_ID).floors.shares() == {TILED.id: 0.07}
    out, err = capsys.readouterr()
    assert "no rates" in out
    assert "warning: 5 rounds state no rates and no floors; give 8 or more" in err


def test_a_failed_cell_exits_4_and_the_others_get_their_floors(as_if) -> None:
    as_if(CellState(TILED, 0.05, failed=(1, "timing", "SIGSEGV")), cell(RELU, STEADY))
    assert calibrate() == 4
    assert set(floors.load(MACHINE_ID).floors.floors) == {RELU.id}


def test_a_slowdown_that_cannot_be_made_is_no_failure(as_if) -> None:
    coarse = CellState(TILED, 0.05, slowdown=0.02, batch=1, failed=(1, "warm-up", "a step is too coarse"))
    as_if(cell(TILED, STEADY), coarse)
    assert calibrate() == 0


@pytest.mark.parametrize(
    ("how", "code"),
    [({"interrupted": True}, 130), ({"faults": ("x",)}, 70), ({"interrupted": True, "faults": ("x",)}, 130)],
)
def test_an_interrupt_and_a_fault_of_ours_have_their_codes(as_if, how: dict, code: int) -> None:
    as_if(cell(TILED, STEADY), **how)
    assert calibrate() == code


def test_a_cache_folder_that_refuses_floors_is_said_after_the_report(
    as_if, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    as_if(cell(TILED, STEADY))
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(floors, "cache_folder", lambda: tmp_path / "file" / "kernelbench")
    assert calibrate() == 70
    out, err = capsys.readouterr()
    assert "identical code" in out
    assert "was not written" in err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--slowdowns", "x"], "'x' is not a number; give shares from 0.5% to 100%"),
        (["--slowdowns", ""], "'' is not a number"),
        (["--slowdowns", "5"], "'5' is out of range"),
        (["--slowdowns", "nan"], "'nan' is out of range"),
        (["--slowdowns", "0.1%"], "'0.1%' is out of range"),
        (["--rounds", "0"], "--rounds 0 is no number of rounds; give 8 to 200"),
        (["--rounds", "999"], "give 8 to 200"),
        (["--threshold", "zero"], "'zero' is not a number"),
        (["--time-budget", "-1"], "--time-budget -1 is no time"),
        (["-c", "missing.toml"], "missing.toml"),
    ],
)
def test_a_mistake_gives_one_line_and_exits_2(args: list[str], said: str, capsys: pytest.CaptureFixture) -> None:
    assert calibrate(*args) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_slowdowns_are_sorted_and_tried_once_each() -> None:
    assert command._slowdowns("10%, 2%,0.1") == (0.02, 0.10)
    assert command._slowdowns("none") == ()
