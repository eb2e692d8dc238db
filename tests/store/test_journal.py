"""The journal: what was written is there, whenever the writer died."""

import errno
import os
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from kernelbench.errors import ResultFileError, StoreError, UsageError
from kernelbench.store.journal import CaseDead, CeilingsDone, Event, Finished, Journal, Resumed, read
from tests import builders
from tests.store.builders import CASES, done, header

EVENTS: tuple[Event, ...] = (
    CeilingsDone(0, 1, "native", builders.ceilings()[:2]),
    done(0, 0),
    CaseDead(0, CASES[1].id, "verify", "line one\nline two \u2028 end"),
    Resumed("2026-01-02T04:00:00Z", 12.5),
    Finished(interrupted=False),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.journal"


def write(path: Path, events: tuple[Event, ...] = EVENTS) -> bytes:
    with Journal.create(path, header()) as journal:
        for event in events:
            journal.append(event)
    return path.read_bytes()


def test_every_kind_of_event_is_read_back(path: Path) -> None:
    write(path)
    assert read(path) == (header(), EVENTS)


def test_each_event_is_one_line_and_synced_before_append_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.create(path, header())
    synced: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(len(path.read_bytes()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    for event in EVENTS:
        journal.append(event)
        assert synced[-1] == len(path.read_bytes())
    journal.close()
    assert len(synced) == len(EVENTS)
    assert path.read_bytes().count(b"\n") == 1 + len(EVENTS)


def test_cut_at_any_byte_the_complete_lines_are_kept(path: Path) -> None:
    data = write(path)
    first = data.index(b"\n") + 1
    for length in range(first, len(data), 7):
        path.write_bytes(data[:length])
        assert read(path) == (header(), EVENTS[: data[:length].count(b"\n") - 1])


def test_cut_within_the_header_it_says_that_nothing_was_measured(path: Path) -> None:
    data = write(path)
    for length in (0, 1, data.index(b"\n")):
        path.write_bytes(data[:length])
        with pytest.raises(ResultFileError, match="nothing was measured"):
            read(path)


def test_a_torn_line_is_cut_off_before_going_on(path: Path) -> None:
    data = write(path, EVENTS[:2])
    path.write_bytes(data[:-3])
    journal, _, events = Journal.reopen(path)
    assert events == EVENTS[:1]
    journal.append(EVENTS[2])
    journal.close()
    assert read(path) == (header(), (EVENTS[0], EVENTS[2]))


def test_reopened_whole_it_is_extended(path: Path) -> None:
    write(path, EVENTS[:2])
    journal, found, events = Journal.reopen(path)
    assert (found, events) == (header(), EVENTS[:2])
    with journal:
        journal.append(EVENTS[2])
    assert read(path)[1] == EVENTS[:3]


def test_damage_in_a_complete_line_names_the_line(path: Path) -> None:
    lines = write(path).splitlines(keepends=True)
    lines[2] = lines[2][:20] + b"\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(ResultFileError, match="line 3 is damaged"):
        read(path)


@pytest.mark.parametrize("text", ["hello\n", "{}\n", "[1]\n", '{"type":"Finished","interrupted":true}\n', "\n\n"])
def test_a_foreign_file_is_refused(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(ResultFileError, match="not the journal of a kernelbench run"):
        read(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "gone.journal"):
        with pytest.raises(ResultFileError, match="cannot be read"):
            read(place)


def test_a_journal_of_another_schema_is_refused(path: Path) -> None:
    path.write_bytes(msgspec.json.encode(replace(header(), schema_version=99)) + b"\n")
    with pytest.raises(ResultFileError, match="schema 99"):
        read(path)


def test_an_unfinished_journal_is_never_overwritten(path: Path) -> None:
    data = write(path)
    with pytest.raises(UsageError, match="--resume"):
        Journal.create(path, header())
    assert path.read_bytes() == data


def test_a_full_disk_leaves_the_lines_before_intact_and_can_be_got_over(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.create(path, header())
    journal.append(EVENTS[0])
    real = os.write

    def half_then_full(descriptor: int, data: memoryview) -> int:
        if len(data) < 40:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data[: len(data) // 2])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half_then_full)
        with pytest.raises(StoreError, match="disk is full"):
            journal.append(EVENTS[1])
    assert read(path) == (header(), EVENTS[:1])
    journal.append(EVENTS[4])
    journal.close()
    assert read(path) == (header(), (EVENTS[0], EVENTS[4]))


def test_a_line_that_could_not_be_synced_leaves_nothing_behind_a_shorter_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Journal.create(path, header()) as journal:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(StoreError, match="disk is full"):
                journal.append(EVENTS[1])
        journal.append(EVENTS[4])
    assert read(path) == (header(), (EVENTS[4],))


def test_a_journal_that_cannot_be_begun_leaves_no_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreError, match="disk is full"):
        Journal.create(path, header())
    assert not path.exists()


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="gone"):
        Journal.create(tmp_path / "gone" / "run.journal", header())
