"""What a report shows of a case above its roof, and of a lower instruction set."""

import msgspec

from kernelbench.analysis.above import CAUSES
from kernelbench.model import Result
from kernelbench.report import csv, json
from kernelbench.report.columns import COLUMNS, FIELDS, FLAGS
from kernelbench.report.rows import Row, rows
from tests.builders import case, ceilings, compute, record, result

FADD = "FADD pipes: 135 GFLOP/s fit the 150 of FMA and add pipes used together"


def fast(*extra: object) -> Result:
    """512^3 in 2.01 ms, best 1.99 ms: 135 GFLOP/s against 117."""
    return result([record(outcome=[2.01e-3] * 6)], ceilings=(*ceilings(), *extra))


def test_the_cause_stands_beside_above_roof_as_a_flag_of_one_word() -> None:
    (row,) = rows(fast(compute(150e9, mix="fma_add")))
    assert row.flags == ("above-roof", "fadd-pipes")
    assert row.above == FADD
    (row,) = rows(fast())
    assert row.flags == ("above-roof", "model?")


def test_a_case_within_its_roof_has_neither() -> None:
    (row,) = rows(result([record(outcome=[4e-3] * 6)]))
    assert (row.flags, row.above) == ((), "")


def test_the_csv_keeps_its_columns_and_shows_both_flags_apart() -> None:
    head, line = csv.render(fast()).splitlines()
    assert head.split(",") == list(FIELDS)
    assert line.endswith("above-roof model?")


def test_json_holds_the_numbers_of_the_explanation() -> None:
    printed = msgspec.json.decode(json.render(fast(compute(150e9, mix="fma_add"))))
    assert printed["rows"][0]["above"] == FADD


def test_people_read_the_numbers_in_place_of_the_short_cause() -> None:
    (row,) = rows(fast(compute(150e9, mix="fma_add")))
    assert COLUMNS["flags"].text(row) == f"above-roof, {FADD}"


def test_every_cause_is_explained_to_the_reader() -> None:
    assert {"above-roof", *CAUSES} <= set(FLAGS)


def test_a_case_at_a_lower_instruction_set_shows_what_the_highest_would_allow() -> None:
    def judged(isa: str) -> Row:
        of = record(case(isa=isa), [9e-3] * 6)
        (row,) = rows(result([of], ceilings=(*ceilings(), compute(58.5e9, isa="avx2"))))
        return row

    assert judged("avx2").higher == "AVX-512 would allow 2.00x"
    assert COLUMNS["roof_name"].text(judged("avx2")) == "f32 AVX2 FMA 1 thread; AVX-512 would allow 2.00x"
    assert COLUMNS["roof_name"].text(judged("native")) == "f32 AVX-512 FMA 1 thread"
