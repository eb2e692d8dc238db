"""Whatever is in a file, reading it gives a Result or one clear line."""

import string
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernelbench.errors import ResultFileError
from kernelbench.model import (
    Accuracy,
    Case,
    Ceiling,
    Failed,
    Interference,
    Measured,
    Probe,
    Record,
    Result,
    Round,
    Skipped,
    Work,
)
from kernelbench.store.files import read_result, write_result
from tests import builders

DATA = msgspec.json.encode(builders.sample())
few = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_either(path: Path) -> None:
    try:
        outcome: object = read_result(path)
    except ResultFileError as error:
        outcome = error
    assert isinstance(outcome, Result) or "\n" not in str(outcome)


@few
@given(cut=st.integers(0, len(DATA) - 1))
def test_a_truncated_file_is_always_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(DATA[:cut])
    with pytest.raises(ResultFileError):
        read_result(path)


@few
@given(at=st.integers(0, len(DATA) - 1), piece=st.binary(max_size=8), gone=st.integers(0, 8))
def test_a_file_with_changed_bytes_gives_a_result_or_a_clear_line(
    tmp_path: Path, at: int, piece: bytes, gone: int
) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(DATA[:at] + piece + DATA[at + gone :])
    read_either(path)


def paths_in(value: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [prefix, *(path for key, item in items for path in paths_in(item, (*prefix, key)))]


TREE = msgspec.json.decode(msgspec.json.encode(builders.result((builders.sample().records[0],))))
PATHS = [path for path in paths_in(TREE) if path]
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["kind", "a"]), inner, max_size=2),
    max_leaves=4,
)


@few
@given(path_in=st.sampled_from(PATHS), value=anything)
def test_a_file_with_any_value_replaced_gives_a_result_or_a_clear_line(
    tmp_path: Path, path_in: tuple[Any, ...], value: Any
) -> None:
    tree = msgspec.json.decode(msgspec.json.encode(TREE))
    place = tree
    for key in path_in[:-1]:
        place = place[key]
    place[path_in[-1]] = value
    path = tmp_path / "r.json"
    try:
        path.write_bytes(msgspec.json.encode(tree))
    except OverflowError:
        return
    read_either(path)


@pytest.mark.parametrize(
    "text",
    [
        b'{"schema_version":1,"kind":"run","x":' + b"[" * 200_000,
        b'{"schema_version":1,"kind":"run","config":' + b'{"a":' * 200_000,
        b'{"schema_version":1,"kind":"run","created":"\xff\xfe"}',
        b'{"schema_version":1,"kind":"\\ud800"}',
        b'{"schema_version":' + b"9" * 5000 + b',"kind":"run"}',
        b'{"schema_version":1e999,"kind":"run"}',
        b'\xef\xbb\xbf{"schema_version":1,"kind":"run"}',
    ],
)
def test_hostile_files_are_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(text)
    with pytest.raises(ResultFileError):
        read_result(path)


positive = st.floats(1e-12, 1e12)
words = st.text(string.printable, max_size=6)
several = st.lists(positive, max_size=3).map(tuple)
interferences = st.builds(
    Interference,
    involuntary_switches=st.lists(st.integers(0, 99), max_size=3).map(tuple),
    page_faults=st.lists(st.integers(0, 10**6), max_size=3).map(tuple),
    clock_hz=several,
    adds_per_cycle=several,
    disturbed=st.lists(st.booleans(), max_size=3).map(tuple),
    quiet_share=st.just(msgspec.UNSET) | st.floats(0, 1),
    steal_s=st.just(msgspec.UNSET) | positive,
    throttled_s=st.just(msgspec.UNSET) | positive,
)
rounds = st.builds(
    Round,
    index=st.integers(0, 20),
    start_s=st.floats(0, 1e6),
    samples_s=st.lists(positive, min_size=1, max_size=3).map(tuple),
    calls_per_sample=st.integers(1, 10**9),
    worker=st.integers(0, 99),
    clock_hz=st.just(msgspec.UNSET) | positive,
    interference=interferences,
    superseded=st.booleans(),
)
outcomes = (
    st.builds(Measured, words, st.booleans(), st.lists(rounds, min_size=1, max_size=2).map(tuple))
    | st.builds(Skipped, words)
    | st.builds(Failed, words, words)
)
cases = st.builds(
    Case, words, words, words, words, st.just("f32"), st.dictionaries(words, st.integers(1, 99), max_size=2),
    st.integers(1, 99), params=st.dictionaries(words, st.integers(-5, 5) | words, max_size=2), tuned=st.booleans(),
)  # fmt: skip
records = st.builds(
    Record, cases, st.just(builders.MACHINE_ID), outcomes,
    work=st.builds(Work, words, flop=st.just(msgspec.UNSET) | positive),
    accuracy=st.just(msgspec.UNSET) | st.builds(Accuracy, words, st.floats(0, 1), words, positive),
    flags=st.lists(words, max_size=2).map(tuple),
)  # fmt: skip
probes = st.builds(Probe, st.floats(0, 1e6), positive)
ceilings = st.builds(
    Ceiling, words, words, words, st.integers(1, 99), words, value=positive,
    level=st.just(msgspec.UNSET) | words, probes=st.lists(probes, max_size=2).map(tuple),
)  # fmt: skip


@few
@given(records=st.lists(records, max_size=2), ceilings=st.lists(ceilings, max_size=2), interrupted=st.booleans())
def test_any_result_is_read_back_as_written(
    tmp_path: Path, records: list[Record], ceilings: list[Ceiling], interrupted: bool
) -> None:
    result = builders.result(records, ceilings=tuple(ceilings), interrupted=interrupted)
    write_result(tmp_path / "r.json", result)
    assert read_result(tmp_path / "r.json") == result
