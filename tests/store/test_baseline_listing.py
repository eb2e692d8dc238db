"""The list of baselines, and letting them go."""

from pathlib import Path

import pytest
from msgspec import UNSET

from kernelbench.errors import MissingBaseline
from kernelbench.model import METHOD_VERSION, Skipped
from kernelbench.store.baselines import listing, remove, save
from tests.builders import MACHINE_ID, case, record, result
from tests.store.test_baselines import OTHER_ID, elsewhere


def test_the_list_holds_what_tells_baselines_apart(tmp_path: Path) -> None:
    save(elsewhere(), "main", tmp_path)
    path = save(result([record(), record(case("matmul/naive"), Skipped("slow"))]), "v1", tmp_path)
    one, two = listing(tmp_path)
    assert (one.name, one.machine, one.cpu) == ("v1", MACHINE_ID, "Example CPU 9000")
    assert (one.path, one.created, one.commit, one.dirty) == (str(path), "2026-01-02T03:04:05Z", "abc1234", False)
    assert (one.cells, one.method_version, one.fault) == (1, METHOD_VERSION, UNSET)
    assert (two.name, two.machine) == ("main", OTHER_ID)


def test_a_damaged_baseline_is_listed_with_its_fault_among_the_others(tmp_path: Path) -> None:
    save(result([record()]), "good", tmp_path)
    save(result([record()]), "bad", tmp_path).write_text("{")
    bad, good = listing(tmp_path)
    assert (bad.name, good.name, good.fault) == ("bad", "good", UNSET)
    assert isinstance(bad.fault, str)
    assert "is cut off" in bad.fault
    assert bad.cells is UNSET


def test_a_dangling_link_is_listed_with_its_fault(tmp_path: Path) -> None:
    (tmp_path / MACHINE_ID).mkdir()
    (tmp_path / MACHINE_ID / "main.json").symlink_to("nowhere.json")
    (entry,) = listing(tmp_path)
    assert entry.fault is not UNSET


def test_files_with_other_names_are_left_alone(tmp_path: Path) -> None:
    save(result([record()]), "main", tmp_path)
    for stray in (f"{MACHINE_ID}/.kernelbench-1-ab.tmp", f"{MACHINE_ID}/.x.json", f"{MACHINE_ID}/notes.txt", "a.json"):
        (tmp_path / stray).write_text("{}")
    assert [entry.name for entry in listing(tmp_path)] == ["main"]


def test_without_a_folder_there_are_no_baselines(tmp_path: Path) -> None:
    assert listing(tmp_path / "none") == ()


def test_a_removed_baseline_is_gone_and_the_others_stay(tmp_path: Path) -> None:
    for name in ("main", "v1"):
        save(result([record()]), name, tmp_path)
    assert remove("main", MACHINE_ID, tmp_path) == tmp_path / MACHINE_ID / "main.json"
    assert [entry.name for entry in listing(tmp_path)] == ["v1"]
    with pytest.raises(MissingBaseline):
        remove("main", MACHINE_ID, tmp_path)


def test_a_damaged_baseline_can_be_removed(tmp_path: Path) -> None:
    save(result([record()]), "main", tmp_path).write_text("{")
    remove("main", MACHINE_ID, tmp_path)
    assert listing(tmp_path) == ()
