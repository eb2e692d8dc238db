"""The compiled loops call what they are given, on the blocks they are given, as often as they are told."""

import ctypes
import time
from itertools import pairwise

import pytest

from kernelbench.native.jit import Code, compile_ir
from kernelbench.timing import clock
from kernelbench.timing.loops import Calls, empty_kernel

COUNTING = """
define void @count(ptr %block) {
  %old = load i64, ptr %block
  %new = add i64 %old, 1
  store i64 %new, ptr %block
  ret void
}
define void @stamp(ptr %block) {
  %next = load ptr, ptr %block
  %serial = load i64, ptr %next
  %at = getelementptr i64, ptr %block, i64 1
  store i64 %serial, ptr %at
  %following = add i64 %serial, 1
  store i64 %following, ptr %next
  ret void
}
"""


@pytest.fixture(scope="module")
def code() -> Code:
    return compile_ir(COUNTING)


def numbered(code: Code, blocks: int) -> tuple[Calls, list["ctypes.Array[ctypes.c_int64]"], ctypes.c_int64]:
    """Calls on blocks that note, in their second word, the serial number of the last call on them."""
    serial = ctypes.c_int64(1)
    made = [(ctypes.c_int64 * 2)(ctypes.addressof(serial), 0) for _ in range(blocks)]
    return Calls(code.address("stamp"), [ctypes.addressof(block) for block in made]), made, serial


@pytest.mark.parametrize("calls", [1, 2, 1000])
def test_one_block_is_called_exactly_as_often_as_told(code: Code, calls: int) -> None:
    block = ctypes.c_int64(0)
    assert Calls(code.address("count"), [ctypes.addressof(block)])(calls) >= 0
    assert block.value == calls


def test_several_blocks_are_called_in_turn(code: Code) -> None:
    blocks = [ctypes.c_int64(0) for _ in range(3)]
    Calls(code.address("count"), [ctypes.addressof(block) for block in blocks])(8)
    assert [block.value for block in blocks] == [3, 3, 2]


def test_a_cold_sample_goes_on_where_the_last_one_ended(code: Code) -> None:
    blocks = [ctypes.c_int64(0) for _ in range(4)]
    run = Calls(code.address("count"), [ctypes.addressof(block) for block in blocks])
    run(3)
    run(2)
    assert [block.value for block in blocks] == [2, 1, 1, 1]


def test_blocks_are_called_in_the_order_given(code: Code) -> None:
    run, blocks, _ = numbered(code, 4)
    run(4)
    assert [block[1] for block in blocks] == [1, 2, 3, 4]


# --- slices


@pytest.mark.parametrize("count", [1, 2, 16])
def test_slices_call_the_kernel_as_often_as_told_and_look_before_the_first_and_after_each(
    code: Code, count: int
) -> None:
    block = ctypes.c_int64(0)
    batch = Calls(code.address("count"), [ctypes.addressof(block)]).slices(100, count)
    assert block.value == 100 * count
    assert len(batch.seconds) == count
    assert len(batch.looks) == count + 1


def test_slices_of_one_call_call_several_blocks_in_turn(code: Code) -> None:
    run, blocks, _ = numbered(code, 3)
    run.slices(1, 5)
    assert [block[1] for block in blocks] == [4, 5, 3]


@pytest.mark.parametrize("calls", [2, 3, 5, 7])
def test_a_cold_slice_goes_on_where_the_last_one_ended(code: Code, calls: int) -> None:
    run, blocks, serial = numbered(code, 3)
    for _ in range(4):
        run.slices(calls, 3)
        run(2)  # and so does a sample between
    total = 4 * (3 * calls + 2)
    assert serial.value == total + 1
    # Call number s (from 1) goes to block (s - 1) mod 3: the last three calls are on three different blocks.
    assert [block[1] for block in blocks] == [max(s for s in range(1, total + 1) if (s - 1) % 3 == i) for i in range(3)]


def test_slices_and_looks_are_in_seconds_and_follow_one_another(code: Code) -> None:
    block = ctypes.c_int64(0)
    run = Calls(code.address("count"), [ctypes.addressof(block)])
    run.slices(1, 1)  # compiles
    begun = time.perf_counter()
    batch = run.slices(100_000, 4)
    wall = time.perf_counter() - begun
    looked = sum(clock.LOOK_ADDS / adds for adds in batch.looks if adds)
    assert min(batch.seconds) > 0
    # None can be counted twice within the wall time, and what is left over is the call from Python.
    assert sum(batch.seconds) + looked <= wall


@pytest.mark.skipif(not clock.available(), reason="no addition is known for this architecture")
def test_every_look_sees_additions(code: Code) -> None:
    block = ctypes.c_int64(0)
    batch = Calls(code.address("count"), [ctypes.addressof(block)]).slices(10, 3)
    assert all(0 < adds < 1e12 for adds in batch.looks)


def test_more_calls_of_the_empty_kernel_take_more_time() -> None:
    run = Calls(empty_kernel(), [0])
    best = [min(run(calls) for _ in range(5)) for calls in (10**3, 10**5, 10**7)]
    assert all(shorter < longer for shorter, longer in pairwise(best))
