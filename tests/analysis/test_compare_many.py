"""Verdicts over many cells, and what makes two records of one case id incomparable."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.analysis.cell import overall
from kernelbench.analysis.compare import VERDICTS, Cell, Comparison, compare
from kernelbench.model import Dtypes, Record, Software, Work
from kernelbench.thresholds import Thresholds
from tests.builders import MACHINE_ID, case, machine, matmul_work, record, result


def steady(factor: float, rounds: int) -> list[float]:
    return [1e-3 * factor * (1 + 1e-3 * (i % 5 - 2)) for i in range(rounds)]


def family(factors: Sequence[float], rounds: int, **options: object) -> Comparison:
    cases = [case(shape={"m": n, "n": n, "k": n}) for n in range(1, len(factors) + 1)]
    base = result([record(of, steady(1, rounds)) for of in cases])
    new = result([record(of, steady(factor, rounds)) for of, factor in zip(cases, factors, strict=True)])
    return compare(base, new, **options)


def one(base: Record, new: Record) -> Cell:
    (cell,) = compare(result([base]), result([new])).cells
    return cell


def test_ten_rounds_of_twenty_cells_find_ten_percent_in_one_of_them() -> None:
    made = family([1.0] * 19 + [1.1], 10)
    assert made.count("regressed") == 1
    assert made.count("unchanged") == 19
    assert "holds over all 20 cells" in made.cells[-1].reason


def test_too_few_rounds_for_one_of_many_cells_are_said_with_how_many_would_do() -> None:
    made = family([1.0] * 99 + [2.0], 6)
    assert (made.count("regressed"), made.count("ambiguous")) == (0, 1)
    assert (
        "6 rounds in BASE and 6 in NEW cannot prove that one of 100 cells moved: 8 on each side"
        in made.cells[-1].reason
    )
    assert any("8 can (run --rounds 8)" in note for note in made.notes)


def test_many_cells_that_moved_together_are_found_even_with_few_rounds() -> None:
    assert family([1.2] * 100, 6).count("regressed") == 100


def test_what_no_number_of_percent_could_have_shown_is_promised_to_nobody() -> None:
    made = family([1.05] * 100, 6)
    assert all(cell.detectable is UNSET and "would have been seen" not in cell.reason for cell in made.cells)


def test_the_smallest_effect_that_would_have_been_seen_grows_with_the_family() -> None:
    alone, among = family([1.05], 10).cells[0], family([1.05] + [1.0] * 19, 10).cells[0]
    assert alone.detectable < among.detectable


def test_cells_with_fewer_than_six_rounds_do_not_count_in_the_family() -> None:
    cases = [case(shape={"m": n, "n": n, "k": n}) for n in range(1, 101)]
    base = result([record(of, steady(1, 6 if i == 0 else 3)) for i, of in enumerate(cases)])
    new = result([record(of, steady(2, 6 if i == 0 else 3)) for i, of in enumerate(cases)])
    assert compare(base, new).count("regressed") == 1


def test_each_cell_is_judged_by_its_own_threshold_and_says_which() -> None:
    made = family([1.1, 1.1], 10, threshold=Thresholds(0.05, (("*/n=2/*", 0.2),)))
    assert [(cell.verdict, cell.threshold) for cell in made.cells] == [("regressed", 0.05), ("unchanged", 0.2)]


def test_the_geometric_mean_is_over_the_cells_with_two_times() -> None:
    cells = family([2.0, 0.5, 4.0], 6).cells
    found = overall((*cells, Cell("x/y/f32/n=1/t=1", "missing", "only in BASE")))
    assert found.cells == 3
    assert found.ratio == pytest.approx(4 ** (1 / 3), rel=1e-3)
    assert overall([]) is UNSET


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"shape": {"m": 512, "n": 512, "k": 513}}, "case.shape differs: m=512,n=512,k=512 in BASE, m=512,n=512,k=513"),
        ({"params": {"causal": 1}}, "case.params differs: none in BASE, causal=1 in NEW"),
        ({"threads": 2}, "case.threads differs: 1 in BASE, 2 in NEW"),
        ({"dtypes": Dtypes(weights="i8")}, "case.dtypes differs: none in BASE"),
    ],
)
def test_one_id_for_two_cases_is_incomparable_and_names_the_field(change: dict[str, object], field: str) -> None:
    cell = one(record(), record(replace(case(), **change)))
    assert cell.verdict == "incomparable"
    assert cell.reason.startswith(field)


def test_one_id_for_two_works_is_incomparable_and_names_the_field() -> None:
    cell = one(record(), record(work=matmul_work(513)))
    assert (cell.verdict, cell.reason.split()[0]) == ("incomparable", "work.flop")


def test_work_that_differs_in_the_last_digits_is_the_same() -> None:
    nearly = replace(matmul_work(512), flop=matmul_work(512).flop * 1.0005)
    assert one(record(), record(work=nearly)).verdict == "unchanged"


def test_work_that_only_one_side_models_is_no_difference() -> None:
    assert one(record(), record(work=Work("absent"))).verdict == "unchanged"


def test_a_label_of_the_style_is_no_other_case() -> None:
    assert one(record(), record(replace(case(), style="packed"))).verdict == "unchanged"


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -1e-3, 0.0, 1e300, 1e-300])
def test_samples_that_cannot_be_true_make_the_cell_incomparable(wrong: float) -> None:
    bad = record(outcome=[1e-3] * 5 + [wrong])
    for cell, place in ((one(bad, record()), "BASE"), (one(record(), bad), "NEW")):
        assert cell.verdict == "incomparable"
        assert f"cannot be true in {place}" in cell.reason


SECONDS = st.floats(allow_nan=True, allow_infinity=True) | st.floats(1e-9, 1.0)


@given(base=st.lists(SECONDS, min_size=1, max_size=9), new=st.lists(SECONDS, min_size=1, max_size=9))
def test_whatever_the_samples_are_there_is_one_verdict_and_exchanging_the_sides_mirrors_it(
    base: list[float], new: list[float]
) -> None:
    mirror = {"regressed": "improved", "improved": "regressed", "new": "missing", "missing": "new"}
    there, back = one(record(outcome=base), record(outcome=new)), one(record(outcome=new), record(outcome=base))
    assert there.verdict in VERDICTS
    assert back.verdict == mirror.get(there.verdict, there.verdict)


def test_the_same_run_on_both_sides_is_said() -> None:
    assert any("one and the same run" in note for note in compare(result([record()]), result([record()])).notes)


def test_the_same_sources_on_both_sides_are_said() -> None:
    base, new = record(source_hash="abc"), record(outcome=[2e-3] * 6, source_hash="abc")
    assert any("the same sources" in note for note in compare(result([base]), result([new])).notes)


def test_an_interrupted_side_is_said() -> None:
    made = compare(result([record()]), result([record()], interrupted=True))
    assert any(note.startswith("NEW was interrupted") for note in made.notes)


def test_what_a_run_notes_of_its_host_stands_with_the_side() -> None:
    made = compare(result([record()], notes=("12% of CPU time stolen",)), result([record()]))
    assert "BASE: 12% of CPU time stolen" in made.notes


def test_libraries_of_other_versions_are_named() -> None:
    here = machine()
    other = replace(here, software=with_numba(here.software, "0.99"))
    made = compare(result([record()]), result([record(outcome=[2e-3] * 6)], machines={MACHINE_ID: other}))
    assert any("numba" in note and "-> 0.99" in note for note in made.notes)


def with_numba(software: Software, version: str) -> Software:
    return replace(software, packages={**software.packages, "numba": version})


def test_every_comparison_says_that_it_is_weaker_than_a_paired_one() -> None:
    assert "kernelbench ab" in compare(result([record()]), result([record()])).notes[0]
