"""Machine cards in the cache folder."""

import stat
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from kernelbench.model import METHOD_VERSION, SCHEMA_VERSION
from kernelbench.store.card import Card, forget, load, path_of, save
from tests.builders import MACHINE_ID
from tests.report.card_data import card

CREATED = "2026-01-02T03:04:05+00:00"
HASH = "abc123"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "kernelbench" / "ceilings"


def test_a_saved_card_comes_back_whole(folder: Path) -> None:
    assert save(card()) == folder / f"{MACHINE_ID}.json"
    assert load(MACHINE_ID, HASH, CREATED) == card()


def test_a_card_of_another_machine_is_another_file() -> None:
    save(card())
    assert load("ba9876543210", HASH, CREATED) == "no card"


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ("2026-01-09T03:04:06+00:00", "7 days old"),
        ("2026-01-10T09:04:05+00:00", "8 days old"),
        ("2026-01-02T03:04:04+00:00", f"dated {CREATED}, which is later than now"),
    ],
)
def test_a_card_too_old_or_from_the_future_is_not_used(now: str, reason: str) -> None:
    save(card())
    assert load(MACHINE_ID, HASH, now) == reason


def test_a_card_exactly_as_old_as_allowed_is_used() -> None:
    save(card())
    assert isinstance(load(MACHINE_ID, HASH, "2026-01-09T03:04:05+00:00"), Card)
    assert load(MACHINE_ID, HASH, "2026-01-02T06:04:05+00:00", max_age_s=7200) == "3 hours old"


def test_a_card_by_other_code_or_another_method_is_not_used() -> None:
    save(card())
    assert load(MACHINE_ID, "def456", CREATED) == "measured by other code"
    save(card(method_version=METHOD_VERSION + 1))
    assert load(MACHINE_ID, HASH, CREATED) == (
        f"measured by method {METHOD_VERSION + 1}, this kernelbench uses {METHOD_VERSION}"
    )


def test_a_card_of_another_schema_is_refused_before_its_fields_are_looked_at(folder: Path) -> None:
    save(card())
    later = msgspec.json.decode(path_of(MACHINE_ID).read_bytes())
    later |= {"schema_version": SCHEMA_VERSION + 1, "ceilings": "in another form"}
    path_of(MACHINE_ID).write_bytes(msgspec.json.encode(later))
    assert load(MACHINE_ID, HASH, CREATED) == f"schema {SCHEMA_VERSION + 1}, this kernelbench reads {SCHEMA_VERSION}"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"schema_version": "1"}', b"[" * 100_000])
def test_a_damaged_card_is_a_reason(folder: Path, content: bytes) -> None:
    save(card())
    path_of(MACHINE_ID).write_bytes(content)
    assert str(load(MACHINE_ID, HASH, CREATED)).startswith("the card is damaged: ")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_card_cut_off_is_a_reason(folder: Path, share: float) -> None:
    save(card())
    whole = path_of(MACHINE_ID).read_bytes()
    path_of(MACHINE_ID).write_bytes(whole[: int(share * len(whole))])
    assert str(load(MACHINE_ID, HASH, CREATED)).startswith("the card is damaged: ")


@pytest.mark.parametrize("created", ["yesterday", "2026-01-02T03:04:05"])
def test_a_time_that_cannot_be_compared_is_a_reason(created: str) -> None:
    save(card(created=created))
    assert "the card is damaged: created" in str(load(MACHINE_ID, HASH, CREATED))


@pytest.mark.parametrize(
    "change", [{"value": 0.0}, {"value": -1.0}, {"threads": 0}, {"machine": "ba9876543210"}, {"skipped": "and a value"}]
)
def test_a_ceiling_that_cannot_be_is_damage(change: dict[str, object]) -> None:
    first = card().ceilings[0]
    save(card(ceilings=(replace(first, **change),)))
    assert str(load(MACHINE_ID, HASH, CREATED)).startswith(f"the card is damaged: {first.id}")


def test_a_card_copied_from_another_machine_is_damage(folder: Path) -> None:
    save(card())
    path_of("ba9876543210").write_bytes(path_of(MACHINE_ID).read_bytes())
    assert "it is of machine '0123456789ab'" in str(load("ba9876543210", HASH, CREATED))


def test_a_folder_that_cannot_be_made_is_a_reason_and_no_error(folder: Path) -> None:
    folder.parent.write_text("a file where the folder would be")
    assert str(save(card())).startswith(f"{folder} cannot be made: ")


def test_a_card_that_cannot_be_written_is_a_reason_and_no_error(folder: Path) -> None:
    path_of(MACHINE_ID).mkdir(parents=True)
    assert "was not written" in str(save(card()))
    assert stat.S_ISDIR(path_of(MACHINE_ID).stat().st_mode)


def test_a_forgotten_card_is_no_card() -> None:
    save(card())
    assert forget(MACHINE_ID) == ""
    assert load(MACHINE_ID, HASH, CREATED) == "no card"
    assert forget(MACHINE_ID) == ""
