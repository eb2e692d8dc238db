"""Which compute ceiling judges a case."""

import pytest
from msgspec import UNSET

from kernelbench.analysis.peaks import ComputeRoof, compute_roof, higher_roof, may_use
from kernelbench.model import ISA_LEVELS, Case, Ceiling, Work
from tests.builders import case, compute

WORK = Work("modelled", 1e9, "fma")
ZEN = [compute(v, isa=isa) for isa, v in (("scalar", 7e9), ("sse2", 29e9), ("avx2", 118e9), ("avx512", 117e9))]
INTEL = [compute(60e9, isa="sse4.2"), compute(120e9, isa="avx2"), compute(230e9, isa="avx512")]


def judged(of: Case, ceilings: list[Ceiling], mix: str = "fma") -> ComputeRoof:
    found = compute_roof(of, Work("modelled", 1e9, mix), ceilings)
    assert isinstance(found, ComputeRoof), found
    return found


@pytest.mark.parametrize(
    ("isa", "rate", "name"),
    [
        ("native", 230e9, "f32 AVX-512 FMA 1 thread"),
        ("avx512", 230e9, "f32 AVX-512 FMA 1 thread"),
        ("avx2", 120e9, "f32 AVX2 FMA 1 thread"),
        ("sse4.2", 60e9, "f32 SSE4.2 FMA 1 thread"),
    ],
)
def test_a_case_is_judged_by_the_level_it_was_compiled_for(isa: str, rate: float, name: str) -> None:
    found = judged(case(isa=isa), INTEL)
    assert (found.flop_per_s, found.name) == (rate, name)


def test_of_two_levels_within_2_percent_the_higher_is_named() -> None:
    assert judged(case(), ZEN).name == "f32 AVX-512 FMA 1 thread"


def test_a_lower_level_that_is_clearly_faster_is_the_roof_of_the_higher() -> None:
    throttled = [compute(118e9, isa="avx2"), compute(100e9, isa="avx512")]
    assert judged(case(isa="avx512"), throttled).name == "f32 AVX2 FMA 1 thread"


def test_only_higher_levels_measured_give_no_roof() -> None:
    why = compute_roof(case(isa="sse2"), WORK, INTEL)
    assert why == "no compute roof: no ceiling of f32 fma, isa sse2, 1 thread"


@pytest.mark.parametrize(("isa", "gain"), [("avx2", 230 / 120), ("sse4.2", 230 / 60)])
def test_a_lower_level_shows_what_the_highest_would_give(isa: str, gain: float) -> None:
    own = judged(case(isa=isa), INTEL)
    higher = higher_roof(case(isa=isa), WORK, INTEL, own)
    assert isinstance(higher, ComputeRoof)
    assert (higher.isa, higher.flop_per_s / own.flop_per_s) == ("avx512", pytest.approx(gain))


def test_nothing_is_higher_for_native_code_or_where_the_higher_level_gives_no_more() -> None:
    assert higher_roof(case(), WORK, INTEL, judged(case(), INTEL)) is UNSET
    assert higher_roof(case(isa="avx2"), WORK, ZEN, judged(case(isa="avx2"), ZEN)) is UNSET


@pytest.mark.parametrize(("mix", "stand_in"), [("fma_add", "fma"), ("add", "fma"), ("fma", "fma_add")])
def test_a_mix_that_was_not_measured_is_judged_by_another_and_says_so(mix: str, stand_in: str) -> None:
    found = judged(case(), [compute(50e9, mix=stand_in)], mix)
    assert found.flop_per_s == 50e9
    assert found.stands_in == f"no f32 {mix} ceiling at this instruction set: judged by f32 {stand_in}"
    assert judged(case(), [compute(50e9, mix=stand_in), compute(40e9, mix=mix)], mix).stands_in == ""


@pytest.mark.parametrize(("dtype", "mix"), [("i8", "fma"), ("bf16", "add"), ("bf16", "dot")])
def test_8_and_16_bit_types_are_judged_by_their_dot_product(dtype: str, mix: str) -> None:
    found = judged(case(dtype=dtype), [compute(467e9, dtype, "dot"), compute(117e9)], mix)
    assert (found.name, found.stands_in) == (f"{dtype} AVX-512 dot product 1 thread", "")


def test_bf16_below_its_instruction_is_judged_by_the_f32_it_is_widened_to_and_shows_the_instruction_s_gain() -> None:
    ceilings = [*INTEL, compute(460e9, "bf16", "dot")]
    own = judged(case(dtype="bf16", isa="avx2"), ceilings)
    assert (own.flop_per_s, own.stands_in) == (
        120e9, "no bf16 dot ceiling at this instruction set: judged by f32 fma",
    )  # fmt: skip
    higher = higher_roof(case(dtype="bf16", isa="avx2"), WORK, ceilings, own)
    assert isinstance(higher, ComputeRoof)
    assert higher.name == "bf16 AVX-512 dot product 1 thread"


def test_a_skipped_ceiling_is_no_roof() -> None:
    amx = Ceiling("compute/i8/amx/dot/t=1", "compute", "m", 1, "OP/s", dtype="i8", isa="amx", mix="dot", skipped="why")
    assert "no ceiling of i8 dot" in str(compute_roof(case(dtype="i8"), WORK, [amx]))


def test_code_may_use_its_own_and_lower_levels_of_its_own_architecture_only() -> None:
    for levels in ISA_LEVELS.values():
        for at, isa in enumerate(levels):
            assert [level for level in levels if may_use(isa, level)] == list(levels[: at + 1])
    assert not may_use("avx2", "neon")
    assert may_use("native", "sve")
