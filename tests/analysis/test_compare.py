"""Verdicts on pairs of results."""

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.analysis.compare import Cell, Comparison, compare, nothing_in_common
from kernelbench.errors import IncomparableError
from kernelbench.model import (
    METHOD_VERSION,
    Failed,
    Interference,
    Measured,
    Outcome,
    Record,
    Result,
    Round,
    Skipped,
    Tool,
)
from tests.builders import MACHINE_ID, case, ceilings, machine, record, result

STEADY = (1.0, 1.001, 1.002, 0.999, 0.998, 1.0)


def times(factor: float, pattern: tuple[float, ...] = STEADY) -> list[float]:
    return [1e-3 * factor * p for p in pattern]


def both(before: Outcome | list[float], after: Outcome | list[float], **options: object) -> Cell:
    made: Comparison = compare(result([record(outcome=before)]), result([record(outcome=after)]), **options)
    (cell,) = made.cells
    return cell


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.2, "regressed"), (0.8, "improved"), (1.0, "unchanged"), (1.03, "unchanged")]
)
def test_a_clear_effect_is_called_by_name(factor: float, verdict: str) -> None:
    cell = both(times(1), times(factor))
    assert cell.verdict == verdict
    assert cell.ratio == pytest.approx(factor, rel=1e-2)


def test_an_interval_that_crosses_the_threshold_is_ambiguous_and_says_what_would_have_been_seen() -> None:
    cell = both(times(1), times(1.05))
    assert cell.verdict == "ambiguous"
    assert cell.detectable is not UNSET
    assert f"slowdowns from {100 * cell.detectable:.1f}%" in cell.reason


def test_noise_widens_the_interval_to_ambiguous_rather_than_regressed() -> None:
    assert both(times(1), times(1.2, (0.7, 1.3, 0.9, 1.0, 1.2, 0.8))).verdict == "ambiguous"


def test_a_wider_threshold_lets_the_same_effect_pass() -> None:
    assert both(times(1), times(1.2), threshold=0.3).verdict == "unchanged"


@pytest.mark.parametrize("factor", [0.5, 0.94, 0.951, 0.96, 1.04, 1.051, 1.06, 2.0])
def test_swapping_the_sides_mirrors_the_verdict(factor: float) -> None:
    mirror = {"regressed": "improved", "improved": "regressed"}
    there, back = both(times(1), times(factor)).verdict, both(times(factor), times(1)).verdict
    assert back == mirror.get(there, there)


def test_fewer_than_six_rounds_on_a_side_are_ambiguous_whatever_the_effect() -> None:
    cell = both(times(1), times(9)[:5])
    assert (cell.verdict, cell.ci_low) == ("ambiguous", UNSET)
    assert "6 rounds in BASE and 5 in NEW" in cell.reason


@pytest.mark.parametrize(
    ("before", "after", "verdict", "reason"),
    [
        (times(1), Failed("verify", "wrong"), "failed", "failed in NEW: verify: wrong"),
        (Failed("verify", "old"), Failed("verify", "wrong"), "failed", "failed in both: verify: wrong"),
        (times(1), Skipped("too big"), "missing", "measured in BASE, not in NEW: skipped: too big"),
        (Failed("verify", "old"), times(1), "new", "measured in NEW, not in BASE: verify: old"),
        (Skipped("a"), Skipped("too big"), "incomparable", "measured in neither: skipped: too big"),
    ],
)
def test_a_cell_without_two_times_says_which_side_lacks_one(
    before: Outcome | list[float], after: Outcome | list[float], verdict: str, reason: str
) -> None:
    cell = both(before, after)
    assert (cell.verdict, cell.reason) == (verdict, reason)


def test_cells_on_one_side_only_are_listed_as_new_and_missing() -> None:
    shared, gone, fresh = case(), case("matmul/naive"), case("matmul/library")
    made = compare(result([record(shared), record(gone)]), result([record(shared), record(fresh)]))
    assert {c.case_id: c.verdict for c in made.cells} == {
        shared.id: "unchanged",
        gone.id: "missing",
        fresh.id: "new",
    }


def test_only_a_failure_of_what_was_measured_counts_as_broken() -> None:
    failed = record(outcome=Failed("timing", "SIGSEGV"))
    assert compare(result([record()]), result([failed])).broken == 1
    assert compare(result([failed]), result([failed])).broken == 0


def test_times_of_a_different_timer_are_incomparable() -> None:
    made = compare(result([record()]), result([record(includes_python_call=True)]))
    assert made.cells[0].verdict == "incomparable"
    assert "python loop in NEW" in made.cells[0].reason


def test_two_machines_are_refused_with_the_fact_that_differs() -> None:
    with pytest.raises(IncomparableError, match=r"machine differs.*cpu.model: Example CPU 9000 against Other CPU"):
        compare(result([record()]), elsewhere(record()))


def test_two_methods_are_refused_even_across_machines() -> None:
    other = result([record()], kernelbench=Tool("9.0", 99))
    with pytest.raises(IncomparableError, match=rf"method_version differs: {METHOD_VERSION} in BASE, 99 in NEW"):
        compare(result([record()]), other, across_machines=True)


def test_across_machines_the_distance_from_each_roof_is_compared() -> None:
    faster = [replace(c, value=2 * c.value) for c in ceilings() if c.value is not UNSET]
    there = elsewhere(record(outcome=times(0.5)), ceilings=tuple(replace(c, machine="ffffffffffff") for c in faster))
    made = compare(result([record(outcome=times(1))]), there, across_machines=True)
    assert (made.basis, made.cells[0].verdict) == ("roof", "unchanged")
    assert made.cells[0].base == pytest.approx(2 * 512**3 / 117e9 / 1e-3, rel=1e-2)


def test_across_machines_a_case_without_a_roof_is_incomparable() -> None:
    made = compare(result([record()]), elsewhere(record(), ceilings=()), across_machines=True)
    assert (made.cells[0].verdict, made.cells[0].reason) == ("incomparable", "no roof applies to it in NEW")


def test_a_comparison_without_two_times_compared_nothing_and_says_what_there_was() -> None:
    made = compare(result([record(case("matmul/naive"))]), result([record(case("matmul/library"))]))
    assert made.compared_nothing
    assert "1 new, 1 missing" in str(nothing_in_common(made))


def elsewhere(measured: Record, **more: object) -> Result:
    other = machine("ffffffffffff", "Other CPU")
    assert other.id != MACHINE_ID
    return result([replace(measured, machine=other.id)], machines={other.id: other}, **more)


@pytest.mark.parametrize(("quiet", "verdict"), [(2, "ambiguous"), (3, "regressed")])
def test_a_side_that_hardly_ever_got_a_quiet_machine_cannot_accuse_the_code(quiet: int, verdict: str) -> None:
    rounds = [
        Round(i, 0.0, (1.2e-3,) * 3, 1, i, interference=Interference(disturbed=(i >= quiet,) * 3)) for i in range(6)
    ]
    cell = both(times(1), Measured("compiled loop", False, tuple(rounds)))
    assert cell.verdict == verdict
    assert ("undisturbed in only 2 of 6 rounds" in cell.reason) == (verdict == "ambiguous")
