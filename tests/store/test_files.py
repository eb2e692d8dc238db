"""Result files: what is read is checked, what is written is whole."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kernelbench.errors import ResultFileError, StoreError, UsageError
from kernelbench.model import Measured, Probe, Round
from kernelbench.store.files import default_output, ensure_writable, read_result, write_result, write_text_atomic
from tests import builders

SAMPLE = builders.sample()


def no_space(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "r.json"


def refusal(path: Path) -> str:
    with pytest.raises(ResultFileError) as caught:
        read_result(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def edited(path: Path, *keys: str | int, value: Any) -> str:
    """The refusal of a good file in which one value was replaced."""
    write_result(path, SAMPLE)
    data = json.loads(path.read_text())
    place = data
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    path.write_text(json.dumps(data))
    return refusal(path)


def test_a_result_is_read_back_as_written(path: Path) -> None:
    write_result(path, SAMPLE)
    assert read_result(path) == SAMPLE


def test_the_file_is_indented_with_a_line_for_each_record_and_ends_with_a_newline(path: Path) -> None:
    write_result(path, SAMPLE)
    lines = path.read_text().splitlines()
    assert lines[1] == '"schema_version": 1,'
    first = lines.index('"records": [') + 1
    assert [json.loads(line.rstrip(","))["case"]["id"] for line in lines[first : first + len(SAMPLE.records)]] == [
        record.case.id for record in SAMPLE.records
    ]
    assert path.read_bytes().endswith(b"}\n")


def test_fields_of_a_later_minor_version_are_ignored(path: Path) -> None:
    write_result(path, SAMPLE)
    data = json.loads(path.read_text())
    data["weather"] = data["records"][0]["mood"] = {"sunny": [1, 2]}
    path.write_text(json.dumps(data))
    assert read_result(path) == SAMPLE


def test_a_missing_file_a_folder_and_a_device_are_named(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "gone.json")
    assert "is a folder" in refusal(tmp_path)
    assert "is a device" in refusal(Path("/dev/zero"))


def test_an_unreadable_file_is_named_with_the_reason(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_result(path, SAMPLE)

    def denied(_: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert "cannot be read (Permission denied)" in refusal(path)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"hello", "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"PK\x03\x04", "is not JSON"),
        (b'{"schema_version": 1, "ki', "is cut off"),
        (b'{"schema_version": 1,, }', "is damaged"),
        (b'{"schema_version": 1, "kind": "run"} x', "is damaged"),
        (b"[]", "not a kernelbench result"),
        (b"3", "not a kernelbench result"),
        (b"null", "not a kernelbench result"),
        (b"{}", "has no 'schema_version'"),
        (b'{"schema_version": 1}', "has no 'kind'"),
        (b'{"schema_version": "1.0", "kind": "run"}', "not a kernelbench result"),
        (b'{"schema_version": 2, "kind": "run"}', "upgrade kernelbench"),
        (b'{"schema_version": 0, "kind": "run"}', "does not exist"),
        (b'{"schema_version": 1, "kind": "walk"}', "kind 'walk' is unknown; accepted: run, ab"),
        (b'{"schema_version": 1, "kind": "run"}', "missing required field"),
        (b'{"a": ' * 5000, "not a kernelbench result"),
    ],
)
def test_foreign_and_damaged_files_are_told_apart(path: Path, data: bytes, fault: str) -> None:
    path.write_bytes(data)
    assert fault in refusal(path)


def test_a_wrong_type_is_named_with_its_place(path: Path) -> None:
    message = edited(path, "records", 0, "case", "threads", value="two")
    assert "expected int, got str at records[0].case.threads".lower() in message.lower()


SAMPLES = ("records", 0, "outcome", "rounds", 0, "samples_s")


@pytest.mark.parametrize(
    ("keys", "value", "fault"),
    [
        (SAMPLES, [1e-3, -1e-3], "sample -0.001 s, not above 0, in round 0 in records[0]"),
        (SAMPLES, [0.0], "sample 0 s"),
        (SAMPLES, [], "no samples in round 0"),
        (SAMPLES, [None], "samples_s"),
        (SAMPLES, [float("nan")], "is damaged"),
        (SAMPLES, [float("inf")], "is damaged"),
        (("records", 0, "outcome", "rounds"), [], "no rounds"),
        (("records", 0, "outcome", "rounds", 0, "calls_per_sample"), 0, "calls_per_sample is 0"),
        (("records", 0, "outcome", "kind"), "guessed", "guessed"),
        (("records", 0, "machine"), "elsewhere", "machine 'elsewhere' is not among the machines"),
        (("records", 0, "case", "threads"), 0, "threads is 0"),
        (("records", 0, "work", "flop"), -1, "work.flop is -1"),
        (("ceilings", 0, "value"), 0, "value 0, not above 0 in ceilings[0]"),
        (("ceilings", 0, "probes"), [{"at_s": 1, "value": -5}], "value -5"),
        (("ceilings", 9, "working_set_bytes"), 0, "working_set_bytes is 0"),
    ],
)
def test_an_impossible_value_is_named_with_its_place(path: Path, keys: tuple[Any, ...], value: Any, fault: str) -> None:
    assert fault in edited(path, *keys, value=value)


def test_a_ceiling_needs_a_value_or_a_reason(path: Path) -> None:
    assert "neither a value nor a reason" in edited(
        path, "ceilings", 0, value={"id": "x", "kind": "compute", "machine": "m", "threads": 1, "unit": "FLOP/s"}
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_a_result_with_an_impossible_number_is_not_written(path: Path, value: float) -> None:
    path.write_text("earlier")
    record = SAMPLE.records[0]
    bad = replace(record, outcome=Measured("compiled loop", False, (Round(0, 0.0, (value,), 1, 0),)))
    with pytest.raises(StoreError, match="not valid"):
        write_result(path, replace(SAMPLE, records=(bad,)))
    broken = replace(SAMPLE.ceilings[0], probes=(Probe(0.0, value),))
    with pytest.raises(StoreError, match="not valid"):
        write_result(path, replace(SAMPLE, ceilings=(broken,)))
    assert path.read_text() == "earlier"


@pytest.mark.parametrize("broken", ["write", "fsync", "replace", "open"])
def test_when_the_disk_is_full_the_earlier_file_stays_and_no_rest_is_left(
    path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    path.write_text("earlier")
    monkeypatch.setattr(os, broken, no_space)
    with pytest.raises(StoreError, match=r"r\.json was not written: the disk is full .* free some space"):
        write_result(path, SAMPLE)
    monkeypatch.undo()
    assert path.read_text() == "earlier"
    assert os.listdir(path.parent) == ["r.json"]


def test_a_write_that_takes_only_a_part_is_continued(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:100]))
    write_text_atomic(path, "x" * 1000)
    assert path.read_text() == "x" * 1000


def test_the_file_is_synced_before_and_its_folder_after_the_rename(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    sync, replace_file = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        steps.append("sync")
        sync(descriptor)

    def rename(old: Path, new: Path) -> None:
        steps.append("rename")
        replace_file(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", rename)
    write_text_atomic(path, "text")
    assert steps == ["sync", "rename", "sync"]


def test_writing_through_a_link_replaces_its_target(path: Path, tmp_path: Path) -> None:
    (tmp_path / "target.json").write_text("old")
    path.symlink_to("target.json")
    write_text_atomic(path, "new")
    assert path.is_symlink()
    assert (tmp_path / "target.json").read_text() == "new"


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_text_atomic(Path("/dev/null"), "text")
    assert Path("/dev/null").is_char_device()


def test_a_missing_folder_and_a_folder_as_target_are_store_errors(tmp_path: Path) -> None:
    for target in (tmp_path / "gone" / "r.json", tmp_path):
        with pytest.raises(StoreError, match="was not written"):
            write_text_atomic(target, "text")


def test_a_new_file_has_the_usual_permissions(path: Path) -> None:
    previous = os.umask(0o022)
    try:
        write_text_atomic(path, "text")
    finally:
        os.umask(previous)
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_results_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    ensure_writable(tmp_path / "a" / "b")
    assert os.listdir(tmp_path / "a" / "b") == []


def test_a_read_only_results_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(UsageError, match=r"cannot be written to \(Read-only file system\).*--output"):
        ensure_writable(tmp_path)


def test_a_results_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written to"):
        ensure_writable(tmp_path / "file" / "results")


def test_default_names_sort_by_time_and_never_repeat(tmp_path: Path) -> None:
    first = default_output(tmp_path, "2026-11-23T04:31:00.5+00:00", "abc")
    assert first == tmp_path / "20261123-043100-abc.json"
    assert default_output(tmp_path, "2026-11-23T04:31:01Z", "abc").name > first.name
    first.write_text("")
    second = default_output(tmp_path, "2026-11-23T04:31:00Z", "abc")
    assert second.name == "20261123-043100-abc-2.json"
    second.with_suffix(".journal").write_text("")
    assert default_output(tmp_path, "2026-11-23T04:31:00Z", "abc").name == "20261123-043100-abc-3.json"
