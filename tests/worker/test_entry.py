"""Entering compiled kernels: every argument arrives, an exception is seen, and what cannot be entered says why."""

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit

from kernelbench.timing import clock
from kernelbench.timing.loops import Calls
from kernelbench.worker.entry import Block, CannotEnter, PythonCalls, compile_entry

# Kernels are untyped: Numba takes their types from the operands.


@njit
def report(x, n, factor, y):  # type: ignore[no-untyped-def]
    """y = x's shape and strides, n, factor, the sum of x"""
    y[0], y[1] = x.shape
    y[2], y[3] = x.strides
    y[4] = n
    y[5] = factor
    y[6] = x.sum()


@njit
def raises_for_negative(x, y):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        if x[i] < 0:
            raise ValueError("negative")
        y[i] = x[i]


@njit
def returns_something(x):  # type: ignore[no-untyped-def]
    return x.sum()


@njit
def does_not_type(x, y):  # type: ignore[no-untyped-def]
    y[:] = x.no_such_method()


@njit
def untouched(x):  # type: ignore[no-untyped-def]
    x[0] = 1


def enter(function: Any, *arguments: Any) -> Block:
    entry, block = compile_entry(function, arguments), Block(arguments)
    Calls(entry.address, [block.address])(1)
    return block


def test_arrays_integers_and_floats_arrive_as_they_are() -> None:
    x, y = np.arange(6.0).reshape(2, 3), np.zeros(7)
    assert enter(report, x, -(2**40), 0.1, y).status == 0
    assert y.tolist() == [2, 3, 24, 8, -(2**40), 0.1, 15]


def test_a_strided_view_arrives_with_its_strides() -> None:
    x, y = np.arange(24.0).reshape(4, 6)[::2, ::3], np.zeros(7)
    enter(report, x, 0, 0.0, y)
    assert y.tolist() == [2, 2, 96, 24, 0, 0, 0 + 3 + 12 + 15]


def test_one_compilation_serves_every_shape() -> None:
    x, y = np.ones((2, 3)), np.zeros(7)
    entry = compile_entry(report, (x, 1, 1.0, y))
    for shape in ((1, 1), (5, 4), (3, 1000)):
        block = Block((np.ones(shape), 1, 1.0, y))
        Calls(entry.address, [block.address])(1)
        assert (y[0], y[1], y[6]) == (*shape, np.prod(shape))


def test_a_second_compilation_of_the_same_types_is_none() -> None:
    x = np.zeros(1, np.int16)
    assert compile_entry(untouched, (x,)).cache_misses == 1
    assert compile_entry(untouched, (x,)).cache_misses == 0


def test_a_read_only_array_can_be_read() -> None:
    x, y = np.ones((2, 2)), np.zeros(7)
    x.flags.writeable = False
    assert enter(report, x, 0, 0.0, y).status == 0
    assert y[6] == 4


def test_a_kernel_that_returns_normally_leaves_the_status_zero() -> None:
    assert enter(raises_for_negative, np.ones(3), np.zeros(3)).status == 0


def test_a_kernel_that_raises_sets_the_status() -> None:
    assert enter(raises_for_negative, np.array([1.0, -1.0]), np.zeros(2)).status != 0


def test_the_status_stays_set_when_later_calls_return_normally() -> None:
    x, y = np.array([-1.0]), np.zeros(1)
    entry, block = compile_entry(raises_for_negative, (x, y)), Block((x, y))
    run = Calls(entry.address, [block.address])
    run(1)
    x[0] = 1
    run(1)
    assert block.status != 0


def test_a_block_keeps_its_arrays_alive() -> None:
    x = np.zeros(1000)
    alive = weakref.ref(x)
    block = Block((x,))
    del x
    assert alive() is not None
    del block
    assert alive() is None


def test_a_kernel_that_returns_a_value_is_refused() -> None:
    with pytest.raises(CannotEnter, match="writes its outputs and returns nothing; this one returns float64"):
        compile_entry(returns_something, (np.ones(3),))


@pytest.mark.parametrize("bad", [[1.0], "text", True, None, (1, 2)], ids=repr)
def test_an_argument_that_is_no_array_or_number_is_refused_by_type(bad: object) -> None:
    with pytest.raises(CannotEnter, match=rf"not {type(bad).__name__}; convert it in prepare\(\)"):
        compile_entry(untouched, (bad,))


def test_a_kernel_that_does_not_type_is_refused_in_one_readable_line() -> None:
    with pytest.raises(CannotEnter) as caught:
        compile_entry(does_not_type, (np.ones(3), np.ones(3)))
    text = str(caught.value)
    assert "no_such_method" in text or "nopython" in text
    assert "\n" not in text


@pytest.mark.parametrize("arguments", [(), (np.ones(3), np.ones(3))], ids=["too few", "too many"])
def test_the_wrong_number_of_arguments_is_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(CannotEnter):
        compile_entry(untouched, arguments)


def test_a_python_function_is_called_on_its_argument_sets_in_turn() -> None:
    seen: list[int] = []
    run = PythonCalls(seen.append, [(1,), (2,), (3,)])
    assert run(5) >= 0
    assert seen == [1, 2, 3, 1, 2]


def test_a_python_function_with_one_argument_set_is_called_as_often_as_told() -> None:
    seen: list[int] = []
    PythonCalls(seen.append, [(7,)])(4)
    assert seen == [7] * 4


def test_what_a_python_function_raises_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        PythonCalls(lambda: 1 / 0, [()])(1)


def test_slices_call_a_python_function_as_often_as_told_on_its_argument_sets_in_turn() -> None:
    seen: list[int] = []
    batch = PythonCalls(seen.append, [(1,), (2,), (3,)]).slices(2, 4)
    assert seen == [1, 2, 3, 1, 2, 3, 1, 2]
    assert len(batch.seconds) == 4
    assert len(batch.looks) == 5


def test_a_python_slice_goes_on_where_the_last_one_ended() -> None:
    seen: list[int] = []
    run = PythonCalls(seen.append, [(1,), (2,), (3,)])
    run.slices(1, 2)
    run(2)
    run.slices(2, 1)
    assert seen == [1, 2, 3, 1, 2, 3]


def test_a_python_function_is_called_between_two_looks_at_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []

    def look() -> float:
        events.append("look")
        return 1e9 * len(events)

    monkeypatch.setattr(clock, "available", lambda: True)
    monkeypatch.setattr(clock, "adds_per_s", look)
    batch = PythonCalls(events.append, [("call",)]).slices(2, 2)
    assert events == ["look", "call", "call", "look", "call", "call", "look"]
    assert batch.looks == (1e9, 4e9, 7e9)
    assert min(batch.seconds) >= 0


def test_where_no_addition_is_known_the_looks_of_a_python_function_are_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "available", lambda: False)
    assert PythonCalls(abs, [(1,)]).slices(1, 2).looks == (0, 0, 0)


def test_what_a_python_function_raises_in_a_slice_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        PythonCalls(lambda: 1 / 0, [()]).slices(1, 1)


def test_blocks_of_many_operand_sets_need_one_mapping() -> None:
    """Cold cases rotate through more sets than a process may have mappings (65,530 by default)."""
    x = np.ones(4)
    before = len(Path("/proc/self/maps").read_text().splitlines())
    blocks = Block.many([(x, 1)] * 1000)
    assert len(Path("/proc/self/maps").read_text().splitlines()) < before + 10
    assert len({block.address for block in blocks}) == 1000
    assert not any(block.address % 64 for block in blocks)


def test_blocks_lie_where_they_are_told_to_as_far_as_there_is_room() -> None:
    x, page = np.ones(4), np.zeros(4096, np.uint8)
    (one,) = Block.many([(x, 1)], page)
    many = Block.many([(x, 1)] * 100, page)
    assert one.address == page.ctypes.data
    assert not any(0 <= block.address - page.ctypes.data < page.nbytes for block in many)


def test_arguments_that_something_else_has_overwritten_can_be_written_anew() -> None:
    x, page = np.ones(4), np.zeros(4096, np.uint8)
    (block,) = Block.many([(x, 7)], page)
    before = page.copy()
    page[:] = 99
    block.write()
    used = 8 * (1 + 7 + 1)  # status, x as Numba passes a vector, 7
    assert (page[:used] == before[:used]).all()
    assert (page[used:] == 99).all()
    assert block.status == 0
