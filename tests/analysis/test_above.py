"""What explains a case above its roof: the first explanation whose numbers fit."""

from collections.abc import Sequence

import pytest
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from kernelbench.analysis.above import CAUSES, Explanation, explain_above
from kernelbench.analysis.roofline import Roof, roof
from kernelbench.model import Case, Ceiling, Measured, Probe, Record, Round, Work
from tests.builders import KIB, MIB, case, compute, machine, memory, record

FMA = replace(compute(100e9), probes=(Probe(0.0, 98e9, 3.9e9), Probe(1.0, 100e9, 3.6e9)))
ADDS = compute(150e9, mix="fma_add")
LADDER = [
    memory(v * factor, size, mix, 1, level)
    for mix, factor in (("read", 1e9), ("copy", 0.8e9))
    for level, size, v in (("L1", 16 * KIB, 200), ("L2", 512 * KIB, 100), ("L3", 8 * MIB, 50), ("DRAM", 256 * MIB, 20))
]
FLOP = Work("modelled", 1e9, "fma")


def timed(of: Case, work: Work, best_s: float, clock_hz: float | UnsetType = UNSET) -> Record:
    """A record whose best sample lies in its second round, the one with a clock."""
    slow, fast = Round(0, 0.0, (2 * best_s,), 1, 0, 3.0e9), Round(1, 1.0, (best_s,), 1, 1, clock_hz)
    return record(of, Measured("compiled loop", False, (slow, fast)), work=work)


def why(given: Record, ceilings: Sequence[Ceiling]) -> Explanation | UnsetType:
    limit = roof(given, ceilings, machine())
    assert isinstance(limit, Roof)
    return explain_above(given, limit, ceilings, machine())


def cause(given: Record, ceilings: Sequence[Ceiling]) -> str:
    found = why(given, ceilings)
    assert isinstance(found, Explanation)
    assert found.cause in CAUSES
    return found.cause


def streamed(size: float, gbps: float, written: float = 0.0, **more: object) -> Record:
    """A case that moves its working set of ``size`` bytes once at ``gbps``."""
    work = Work("modelled", UNSET, UNSET, size * (1 - written), size * written, size * written, size)
    return timed(case("copy/naive", shape={"n": 1}, **more), work, size / gbps / 1e9)


@pytest.mark.parametrize("share", [0.5, 1.0, 1.03])
def test_a_case_within_its_roof_needs_no_explanation(share: float) -> None:
    assert why(timed(case(), FLOP, 1e9 / (share * 100e9)), [FMA]) is UNSET


def test_a_compute_case_that_fits_under_fma_and_add_pipes_together_names_them_with_both_rates() -> None:
    found = why(timed(case(), FLOP, 1e9 / 140e9), [FMA, ADDS])
    assert found == Explanation("fadd-pipes", "FADD pipes: 140 GFLOP/s fit the 150 of FMA and add pipes used together")


@pytest.mark.parametrize(
    ("rate", "ceilings", "isa"),
    [
        (160e9, [FMA, ADDS], "native"),
        (140e9, [FMA], "native"),
        (140e9, [compute(100e9, isa="avx2"), ADDS], "avx2"),
    ],
    ids=["faster than both pipes", "the pipes were not measured", "measured at a higher instruction set only"],
)
def test_add_pipes_explain_nothing_beyond_what_was_measured_of_them(
    rate: float, ceilings: list[Ceiling], isa: str
) -> None:
    assert cause(timed(case(isa=isa), FLOP, 1e9 / rate), ceilings) == "model?"


def test_near_the_end_of_a_cache_a_case_no_faster_than_that_cache_names_residency() -> None:
    # 1.5 MiB a thread, just beyond 1 MiB of L2: the ladder gives 100 (1/2)^(log16 3) = 76 GB/s there; 95 fit
    # the 100 of L2 at half its size.
    found = why(streamed(1.5 * MIB, 95), LADDER)
    assert isinstance(found, Explanation)
    assert (found.cause, found.text) == (
        "cache-residency",
        "cache residency: 1.5 MiB a thread lie near the 1 MiB at which a cache ends; 95.0 GB/s fit the 100 inside it",
    )


@pytest.mark.parametrize(
    ("size", "gbps", "cache"),
    [(1.5 * MIB, 110, "warm"), (3 * MIB, 95, "warm"), (1.5 * MIB, 95, "cold")],
    ids=["faster than the cache", "too far from its end", "cold"],
)
def test_residency_explains_nothing_elsewhere(size: float, gbps: float, cache: str) -> None:
    assert cause(streamed(size, gbps, cache=cache), LADDER) == "model?"


def test_residency_is_judged_by_the_knees_of_the_ladder_too() -> None:
    # The OS claims an L2 of 1 MiB; the curve falls at 256 KiB.
    steps = [memory(100e9 if k < 25 else 40e9, round(4 * KIB * 2 ** (k / 4))) for k in range(57)]
    assert cause(streamed(400 * KIB, 90), steps) == "cache-residency"
    found = why(streamed(400 * KIB, 90), steps)
    assert isinstance(found, Explanation)
    assert "fit the 100 inside it" in found.text


def test_a_writing_case_that_fits_under_streaming_stores_names_them() -> None:
    # 4 MiB of an L3 that gives copies 50 x 0.8 x 2^(1/4) = 47.6 GB/s; streaming stores gave 60.
    streams = [*LADDER, memory(60e9, 8 * MIB, "copy_nt")]
    found = why(streamed(4 * MIB, 59, written=0.5), streams)
    assert found == Explanation(
        "streaming-stores", "streaming stores: 59.0 GB/s fit the 60.0 of stores that pass the caches by"
    )
    assert cause(streamed(4 * MIB, 63, written=0.5), streams) == "model?"


def test_a_case_that_writes_nothing_has_no_streaming_stores() -> None:
    assert cause(streamed(4 * MIB, 75), [*LADDER, memory(99e9, 8 * MIB, "copy_nt")]) == "model?"


def test_a_faster_clock_in_the_best_round_than_beside_the_best_probe_explains_as_much_as_it_is_faster() -> None:
    # The best probe ran at 3.6 GHz (a slower one at 3.9), the best round at 3.96: 110%.
    found = why(timed(case(), FLOP, 1e9 / 110e9, 3.96e9), [FMA])
    assert found == Explanation("clock", "clock: its best round ran at 3.96 GHz, the roof's best probe at 3.60 GHz")


@pytest.mark.parametrize(
    ("clock_hz", "rate"), [(3.96e9, 115e9), (3.66e9, 104e9), (UNSET, 110e9)], ids=["too little", "equal", "unknown"]
)
def test_a_clock_that_is_no_faster_or_not_enough_explains_nothing(clock_hz: float | UnsetType, rate: float) -> None:
    assert cause(timed(case(), FLOP, 1e9 / rate, clock_hz), [FMA]) == "model?"


def test_the_clock_explains_a_case_in_a_cache_but_none_in_dram() -> None:
    clocked = [replace(c, probes=(Probe(0.0, c.value, 3.6e9),)) for c in LADDER if isinstance(c.value, float)]
    for size, gbps, expected in ((16 * KIB, 215, "clock"), (256 * MIB, 21.5, "model?")):
        given = streamed(size, gbps)
        best = given.outcome.rounds[1] if isinstance(given.outcome, Measured) else None
        assert best is not None
        fast = replace(given, outcome=Measured("compiled loop", False, (replace(best, clock_hz=3.96e9),)))
        assert cause(fast, clocked) == expected


def test_of_two_explanations_that_fit_the_first_counts() -> None:
    assert cause(timed(case(), FLOP, 1e9 / 110e9, 3.96e9), [FMA, ADDS]) == "fadd-pipes"


def test_memory_explanations_do_not_excuse_a_case_above_its_compute_roof_as_well() -> None:
    work = replace(FLOP, flop=110e9 * 1e-3, read_bytes=1.0, working_set_bytes=1.5 * MIB)
    assert cause(timed(case(), work, 1e-3), [FMA, *LADDER]) == "model?"


def test_what_nothing_explains_says_how_far_above_which_roof_it_is() -> None:
    found = why(timed(case(), FLOP, 1e9 / 150e9), [FMA])
    assert isinstance(found, Explanation)
    assert found.text == (
        "nothing measured explains 150.0% of f32 AVX-512 FMA 1 thread: its work model or roof is in doubt"
    )


@pytest.mark.parametrize(("spread", "expected"), [(0.05, "model?"), (0.2, "noisy-roof")])
def test_a_roof_whose_own_probes_scatter_by_more_than_the_excess_is_noisy(spread: float, expected: str) -> None:
    # 56 GB/s against 50: 12% above, which probes up to 5% below their best do not explain, but up to 20% do.
    ladder = [replace(c, spread=spread) if c.level == "L3" else c for c in LADDER]
    assert cause(streamed(6 * MIB, 1.12 * 53), ladder) == expected


def test_the_scatter_of_another_level_explains_nothing() -> None:
    ladder = [replace(c, spread=0.5) if c.level == "DRAM" else c for c in LADDER]
    assert cause(streamed(6 * MIB, 1.12 * 53), ladder) == "model?"
