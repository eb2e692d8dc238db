"""The sentence at the top: what it tells of a run, and what it says where there is little to tell."""

from collections import Counter

from kernelbench.analysis.headline import headline
from kernelbench.model import Failed, Record, Skipped
from kernelbench.report.advice import finding
from kernelbench.report.rows import rows
from tests.analysis.advising import SCATTERED, cases, stream, timed
from tests.builders import case, record, result


def of(*records: Record) -> str:
    return headline(cases(*records), Counter({"measured": len(records)}))


def whole(*records: Record, **more: object) -> str:
    made = result(records, **more)
    return finding(rows(made), made)


def test_the_best_matmul_opens_it_with_its_share_and_its_roof() -> None:
    text = of(timed("matmul/vectorized", 1e-2), timed("matmul/tiled", 2.5e-3), stream("relu/vectorized", 6.6e-6, 65536))
    assert text.startswith("The best f32 matmul reaches 93.0% of f32 AVX-512 FMA 1 thread (matmul/tiled/f32/n=512/t=1)")


def test_cold_operands_do_not_make_a_best_where_warm_ones_were_measured() -> None:
    text = of(timed("matmul/tiled", 4e-3), timed("matmul/packed", 2.5e-3, isa="native", cache="cold"))
    assert "(matmul/tiled/f32/n=512/t=1)" in text


def test_without_a_matmul_the_nearest_to_its_roof_opens_it() -> None:
    text = of(stream("relu/vectorized", 6.8e-6, 65536), timed("gemm/tiled", 4e-3))
    assert text.startswith("The best f32 relu reaches 97.3% of L2 copy 1 thread")


def test_a_library_opens_it_only_where_nothing_else_was_measured() -> None:
    own, peer = timed("matmul/tiled", 4e-3), timed("matmul/openblas", 2.5e-3, style="library")
    assert "(matmul/tiled/f32/n=512/t=1)" in of(own, peer)
    assert "(matmul/openblas/f32/n=512/t=1)" in of(peer)


def test_int8_is_set_against_f32_at_the_largest_size() -> None:
    small = (timed("matmul/tiled", 4e-4, n=256), timed("matmul/int8", 2e-4, n=256, dtype="i8", style="quantized"))
    large = (timed("matmul/tiled", 3.6e-3), timed("matmul/int8", 1e-3, dtype="i8", style="quantized"))
    assert "int8 is 3.60x as fast as f32 (matmul/int8/i8/n=512/t=1)" in of(*small, *large)


def test_int8_that_did_not_hold_still_yields_to_a_smaller_size_that_did() -> None:
    small = (timed("matmul/tiled", 4e-4, n=256), timed("matmul/int8", 2e-4, n=256, dtype="i8", style="quantized"))
    shaky = timed("matmul/int8", 1e-4, dtype="i8", style="quantized", pattern=SCATTERED)
    assert "int8 is 2.00x as fast" in of(*small, timed("matmul/tiled", 3.6e-3), shaky)


def test_int8_whose_rounds_scatter_is_told_with_that_doubt() -> None:
    shaky = timed("matmul/int8", 1e-3, dtype="i8", style="quantized", pattern=SCATTERED)
    assert "as fast as f32, in rounds that scatter (matmul/int8" in of(timed("matmul/tiled", 3.6e-3), shaky)


def test_int8_that_is_slower_is_not_praised() -> None:
    text = of(timed("matmul/tiled", 3e-3), timed("matmul/int8", 4e-3, dtype="i8", style="quantized"))
    assert "int8 is no faster than f32" in text


def test_int8_is_set_against_the_fastest_f32_there_is_a_library_s_too() -> None:
    peer = timed("matmul/openblas", 2e-3, style="library")
    text = of(timed("matmul/tiled", 3.6e-3), peer, timed("matmul/int8", 1e-3, dtype="i8", style="quantized"))
    assert "int8 is 2.00x as fast as f32" in text


def test_the_weakest_op_is_judged_by_its_best_variant_and_says_what_binds_it() -> None:
    text = of(
        timed("matmul/tiled", 2.5e-3), stream("relu/naive", 1e-4, 65536), stream("relu/vectorized", 1.6e-5, 65536)
    )
    assert "relu is the weakest op, 41.4% of L2 copy 1 thread at its best, bound by memory" in text


def test_one_op_alone_is_not_the_weakest() -> None:
    assert "weakest" not in of(timed("matmul/tiled", 2.5e-3), timed("matmul/naive", 1e-1))


def test_the_op_that_opens_it_is_not_called_the_weakest_as_well() -> None:
    assert "weakest" not in of(timed("matmul/tiled", 1e-2), stream("relu/vectorized", 6.8e-6, 65536))


def test_an_op_that_is_at_its_roof_is_not_called_weak() -> None:
    assert "weakest" not in of(timed("matmul/tiled", 2.5e-3), stream("relu/vectorized", 6.8e-6, 65536))


def test_libraries_are_counted_by_cells_and_what_is_level_is_said() -> None:
    cells = []
    for n, own, peer in ((64, 5e-6, 6e-6), (256, 4e-4, 3.5e-4), (512, 3e-3, 3e-3)):
        cells += [timed("matmul/tiled", own, n=n), timed("matmul/openblas", peer, n=n, style="library")]
    assert "the best variant beats the best library in 1 of 3 cells, level in 1" in of(*cells)


def test_a_case_above_its_roof_is_no_triumph() -> None:
    assert "(matmul/vectorized/f32/n=512/t=1)" in of(timed("matmul/tiled", 1e-3), timed("matmul/vectorized", 5e-3))


def test_one_case_makes_one_sentence() -> None:
    text = of(timed("matmul/tiled", 2.5e-3))
    assert text.endswith("(matmul/tiled/f32/n=512/t=1). 1 of 1 case was measured.")


def test_without_ceilings_and_peers_it_says_that_there_is_nothing_to_set_a_time_against() -> None:
    text = whole(record(), ceilings=())
    assert text == "1 of 1 case was measured; none has a roof or a peer to be set against."


def test_none_measured_and_all_failed_are_said_with_their_counts() -> None:
    wrong, slow = record(outcome=Failed("verify", "wrong")), record(case("matmul/python"), Skipped("too slow"))
    assert whole(wrong, slow) == "Nothing was measured: 1 failed, 1 skipped."
    assert whole(wrong) == "Nothing was measured: 1 failed."
    assert whole() == "Nothing was measured."


def test_what_failed_and_was_skipped_stands_beside_what_was_measured() -> None:
    wrong = record(case("matmul/packed"), Failed("verify", "wrong"))
    assert whole(timed("matmul/tiled", 3e-3), wrong).endswith("1 of 2 cases was measured (1 failed).")


def test_an_interrupted_run_says_so_even_when_it_measured_nothing() -> None:
    for records in ((), (record(),)):
        assert whole(*records, interrupted=True).endswith(" The run was interrupted: this is what was done.")


def test_escapes_in_names_are_spelled_out() -> None:
    assert "\x1b" not in whole(timed("\x1b[31mx/tiled", 3e-3))
