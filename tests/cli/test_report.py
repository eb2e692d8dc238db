"""``kernelbench report`` as a user calls it."""

import csv
import io
import json
import os
from pathlib import Path

import pytest

from kernelbench.cli import main
from kernelbench.store.files import write_result
from tests.builders import record, result


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A result file in results/ of the current folder."""
    monkeypatch.chdir(tmp_path)
    path = Path("results/one.json")
    path.parent.mkdir()
    write_result(path, result([record()]))
    return path


def report(*args: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["report", *args])
    return int(exit_.value.code or 0)


def test_without_options_the_table_and_a_roofline_go_to_stdout(stored: Path, capsys: pytest.CaptureFixture) -> None:
    assert report(str(stored)) == 0
    out, err = capsys.readouterr()
    assert "matmul n=512" in out
    assert "Roofline at 1 thread" in out
    assert err == ""


def test_without_a_result_the_newest_in_results_is_shown(stored: Path, capsys: pytest.CaptureFixture) -> None:
    newer = stored.with_name("a_newer.json")
    write_result(newer, result([]))
    os.utime(stored, (1, 1))
    assert report() == 0
    assert "Nothing was measured" in capsys.readouterr().out


def test_an_empty_results_folder_names_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert report() == 2
    assert "kernelbench run" in capsys.readouterr().err


def test_csv_and_markdown_are_written_and_named_on_stderr(stored: Path, capsys: pytest.CaptureFixture) -> None:
    assert report(str(stored), "--csv", "out.csv", "--md", "out.md") == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "wrote out.csv\nwrote out.md\n"
    assert Path("out.csv").read_text().startswith("case_id,op,")
    assert Path("out.md").read_text().startswith("# kernelbench report")


def test_a_dash_writes_the_csv_to_stdout_and_nothing_else(stored: Path, capsys: pytest.CaptureFixture) -> None:
    assert report(str(stored), "--csv", "-") == 0
    (line,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert line["case_id"] == "matmul/tiled/f32/n=512/t=1"


def test_json_on_stdout_is_clean(stored: Path, capsys: pytest.CaptureFixture) -> None:
    assert report(str(stored), "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["op"] == "matmul"


def test_html_without_a_path_goes_beside_the_result(stored: Path, capsys: pytest.CaptureFixture) -> None:
    assert report(str(stored), "--html") == 0
    assert Path("results/one.html").read_text().startswith("<!doctype html>")
    assert "wrote results/one.html" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--html", "--csv", "--md"])
def test_a_result_is_never_written_over(stored: Path, option: str, capsys: pytest.CaptureFixture) -> None:
    before = stored.read_bytes()
    assert report(option, str(stored)) == 2
    assert f"kernelbench report {stored} {option} PATH" in capsys.readouterr().err
    assert stored.read_bytes() == before


def test_two_documents_on_one_stdout_are_refused(stored: Path, capsys: pytest.CaptureFixture) -> None:
    assert report(str(stored), "--csv", "-", "--json") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "csv and json" in err


def test_a_page_for_stdout_is_refused(stored: Path) -> None:
    assert report(str(stored), "--html", "-") == 2


def test_a_damaged_result_is_one_line_and_exit_2(stored: Path, capsys: pytest.CaptureFixture) -> None:
    stored.write_bytes(stored.read_bytes()[:100])
    assert report(str(stored)) == 2
    err = capsys.readouterr().err
    assert str(stored) in err
    assert err.count("\n") == 1


def test_a_folder_that_is_not_there_is_our_storage_error(stored: Path, capsys: pytest.CaptureFixture) -> None:
    assert report(str(stored), "--csv", "no/such/folder/out.csv") == 70
    assert "no/such/folder" in capsys.readouterr().err
