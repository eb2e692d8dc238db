"""``kernelbench ab``: its exit codes, what it prints and what it keeps, with sides that are measured by nobody."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from kernelbench.cli import main
from kernelbench.config import Config
from kernelbench.gate import session as sessions
from kernelbench.gate.asking import Known
from kernelbench.gate.cells import Board
from kernelbench.gate.session import Measured, Session, cells_of
from kernelbench.gate.sides import Side
from kernelbench.runner.job import Progress
from kernelbench.store.files import read_result
from kernelbench.thresholds import Thresholds
from tests import builders
from tests.gate.pairs import Fault, Host, Wild, case


class Bench:
    """Two kernel files whose variants are what a test says."""

    def __init__(self) -> None:
        self.host = Host()
        self.base, self.head = ["a", "b"], ["a", "b"]

    def prepare(self, config: Config, sides: tuple[Side, Side], progress: Progress) -> Session:
        known = [Known({}, {one.id: one for one in map(case, names)}, {}, "0123") for names in (self.base, self.head)]
        return Session(config, builders.machine(), sides, (known[0], known[1]), 1 << 30)

    def measure(
        self, session: Session, thresholds: Thresholds, progress: Progress, *, time_budget_s: float, **_: Any
    ) -> Measured:
        board = Board(cells_of(session, thresholds, {}))
        outcome = self.host.run(board, time_budget_s or 1e6)
        return Measured(session, board, outcome, "2026-01-02T03:04:05+00:00")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """In a folder with ``old.py`` and ``new.py``."""
    made = Bench()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sessions, "prepare", made.prepare)
    monkeypatch.setattr(sessions, "measure", made.measure)
    for name in ("old.py", "new.py"):
        (tmp_path / name).write_text(f'"""{name}"""\n')
    return made


def ab(*words: str) -> int:
    """The exit code of ``kernelbench ab old.py new.py WORDS``."""
    return call("old.py", "new.py", "--wait-quiet", "0", "-o", "ab.json", *words)


def call(*words: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["ab", *words])
    return int(exit_.value.code or 0)


def test_identical_code_passes(bench: Bench, capsys: pytest.CaptureFixture) -> None:
    assert ab() == 0
    assert "2 unchanged" in capsys.readouterr().out


def test_a_confirmed_regression_is_exit_code_1(bench: Bench, capsys: pytest.CaptureFixture) -> None:
    bench.host.change["scale/b"] = 1.0
    assert ab() == 1
    assert "1 regressed" in capsys.readouterr().out


def test_an_improvement_is_no_failure(bench: Bench, capsys: pytest.CaptureFixture) -> None:
    bench.host.change["scale/b"] = -0.5
    assert ab("--fail-on", "ambiguous", "--fail-on", "missing") == 0
    assert "1 improved" in capsys.readouterr().out


def test_a_regression_within_the_threshold_of_its_cell_passes(bench: Bench) -> None:
    bench.host.change["scale/b"] = 0.2
    assert ab("--threshold", "scale/b*=50%") == 0


@pytest.mark.parametrize("side", [0, 1])
def test_a_kernel_that_crashes_on_a_side_is_4_and_not_a_regression(bench: Bench, side: int) -> None:
    bench.host.faults["scale/b"] = Fault(side, "burst")
    assert ab() == 4


def test_a_crash_outranks_a_regression(bench: Bench) -> None:
    bench.host.faults["scale/a"] = Fault(1)
    bench.host.change["scale/b"] = 1.0
    assert ab() == 4


def test_a_fault_of_our_own_is_70_and_asks_for_a_report(bench: Bench, capsys: pytest.CaptureFixture) -> None:
    bench.host.faults["scale/b"] = Fault(0, fault=True)
    bench.host.change["scale/a"] = 1.0
    assert ab() == 70
    assert "please report it" in capsys.readouterr().err


def test_nothing_in_common_is_5_and_never_a_pass(bench: Bench, capsys: pytest.CaptureFixture) -> None:
    bench.base, bench.head = ["a"], ["b"]
    assert ab() == 5
    assert "nothing in common" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--fail-on", "missing"), 6)])
def test_a_kernel_that_head_lacks_fails_only_where_asked(bench: Bench, words: tuple[str, ...], code: int) -> None:
    bench.head = ["a"]
    assert ab(*words) == code


def test_a_kernel_that_base_lacks_is_new(bench: Bench, capsys: pytest.CaptureFixture) -> None:
    bench.base = ["a"]
    assert ab("--json", "--fail-on", "missing") == 0
    (found,) = json.loads(capsys.readouterr().out)["comparisons"]
    assert {cell["case_id"]: cell["verdict"] for cell in found["comparison"]["cells"]} == {
        "scale/a/f32/n=1000/t=1": "unchanged",
        "scale/b/f32/n=1000/t=1": "new",
    }


@pytest.mark.parametrize(("words", "code"), [((), 0), (("--fail-on", "ambiguous"), 3)])
def test_an_undecided_cell_fails_only_where_asked(bench: Bench, words: tuple[str, ...], code: int) -> None:
    bench.host.change = Wild(bench.host, "scale/b")
    assert ab(*words) == code


def test_ctrl_c_is_130_with_what_was_measured_until_then(bench: Bench, capsys: pytest.CaptureFixture) -> None:
    bench.host.interrupt_at = 5
    assert ab() == 130
    assert "interrupted" in capsys.readouterr().err
    assert read_result(Path("ab.json")).interrupted


def test_the_file_reads_back_with_both_sides_and_all_rounds(bench: Bench) -> None:
    bench.host.change["scale/b"] = 1.0
    ab()
    kept = read_result(Path("ab.json"))
    assert (kept.kind, [(side.label, side.kind) for side in kept.sides]) == (
        "ab",
        [("old.py", "file"), ("new.py", "file")],
    )
    assert {cell.case.variant: (len(cell.screen), len(cell.confirm)) for cell in kept.paired} == {
        "scale/a": (6, 0),
        "scale/b": (6, 8),
    }


def test_the_default_file_is_a_new_one_in_results(bench: Bench) -> None:
    assert call("old.py", "new.py", "--wait-quiet", "0") == 0
    (written,) = Path("results").glob("*.json")
    assert read_result(written).kind == "ab"


def test_the_same_file_on_both_sides_is_said_and_measured_as_an_a_a(
    bench: Bench, capsys: pytest.CaptureFixture
) -> None:
    assert call("old.py", "old.py", "--wait-quiet", "0", "-o", "ab.json") == 0
    assert "note: the same files on both sides: this is an A/A" in " ".join(capsys.readouterr().out.split())


def test_junit_has_a_failure_for_each_regression(bench: Bench) -> None:
    bench.host.change["scale/b"] = 1.0
    assert ab("--format", "junit=ab.xml") == 1
    assert JUnitXml.fromfile("ab.xml").failures == 1


def test_progress_and_warnings_stay_out_of_the_output(bench: Bench, capsys: pytest.CaptureFixture) -> None:
    bench.host.faults["scale/b"] = Fault(1)
    ab("--json")
    json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere", "new.py"), "'nowhere'"),
        (("old.py", ""), "names no side"),
        (("old.py", "new.py", "--time-budget", "0"), "--time-budget 0"),
        (("old.py", "new.py", "--time-budget", "nan"), "--time-budget nan"),
        (("old.py", "new.py", "--threshold", "much"), "much"),
        (("old.py", "new.py", "-c", "none.toml"), "none.toml"),
        (("old.py",), "HEAD"),
    ],
)
def test_a_slip_of_the_user_is_2_and_one_line(
    bench: Bench, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture
) -> None:
    assert call(*words) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_measured(bench: Bench) -> None:
    assert call("old.py", "new.py", "-o", "old.py/ab.json") != 0
    assert not bench.host.opened


def report(*words: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["report", "ab.json", *words])
    return int(exit_.value.code or 0)


def test_report_shows_the_verdicts_of_a_file_of_ab_as_they_were(bench: Bench, capsys: pytest.CaptureFixture) -> None:
    bench.host.change["scale/b"] = 1.0
    bench.base.append("gone")
    ab()
    shown = capsys.readouterr().out
    assert report() == 0
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize("form", ["md", "json"])
def test_report_writes_what_ab_wrote(bench: Bench, form: str, capsys: pytest.CaptureFixture) -> None:
    ab("--format", form)
    shown = capsys.readouterr().out
    assert report(*(["--json"] if form == "json" else ["--md", "-"])) == 0
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize("words", [("--svg", "-"), ("--csv", "-")])
def test_report_refuses_documents_of_runs_for_a_file_of_ab(
    bench: Bench, words: tuple[str, ...], capsys: pytest.CaptureFixture
) -> None:
    ab()
    assert report(*words) == 2
    assert "is a result of `ab`" in capsys.readouterr().err


def test_compare_refuses_a_file_of_ab(bench: Bench, capsys: pytest.CaptureFixture) -> None:
    ab()
    with pytest.raises(SystemExit) as exit_:
        main(["compare", "ab.json", "ab.json"])
    assert exit_.value.code == 2
    assert "kind 'ab'" in capsys.readouterr().err
