"""Roofs against answers worked out by hand."""

import math

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.analysis.ladder import bandwidth, level_of
from kernelbench.analysis.roofline import NoRoof, Roof, derived_flags, ridge_points, roof
from kernelbench.model import Unknown, Work
from tests.builders import KIB, MIB, case, ceilings, compute, machine, matmul_work, memory, record

READ = [memory(100e9, 1000), memory(10e9, 100_000)]


def found(given: object) -> Roof:
    assert isinstance(given, Roof), given
    return given


def test_a_matmul_is_bound_by_the_fma_ceiling_of_its_type_and_threads() -> None:
    limit = found(roof(record(case(threads=2)), ceilings(), machine()))
    assert limit.seconds == pytest.approx(2 * 512**3 / 234e9)
    assert (limit.bound, limit.name) == ("compute", "f32 AVX-512 FMA 2 threads")
    assert limit.intensity == pytest.approx(2 * 512**3 / (3 * 4 * 512**2))


def test_a_triad_in_l2_is_bound_by_the_triad_bandwidth_there() -> None:
    n = 512 * KIB / 12
    work = Work("modelled", 2 * n, "fma", 8 * n, 4 * n, 4 * n, 12 * n)
    limit = found(roof(record(case("triad/naive", shape={"n": 43690}), work=work), ceilings(), machine()))
    assert limit.seconds == pytest.approx(12 * n / (0.8 * 107e9))
    assert (limit.bound, limit.name) == ("memory", "L2 triad 1 thread")


def test_8_bit_work_is_judged_by_the_dot_product_ceiling() -> None:
    limit = found(roof(record(case(dtype="i8"), work=matmul_work(512, 1, "fma")), ceilings(), machine()))
    assert limit.seconds == pytest.approx(2 * 512**3 / 467e9)


def test_without_a_matching_compute_ceiling_the_memory_roof_stands_alone_and_says_so() -> None:
    limit = found(roof(record(case(threads=1), work=matmul_work(512, mix="add")), ceilings(), machine()))
    assert limit.bound == "memory"
    assert limit.missing == "no compute roof: no ceiling of f32 add, isa native, 1 thread"


def test_a_case_at_a_lower_isa_needs_a_ceiling_of_that_isa() -> None:
    both = [*ceilings(), compute(60e9, isa="avx2")]
    limit = found(roof(record(case(isa="avx2")), both, machine()))
    assert limit.seconds == pytest.approx(2 * 512**3 / 60e9)
    assert "isa avx2" in found(roof(record(case(isa="avx2")), ceilings(), machine())).missing


def test_ceilings_of_another_machine_do_not_apply() -> None:
    limit = roof(replace(record(), machine="ffffffffffff"), ceilings())
    assert isinstance(limit, NoRoof)
    assert "no bandwidth was measured at 1 thread" in limit.reason


def test_work_without_a_model_has_no_roof() -> None:
    limit = roof(record(work=Work("absent")), ceilings())
    assert isinstance(limit, NoRoof)
    assert limit.reason.startswith("no compute roof: the work model counts no FLOP")


def test_a_cold_case_is_judged_by_the_last_ladder_point() -> None:
    work = Work("modelled", UNSET, UNSET, 4096.0, UNSET, UNSET, 4096.0)
    of = case("sum/naive", shape={"n": 1024}, cache="cold")
    limit = found(roof(record(of, work=work), ceilings(), machine()))
    assert (limit.seconds, limit.name) == (pytest.approx(4096 / 23e9), "DRAM read 1 thread")


def test_the_footprint_of_one_thread_decides_the_level() -> None:
    work = Work("modelled", UNSET, UNSET, 1.5 * MIB, UNSET, UNSET, 1.5 * MIB)
    names = [
        found(roof(record(case("sum/parallel", shape={"n": 9}, threads=t), work=work), ceilings(), machine())).name
        for t in (1, 2)
    ]
    assert names == ["L3 read 1 thread", "L2 read 2 threads"]


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


def test_a_ridge_lies_where_bandwidth_times_intensity_is_the_peak() -> None:
    (ridge,) = ridge_points([compute(100e9), memory(50e9, 1000, level="L1"), memory(9e9, 2000)])
    assert (ridge.intensity, ridge.flop_per_s) == (2.0, 100e9)


def test_a_ridge_joins_only_ceilings_of_the_same_threads() -> None:
    assert ridge_points([compute(100e9, threads=2), memory(50e9, 1000, level="L1")]) == ()


def test_flags_tell_impossible_speed_scatter_and_python_calls() -> None:
    assert derived_flags(1.04, noisy=True, includes_python_call=True) == ("above-roof", "noisy", "dispatch")
    assert derived_flags(1.02, noisy=False, includes_python_call=False) == ()
    assert derived_flags(UNSET, noisy=False, includes_python_call=False) == ()
