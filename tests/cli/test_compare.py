"""``kernelbench compare`` as a script calls it: exit codes, output, refusals."""

import json
from pathlib import Path

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.model import Result, Skipped
from kernelbench.store.files import write_result
from tests.builders import case, ceilings, machine, record, result, sample
from tests.cli.comparing import CRASHED, FAST, SLOW, compare, store


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


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


def test_the_threshold_option_decides() -> None:
    files = store("a.json", record(outcome=FAST)), store("b.json", record(outcome=[1.2e-3] * 6))
    assert compare(*files, "--threshold", "10%") == 1
    assert compare(*files, "--threshold", "0.3") == 0
    assert compare(*files, "--threshold", "matmul/*=30%") == 0
    assert compare(*files, "--threshold", "matmul/*=30%", "--threshold", "*/t=1=10%") == 1


def test_a_threshold_for_cells_that_are_not_there_is_warned_of(capsys: pytest.CaptureFixture) -> None:
    same = store("a.json", record(outcome=FAST))
    assert compare(same, same, "--threshold", "matmull/*=30%") == 0
    assert "'matmull/*' matches no cell here" in capsys.readouterr().err


def test_fail_on_none_only_reports() -> None:
    base = store("a.json", record(outcome=FAST))
    assert compare(base, store("b.json", record(outcome=SLOW)), "--fail-on", "none") == 0
    assert compare(base, store("c.json", record(outcome=CRASHED)), "--fail-on", "none") == 0
    assert compare(base, store("d.json", record(case("matmul/naive"))), "--fail-on", "none") == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a.json",), "BASE NEW..., or --baseline NAME NEW...; got only a.json"),
        ((), "compare takes two results or more"),
        (("a.json", "a.json", "--fail-on", "none", "--fail-on", "missing"), "exclude each other"),
        (("a.json", "a.json", "--format", "xml"), "give one of table, md, json, junit"),
        (("a.json", "a.json", "--format", "md="), "names no file after '='"),
        (("a.json", "a.json", "--format", "md", "--json"), "only one format can go to the output, got md and json"),
        (("a.json", "a.json", "--threshold", "5"), "5% or 0.05"),
        (("a.json", "=a.json"), "nothing before '='"),
        (("a.json", "x=a.json", "x=a.json"), "the label 'x' was given twice"),
    ],
)
def test_a_mistake_exits_2_with_one_line_that_says_what_is_accepted(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture
) -> None:
    store("a.json", record(outcome=FAST))
    assert compare(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


def test_labels_name_the_sides(capsys: pytest.CaptureFixture) -> None:
    store("a.json", record(outcome=FAST))
    assert compare("main=a.json", "branch=a.json") == 0
    out = capsys.readouterr().out
    assert "BASE main\n" in out
    assert "NEW  branch\n" in out


def test_a_file_whose_name_holds_an_equals_sign_is_a_path() -> None:
    store("n=64.json", record(outcome=FAST))
    assert compare("n=64.json", "./n=64.json") == 0


def test_several_results_stand_beside_each_other(capsys: pytest.CaptureFixture) -> None:
    base = store("a.json", record(outcome=FAST))
    slow, fast = store("b.json", record(outcome=SLOW)), store("c.json", record(outcome=[5e-4] * 6))
    assert compare(base, f"slow={slow}", f"fast={fast}") == 1
    out = capsys.readouterr().out
    assert "2.000 !" in out
    assert "0.500 +" in out
    assert "BASE a.json" in out


def test_normalised_by_the_ceilings_a_slower_host_is_no_regression() -> None:
    slower = tuple(replace(c, value=c.value / 2) if c.value is not UNSET else c for c in ceilings())
    files = store("a.json", record(outcome=FAST)), store("b.json", record(outcome=SLOW), ceilings=slower)
    assert compare(*files, "--normalise", "--fail-on", "ambiguous") == 0


def test_a_result_that_holds_no_sides_times_is_refused(capsys: pytest.CaptureFixture) -> None:
    good = store("a.json", record(outcome=FAST))
    write_result(Path("ab.json"), replace(result([record(outcome=FAST)]), kind="ab"))
    assert compare(good, "ab.json") == 2
    assert "ab.json: is a result of kind 'ab'" in capsys.readouterr().err
