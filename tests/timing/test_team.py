"""Threads that work at the same time: who calls what, and the rate of all of them at every moment."""

import ctypes
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelbench.native.jit import Code, compile_ir
from kernelbench.timing import clock
from kernelbench.timing.team import Member, run_team, together

COUNTING = """
define void @count(ptr %block) {
  %old = load i64, ptr %block
  %new = add i64 %old, 1
  store i64 %new, ptr %block
  ret void
}
"""


@pytest.fixture(scope="module")
def code() -> Code:
    return compile_ir(COUNTING)


@pytest.mark.parametrize("size", [1, 2])
def test_every_thread_of_a_team_calls_its_own_block(code: Code, size: int) -> None:
    before = os.sched_getaffinity(0)
    cpus = [min(before)] * size
    blocks = [ctypes.c_int64(0) for _ in cpus]
    members = run_team(code.address("count"), [ctypes.addressof(block) for block in blocks], 50, 3, cpus)
    assert [block.value for block in blocks] == [150] * size
    assert os.sched_getaffinity(0) == before
    assert [(len(m.spans_s), len(m.looks)) for m in members] == [(3, 4)] * size


def test_slices_follow_one_another_and_are_looked_at(code: Code) -> None:
    block = ctypes.c_int64(0)
    (member,) = run_team(code.address("count"), [ctypes.addressof(block)], 10, 4, [min(os.sched_getaffinity(0))])
    times = [t for span in member.spans_s for t in span]
    assert times == sorted(times)
    assert all((look > 0) == clock.available() for look in member.looks)


def steady(begin: float, slice_s: float, count: int, look: float = 4e9) -> Member:
    spans = tuple((begin + i * slice_s, begin + (i + 1) * slice_s) for i in range(count))
    return Member(spans, (look,) * (count + 1))


def test_two_equal_threads_take_as_long_as_one() -> None:
    assert together([steady(0.0, 1.0, 5), steady(0.0, 1.0, 5)]).seconds == pytest.approx((1.0,) * 5)


def test_the_speed_of_a_team_is_the_sum_of_its_threads() -> None:
    # One slice a second and half a slice a second: 2 slices take 2 / 1.5 s.
    batch = together([steady(0.0, 1.0, 4), steady(0.0, 2.0, 2)])
    assert batch.seconds == pytest.approx((2 / 1.5,) * 4)


def test_only_moments_in_which_all_threads_work_count() -> None:
    batch = together([steady(0.0, 1.0, 10), steady(3.5, 1.0, 3)])
    assert len(batch.seconds) == 2, "from 4 to 5 and from 5 to 6"


def test_a_thread_that_slows_down_lowers_only_the_moments_it_is_slow_in() -> None:
    slow_at_the_end = Member(((0.0, 1.0), (1.0, 2.0), (2.0, 4.0)), (4e9,) * 4)
    batch = together([steady(0.0, 1.0, 4), slow_at_the_end])
    assert batch.seconds == pytest.approx((1.0, 1.0, 2 / 1.5, 2 / 1.5))


def test_a_slice_that_overlaps_a_fast_and_a_slow_one_sees_their_mean_by_time() -> None:
    other = Member(((0.0, 0.5), (0.5, 2.5)), (4e9,) * 3)
    # Half of the second at 2 a second, half at 0.5 a second: 1.25, and 1 of the first thread.
    assert together([steady(0.0, 1.0, 1), other]).seconds == pytest.approx((2 / 2.25,))


def test_a_busy_core_of_any_thread_shows_in_the_looks() -> None:
    batch = together([steady(0.0, 1.0, 3), steady(0.0, 1.0, 3, look=2e9)])
    assert set(batch.looks) == {2e9}


def test_threads_that_never_met_give_no_slice() -> None:
    assert together([steady(0.0, 1.0, 2), steady(8.0, 1.0, 2)]).seconds == ()


@settings(deadline=None, derandomize=True, database=None)
@given(st.lists(st.floats(0.1, 10.0), min_size=1, max_size=6), st.lists(st.floats(0.1, 10.0), min_size=1, max_size=6))
def test_a_team_is_never_faster_than_its_fastest_moments(one: list[float], two: list[float]) -> None:
    def member(lengths: list[float]) -> Member:
        ends = [sum(lengths[: i + 1]) for i in range(len(lengths))]
        return Member(tuple(zip([0.0, *ends[:-1]], ends, strict=True)), (4e9,) * (len(lengths) + 1))

    batch = together([member(one), member(two)])
    assert len(batch.looks) == len(batch.seconds) + 1
    assert min(batch.seconds, default=10.0) >= min(*one, *two) * (1 - 1e-9)
