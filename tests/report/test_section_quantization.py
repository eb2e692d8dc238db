"""What fewer bits buy and cost: which problems are told, what is on the front, and what the chart holds."""

import json
from collections.abc import Sequence

import pytest
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from kernelbench.model import Accuracy, Dtypes, Record, Result
from kernelbench.report.quantization import ROUNDED, Problem, problems
from kernelbench.report.quantization_chart import edges
from kernelbench.report.rows import rows
from kernelbench.report.section import Section
from kernelbench.report.section_quantization import MOST_POINTS, section
from tests.builders import case, matmul_work, record, result

SQUARE = {"m": 512, "n": 512, "k": 512}


def accuracy(snr_db: float | UnsetType = 140.0, value: float = 1e-7) -> Accuracy:
    return Accuracy("max |error| / (|A| |B|)", value, "float64 reference", 1e-2, snr_db)


def timed(
    variant: str, seconds: float, snr_db: float | UnsetType = 140.0, dtype: str = "f32", **more: object
) -> Record:
    value = 0.0 if isinstance(snr_db, UnsetType) else 1e-3
    work = matmul_work(512, {"f32": 4, "bf16": 2, "i8": 1}[dtype])
    return record(case(variant, dtype, SQUARE, **more), [seconds] * 6, accuracy=accuracy(snr_db, value), work=work)


def three_types() -> list[Record]:
    return [
        timed("matmul/naive", 0.2),
        timed("matmul/library", 3e-3),
        timed("matmul/bf16", 2e-3, 55.0, "bf16", style="packed"),
        timed("matmul/quantized", 1e-3, 40.0, "i8"),
        timed("matmul/int8_slow", 4e-3, 40.0, "i8", style="quantized"),
    ]


def told(records: Sequence[Record]) -> tuple[Problem, ...]:
    made = result(records)
    return problems(rows(made), made)


def shown(made: Result) -> Section:
    found = section(rows(made), made)
    assert isinstance(found, Section)
    return found


def test_one_number_type_alone_is_no_question_of_bits() -> None:
    made = result([timed("matmul/naive", 0.2), timed("matmul/library", 3e-3)])
    assert section(rows(made), made) is UNSET


def test_nothing_measured_has_no_section() -> None:
    assert section((), result([])) is UNSET


def test_sparse_variants_are_told_even_in_one_number_type() -> None:
    (problem,) = told([timed("spmv/library", 2e-3), timed("spmv/sparse", 1e-3)])
    assert problem.title == "spmv n=512, 1 thread"


def test_the_front_holds_what_nothing_beats_in_time_and_error() -> None:
    (problem,) = told(three_types())
    assert [point.row.variant for point in problem.front] == ["matmul/library", "matmul/bf16", "matmul/quantized"]


def test_the_error_is_the_ratio_of_noise_to_signal_that_the_snr_tells() -> None:
    (problem,) = told(three_types())
    assert problem.front[-1].error == pytest.approx(1e-2)


def test_an_exact_case_has_no_error() -> None:
    (problem,) = told([timed("relu/library", 2e-3, UNSET), timed("relu/int8", 1e-3, 50.0, "i8", style="quantized")])
    assert problem.front[0].error == 0


def test_a_case_of_unknown_error_is_left_out() -> None:
    unknown = record(case("matmul/packed", "bf16", SQUARE), [1e-3] * 6, accuracy=accuracy(UNSET))
    (problem,) = told([*three_types(), unknown])
    assert "matmul/packed" not in {point.row.variant for point in problem.points}


def test_the_baseline_is_the_fastest_in_plain_f32() -> None:
    (problem,) = told([*three_types(), timed("matmul/int4", 1e-4, 20.0, style="quantized")])
    assert not isinstance(problem.baseline, UnsetType)
    assert problem.baseline.row.variant == "matmul/library"
    assert problem.gain(problem.front[-1]) == pytest.approx(30)


def test_rounded_weights_of_a_float_type_are_a_type_of_their_own() -> None:
    (problem,) = told([timed("gemv/library", 2e-3), timed("gemv/int4", 1e-3, 25.0, style="quantized")])
    assert {point.kind for point in problem.points} == {"f32", f"f32, {ROUNDED}"}


def test_weights_with_a_type_in_the_file_are_called_by_it() -> None:
    quantized = timed("gemv/int4", 1e-3, 25.0, style="quantized")
    named = replace(quantized, case=replace(quantized.case, dtypes=Dtypes(weights="i4", activations="f32")))
    (problem,) = told([timed("gemv/library", 2e-3), named])
    assert {point.kind for point in problem.points} == {"f32", "i4"}


def test_thread_counts_are_problems_of_their_own() -> None:
    two = [timed("matmul/parallel", 1e-3, threads=2), timed("matmul/quantized", 5e-4, 40.0, "i8", threads=2)]
    assert [p.title for p in told([*three_types(), *two])] == ["matmul n=512, 1 thread", "matmul n=512, 2 threads"]


def test_the_sentence_says_time_error_and_gain_of_the_fastest() -> None:
    assert shown(result(three_types())).paragraphs[0] == (
        "matmul n=512, 1 thread: quantized (i8) is the fastest, 1.00 ms at an error of 1.0e-02: "
        "3.00x the speed of library, the fastest in plain f32 (1.0e-07)."
    )


def test_types_that_operands_are_given_in_are_named_as_such() -> None:
    assert "Cases in bf16 are given operands of that type" in shown(result(three_types())).paragraphs[1]
    made = result([timed("matmul/library", 3e-3), timed("matmul/quantized", 1e-3, 40.0, "i8")])
    assert len(shown(made).paragraphs) == 1


def test_where_fewer_bits_are_no_faster_the_sentence_says_so() -> None:
    made = result([timed("matmul/library", 1e-3), timed("matmul/quantized", 2e-3, 40.0, "i8")])
    assert shown(made).paragraphs[0].endswith("1.0e-07; nothing in fewer bits is faster.")


def test_the_table_holds_every_point_under_its_heads() -> None:
    table = shown(result(three_types())).figures[0].table
    assert not isinstance(table, UnsetType)
    assert len(table.rows) == 5
    assert {len(row) for row in table.rows} == {len(table.heads)}


def test_exact_points_stand_a_decade_left_of_the_others() -> None:
    assert edges([0.0, 2e-7, 1e-3])[0] == pytest.approx(1e-8)
    assert edges([2e-7, 1e-3])[0] == pytest.approx(1e-7)


def test_exact_points_alone_have_an_axis_too() -> None:
    low, high = edges([0.0, 0.0])
    assert 0 < low < high


def test_a_select_offers_every_problem_and_begins_with_one_of_them() -> None:
    two = [timed("matmul/parallel", 1e-3, threads=2), timed("matmul/quantized", 5e-4, 40.0, "i8", threads=2)]
    params = {param["name"]: param for param in shown(result([*three_types(), *two])).figures[0].spec["params"]}
    assert params["problem"]["bind"]["options"] == ["matmul n=512, 1 thread", "matmul n=512, 2 threads"]
    assert params["problem"]["value"] == "matmul n=512, 1 thread"


def test_too_many_problems_are_thinned_and_the_section_says_so() -> None:
    records = []
    for n in range(MOST_POINTS):
        shape = {"m": 8 + n, "n": 8, "k": 8}
        records += [record(case(f"matmul/{s}", d, shape), [1e-3] * 6) for s, d in (("tiled", "f32"), ("packed", "i8"))]
    found = shown(result([replace(one, accuracy=accuracy()) for one in records]))
    assert found.paragraphs[-1] == (
        f"Drawn are {MOST_POINTS // 2} of {MOST_POINTS} problems, those with most variants; --csv has all."
    )


def test_hostile_names_show_as_text_in_the_chart() -> None:
    made = result([*three_types(), timed("matmul/\x1b[31m\u202ex", 5e-4, 30.0, "i8", style="quantized")])
    text = json.dumps(shown(made).figures[0].spec, ensure_ascii=False)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\\\x1b[31m" in text
