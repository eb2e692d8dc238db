"""The JIT cache is named by what its code was made from, forgets old states, and never stops a run."""

import errno
import importlib
import importlib.metadata
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import pytest
from msgspec import UNSET

from kernelbench.remember import cache_folder
from kernelbench.worker import jitcache
from kernelbench.worker.jitcache import KEEP, Facts, JitCache, source_hash


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


# --- the key


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of sources under test in place of the catalogue's."""
    folder = tmp_path / "sources_under_test"
    (folder / "deeper").mkdir(parents=True)
    for name in ("__init__.py", "kernel.py", "deeper/__init__.py", "deeper/helper.py"):
        (folder / name).write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(jitcache, "ROOMS", ("sources_under_test",))
    yield folder
    sys.modules.pop("sources_under_test", None)


def test_the_same_sources_have_the_same_hash(room: Path) -> None:
    assert source_hash() == source_hash()
    assert len(source_hash()) == 16


@pytest.mark.parametrize("name", ["kernel.py", "deeper/helper.py", "new.py"])
def test_a_changed_or_new_file_under_test_changes_the_hash(room: Path, name: str) -> None:
    before = source_hash()
    (room / name).write_text("x = 2\n")
    assert source_hash() != before


def test_a_renamed_file_changes_the_hash(room: Path) -> None:
    before = source_hash()
    (room / "kernel.py").rename(room / "zebra.py")
    assert source_hash() != before


def test_a_file_that_is_no_source_does_not_change_the_hash(room: Path) -> None:
    before = source_hash()
    (room / "notes.txt").write_text("faster on Tuesdays\n")
    assert source_hash() == before


@pytest.mark.usefixtures("room")
def test_an_edit_in_a_users_file_changes_the_hash(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("y = 1\n")
    before = source_hash([mine])
    mine.write_text("y = 2\n")
    assert source_hash([mine]) != before != source_hash()


@pytest.fixture
def helper(tmp_path: Path, room: Path) -> Iterator[Path]:
    """A module of the user's, loaded from a file."""
    file = tmp_path / "helper_of_a_user.py"
    file.write_text("y = 1\n")
    importlib.import_module("helper_of_a_user")
    yield file
    del sys.modules["helper_of_a_user"]


def test_an_edit_in_a_loaded_helper_of_a_users_file_changes_the_hash(helper: Path) -> None:
    before = source_hash()
    helper.write_text("y = 2\n")
    assert source_hash() != before


def test_a_loaded_helper_whose_file_is_gone_is_left_out(helper: Path) -> None:
    before = source_hash()
    helper.unlink()
    assert source_hash() != before


@pytest.mark.usefixtures("room")
def test_another_version_of_the_compiler_changes_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    before = source_hash()
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99" if name == "llvmlite" else real(name))
    assert source_hash() != before


# --- the folder


def test_the_cache_lies_in_the_users_cache_folder(home: Path) -> None:
    assert cache_folder() == home / "kernelbench"
    cache = JitCache("k", "native")
    assert cache.folder == home / "kernelbench" / "jit" / "k" / "native"
    assert cache.folder.is_dir()


def test_without_a_set_cache_folder_it_lies_below_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "kernelbench"


def aged(folder: Path, days: float) -> Path:
    folder.mkdir(parents=True)
    (folder / "code").write_text("machine code")
    os.utime(folder, (1e9 - 86_400 * days,) * 2)
    return folder


def test_only_the_newest_folders_are_kept(home: Path) -> None:
    old = [aged(cache_folder() / "jit" / f"state{day}", day) for day in range(KEEP + 3)]
    mine = JitCache("now", "native")
    assert mine.folder.is_dir()
    assert [folder.exists() for folder in old] == [True] * (KEEP - 1) + [False] * 4


def test_a_folder_in_use_again_counts_as_new(home: Path) -> None:
    oldest = aged(cache_folder() / "jit" / "oldest", 1000)
    for day in range(KEEP):
        aged(cache_folder() / "jit" / f"state{day}", day)
    JitCache("oldest", "native")
    assert (oldest / "code").exists()


def test_where_no_folder_can_be_made_the_cache_is_not_usable(home: Path) -> None:
    (home / "kernelbench").write_text("a file where the folder would be")
    assert not JitCache("k", "native").usable


def test_a_folder_that_may_only_be_read_is_not_usable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(os, "utime", refuse)
    assert not JitCache("k", "native").usable


def test_an_unusable_cache_remembers_nothing_and_leaves_functions_alone(home: Path) -> None:
    (home / "kernelbench").write_text("")
    cache = JitCache("k", "native")
    cache.remember("op/one", "f32", Facts(1.0))
    assert cache.recall("op/one", "f32") is None
    function = numba.njit(lambda: None)
    cache.enable(function)
    assert type(function._cache).__name__ == "NullCache"


@pytest.mark.usefixtures("home")
def test_a_usable_cache_holds_the_functions_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", numba.config.CACHE_DIR)
    cache = JitCache("k", "native")

    @numba.njit
    def nothing(x):  # type: ignore[no-untyped-def]
        x[0] = 1

    cache.enable(nothing)
    nothing.compile((numba.float64[::1],))
    assert list(cache.folder.rglob("*.nbc"))


# --- facts


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("facts", [Facts(1.5, "avx2"), Facts(0.0)])
def test_facts_are_recalled_by_a_later_process(facts: Facts) -> None:
    JitCache("k", "native").remember("op/one", "f32", facts)
    assert JitCache("k", "native").recall("op/one", "f32") == facts


@pytest.mark.usefixtures("home")
def test_facts_belong_to_one_variant_type_level_and_state_of_the_sources() -> None:
    JitCache("k", "native").remember("op/one", "f32", Facts(1.0))
    others = [("k", "native", "op/two", "f32"), ("k", "native", "op/one", "f64")]
    others += [("k", "avx2", "op/one", "f32"), ("l", "native", "op/one", "f32")]
    assert all(JitCache(key, isa).recall(variant, dtype) is None for key, isa, variant, dtype in others)


@pytest.mark.parametrize("damage", [b"", b"{", b'{"compile_s": "long"}', b"\xff\xfe", b"[1]"])
@pytest.mark.usefixtures("home")
def test_damaged_facts_are_as_none(damage: bytes) -> None:
    cache = JitCache("k", "native")
    cache.remember("op/one", "f32", Facts(1.0, "avx2"))
    (file,) = cache.folder.rglob("*.json")
    file.write_bytes(damage)
    assert cache.recall("op/one", "f32") is None


def test_facts_without_a_level_say_so() -> None:
    assert Facts(1.0).isa_used is UNSET
