"""The floors of a host: kept whole or not at all, merged by cell, never trusted blindly."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.errors import StoreError
from kernelbench.model import METHOD_VERSION
from kernelbench.store import floors
from tests.builders import MACHINE_ID

MADE = "2026-01-02T03:04:05+00:00"
NOW = datetime(2026, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def keep(created: str = MADE, **shares: float) -> Path:
    """Keep floors measured in twelve rounds."""
    return floors.keep(MACHINE_ID, shares, dict.fromkeys(shares, 12), created, "ci")


def test_what_is_kept_is_found_again() -> None:
    keep(a=0.02, b=0.07)
    found = floors.load(MACHINE_ID)
    assert found.floors.shares() == {"a": 0.02, "b": 0.07}
    assert found.floors.floors["a"] == floors.Floor(0.02, 12, MADE, "ci")
    assert not found.fault


def test_calibrating_some_cells_leaves_the_floors_of_the_others() -> None:
    keep(a=0.02, b=0.07)
    keep("2026-02-02T03:04:05+00:00", b=0.03)
    assert floors.load(MACHINE_ID).floors.shares() == {"a": 0.02, "b": 0.03}


def test_another_machine_has_floors_of_its_own() -> None:
    keep(a=0.02)
    assert floors.load("ba9876543210") == floors.Loaded(floors.Floors("ba9876543210", METHOD_VERSION))


def test_another_way_of_measuring_has_floors_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    keep(a=0.02)
    monkeypatch.setattr(floors, "METHOD_VERSION", METHOD_VERSION + 1)
    assert not floors.load(MACHINE_ID).floors.floors


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"machine": "0123456789ab", "method_version": "x"}',
        "\x00",
        '{"machine": "ffffffffffff", "method_version": 2}',
    ],
)
def test_a_damaged_file_gives_no_floors_and_one_clear_line(text: str) -> None:
    keep(a=0.02).write_text(text)
    found = floors.load(MACHINE_ID)
    assert not found.floors.floors
    assert "this host's floors are not used" in found.fault
    assert "kernelbench calibrate" in found.fault
    assert "\n" not in found.fault


@pytest.mark.parametrize(("field", "value"), [("share", -0.1), ("share", 1e400), ("created", "yesterday")])
def test_a_floor_that_cannot_be_is_not_used(field: str, value: object) -> None:
    path = keep(a=0.02)
    data = json.loads(path.read_text())
    data["floors"]["a"][field] = value
    path.write_text(json.dumps(data))
    assert floors.load(MACHINE_ID).fault


@given(st.binary(max_size=200))
def test_no_bytes_at_all_make_it_raise(data: bytes) -> None:
    path = floors.path_of(MACHINE_ID)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    assert not floors.load(MACHINE_ID).floors.floors


def test_a_damaged_file_is_replaced_by_the_next_calibration() -> None:
    keep(a=0.02).write_text("{")
    keep(b=0.03)
    assert floors.load(MACHINE_ID).floors.shares() == {"b": 0.03}


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(StoreError, match="was not written"):
        keep(a=0.02)


def test_fresh_floors_need_no_note() -> None:
    keep(a=0.02)
    assert floors.notes(floors.load(MACHINE_ID), {"a"}, NOW) == ()


def test_old_floors_are_used_with_a_note() -> None:
    keep("2025-10-01T00:00:00", a=0.02, b=0.02)
    (note,) = floors.notes(floors.load(MACHINE_ID), {"a", "b"}, NOW)
    assert "2 floors of this host are up to 103 days old" in note


def test_old_floors_that_decided_nothing_are_not_mentioned() -> None:
    keep("2025-10-01T00:00:00", a=0.02)
    assert floors.notes(floors.load(MACHINE_ID), set(), NOW) == ()


def test_a_file_that_cannot_be_used_is_noted() -> None:
    keep(a=0.02).write_text("{")
    (note,) = floors.notes(floors.load(MACHINE_ID), set(), NOW)
    assert "not used" in note
