"""Results kept by name, apart for each machine."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kernelbench.errors import MissingBaseline, ResultFileError, StoreError, UsageError
from kernelbench.model import METHOD_VERSION, Failed, Result, Skipped, Tool
from kernelbench.store.baselines import check_name, doubts, listing, load, save
from kernelbench.store.files import read_result, write_result
from tests.builders import MACHINE_ID, case, machine, record, result

OTHER_ID = "ffffffffffff"


def elsewhere() -> Result:
    """A result of another machine."""
    other = machine(OTHER_ID, "Other CPU")
    return result([record(machine=OTHER_ID)], machines={OTHER_ID: other}, ceilings=())


def test_a_baseline_is_the_result_as_it_was_measured_but_for_its_kind(tmp_path: Path) -> None:
    made = result([record()])
    path = save(made, "main", tmp_path)
    assert path == tmp_path / MACHINE_ID / "main.json"
    assert load("main", MACHINE_ID, tmp_path) == replace(made, kind="baseline")
    assert (load("main", MACHINE_ID, tmp_path).created, made.kernelbench.commit) == (made.created, "abc1234")


def test_an_earlier_baseline_is_replaced_only_when_forced(tmp_path: Path) -> None:
    first, second = result([record(outcome=[1e-3] * 6)]), result([record(outcome=[2e-3] * 6)])
    save(first, "main", tmp_path)
    with pytest.raises(UsageError, match=r"main\.json is there already; --force keeps it"):
        save(second, "main", tmp_path)
    assert load("main", MACHINE_ID, tmp_path).records == first.records
    save(second, "main", tmp_path, force=True)
    assert load("main", MACHINE_ID, tmp_path).records == second.records


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (result([record()], interrupted=True), "the run was interrupted"),
        (
            result([record(), record(case("matmul/naive"), Failed("verify", "wrong"))]),
            r"1 of 2 cases failed \('matmul/naive/f32/n=512/t=1'\)",
        ),
        (result([record()], kernelbench=Tool("0.0.1", METHOD_VERSION - 1)), f"by method {METHOD_VERSION - 1}"),
    ],
)
def test_a_doubtful_result_is_kept_only_when_forced(tmp_path: Path, made: Result, why: str) -> None:
    with pytest.raises(UsageError, match=f"{why}.*--force"):
        save(made, "main", tmp_path)
    assert listing(tmp_path) == ()
    save(made, "main", tmp_path, force=True)
    assert load("main", MACHINE_ID, tmp_path).records == made.records


def test_all_doubts_are_told_at_once(tmp_path: Path) -> None:
    save(result([record()]), "main", tmp_path)
    bad = result([record(), record(case("matmul/naive"), Failed("verify", "wrong"))], interrupted=True)
    assert len(doubts(bad, "main", tmp_path)) == 3


def test_of_many_failed_cases_the_message_names_a_few(tmp_path: Path) -> None:
    failed = [record(case(shape={"m": n, "n": n, "k": n}), Failed("verify", "wrong")) for n in range(1, 9)]
    (doubt,) = doubts(result([record(), *failed]), "main", tmp_path)
    assert doubt.startswith("8 of 9 cases failed")
    assert doubt.endswith("and 3 more)")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (result([record(outcome=Skipped("no memory"))]), "nothing was measured"),
        (result([record()], machines={}), "of one machine, this result of 0"),
        (result([record()], machines={MACHINE_ID: machine(), OTHER_ID: machine(OTHER_ID)}), "this result of 2"),
        (replace(result([record()]), kind="calibration"), "kind 'calibration'"),
        (result([record(machine="../..")], machines={"../..": machine("../..")}), "no machine id"),
    ],
)
def test_what_no_comparison_could_use_is_refused_even_when_forced(tmp_path: Path, made: Result, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        save(made, "main", tmp_path / "baselines", force=True)
    assert list(tmp_path.rglob("*.json")) == []


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "-x", "a/b", "../a", "a\\b", "a b", "a\n", "é", "a" * 101])
def test_a_name_that_could_not_be_a_files_is_refused(tmp_path: Path, name: str) -> None:
    for call in (lambda: save(result([record()]), name, tmp_path), lambda: load(name, MACHINE_ID, tmp_path)):
        with pytest.raises(UsageError, match="cannot be a baseline's name; give up to 100 letters"):
            call()


@given(st.text(max_size=12))
def test_no_accepted_name_leads_out_of_its_folder(name: str) -> None:
    try:
        check_name(name)
    except UsageError:
        return
    path = Path("b") / f"{name}.json"
    assert path.parent == Path("b")
    assert not path.name.startswith((".", "-"))
    assert name.isascii()
    assert name.isprintable()


@pytest.mark.parametrize("name", ["main", "v1.2", "release_2026-11", "0", "_x", "a" * 100])
def test_customary_names_are_taken(tmp_path: Path, name: str) -> None:
    save(result([record()]), name, tmp_path)
    assert load(name, MACHINE_ID, tmp_path).kind == "baseline"


def test_the_same_name_is_another_baseline_on_another_machine(tmp_path: Path) -> None:
    save(result([record()]), "main", tmp_path)
    save(elsewhere(), "main", tmp_path)
    assert [list(load("main", id_, tmp_path).machines) for id_ in (MACHINE_ID, OTHER_ID)] == [[MACHINE_ID], [OTHER_ID]]


def test_a_missing_baseline_says_how_to_make_the_first_one(tmp_path: Path) -> None:
    with pytest.raises(MissingBaseline, match=r"no baseline 'main' for machine .*there are none.*baseline save RESULT"):
        load("main", MACHINE_ID, tmp_path / "never made")
    assert MissingBaseline.exit_code == 6


def test_a_missing_baseline_says_which_there_are_here_and_elsewhere(tmp_path: Path) -> None:
    for name in ("main", "v1"):
        save(result([record()]), name, tmp_path)
    save(elsewhere(), "mian", tmp_path)
    with pytest.raises(MissingBaseline, match=rf"it has main, v1; other machines have mian \({OTHER_ID}\)"):
        load("mian", MACHINE_ID, tmp_path)


def test_a_machine_without_baselines_says_so(tmp_path: Path) -> None:
    save(elsewhere(), "main", tmp_path)
    with pytest.raises(MissingBaseline, match=rf"it has none; other machines have main \({OTHER_ID}\)"):
        load("main", MACHINE_ID, tmp_path)


def test_a_machine_id_from_elsewhere_leads_nowhere(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no machine id"):
        load("main", "../secrets", tmp_path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b'{"schema_version": 1, "kind": "base', "cut off"),
        (b'{"schema_version": 0, "kind": "baseline"}', "schema_version 0 does not exist"),
        (b'{"schema_version": 99, "kind": "baseline"}', "newer kernelbench"),
        (b"\x00\xff", "not JSON"),
        (b"[]", "not a kernelbench result"),
    ],
)
def test_a_damaged_file_is_one_clear_line(tmp_path: Path, content: bytes, why: str) -> None:
    path = save(result([record()]), "main", tmp_path)
    path.write_bytes(content)
    with pytest.raises(ResultFileError, match=why) as caught:
        load("main", MACHINE_ID, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_result_that_was_copied_there_is_no_baseline(tmp_path: Path) -> None:
    path = save(result([record()]), "main", tmp_path)
    write_result(path, result([record()]))
    with pytest.raises(ResultFileError, match="holds a run, no baseline; `kernelbench baseline save` keeps one"):
        load("main", MACHINE_ID, tmp_path)


def test_a_baseline_that_was_moved_to_another_machines_folder_is_not_taken_for_its(tmp_path: Path) -> None:
    path = save(elsewhere(), "main", tmp_path)
    (tmp_path / MACHINE_ID).mkdir()
    path.rename(tmp_path / MACHINE_ID / "main.json")
    with pytest.raises(ResultFileError, match=f"was measured on machine '{OTHER_ID}', not on {MACHINE_ID}"):
        load("main", MACHINE_ID, tmp_path)


def test_an_old_method_can_be_loaded_for_a_comparison_to_judge(tmp_path: Path) -> None:
    old = result([record()], kernelbench=Tool("0.0.1", METHOD_VERSION - 1))
    save(old, "main", tmp_path, force=True)
    assert load("main", MACHINE_ID, tmp_path).kernelbench.method_version == METHOD_VERSION - 1


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "baselines").write_text("a file, not a folder")
    with pytest.raises(UsageError, match="baseline 'main' was not kept"):
        save(result([record()]), "main", tmp_path / "baselines")


def test_a_full_disk_leaves_the_earlier_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = result([record()])
    path = save(first, "main", tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreError, match="the disk is full"):
        save(result([record(outcome=[2e-3] * 6)]), "main", tmp_path, force=True)
    assert read_result(path).records == first.records
    assert len(list(path.parent.iterdir())) == 1


def test_a_baseline_can_be_kept_under_a_second_name(tmp_path: Path) -> None:
    save(result([record()]), "main", tmp_path)
    save(load("main", MACHINE_ID, tmp_path), "v1", tmp_path)
    assert [entry.name for entry in listing(tmp_path)] == ["main", "v1"]
