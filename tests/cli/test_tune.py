"""``kernelbench tune`` as a script calls it; what is found is made up."""

import json
import tempfile
from pathlib import Path

import pytest

from kernelbench.cli import main
from kernelbench.cli import tune as command
from kernelbench.machine import detect
from kernelbench.model import Tried, Tuning
from kernelbench.store import tuned
from tests.builders import MACHINE_ID
from tests.tuning.found import no_winner, tuning


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KERNELBENCH_TUNE_WAIT_QUIET", "0")
    # The lock of this host belongs to real runs.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def tune(*args: str) -> int:
    """The exit code of ``kernelbench tune ARGS``."""
    with pytest.raises(SystemExit) as exit_:
        main(["tune", *args])
    return int(exit_.value.code or 0)


@pytest.fixture
def as_if(monkeypatch: pytest.MonkeyPatch) -> object:
    """Makes the command find this."""

    def found(*made: Tuning) -> None:
        def measure(*_: object) -> list[Tuning]:
            for one in made:
                command._keep(one)
            return list(made)

        monkeypatch.setattr(command, "_measure", measure)

    return found


def test_it_shows_the_map_and_says_what_is_stored(as_if, capsys: pytest.CaptureFixture) -> None:
    as_if(tuning())
    assert tune("matmul/tiled") == 0
    said = capsys.readouterr()
    assert "fastest: kc=128 nc=256" in said.out
    assert said.err == "stored for `run`: matmul/tiled/f32/n=512/t=1 and sizes near it\n"
    assert len(tuned.load(MACHINE_ID).winners) == 1


def test_where_the_default_stays_nothing_is_stored(as_if, capsys: pytest.CaptureFixture) -> None:
    as_if(no_winner())
    assert tune("matmul/tiled") == 0
    assert capsys.readouterr().err == ""


def test_json_is_all_of_stdout(as_if, capsys: pytest.CaptureFixture) -> None:
    as_if(tuning(), no_winner())
    assert tune("matmul", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["tunings"]) == 2


def test_a_wrong_candidate_is_code_4_and_an_interruption_130(as_if) -> None:
    wrong = tuning(tried=(Tried((16, 256), failed="verify: wrong"),))
    as_if(wrong)
    assert tune("matmul") == 4
    as_if(wrong, no_winner(interrupted=True))
    assert tune("matmul") == 130


def test_a_default_that_fails_is_code_4(as_if) -> None:
    as_if(no_winner(failed="with the default parameters, verify: wrong"))
    assert tune("matmul") == 4


def test_a_disk_that_refuses_costs_the_storing_only(as_if, tmp_path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    as_if(tuning())
    assert tune("matmul") == 0
    said = capsys.readouterr()
    assert "warning: `run` will not use it" in said.err
    assert "fastest: kc=128" in said.out


def test_the_picture_is_written(as_if) -> None:
    as_if(tuning())
    assert tune("matmul", "--svg", "map.svg") == 0
    assert Path("map.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--budget", "3"], "give 5.00 s to 24h"),
        (["--budget", "soon"], "--budget 'soon' is no time to search"),
        (["--forget", "-s", "64"], "leave out --sizes"),
        (["--svg", "map.png"], "name it .svg"),
        (["--svg", "-", "--json"], "only one document can go to stdout"),
    ],
)
def test_a_mistake_is_one_line_with_what_to_do(args: list[str], told: str, capsys: pytest.CaptureFixture) -> None:
    assert tune("matmul/tiled", *args) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(("text", "budget_s"), [("90", 90), ("90s", 90), ("1.5min", 90), ("2 min", 120), ("1h", 3600)])
def test_a_budget_has_a_unit(text: str, budget_s: float) -> None:
    assert command.budget_of(None, None, text) == budget_s  # type: ignore[arg-type]


def test_what_was_found_can_be_forgotten(capsys: pytest.CaptureFixture) -> None:
    tuned.keep(tuning(machine=detect().id))
    assert tune("matmul", "--forget") == 0
    assert capsys.readouterr().out == "forgotten: matmul/tiled/f32/n=512/t=1\n"
    assert tune("matmul", "--forget") == 0
    assert capsys.readouterr().err == "nothing was found for matmul on this machine\n"
