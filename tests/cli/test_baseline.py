"""``kernelbench baseline`` as a user calls it: what it says, what it keeps, exit codes."""

import json
import os
import shlex
from pathlib import Path

import pytest

import kernelbench
from kernelbench import machine as machine_room
from kernelbench.cli import main
from kernelbench.model import METHOD_VERSION, Failed, Record, Tool
from kernelbench.store.files import read_result, write_result
from tests.builders import MACHINE_ID, case, machine, record, result

OTHER_ID = "ffffffffffff"
KEPT = Path("results/baselines") / MACHINE_ID
DOCUMENT = Path(kernelbench.__file__).resolve().parents[1] / "docs" / "BASELINES.md"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(machine_room, "detect", machine)


def store(name: str, *records: Record, **more: object) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    write_result(Path(name), result(records or (record(),), **more))
    return name


def stored_elsewhere(name: str) -> str:
    other = machine(OTHER_ID, "Other CPU")
    return store(name, record(machine=OTHER_ID), machines={OTHER_ID: other}, ceilings=())


def baseline(*args: str) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["baseline", *args])
    return int(exit_.value.code or 0)


def test_save_keeps_the_result_and_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert baseline("save", store("a.json"), "--name", "v1") == 0
    out, err = capsys.readouterr()
    assert out == (
        "kept 1 cell of a.json (measured 2026-01-02T03:04:05Z, commit abc1234) as baseline 'v1' of machine "
        f"{MACHINE_ID}: {KEPT / 'v1.json'}\n"
    )
    assert err == ""
    assert read_result(KEPT / "v1.json").kind == "baseline"


def test_save_is_called_main_unless_named_otherwise() -> None:
    assert baseline("save", store("a.json")) == 0
    assert (KEPT / "main.json").exists()


def test_save_without_a_result_takes_the_newest() -> None:
    store("results/old.json", record(outcome=[2e-3] * 6))
    newest = store("results/new.json")
    os.utime("results/old.json", (1, 1))
    assert baseline("save") == 0
    assert read_result(KEPT / "main.json").records == read_result(Path(newest)).records


def test_save_without_any_result_says_how_to_get_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert baseline("save") == 2
    assert "measure one with `kernelbench run`" in capsys.readouterr().err


def test_save_refuses_to_replace_and_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert baseline("save", store("a.json")) == 0
    assert baseline("save", store("b.json")) == 2
    err = capsys.readouterr().err
    assert f"not kept as baseline 'main': {KEPT / 'main.json'} is there already; --force keeps it" in err
    assert baseline("save", "b.json", "--force") == 0
    assert f"warning: kept although {KEPT / 'main.json'} is there already" in capsys.readouterr().err


def test_save_refuses_failed_cells_and_tells_them_when_forced(capsys: pytest.CaptureFixture[str]) -> None:
    store("a.json", record(), record(case("matmul/naive"), Failed("verify", "wrong")))
    assert baseline("save", "a.json") == 2
    capsys.readouterr()
    assert baseline("save", "a.json", "--force") == 0
    assert "warning: kept although 1 of 2 cases failed" in capsys.readouterr().err


def test_save_tells_that_few_rounds_decide_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert baseline("save", store("a.json", record(outcome=[1e-3] * 3))) == 0
    assert "1 of 1 cells have fewer than 6 rounds" in capsys.readouterr().err


def test_save_passes_on_the_notes_of_a_host_that_was_not_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    assert baseline("save", store("a.json", notes=("the host was not quiet\x1b[2J",))) == 0
    assert "warning: the host was not quiet\\x1b[2J\n" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../x", ".x", "a/b", ""])
def test_save_refuses_a_name_that_is_no_files(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert baseline("save", store("a.json"), "--name", name) == 2
    assert "cannot be a baseline's name" in capsys.readouterr().err


def test_save_of_what_is_no_result_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.json").write_text("[1]")
    assert baseline("save", "a.json") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_list_shows_every_machines_baselines_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    baseline("save", store("a.json"), "--name", "a-name-as-long-as-a-branch-of-the-most-careful-developer")
    baseline("save", stored_elsewhere("b.json"))
    baseline("save", store("c.json", kernelbench=Tool("0", METHOD_VERSION - 1)), "--name", "old", "--force")
    capsys.readouterr()
    assert baseline("list") == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert f"{OTHER_ID}: Other CPU" in out
    assert f"{METHOD_VERSION - 1} (old)" in out
    assert out.count("2026-01-02 03:04") == 3


def test_list_marks_a_commit_with_changed_files(capsys: pytest.CaptureFixture[str]) -> None:
    baseline("save", store("a.json", kernelbench=Tool("0", METHOD_VERSION, "0123456789abcdef", True)))
    capsys.readouterr()
    assert baseline("list") == 0
    assert " 0123456+ " in capsys.readouterr().out


def test_list_says_how_to_make_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert baseline("list") == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "`kernelbench baseline save RESULT` keeps one" in err


def test_list_tells_a_damaged_one_beside_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    baseline("save", store("a.json"))
    (KEPT / "bad.json").write_text('{"schema_version": 99, "kind": "baseline"}')
    capsys.readouterr()
    assert baseline("list") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "main" in out
    assert f"cannot be read: {KEPT / 'bad.json'}: written by a newer kernelbench" in out


def test_list_spells_out_what_would_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = machine(model="\x1b[31mCPU\u202e")
    store("a.json", machines={MACHINE_ID: evil}, kernelbench=Tool("0", METHOD_VERSION, "\x1b[2Jabc"))
    baseline("save", "a.json")
    assert baseline("list") == 0
    assert baseline("show", "main") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_json_is_a_list_with_every_fact(capsys: pytest.CaptureFixture[str]) -> None:
    baseline("save", store("a.json"))
    (KEPT / "bad.json").write_text("{")
    capsys.readouterr()
    assert baseline("list", "--json") == 0
    bad, good = json.loads(capsys.readouterr().out)
    assert (good["name"], good["machine"], good["cells"], good["commit"]) == ("main", MACHINE_ID, 1, "abc1234")
    assert "cut off" in bad["fault"]


def test_json_of_no_baselines_is_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert baseline("list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_show_prints_what_report_prints_of_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    baseline("save", store("a.json"))
    with pytest.raises(SystemExit):
        main(["report", "a.json"])
    kept, _, report = capsys.readouterr().out.partition("\n")
    assert kept.startswith("kept")
    assert baseline("show", "main") == 0
    head, _, rest = capsys.readouterr().out.partition("\n\n")
    assert head.startswith(f"baseline 'main' of machine {MACHINE_ID}, measured 2026-01-02T03:04:05Z")
    assert rest == report


def test_show_and_rm_of_another_machines_baseline_need_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    baseline("save", stored_elsewhere("a.json"))
    for words in (("show", "main"), ("rm", "main")):
        assert baseline(*words) == 6
        assert f"it has none; other machines have main ({OTHER_ID})" in capsys.readouterr().err
    assert baseline("show", "main", "--machine", OTHER_ID) == 0
    assert baseline("rm", "main", "--machine", OTHER_ID) == 0
    assert list(Path("results").rglob("*.json")) == []


def test_rm_removes_the_baseline_and_not_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    source = store("a.json")
    baseline("save", source)
    capsys.readouterr()
    assert baseline("rm", "main") == 0
    assert capsys.readouterr().out == f"removed {KEPT / 'main.json'}\n"
    assert Path(source).exists()
    assert baseline("rm", "main") == 6


def test_show_of_a_damaged_one_is_one_line_and_2(capsys: pytest.CaptureFixture[str]) -> None:
    baseline("save", store("a.json"))
    (KEPT / "main.json").write_text("{")
    capsys.readouterr()
    assert baseline("show", "main") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_another_folder_may_be_given(tmp_path: Path) -> None:
    assert baseline("save", store("a.json"), "--folder", "kept") == 0
    assert (tmp_path / "kept" / MACHINE_ID / "main.json").exists()
    assert baseline("show", "main", "--folder", "kept") == 0
    assert baseline("show", "main") == 6


def test_options_are_environment_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERNELBENCH_BASELINE_SAVE_NAME", "nightly")
    assert baseline("save", store("a.json")) == 0
    assert (KEPT / "nightly.json").exists()


def test_what_the_document_shows_works_as_shown() -> None:
    store("results/today.json")
    begin = "$ kernelbench baseline "
    shown = [line.removeprefix(begin) for line in DOCUMENT.read_text().splitlines() if line.startswith(begin)]
    assert len(shown) > 4
    for words in shown:
        assert baseline(*shlex.split(words, comments=True)) == 0, words
