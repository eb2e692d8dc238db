"""Roofs against answers worked out by hand."""

import pytest
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from kernelbench.analysis.roofline import NoRoof, Roof, derived_flags, roof
from kernelbench.model import Ceiling, Work
from tests.builders import KIB, MIB, case, ceilings, machine, matmul_work, memory, record


def found(given: object) -> Roof:
    assert isinstance(given, Roof), given
    return given


def moving(read: float, written: float, working_set: float, rfo: float | UnsetType = UNSET) -> Work:
    """Work without FLOP."""
    return Work("modelled", UNSET, UNSET, read, written, rfo, working_set)


def levelled(mix: str, *speeds: float) -> list[Ceiling]:
    """Points at 16 KiB, 512 KiB, 8 MiB and 256 MiB that stand for L1, L2, L3 and DRAM."""
    sizes = (16 * KIB, 512 * KIB, 8 * MIB, 256 * MIB)
    return [memory(v, s, mix, 1, name) for name, s, v in zip(("L1", "L2", "L3", "DRAM"), sizes, speeds, strict=True)]


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


def test_floats_multiplied_as_8_bit_integers_are_judged_by_the_dot_product_ceiling() -> None:
    limit = found(roof(record(case(), work=matmul_work(512, mix="dot")), ceilings(), machine()))
    assert limit.seconds == pytest.approx(2 * 512**3 / 467e9)


def test_without_a_matching_compute_ceiling_the_memory_roof_stands_alone_and_says_so() -> None:
    limit = found(roof(record(case(dtype="f16"), work=matmul_work(512)), ceilings(), machine()))
    assert limit.bound == "memory"
    assert limit.missing == "no compute roof: no ceiling of f16 fma, isa native, 1 thread"


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


def test_an_in_place_op_is_judged_by_the_update_ladder_and_a_copy_is_not() -> None:
    ladder = [*levelled("copy", 90e9, 80e9, 45e9, 25e9), *levelled("update", 95e9, 85e9, 60e9, 48e9)]
    n = 128.0 * MIB
    of = case("relu/inplace", shape={"n": 1})
    updating = found(roof(record(of, work=moving(2 * n, 2 * n, 2 * n, rfo=0.0)), ladder, machine()))
    copying = found(roof(record(of, work=moving(n, n, 2 * n, rfo=n)), ladder, machine()))
    unsaid = found(roof(record(of, work=moving(n, n, 2 * n)), ladder, machine()))
    assert (updating.seconds, updating.name) == (pytest.approx(4 * n / 48e9), "DRAM update 1 thread")
    assert (copying.seconds, copying.name) == (pytest.approx(2 * n / 25e9), "DRAM copy 1 thread")
    assert unsaid == copying


def test_stores_past_the_caches_into_other_memory_are_no_update() -> None:
    ladder = [
        *levelled("copy", 90e9, 80e9, 45e9, 25e9),
        *levelled("update", 95e9, 85e9, 60e9, 48e9),
        *levelled("copy_nt", 38e9, 37e9, 36e9, 36e9),
    ]
    n = 128.0 * MIB
    of = case("relu/streaming", shape={"n": 1})
    limit = found(roof(record(of, work=moving(n, n, 2 * n, rfo=0.0)), ladder, machine()))
    assert (limit.seconds, limit.name) == (pytest.approx(2 * n / 36e9), "DRAM copy (streaming stores) 1 thread")


def test_in_dram_streaming_stores_raise_the_roof_and_the_name_says_so() -> None:
    ladder = [*levelled("copy", 90e9, 80e9, 45e9, 25e9), *levelled("copy_nt", 38e9, 37e9, 36e9, 36e9)]
    n = 128.0 * MIB
    limit = found(roof(record(case("copy/naive", shape={"n": 1}), work=moving(n, n, 2 * n, rfo=n)), ladder, machine()))
    assert (limit.seconds, limit.name) == (pytest.approx(2 * n / 36e9), "DRAM copy (streaming stores) 1 thread")


def test_in_a_cache_streaming_stores_are_no_roof_even_where_they_are_measured_faster() -> None:
    ladder = [*levelled("copy", 90e9, 80e9, 30e9, 25e9), *levelled("copy_nt", 36e9, 36e9, 36e9, 36e9)]
    half = 2.0 * MIB
    work = moving(half, half, 2 * half, rfo=half)
    limit = found(roof(record(case("copy/naive", shape={"n": 1}), work=work), ladder, machine()))
    assert limit.name == "L3 copy 1 thread"
    # 4 MiB lies 3/4 of the way from 512 KiB to 8 MiB in log: 80 (30/80)^(3/4) GB/s.
    assert limit.seconds == pytest.approx(2 * half / (80e9 * (30 / 80) ** 0.75))


def test_the_roof_does_not_jump_where_the_last_cache_ends() -> None:
    ladder = [*levelled("copy", 90e9, 80e9, 45e9, 25e9), *levelled("copy_nt", 38e9, 37e9, 36e9, 36e9)]
    rates = []
    for size in (0.99 * 8 * MIB, 1.01 * 8 * MIB, 0.99 * 16 * MIB, 1.01 * 16 * MIB):
        work = moving(size / 2, size / 2, size, rfo=size / 2)
        rates.append(
            size / found(roof(record(case("copy/naive", shape={"n": 1}), work=work), ladder, machine())).seconds
        )
    assert rates[1] == pytest.approx(rates[0], rel=0.02)
    assert rates[3] == pytest.approx(rates[2], rel=0.02)


def test_a_cold_case_may_use_streaming_stores_whatever_its_size() -> None:
    ladder = [*levelled("copy", 90e9, 80e9, 45e9, 25e9), *levelled("copy_nt", 38e9, 37e9, 36e9, 36e9)]
    of = case("copy/naive", shape={"n": 1}, cache="cold")
    limit = found(roof(record(of, work=moving(2048, 2048, 4096, rfo=2048)), ladder, machine()))
    assert (limit.seconds, limit.name) == (pytest.approx(4096 / 36e9), "DRAM copy (streaming stores) 1 thread")


def test_flags_tell_impossible_speed_scatter_and_python_calls() -> None:
    assert derived_flags(1.04, noisy=True, includes_python_call=True) == ("above-roof", "noisy", "dispatch")
    assert derived_flags(1.02, noisy=False, includes_python_call=False) == ()
    assert derived_flags(UNSET, noisy=False, includes_python_call=False) == ()
