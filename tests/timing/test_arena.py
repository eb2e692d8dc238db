"""Operands' memory: aligned, apart from one another, zeroed, and honest about huge pages."""

import mmap
import os
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelbench.timing.arena import HUGE, PAGE, STAGGER, Arena

CPUS = tuple(sorted(os.sched_getaffinity(0)))
F32 = np.dtype(np.float32)
sizes = st.lists(st.integers(1, 5000), min_size=1, max_size=9)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(sizes)
def test_operands_are_aligned_disjoint_and_fit_into_the_room_asked_for(counts: list[int]) -> None:
    arena = Arena(Arena.room([4 * count for count in counts]), CPUS[:1])
    made = [arena.empty((count,), F32) for count in counts]
    starts = [x.ctypes.data for x in made]
    assert all(start % 64 == 0 for start in starts)
    assert all(x.ctypes.data + x.nbytes <= y.ctypes.data for x, y in pairwise(made))


def test_the_first_operand_begins_a_huge_page() -> None:
    assert Arena(PAGE, CPUS[:1]).empty((16,), F32).ctypes.data % HUGE == 0


def test_neighbouring_operands_begin_at_different_places_of_their_page() -> None:
    arena = Arena(Arena.room([PAGE] * 4), CPUS[:1])
    offsets = [arena.empty((PAGE // 4,), F32).ctypes.data % PAGE for _ in range(4)]
    assert offsets == [0, STAGGER, 2 * STAGGER, 3 * STAGGER]


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 7, 5000, 100_003])
def test_an_operand_is_zero_however_many_threads_touch_it_first(threads: int, count: int) -> None:
    cpus = (CPUS * threads)[:threads]
    arena = Arena(Arena.room([4 * count]), cpus)
    made = arena.empty((count,), F32)
    assert made.shape == (count,)
    assert not made.any()


def test_touching_by_threads_leaves_the_callers_affinity_alone() -> None:
    before = os.sched_getaffinity(0)
    Arena(1 << 20, (CPUS * 2)[:2]).empty((1 << 18,), F32)
    assert os.sched_getaffinity(0) == before


def test_a_copy_is_contiguous_equal_and_writable() -> None:
    original = np.arange(12, dtype=np.int8).reshape(3, 4).T
    original.flags.writeable = False
    copy = Arena(PAGE, CPUS[:1]).copy(original)
    assert np.array_equal(copy, original)
    assert copy.flags.c_contiguous
    assert copy.flags.writeable


def test_an_array_keeps_its_memory_when_the_arena_is_gone() -> None:
    made = Arena(PAGE, CPUS[:1]).copy(np.arange(100.0))
    assert made.sum() == 4950


def test_more_than_there_is_room_for_is_refused_with_both_sizes() -> None:
    arena = Arena(HUGE, CPUS[:1])
    arena.empty((HUGE // 8,), F32)
    with pytest.raises(MemoryError, match=f"the arena of {HUGE} bytes has no room for {HUGE} more"):
        arena.empty((HUGE // 4,), F32)


def test_more_than_can_be_mapped_is_a_memory_error_with_the_size() -> None:
    with pytest.raises(MemoryError, match=r"cannot map \d+ bytes for operands: "):
        Arena(1 << 55, CPUS[:1])


@pytest.mark.parametrize("count", [1, 1 << 20])
def test_the_share_on_huge_pages_is_a_share(count: int) -> None:
    arena = Arena(Arena.room([4 * count]), CPUS[:1])
    arena.empty((count,), F32)
    assert 0 <= arena.huge_share() <= 1


def test_nothing_used_is_on_no_huge_page() -> None:
    assert Arena(PAGE, CPUS[:1]).huge_share() == 0


def test_a_system_without_huge_pages_still_gets_its_operands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(mmap, "MADV_HUGEPAGE", raising=False)
    assert Arena(PAGE, CPUS[:1]).empty((4,), F32).size == 4


def test_an_empty_operand_takes_no_room() -> None:
    assert Arena(PAGE, CPUS[:1]).empty((0, 3), F32).shape == (0, 3)
