"""``kernelbench compare`` as a script calls it: exit codes, output, refusals."""

import json
from pathlib import Path

import pytest

from kernelbench.cli import main
from kernelbench.cli.compare import parse_threshold
from kernelbench.errors import UsageError
from kernelbench.model import Failed, Record, Result, Skipped
from kernelbench.store.files import write_result
from tests.builders import case, machine, record, result, sample

SLOW, FAST = [2e-3] * 6, [1e-3] * 6
CRASHED = Failed("timing", "the worker died by SIGSEGV")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def store(name: str, *records: Record, **more: object) -> str:
    write_result(Path(name), result(records, **more))
    return name


def compare(*args: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["compare", *args])
    return int(exit_.value.code or 0)


@pytest.mark.parametrize(
    ("after", "code"),
    [(FAST, 0), ([5e-4] * 6, 0), (SLOW, 1), (FAST[:5], 0), (CRASHED, 4), (Skipped("no memory"), 5)],
)
def test_the_exit_code_tells_what_became_of_the_cell(after: object, code: int) -> None:
    assert compare(store("a.json", record(outcome=FAST)), store("b.json", record(outcome=after))) == code


@pytest.mark.parametrize(("option", "code"), [("ambiguous", 3), ("missing", 6)])
def test_ambiguous_and_missing_cells_fail_only_where_asked(option: str, code: int) -> None:
    gone = record(case("matmul/naive"))
    files = store("a.json", record(outcome=FAST), gone), store("b.json", record(outcome=FAST[:5]))
    assert compare(*files) == 0
    assert compare(*files, "--fail-on", option) == code


def test_of_several_findings_the_gravest_code_wins() -> None:
    slow, crashed, gone = case("matmul/naive"), case("matmul/library"), case("matmul/parallel")
    few = case("matmul/vectorized")
    base = store("a.json", *(record(c, FAST) for c in (slow, crashed, gone, few)))
    asked = ("--fail-on", "missing", "--fail-on", "ambiguous")
    parts = [record(few, FAST[:5]), record(slow, SLOW), record(crashed, CRASHED)]
    assert compare(base, store("b.json", *parts), *asked) == 4
    assert compare(base, store("b.json", *parts[:2]), *asked) == 1
    assert compare(base, store("b.json", *parts[:1]), *asked) == 6


def test_a_crash_never_hides_behind_other_files() -> None:
    base, fine = store("a.json", record(outcome=FAST)), store("b.json", record(outcome=FAST))
    assert compare(base, fine, store("c.json", record(outcome=CRASHED))) == 4


def test_nothing_in_common_lists_the_cells_and_exits_5(capsys: pytest.CaptureFixture) -> None:
    files = store("a.json", record(case("matmul/naive"))), store("b.json", record(case("matmul/tiled")))
    assert compare(*files) == 5
    out, err = capsys.readouterr()
    assert "matmul/naive/f32/n=512/t=1: only in BASE" in out
    assert "nothing in common" in err


def test_another_machine_exits_5_unless_asked_across(capsys: pytest.CaptureFixture) -> None:
    other = machine("ffffffffffff", "Other CPU")
    there = store("b.json", record(machine=other.id), machines={other.id: other}, ceilings=())
    files = store("a.json", record()), there
    assert compare(*files) == 5
    assert "cpu.model" in capsys.readouterr().err
    assert compare(*files, "--across-machines") == 5
    assert "no roof applies to it in NEW" in capsys.readouterr().out


def test_an_unreadable_file_exits_2_before_anything_is_printed(capsys: pytest.CaptureFixture) -> None:
    assert compare(store("a.json", record()), store("b.json", record()), "absent.json") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "absent.json" in err


def test_the_table_fits_80_columns_and_gives_every_reason(capsys: pytest.CaptureFixture) -> None:
    base: Result = sample()
    write_result(Path("a.json"), base)
    write_result(Path("b.json"), base)
    assert compare("a.json", "b.json") == 0
    out = capsys.readouterr().out
    assert max(map(len, out.split("\n"))) <= 80
    assert "matmul/packed/f32/n=256/t=1: failed in both: verify" in " ".join(out.split())
    assert "\x1b" not in out


def test_json_holds_every_cell_with_verdict_and_interval(capsys: pytest.CaptureFixture) -> None:
    assert compare(store("a.json", record(outcome=FAST)), store("b.json", record(outcome=SLOW)), "--json") == 1
    (one,) = json.loads(capsys.readouterr().out)["comparisons"]
    (cell,) = one["comparison"]["cells"]
    assert (one["base"], one["new"], cell["verdict"]) == ("a.json", "b.json", "regressed")
    assert cell["ci_low"] <= cell["ratio"] <= cell["ci_high"]


def test_the_threshold_option_decides(capsys: pytest.CaptureFixture) -> None:
    files = store("a.json", record(outcome=FAST)), store("b.json", record(outcome=[1.2e-3] * 6))
    assert compare(*files, "--threshold", "10%") == 1
    assert compare(*files, "--threshold", "0.3") == 0


@pytest.mark.parametrize("text", ["5", "0", "-5%", "100%", "nan", "inf", "five", ""])
def test_a_threshold_that_is_no_share_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"5% or 0\.05"):
        parse_threshold(text)


def test_a_threshold_may_be_a_percentage_or_a_share() -> None:
    assert parse_threshold("5%") == parse_threshold("0.05") == 0.05
