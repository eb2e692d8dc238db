"""Reading the ladder at any footprint and share of writes, against numbers worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.analysis.ladder import Bandwidth, bandwidth, largest_footprint, level_of
from kernelbench.model import Unknown
from tests.builders import KIB, MIB, ceilings, machine, memory

READ = [memory(100e9, 1000), memory(10e9, 100_000)]
MIXES = {"read": 100e9, "triad": 60e9, "copy": 50e9, "write": 20e9, "update": 80e9, "copy_nt": 70e9, "triad_nt": 55e9}
ALL = [memory(speed, 1000, mix) for mix, speed in MIXES.items()]


def speed(found: object) -> float:
    assert isinstance(found, Bandwidth), found
    return found.bytes_per_s


def test_between_two_ladder_points_bandwidth_is_linear_in_log_log() -> None:
    middle = bandwidth(READ, 1, math.sqrt(1000 * 100_000), 0.0)
    assert middle is not UNSET
    assert middle.bytes_per_s == pytest.approx(math.sqrt(100e9 * 10e9))


@pytest.mark.parametrize(("footprint", "speed"), [(1, 100e9), (1000, 100e9), (100_000, 10e9), (1e12, 10e9)])
def test_beyond_the_ladder_bandwidth_stays_at_its_ends(footprint: float, speed: float) -> None:
    clamped = bandwidth(READ, 1, footprint, 0.0)
    assert clamped is not UNSET
    assert clamped.bytes_per_s == pytest.approx(speed)


def test_between_two_mixes_seconds_per_byte_are_linear() -> None:
    points = [memory(100e9, 1000, "read"), memory(50e9, 1000, "copy")]
    halfway = bandwidth(points, 1, 1000, 0.25)
    assert halfway is not UNSET
    assert halfway.bytes_per_s == pytest.approx(1 / (0.5 / 100e9 + 0.5 / 50e9))
    assert halfway.mix == "read/copy"


def test_more_writes_than_any_measured_mix_take_the_nearest_mix() -> None:
    points = [memory(100e9, 1000, "read"), memory(50e9, 1000, "copy")]
    clamped = bandwidth(points, 1, 1000, 1.0)
    assert clamped is not UNSET
    assert (clamped.bytes_per_s, clamped.mix) == (pytest.approx(50e9), "copy")


def test_an_unmeasured_thread_count_has_no_bandwidth() -> None:
    assert bandwidth(READ, 3, 1000, 0.0) is UNSET


@pytest.mark.parametrize(
    ("footprint", "threads", "level"),
    [(32 * KIB, 2, "L1"), (33 * KIB, 1, "L2"), (12 * MIB, 1, "L3"), (12 * MIB, 2, "DRAM")],
)
def test_a_level_holds_the_footprints_of_the_threads_that_share_it(footprint: int, threads: int, level: str) -> None:
    assert level_of(machine(), ceilings(), threads, footprint) == level


def test_with_unknown_caches_the_nearest_levelled_ladder_point_gives_the_label() -> None:
    blind = replace(machine(), caches=Unknown("no cache folder"))
    assert level_of(blind, ceilings(), 1, 600 * KIB) == "L2"
    assert level_of(UNSET, (), 1, 600 * KIB) == "memory"


@pytest.mark.parametrize(("written", "mix"), [(0.0, "read"), (1 / 3, "triad"), (1 / 2, "copy"), (1.0, "write")])
def test_a_measured_share_of_writes_reads_its_own_mix(written: float, mix: str) -> None:
    assert bandwidth(ALL, 1, 1000, written) == Bandwidth(pytest.approx(MIXES[mix]), mix)


def test_between_copy_and_write_lies_what_writes_more_than_it_reads() -> None:
    # Three quarters written: halfway from 1/2 to 1.
    found = bandwidth(ALL, 1, 1000, 0.75)
    assert found == Bandwidth(pytest.approx(2 / (1 / 50e9 + 1 / 20e9)), "copy/write")


def test_in_place_work_lies_between_read_and_update() -> None:
    assert bandwidth(ALL, 1, 1000, 0.5, in_place=True) == Bandwidth(pytest.approx(80e9), "update")
    quarter = bandwidth(ALL, 1, 1000, 0.25, in_place=True)
    assert quarter == Bandwidth(pytest.approx(2 / (1 / 100e9 + 1 / 80e9)), "read/update")


def test_without_an_update_ladder_or_with_more_writes_than_reads_in_place_work_is_read_off_the_plain_mixes() -> None:
    plain = [c for c in ALL if c.mix != "update"]
    assert bandwidth(plain, 1, 1000, 0.5, in_place=True) == bandwidth(plain, 1, 1000, 0.5)
    assert bandwidth(ALL, 1, 1000, 0.75, in_place=True) == bandwidth(ALL, 1, 1000, 0.75)


def test_where_streaming_stores_count_the_faster_form_of_each_mix_does() -> None:
    assert bandwidth(ALL, 1, 1000, 0.5, streaming=True) == Bandwidth(pytest.approx(70e9), "copy", True)
    # The streaming triad is slower than the plain one: a kernel would not use it.
    assert bandwidth(ALL, 1, 1000, 1 / 3, streaming=True) == Bandwidth(pytest.approx(60e9), "triad")
    between = bandwidth(ALL, 1, 1000, 0.75, streaming=True)
    assert between == Bandwidth(pytest.approx(2 / (1 / 70e9 + 1 / 20e9)), "copy/write", True)


@given(st.floats(1, 1e12), st.floats(0, 1), st.booleans())
def test_a_roof_lies_within_what_was_measured_and_streaming_stores_never_lower_it(
    footprint: float, written: float, in_place: bool
) -> None:
    plain = speed(bandwidth(ceilings(), 1, footprint, written, in_place=in_place))
    assert 0.75 * 23e9 * (1 - 1e-9) <= plain <= 198e9 * (1 + 1e-9)
    assert speed(bandwidth(ALL, 1, footprint, written, streaming=True)) >= speed(bandwidth(ALL, 1, footprint, written))


def test_dram_is_where_the_ladder_ends() -> None:
    assert largest_footprint(
        [memory(9e9, 64 * MIB, "triad_nt"), memory(9e9, KIB), memory(9e9, 99 * MIB, threads=2)], 1
    ) == (64 * MIB)
    assert largest_footprint((), 1) == math.inf
