"""The compiled loops call what they are given, on the blocks they are given, as often as they are told."""

import ctypes
import os
from itertools import pairwise

import pytest

from kernelbench.simd.jit import Code, compile_ir
from kernelbench.timing.loops import Calls, empty_kernel, run_team

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
    serial = ctypes.c_int64(1)
    blocks = [(ctypes.c_int64 * 2)(ctypes.addressof(serial), 0) for _ in range(4)]
    Calls(code.address("stamp"), [ctypes.addressof(block) for block in blocks])(4)
    assert [block[1] for block in blocks] == [1, 2, 3, 4]


def test_more_calls_of_the_empty_kernel_take_more_time() -> None:
    run = Calls(empty_kernel(), [0])
    best = [min(run(calls) for _ in range(5)) for calls in (10**3, 10**5, 10**7)]
    assert all(shorter < longer for shorter, longer in pairwise(best))


@pytest.mark.parametrize("size", [1, 2])
def test_every_thread_of_a_team_calls_its_own_block(code: Code, size: int) -> None:
    before = os.sched_getaffinity(0)
    cpus = [min(before)] * size
    blocks = [ctypes.c_int64(0) for _ in cpus]
    assert run_team(code.address("count"), [ctypes.addressof(block) for block in blocks], 50, cpus) > 0
    assert [block.value for block in blocks] == [50] * size
    assert os.sched_getaffinity(0) == before
