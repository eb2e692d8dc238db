"""A kernel's machine code loaded once more: the same, elsewhere, and refused where only Numba could load it."""

import mmap
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit

from kernelbench.timing import codepages
from kernelbench.timing.codepages import CodeRoom, room_of
from kernelbench.timing.loops import Calls
from kernelbench.worker import apart
from kernelbench.worker.apart import CannotCopy, loaded_apart
from kernelbench.worker.entry import Block, Entry, compile_entry

pytestmark = pytest.mark.skipif(not codepages.available(), reason="code is moved on x86-64 only")


@njit
def helper(x):  # type: ignore[no-untyped-def]
    return x + x


@njit
def doubled(x, y):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        if x[i] < 0:
            raise ValueError("negative")
        y[i] = helper(x[i])


@njit
def tripled(x, y):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        y[i] = 3 * x[i]


@pytest.fixture
def room() -> Iterator[CodeRoom]:
    with room_of(64 * mmap.PAGESIZE) as made:
        yield made


def called(entry: Entry, x: np.ndarray) -> tuple[int, list[float]]:
    """(status, y) of one call."""
    y = np.zeros_like(x)
    block = Block((x, y))
    Calls(entry.address, [block.address])(1)
    return block.status, y.tolist()


def entered(function: Any, room: CodeRoom | None) -> Entry:
    x = np.ones(3)
    return compile_entry(function, (x, x.copy()), room=room)


def test_a_copy_computes_the_same_at_another_address(room: CodeRoom) -> None:
    entry = entered(doubled, room)
    own, name = entry.placed.own, entry.result.fndesc.llvm_func_name
    assert own is not None
    assert own.address(name) != entry.result.library.get_pointer_to_function(name)
    assert entry.placed.why_private == ""
    assert called(entry, np.arange(4.0)) == (0, [0, 2, 4, 6])


def test_an_exception_in_a_copy_is_a_status_as_in_the_original(room: CodeRoom) -> None:
    x = np.array([-1.0])
    status, _ = called(entered(doubled, room), x)
    assert status == called(entered(doubled, None), x)[0] != 0


def test_two_kernels_in_one_room_are_each_themselves_after_they_are_written(room: CodeRoom) -> None:
    two, three = entered(doubled, room), entered(tripled, room)
    for _ in range(3):
        two.placed.write()
        assert called(two, np.ones(2)) == (0, [2, 2])
        three.placed.write()
        assert called(three, np.ones(2)) == (0, [3, 3])


def test_without_a_room_numba_s_own_code_is_entered() -> None:
    placed = entered(doubled, None).placed
    placed.write()
    assert (placed.own, placed.why_private) == (None, "")


def test_code_that_calls_what_only_numba_knows_is_not_copied(room: CodeRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "has_symbol", lambda name: False)
    entry = entered(doubled, room)
    assert entry.placed.own is None
    assert entry.placed.why_private.endswith("which is Numba's own")
    assert called(entry, np.ones(2)) == (0, [2, 2])


def test_a_room_that_is_too_small_is_a_reason_and_the_copy_is_entered_where_it_lies() -> None:
    with room_of(0) as room:
        entry = entered(doubled, room)
    assert entry.placed.why_private.endswith("of code do not fit into 0")
    assert called(entry, np.ones(2)) == (0, [2, 2])


def test_code_that_numba_has_not_kept_cannot_be_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    result = entered(doubled, None).result
    monkeypatch.setattr(result.library, "_compiled_object", None)
    with pytest.raises(CannotCopy, match="Numba has kept no object code"):
        loaded_apart(doubled, result.signature.args, result)


CACHED = """
import numpy as np
from numba import njit
from kernelbench.timing.codepages import room_of
from kernelbench.timing.loops import Calls
from kernelbench.worker.entry import Block, compile_entry

@njit(cache=True)
def doubled(x, y):
    for i in range(x.size):
        y[i] = 2 * x[i]

x, y = np.arange(3.0), np.zeros(3)
with room_of(1 << 20) as room:
    entry = compile_entry(doubled, (x, y), room=room)
block = Block((x, y))
Calls(entry.address, [block.address])(1)
print(entry.cache_hits, entry.placed.own is not None, y.tolist())
"""


def test_code_from_numba_s_cache_is_copied_from_there(tmp_path: Path) -> None:
    file = tmp_path / "cached.py"
    file.write_text(CACHED)
    seen = [subprocess.run([sys.executable, file], capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert seen == ["0 True [0.0, 2.0, 4.0]\n", "1 True [0.0, 2.0, 4.0]\n"]
