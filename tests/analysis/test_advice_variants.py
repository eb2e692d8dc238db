"""Advice that sets one variant against another: a run that triggers each rule, and one that does not."""

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.analysis.advice_variants import chains, isa, library, quantized, take
from kernelbench.model import Accuracy, Record
from tests.analysis.advising import SCATTERED, advice, says, timed


def test_a_parameter_that_counts_chains_names_the_cause() -> None:
    found = advice(
        chains,
        timed("dot/mine", 4e-2, params={"chains": 4}, style="vectorized"),
        timed("dot/mine", 2e-2, params={"chains": 8}, style="vectorized"),
    )
    assert found.supported
    assert found.gain == pytest.approx(2, rel=0.01)
    assert "4 -> 8 chains, expect up to 2.00x" in found.text
    assert "20.0 ms with 8 chains" in found.text


def test_more_chains_are_proposed_only_where_the_most_measured_are_far_below_the_roof() -> None:
    few, many = (timed("dot/mine", s, params={"chains": c}, style="tiled") for c, s in ((4, 4e-2), (8, 2e-2)))
    near = (timed("dot/mine", s, params={"chains": c}, style="tiled") for c, s in ((4, 6e-3), (8, 3e-3)))
    assert "so try 16" in advice(chains, few, many).text
    assert "try 16" not in advice(chains, *near).text


def test_chains_that_buy_nothing_are_no_advice() -> None:
    same = (timed("dot/mine", 2e-2, params={"chains": c}, style="tiled") for c in (4, 8))
    assert says(chains, *same) is UNSET


def test_a_naive_sum_beside_many_chains_is_only_consistent_with_one_chain() -> None:
    found = advice(
        chains, timed("dot/naive", 8e-2), timed("dot/many_chains", 1e-2, style="vectorized"),
    )  # fmt: skip
    assert not found.supported
    assert "consistent with one chain" in found.text
    assert found.case_ids == ("dot/naive/f32/n=512/t=1", "dot/many_chains/f32/n=512/t=1")


def test_a_naive_sum_beside_one_that_may_be_reordered_says_so() -> None:
    found = advice(chains, timed("dot/naive", 8e-2), timed("dot/vectorized", 1e-2, fastmath=True))
    assert "fast-math" in found.text


def test_a_naive_loop_beside_a_faster_loop_without_chains_is_no_matter_of_chains() -> None:
    assert says(chains, timed("dot/naive", 8e-2), timed("dot/vectorized", 1e-2)) is UNSET


def test_a_variant_far_below_its_roof_yields_to_one_that_is_much_faster() -> None:
    found = advice(take, timed("matmul/vectorized", 1.2e-2), timed("matmul/tiled", 3e-3))
    assert "reaches 19.4% of its compute roof" in found.text
    assert "take matmul/tiled, 4.00x" in found.text


@pytest.mark.parametrize("style", ["naive", "python", "library"])
def test_what_is_slow_on_purpose_or_not_ours_is_not_told_to_yield(style: str) -> None:
    assert says(take, timed(f"matmul/{style}", 1.2e-2), timed("matmul/tiled", 3e-3)) is UNSET


def test_a_variant_near_its_roof_need_not_yield() -> None:
    assert says(take, timed("matmul/vectorized", 4.5e-3), timed("matmul/tiled", 2.5e-3)) is UNSET


def test_another_size_or_number_type_is_no_variant_to_take() -> None:
    others = (timed("matmul/tiled", 3e-3, n=256), timed("matmul/int8", 1e-3, dtype="i8", style="quantized"))
    assert says(take, timed("matmul/vectorized", 1.2e-2), *others) is UNSET


def test_a_faster_library_is_cited_with_its_share_and_the_cells_it_leads() -> None:
    found = advice(
        library,
        timed("matmul/tiled", 4e-3),
        timed("matmul/openblas", 2.6e-3, style="library"),
        timed("matmul/tiled", 4e-4, n=256),
        timed("matmul/openblas", 4e-4, n=256, style="library"),
    )
    assert "1.54x is to be had. The library is ahead in 1 of 2 cells" in found.text
    assert "which is 89.4% of f32 AVX-512 FMA 1 thread" in found.text


def test_a_library_that_is_slower_or_has_other_threads_is_no_advice() -> None:
    peers = (timed("matmul/openblas", s, threads=t, style="library") for s, t in ((5e-3, 1), (1e-3, 2)))
    assert says(library, timed("matmul/tiled", 4e-3), *peers) is UNSET


def test_a_lead_within_the_scatter_is_no_advice() -> None:
    own = timed("matmul/tiled", 3.3e-3, pattern=SCATTERED)
    assert says(library, own, timed("matmul/openblas", 3e-3, style="library")) is UNSET


def noisy_sum(seconds: float) -> Record:
    made = timed("matmul/int8", seconds, dtype="i8", style="quantized")
    return replace(made, accuracy=Accuracy("max |error|", 2.1e-3, "float64 reference", 1e-2, 47.6))


def test_what_fewer_bits_buy_stands_with_their_error() -> None:
    found = advice(quantized, timed("matmul/tiled", 4e-3), noisy_sum(1e-3))
    assert "4.00x where its error is allowed (max |error| = 2.1e-03, SNR 48 dB)" in found.text


def test_a_library_of_fewer_bits_is_no_f32_to_set_them_against() -> None:
    grouped = timed("gemv/onnxruntime", 5e-4, style="library", params={"group": 32})
    few = timed("gemv/int8", 1e-3, style="quantized")
    assert advice(quantized, timed("gemv/tiled", 4e-3), grouped, few).case_ids[0] == "gemv/tiled/f32/n=512/t=1"


def test_fewer_bits_that_are_slower_are_no_advice() -> None:
    assert says(quantized, timed("matmul/tiled", 1e-3), noisy_sum(4e-3)) is UNSET


def test_what_a_higher_instruction_set_buys_is_measured_on_one_variant() -> None:
    found = advice(
        isa,
        timed("matmul/tiled", 6e-3, isa="avx2", isa_used="avx2"),
        timed("matmul/tiled", 4e-3, isa_used="avx512"),
    )
    assert found.supported
    assert "AVX-512 buys 1.50x over AVX2" in found.text


def test_a_higher_instruction_set_that_costs_is_told_to_be_left() -> None:
    found = advice(
        isa,
        timed("matmul/tiled", 4e-3, isa="avx2", isa_used="avx2"),
        timed("matmul/tiled", 6e-3, isa_used="avx512"),
    )
    assert "AVX-512 costs 1.50x here, so build it for AVX2" in found.text


def test_two_settings_that_gave_the_same_instructions_tell_nothing() -> None:
    same = (timed("matmul/tiled", s, isa=i, isa_used="avx2") for i, s in (("avx2", 6e-3), ("native", 4e-3)))
    assert says(isa, *same) is UNSET
