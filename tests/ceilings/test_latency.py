"""A pointer chase goes through every line once and cannot be foreseen or left out."""

import ctypes
import platform
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelbench.ceilings.latency import HOPS_A_TRIP, block, chain, compiled, place, points, whole_trips
from kernelbench.errors import WorkerError

derandomized = settings(deadline=None, derandomize=True, database=None)
LEVELS = (("L1", 32 << 10), ("L2", 1 << 20), ("L3", 16 << 20), ("DRAM", 128 << 20))


def visited(following: np.ndarray) -> list[int]:
    """The lines that a lap from line 0 comes to, in order."""
    found, at = [], 0
    for _ in following:
        at = int(following[at])
        found.append(at)
    return found


sizes = st.integers(128, 8192)


@derandomized
@given(sizes, st.sampled_from([32, 64, 128]), st.integers(0, 1 << 32))
def test_the_chain_is_one_cycle_through_every_whole_line(size: int, line: int, seed: int) -> None:
    size = max(size, 2 * line)
    found = visited(chain(size, line, seed))
    assert sorted(found) == list(range(size // line))
    assert found[-1] == 0


@derandomized
@given(sizes, st.integers(0, 1 << 32))
def test_every_hop_leads_to_another_line(size: int, seed: int) -> None:
    following = chain(size, seed=seed)
    assert (following != np.arange(len(following))).all()


def test_the_order_of_lines_is_random_and_the_same_for_the_same_seed() -> None:
    one, again, other = (chain(1 << 16, seed=seed) for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()
    # In a random cycle through 1024 lines about two hops lead to a neighbouring line; in a foreseeable one, most.
    assert (abs(one - np.arange(1024)) == 1).sum() < 20


@pytest.mark.parametrize(("size", "line"), [(0, 64), (127, 64), (4096, 60)])
def test_what_cannot_be_chased_is_refused_with_what_can(size: int, line: int) -> None:
    with pytest.raises(WorkerError, match=f"{size} bytes in lines of {line}.*give {2 * line} bytes or more"):
        chain(size, line)


def aligned(size: int) -> np.ndarray:
    raw = np.zeros(size + 128, np.uint8)
    start = -raw.ctypes.data % 128
    return raw[start : start + size]


def test_each_line_begins_with_the_address_of_the_next_and_holds_nothing_else() -> None:
    buffer, following = aligned(4096), chain(4096)
    start = place(following, buffer)
    lines = buffer.view(np.int64).reshape(-1, 8)
    assert start == buffer.ctypes.data
    assert (lines[:, 0] == start + 64 * following).all()
    assert not lines[:, 1:].any()


def test_a_chain_leaves_what_lies_behind_it_alone() -> None:
    buffer = aligned(8192)
    place(chain(4096), buffer)
    assert not buffer[4096:].any()


@pytest.mark.parametrize(("first", "last"), [(0, 4095), (8, 4104)])
def test_a_buffer_too_small_or_off_a_line_boundary_is_refused(first: int, last: int) -> None:
    with pytest.raises(WorkerError, match=r"64 lines of 64 bytes needs 4096 bytes from a line boundary.*Arena"):
        place(chain(4096), aligned(8192)[first:last])


class Chase:
    """A chase through 16 KiB, and the lines that a lap comes to."""

    def __init__(self) -> None:
        following = chain(1 << 14, seed=3)
        self.buffer, self.lap = aligned(1 << 14), visited(following)
        self.start = place(following, self.buffer)

    def run(self, hops: int, calls: int = 1) -> list[int]:
        """Where each call stopped."""
        words, stops = block(self.start, hops), []
        for _ in range(calls):
            ctypes.CFUNCTYPE(None, ctypes.c_void_p)(compiled().address("chase"))(ctypes.addressof(words))
            assert words[0] == words[2]
            stops.append((words[2] - self.start) // 64)
        return stops


def test_a_chase_makes_as_many_hops_as_asked_and_goes_on_where_it_stopped() -> None:
    chase = Chase()
    assert chase.run(HOPS_A_TRIP, calls=3) == [chase.lap[HOPS_A_TRIP * k - 1] for k in (1, 2, 3)]


@pytest.mark.parametrize(("hops", "made"), [(-1, 1), (0, 1), (1, 1), (HOPS_A_TRIP, 1), (HOPS_A_TRIP + 1, 2)])
def test_hops_are_rounded_up_to_whole_trips(hops: int, made: int) -> None:
    chase = Chase()
    assert whole_trips(hops) == made * HOPS_A_TRIP
    assert chase.run(hops) == chase.run(whole_trips(hops))


def test_after_a_lap_the_chase_is_back_at_its_start() -> None:
    chase = Chase()
    assert len(chase.lap) == whole_trips(len(chase.lap))
    assert chase.run(len(chase.lap)) == [0]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86 assembly")
def test_each_load_takes_its_address_from_the_one_before_and_has_no_index() -> None:
    assembly = compiled().assembly
    loop = assembly[assembly.index(".LBB0_1:") :]
    found = re.findall(r"movq\s+\((%\w+)\), (%\w+)\n", loop)
    assert len(found) == HOPS_A_TRIP
    assert all(address == target == found[0][0] for address, target in found)


def test_each_level_is_chased_well_inside_it_and_dram_over_all_of_its_bytes() -> None:
    named = {name: size for size, name in points(LEVELS) if name}
    # Half of 32 KiB; twice 32 KiB; twice 1 MiB; all.
    assert named == {"L1": 16 << 10, "L2": 64 << 10, "L3": 2 << 20, "DRAM": 128 << 20}


def test_a_level_just_above_the_one_before_is_chased_at_half_its_share() -> None:
    # Twice 256 KiB is more than half of 768 KiB.
    levels = (("L1", 32 << 10), ("L2", 256 << 10), ("L3", 768 << 10), ("DRAM", 8 << 20))
    assert {name: size for size, name in points(levels)}["L3"] == 384 << 10


def test_a_share_smaller_than_the_cache_before_it_is_chased_beyond_that_cache() -> None:
    levels = (("L1", 32 << 10), ("L2", 1 << 20), ("L3", 1408 << 10), ("DRAM", 64 << 20))
    assert {name: size for size, name in points(levels)}["L3"] == (1024 + 704) << 10


def test_the_curve_has_a_point_an_octave_from_four_kib() -> None:
    unnamed = [size for size, name in points(LEVELS) if not name]
    assert unnamed == [4096 << k for k in range(15) if 4096 << k not in {16 << 10, 64 << 10, 2 << 20}]
