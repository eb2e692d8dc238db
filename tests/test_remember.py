"""The cache of slow answers: used only when its key matches, never fatal."""

from pathlib import Path

import pytest

from kernelbench.model import Unknown
from kernelbench.remember import cache_folder, remembered


@pytest.fixture(autouse=True)
def cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


class Source:
    """Something slow that counts how often it is asked."""

    def __init__(self, answer: int | Unknown = 7) -> None:
        self.answer = answer
        self.asked = 0

    def __call__(self) -> int | Unknown:
        self.asked += 1
        return self.answer


def files(home: Path) -> list[Path]:
    return sorted((home / "kernelbench").iterdir())


def test_the_second_question_is_answered_from_the_cache() -> None:
    source = Source()
    assert [remembered("topic", {"cpu": "a"}, int, source) for _ in range(3)] == [7, 7, 7]
    assert source.asked == 1


def test_another_key_is_asked_anew() -> None:
    source = Source()
    for key in ({"cpu": "a"}, {"cpu": "b"}, {"cpu": "a", "kernel": "6.1"}):
        remembered("topic", key, int, source)
    assert source.asked == 3


def test_an_unknown_answer_is_not_kept() -> None:
    source = Source(Unknown("timed out"))
    for _ in range(2):
        assert remembered("topic", {}, int, source) == Unknown("timed out")
    assert source.asked == 2


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\x00", b'{"key":{},"answer":7}', b'{"key":1,"answer":7}'])
def test_a_damaged_file_is_replaced(cache_home: Path, damage: bytes) -> None:
    source = Source()
    remembered("topic", {"cpu": "a"}, int, source)
    (file,) = files(cache_home)
    file.write_bytes(damage)
    assert remembered("topic", {"cpu": "a"}, int, source) == 7
    assert remembered("topic", {"cpu": "a"}, int, source) == 7
    assert source.asked == 2


def test_an_answer_of_another_shape_is_asked_anew(cache_home: Path) -> None:
    remembered("topic", {}, str, lambda: "text")
    assert remembered("topic", {}, int, Source()) == 7


def test_a_cache_folder_that_cannot_be_made_is_no_error(cache_home: Path) -> None:
    (cache_home / "kernelbench").write_text("a file where the folder should be")
    assert remembered("topic", {}, int, Source()) == 7


def test_nothing_but_whole_answers_lies_in_the_folder(cache_home: Path) -> None:
    remembered("topic", {}, int, Source())
    assert [file.suffix for file in files(cache_home)] == [".json"]


def test_a_relative_cache_home_is_ignored_as_the_specification_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/.cache/kernelbench")
