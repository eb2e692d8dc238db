"""``kernelbench compare`` as a gate: formats, summaries, baselines, expectations."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from junitparser import JUnitXml

from kernelbench.analysis.family import Family
from kernelbench.model import Record
from kernelbench.store.baselines import save
from tests.builders import case, record, result
from tests.cli.comparing import FAST, SLOW, compare, store


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def test_every_format_can_go_to_a_file_beside_the_table(capsys: pytest.CaptureFixture) -> None:
    files = store("a.json", record(outcome=FAST)), store("b.json", record(outcome=SLOW))
    assert compare(*files, "--format", "junit=r.xml", "--format", "md=r.md", "--format", "json=r.json") == 1
    assert "regressed" in capsys.readouterr().out
    assert JUnitXml.fromfile("r.xml").failures == 1
    assert Path("r.md").read_text().startswith("## kernelbench: 1 regressed")
    assert json.loads(Path("r.json").read_text())["comparisons"]


@pytest.mark.parametrize(("form", "start"), [("json", "{"), ("junit", "<?xml"), ("md", "## "), ("table", "BASE ")])
def test_a_format_without_a_file_is_all_of_the_output(form: str, start: str, capsys: pytest.CaptureFixture) -> None:
    same = store("a.json", record(outcome=FAST))
    assert compare(same, same, "--format", form) == 0
    assert capsys.readouterr().out.startswith(start)


def test_the_summary_is_appended_to_the_file_asked_for_and_to_that_of_the_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "step.md")
    Path("step.md").write_text("earlier\n")
    same = store("a.json", record(outcome=FAST))
    assert compare(same, same, "--summary", "own.md") == 0
    assert Path("step.md").read_text().startswith("earlier\n## kernelbench")
    assert Path("own.md").read_text().startswith("## kernelbench")


def test_a_summary_of_the_ci_that_cannot_be_written_does_not_hide_the_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "absent/step.md")
    assert compare(store("a.json", record(outcome=FAST)), store("b.json", record(outcome=SLOW))) == 1
    assert "GITHUB_STEP_SUMMARY" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--summary", "absent/own.md"), "--summary: absent/own.md cannot be written: there is no folder absent"),
        (("--summary", "."), "--summary: . is a folder"),
        (("--format", "md=absent/r.md"), "--format: absent/r.md cannot be written"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_done(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture
) -> None:
    same = store("a.json", record(outcome=FAST))
    assert compare(same, same, *words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


def test_a_summary_that_the_disk_refuses_is_our_fault_and_not_a_verdict() -> None:
    same = store("a.json", record(outcome=FAST))
    assert compare(same, same, "--summary", "/dev/full") == 70


def keep(name: str, *records: Record) -> None:
    save(result(records), name)


def test_a_baseline_stands_in_for_base(capsys: pytest.CaptureFixture) -> None:
    keep("main", record(outcome=FAST))
    assert compare("--baseline", "main", store("b.json", record(outcome=SLOW))) == 1
    assert "BASE baseline main" in capsys.readouterr().out


@pytest.mark.parametrize(("asked", "code"), [((), 0), (("--fail-on", "missing"), 6)])
def test_a_missing_baseline_is_said_and_fails_only_where_asked(
    asked: tuple[str, ...], code: int, capsys: pytest.CaptureFixture
) -> None:
    assert compare("--baseline", "main", store("b.json", record(outcome=FAST)), *asked) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "no baseline 'main'" in err
    assert "nothing was compared" in err


def test_a_damaged_baseline_exits_2() -> None:
    keep("main", record(outcome=FAST))
    (file,) = Path("results/baselines").rglob("main.json")
    file.write_text(file.read_text()[:-100])
    assert compare("--baseline", "main", store("b.json", record(outcome=FAST))) == 2


@pytest.mark.parametrize("sample", ["-1e-3", "0.0", "NaN", "1e400", "null"])
def test_a_sample_that_cannot_be_is_one_line_and_exit_2(sample: str, capsys: pytest.CaptureFixture) -> None:
    good = store("a.json", record(outcome=FAST))
    Path("b.json").write_text(Path(good).read_text().replace("0.001", sample, 1))
    assert compare(good, "b.json") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "b.json" in err


def rules(text: str) -> str:
    Path("rules.toml").write_text(text)
    return "rules.toml"


PAYS = '[[expect]]\nname = "tiled pays"\ncase = "matmul/tiled/*"\nmax_seconds = {limit}\n'


@pytest.mark.parametrize(("limit", "code"), [("0.1", 0), ("1e-6", 1)])
def test_expectations_are_judged_on_new(limit: str, code: int, capsys: pytest.CaptureFixture) -> None:
    same = store("a.json", record(outcome=FAST))
    assert compare(same, same, "--expect", rules(PAYS.format(limit=limit))) == code
    assert "tiled pays" in capsys.readouterr().out


def test_an_undecided_expectation_fails_only_where_asked() -> None:
    few = store("a.json", record(outcome=FAST[:3]), record(case("matmul/naive"), FAST))
    config = rules(PAYS.format(limit=1))
    assert compare(few, few, "--expect", config) == 0
    assert compare(few, few, "--expect", config, "--fail-on", "ambiguous") == 3


def test_a_configuration_without_expectations_is_refused() -> None:
    same = store("a.json", record(outcome=FAST))
    assert compare(same, same, "--expect", rules("rounds = 6\n")) == 2


def test_expectations_stand_in_every_format(capsys: pytest.CaptureFixture) -> None:
    same, config = store("a.json", record(outcome=FAST)), rules(PAYS.format(limit=1))
    for form in ("md", "json", "junit", "table"):
        assert compare(same, same, "--expect", config, "--format", form) == 0
        assert "tiled pays" in capsys.readouterr().out


@pytest.mark.parametrize(("after", "code"), [(FAST, 0), (SLOW, 1)])
def test_a_reader_that_leaves_early_changes_no_verdict(after: list[float], code: int) -> None:
    files = store("a.json", record(outcome=FAST)), store("b.json", record(outcome=after))
    program = [sys.executable, "-m", "kernelbench", "compare", *files]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.close()
        assert b"Traceback" not in running.stderr.read()
        assert running.wait(timeout=60) == code


GUIDE = (Path(__file__).parents[2] / "docs" / "COMPARE.md").read_text()


def test_every_option_that_the_guide_shows_exists(capsys: pytest.CaptureFixture) -> None:
    assert compare("--help") == 0
    text = capsys.readouterr().out
    shown = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", GUIDE))
    assert shown >= {"--threshold", "--normalise"}
    assert {option for option in shown if option not in text} == set()


def test_the_guide_tells_how_many_cells_so_many_rounds_can_judge() -> None:
    rows = [line.split("|")[2:-1] for line in GUIDE.splitlines() if re.match(r"\| (rounds|most cells)", line)]
    for rounds, cells in zip(*rows, strict=True):
        assert Family(int(cells)).rounds_needed == int(rounds)
        assert Family(int(cells) + 1).rounds_needed == int(rounds) + 1
