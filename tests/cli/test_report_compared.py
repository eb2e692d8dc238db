"""``kernelbench report`` of several results, and of what `ab` measured."""

import json
import math
from pathlib import Path

import pytest
from msgspec.structs import replace

from kernelbench.cli import main
from kernelbench.model import PairedCell, PairRound, SideInfo
from kernelbench.store.files import write_result
from tests.builders import case, machine, record, result


@pytest.fixture
def sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Two stored runs in the current folder, the second 30% slower."""
    monkeypatch.chdir(tmp_path)
    for name, seconds in (("base.json", 1e-3), ("new.json", 1.3e-3)):
        medians = [seconds * (1 + 0.001 * i) for i in range(12)]
        write_result(Path(name), replace(result([record(case(), medians)]), created=f"2026-01-02T03:04:0{len(name)}Z"))
    return "base.json", "new.json"


def report(*args: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["report", *args])
    return int(exit_.value.code or 0)


def test_two_results_are_compared_with_the_first_as_base(sides: tuple[str, str], capsys: pytest.CaptureFixture) -> None:
    assert report(*sides) == 0
    out = capsys.readouterr().out
    assert out.startswith("BASE base.json\nNEW  new.json\n")
    assert "1.3" in out


def test_three_results_stand_side_by_side(sides: tuple[str, str], capsys: pytest.CaptureFixture) -> None:
    Path("other.json").write_bytes(Path("new.json").read_bytes())
    assert report(*sides, "other.json") == 0
    assert "other.json" in capsys.readouterr().out


def test_two_results_give_one_page(sides: tuple[str, str]) -> None:
    assert report(*sides, "--html", "out.html") == 0
    page = Path("out.html").read_text()
    assert "<!doctype html>" in page[:20]
    assert "base.json" in page
    assert "new.json" in page


def test_the_page_of_two_results_without_a_path_goes_beside_the_second(sides: tuple[str, str]) -> None:
    assert report(*sides, "--html") == 0
    assert Path("new-compared.html").exists()


def test_two_results_as_json_are_the_comparison(sides: tuple[str, str], capsys: pytest.CaptureFixture) -> None:
    assert report(*sides, "--json") == 0
    (comparison,) = json.loads(capsys.readouterr().out)["comparisons"]
    assert (comparison["base"], comparison["new"]) == sides


def test_two_results_as_markdown_are_the_comparison(sides: tuple[str, str], capsys: pytest.CaptureFixture) -> None:
    assert report(*sides, "--md", "-") == 0
    assert "BASE `base.json`" in capsys.readouterr().out


def test_a_picture_of_two_results_is_refused(sides: tuple[str, str], capsys: pytest.CaptureFixture) -> None:
    assert report(*sides, "--svg", "out.svg") == 2
    err = capsys.readouterr().err
    assert "--svg shows one result" in err
    assert "--html" in err


def test_neither_of_two_results_is_written_over(sides: tuple[str, str], capsys: pytest.CaptureFixture) -> None:
    before = Path("base.json").read_bytes()
    assert report(*sides, "--md", "base.json") == 2
    assert Path("base.json").read_bytes() == before


def test_results_of_two_machines_are_incomparable(sides: tuple[str, str], capsys: pytest.CaptureFixture) -> None:
    there = "ba9876543210"
    write_result(Path("new.json"), result([record(machine=there)], machines={there: machine(there)}, ceilings=()))
    assert report(*sides) == 5
    assert "machine differs" in capsys.readouterr().err


def test_results_without_a_common_case_are_no_comparison(sides: tuple[str, str], capsys: pytest.CaptureFixture) -> None:
    write_result(Path("new.json"), result([record(case("matmul/other"))]))
    assert report(*sides) == 5
    assert capsys.readouterr().err.startswith("error: ")


def test_a_damaged_second_result_is_one_line_and_nothing_is_shown(
    sides: tuple[str, str], capsys: pytest.CaptureFixture
) -> None:
    Path("new.json").write_text("{")
    assert report(*sides) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "new.json" in err


@pytest.fixture
def turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What `ab` measured: one cell in turns, 30% slower."""
    monkeypatch.chdir(tmp_path)
    rounds = tuple(PairRound(i, math.log(1.3 + 0.001 * i), 1e-3, 1.3e-3, 40) for i in range(8))
    cell = PairedCell(case(), 0.05, rounds, verdict="regressed", reason="30% slower")
    both = (SideInfo("main", "ref", "a" * 40), SideInfo("HEAD", "ref", "b" * 40))
    write_result(Path("ab.json"), replace(result(), kind="ab", sides=both, paired=(cell,)))
    return "ab.json"


def test_a_result_of_ab_gives_the_page_of_its_verdicts(turns: str) -> None:
    assert report(turns, "--html", "out.html") == 0
    page = Path("out.html").read_text()
    assert "<!doctype html>" in page[:20]
    assert "main (aaaaaaaaa)" in page
    assert "regressed" in page


def test_a_picture_of_a_result_of_ab_is_refused(turns: str, capsys: pytest.CaptureFixture) -> None:
    assert report(turns, "--png", "out.png") == 2
    assert "is a result of `ab`" in capsys.readouterr().err


def test_a_result_of_ab_stands_beside_no_other(turns: str, capsys: pytest.CaptureFixture) -> None:
    assert report(turns, turns) == 2
    assert "kind 'ab'" in capsys.readouterr().err
