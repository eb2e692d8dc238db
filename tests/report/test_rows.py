"""The derived columns, against numbers worked out by hand."""

from collections.abc import Iterable

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.analysis.once import Ceilings, asked_once
from kernelbench.model import Ceiling, Failed, Skipped, Work
from kernelbench.report.columns import FIELDS, groups, name
from kernelbench.report.rows import Row, rows
from tests.builders import case, matmul_work, record, result, sample

CONTRACT = (
    "case_id, op, variant, style, dtype, shape, params, threads, isa, isa_used, cache, machine, status, reason, "
    "rounds, median_s, ci_low_s, ci_high_s, best_s, gflops, gbps, intensity, roof_s, roof_gflops, roof_gbps, "
    "roof_name, roof_fraction, bound, speedup_vs_naive, speedup_vs_library, accuracy, snr_db, compile_s, flags"
)


def by_id(*records: object) -> dict[str, Row]:
    return {row.case_id: row for row in rows(result(records))}


def test_the_columns_are_those_of_the_contract_in_its_order() -> None:
    assert ", ".join(FIELDS) == CONTRACT


def test_rates_and_roof_fraction_come_from_the_best_sample() -> None:
    (row,) = rows(result([record(outcome=[4e-3] * 6)]))
    flop, moved, best = 2 * 512**3, 3 * 4 * 512**2, 4e-3 * 0.99
    assert row.best_s == pytest.approx(best)
    assert row.gflops == pytest.approx(flop / best / 1e9)
    assert row.gbps == pytest.approx(moved / best / 1e9)
    assert row.roof_s == pytest.approx(flop / 117e9)
    assert row.roof_fraction == pytest.approx(flop / 117e9 / best)
    assert (row.roof_gflops, row.bound) == (pytest.approx(117), "compute")
    assert row.roof_gbps == pytest.approx(moved / (flop / 117e9) / 1e9)


def test_the_interval_is_of_the_round_medians_and_absent_below_six_rounds() -> None:
    (row,) = rows(result([record(outcome=[6e-3, 1e-3, 5e-3, 2e-3, 4e-3, 3e-3])]))
    assert (row.median_s, row.ci_low_s, row.ci_high_s) == (pytest.approx(3.5e-3), 1e-3, 6e-3)
    (few,) = rows(result([record(outcome=[1e-3] * 5)]))
    assert (few.rounds, few.ci_low_s, few.ci_high_s) == (5, UNSET, UNSET)


def test_work_without_flop_has_bandwidth_and_a_roof_but_no_flop_rate() -> None:
    work = Work("modelled", 0.0, UNSET, 2e6, 2e6, 2e6, 4e6)
    (row,) = rows(result([record(case("transpose/naive", shape={"n": 700}), work=work)]))
    assert (row.gflops, row.intensity, row.roof_gflops) == (UNSET, UNSET, UNSET)
    assert row.gbps == pytest.approx(4e6 / 0.99e-3 / 1e9)
    assert row.roof_fraction is not UNSET
    assert row.bound == "memory"


def test_speedup_over_naive_is_by_median_against_one_thread_of_the_same_type() -> None:
    f32, f64 = case("matmul/naive"), case("matmul/naive", "f64")
    found = by_id(
        record(f32, [0.1] * 6),
        record(f64, [0.4] * 6),
        record(case("matmul/naive", threads=2), [0.001] * 6),
        record(case("matmul/tiled", "f64"), [0.02] * 6),
        record(case("matmul/parallel", threads=2), [0.01] * 6),
    )
    assert found["matmul/tiled/f64/n=512/t=1"].speedup_vs_naive == pytest.approx(20)
    assert found["matmul/parallel/f32/n=512/t=2"].speedup_vs_naive == pytest.approx(10)
    assert found[f32.id].speedup_vs_naive == 1


def test_naive_is_that_of_the_same_instruction_set_where_it_was_measured() -> None:
    own, other = case("matmul/tiled", isa="avx2"), case("matmul/tiled", isa="sse2")
    found = by_id(
        record(case("matmul/naive"), [0.1] * 6),
        record(case("matmul/naive", isa="avx2"), [0.2] * 6),
        record(own, [0.02] * 6),
        record(other, [0.02] * 6),
        record(case("matmul/tiled"), [0.02] * 6),
    )
    assert found[own.id].speedup_vs_naive == pytest.approx(10)
    assert found[other.id].speedup_vs_naive == pytest.approx(5)
    assert found[case("matmul/tiled").id].speedup_vs_naive == pytest.approx(5)


def test_a_type_without_a_naive_time_of_its_own_is_compared_with_f32() -> None:
    failed = record(case("matmul/naive", "i8"), Failed("verify", "wrong"))
    quantized = case("matmul/quantized", "i8")
    found = by_id(record(case("matmul/naive"), [0.1] * 6), failed, record(quantized, [0.01] * 6))
    assert found[quantized.id].speedup_vs_naive == pytest.approx(10)


def test_speedup_over_the_library_is_against_its_fastest_variant_at_the_same_threads() -> None:
    found = by_id(
        record(case("matmul/library"), [0.04] * 6),
        record(case("matmul/blas_symbol", style="library"), [0.02] * 6),
        record(case("matmul/library", threads=2), [0.001] * 6),
        record(case("matmul/quantized", "i8"), [0.01] * 6),
    )
    assert found["matmul/quantized/i8/n=512/t=1"].speedup_vs_library == pytest.approx(2)


@pytest.mark.parametrize("other", [{"shape": {"m": 8, "n": 8, "k": 8}}, {"cache": "cold"}, {"params": {"causal": 1}}])
def test_another_task_gives_no_speedup(other: dict[str, object]) -> None:
    of = case("matmul/tiled", **{"params": {"causal": 0}, **other})
    assert by_id(record(case("matmul/naive", params={"causal": 0})), record(of))[of.id].speedup_vs_naive is UNSET


def test_a_case_is_not_set_against_a_library_of_fewer_bits() -> None:
    f32, i8 = case("matmul/tiled"), case("matmul/quantized", "i8")
    found = by_id(
        record(case("matmul/library"), [0.04] * 6),
        record(case("matmul/library", "i8"), [0.01] * 6),
        record(f32, [0.02] * 6),
        record(i8, [0.005] * 6),
    )
    assert found[f32.id].speedup_vs_library == pytest.approx(2)
    assert found[i8.id].speedup_vs_library == pytest.approx(2)
    alone = by_id(record(case("matmul/library", "i8"), [0.01] * 6), record(f32, [0.02] * 6))
    assert alone[f32.id].speedup_vs_library is UNSET


def test_a_failed_naive_variant_gives_no_speedup() -> None:
    found = by_id(record(case("matmul/naive"), Failed("verify", "wrong")), record(case("matmul/tiled")))
    assert found["matmul/tiled/f32/n=512/t=1"].speedup_vs_naive is UNSET


def test_skipped_and_failed_cases_keep_their_reason_and_have_no_numbers() -> None:
    skipped, failed = rows(
        result([record(case("matmul/python"), Skipped("too slow")), record(outcome=Failed("verify", "wrong"))])
    )
    assert (skipped.status, skipped.reason, skipped.median_s) == ("skipped", "too slow", UNSET)
    assert (failed.status, failed.reason, failed.gflops) == ("failed", "verify: wrong", UNSET)


def test_a_case_above_its_roof_is_flagged() -> None:
    (row,) = rows(result([record(outcome=[1e-3] * 6)]))
    assert row.roof_fraction > 2
    assert "above-roof" in row.flags


def test_flags_set_when_measuring_are_kept_and_not_doubled() -> None:
    (row,) = rows(result([record(outcome=[1.0, 2.0], flags=("noisy", "throttled"))]))
    assert row.flags == ("noisy", "throttled")


def test_a_case_without_a_roof_says_why() -> None:
    (row,) = rows(result([record(work=matmul_work(512))], ceilings=()))
    assert (row.roof_s, row.roof_fraction, row.bound) == (UNSET, UNSET, "")
    assert "no bandwidth was measured at 1 thread" in row.reason


def test_rows_stand_in_the_order_of_the_ladder_whatever_the_file_s_order() -> None:
    ordered = sample()
    backwards = replace(ordered, records=tuple(reversed(ordered.records)))
    assert rows(backwards) == rows(ordered)
    assert [r.style for r in rows(ordered)[:4]] == ["python", "naive", "vectorized", "tiled"]


def test_a_variants_own_parameter_does_not_hide_it_from_variants_without() -> None:
    found = by_id(
        record(case("matmul/naive", params={"causal": 1}), [0.08] * 6),
        record(case("matmul/library", params={"causal": 1}), [0.04] * 6),
        record(case("matmul/tiled", params={"causal": 1, "group": 32}), [0.02] * 6),
        record(case("matmul/tiled", params={"causal": 1, "group": 128}), [0.01] * 6),
        record(case("matmul/tiled", params={"causal": 0, "group": 128}), [0.01] * 6),
    )
    tiled = found["matmul/tiled/f32/n=512,causal=1,group=128/t=1"]
    assert (tiled.speedup_vs_naive, tiled.speedup_vs_library) == (pytest.approx(8), pytest.approx(4))
    assert (tiled.params, tiled.own_params) == ("causal=1,group=128", "group=128")
    other = found["matmul/tiled/f32/n=512,causal=0,group=128/t=1"]
    assert (other.speedup_vs_naive, other.speedup_vs_library) == (UNSET, UNSET)


def test_tables_group_by_what_all_variants_share_and_name_the_rest_with_the_variant() -> None:
    cases = [case("matmul/naive", params={"causal": value}) for value in (1, 0)]
    cases += [case("matmul/tiled", params={"causal": 0, "group": group}) for group in (128, 32)]
    found = list(groups(rows(result([record(c) for c in cases]))))
    assert [(group.title, [name(row) for row in group.rows]) for group in found] == [
        ("matmul n=512 causal=0", ["naive", "tiled group=32", "tiled group=128"]),
        ("matmul n=512 causal=1", ["naive"]),
    ]


def test_a_kernel_whose_sums_may_be_reordered_is_flagged() -> None:
    (row,) = rows(result([replace(record(), fastmath=True)]))
    assert "fast-math" in row.flags


def test_a_question_about_the_same_ceilings_is_answered_once() -> None:
    asked = []

    @asked_once
    def count(ceilings: Iterable[Ceiling], threads: int) -> int:
        asked.append(threads)
        return sum(c.threads == threads for c in ceilings)

    known = Ceilings(sample().ceilings)
    assert [count(known, 1), count(known, 1), count(known, 2)] == [16, 16, 15]
    assert asked == [1, 2]
    assert count(known[:1], 1) == count(list(known[:1]), 1) == 1
    assert asked == [1, 2, 1, 1]
