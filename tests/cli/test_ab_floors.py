"""``kernelbench ab`` and the floors that ``calibrate`` stored for this host."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kernelbench.cli import main
from kernelbench.gate import session as sessions
from kernelbench.gate.asking import Known
from kernelbench.gate.cells import Board
from kernelbench.gate.session import Measured, Session, cells_of
from kernelbench.store import floors
from kernelbench.thresholds import Thresholds
from tests import builders
from tests.gate.pairs import Host, case

KNOWN = Known({}, {case("a").id: case("a")}, {}, "0123")
SLOWER = 0.2


@pytest.fixture(autouse=True)
def _one_slower_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that became 20% slower, on a host whose floor for it is 30%."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("old.py", "new.py"):
        (tmp_path / name).write_text(f'"""{name}"""\n')

    def measure(session: Session, thresholds: Thresholds, *_: Any, floors: Mapping[str, float], **__: Any) -> Measured:
        host = Host()
        host.change["scale/a"] = SLOWER
        board = Board(cells_of(session, thresholds, floors))
        return Measured(session, board, host.run(board), "2026-01-02T03:04:05+00:00")

    monkeypatch.setattr(
        sessions,
        "prepare",
        lambda config, sides, _: Session(config, builders.machine(), sides, (KNOWN, KNOWN), 1 << 30),
    )
    monkeypatch.setattr(sessions, "measure", measure)
    floors.keep(builders.MACHINE_ID, {case("a").id: 0.3}, {case("a").id: 12}, "2020-01-01T00:00:00+00:00", "ci")


def ab(*words: str) -> int:
    """The exit code of ``kernelbench ab old.py new.py WORDS``."""
    with pytest.raises(SystemExit) as exit_:
        main(["ab", "old.py", "new.py", "-o", "ab.json", *words])
    return int(exit_.value.code or 0)


def test_a_cell_is_judged_by_its_floor_where_that_is_larger(capsys: pytest.CaptureFixture) -> None:
    assert ab() == 0
    assert "1 unchanged" in capsys.readouterr().out


def test_without_floors_it_is_judged_by_the_threshold_alone(capsys: pytest.CaptureFixture) -> None:
    assert ab("--no-floors") == 1
    assert "floor" not in capsys.readouterr().out


def test_a_threshold_above_the_floor_stands() -> None:
    assert ab("--threshold", "40%", "--format", "json=ab-verdicts.json") == 0
    assert "floor" not in Path("ab-verdicts.json").read_text()


def test_old_floors_are_used_and_said_to_be_old(capsys: pytest.CaptureFixture) -> None:
    ab()
    assert "1 floor of this host is up to" in capsys.readouterr().out


def test_floors_that_cannot_be_read_are_not_used_and_that_is_said(capsys: pytest.CaptureFixture) -> None:
    floors.path_of(builders.MACHINE_ID).write_text("{")
    assert ab() == 1
    assert "this host's floors are not used" in capsys.readouterr().out
