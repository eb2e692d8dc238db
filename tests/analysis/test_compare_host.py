"""Whether the host moved or the code: what the ceilings of two runs do to a verdict."""

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.analysis.compare import Cell, Comparison, compare
from kernelbench.model import Ceiling, Result
from tests.builders import ceilings, record, result

STEADY = (1.0, 1.001, 1.002, 0.999, 0.998, 1.0)


def run(factor: float = 1.0, speed: float = 1.0, **more: object) -> Result:
    """A run in which the kernel takes ``factor`` times as long, on a host of ``speed`` times the ceilings."""
    more.setdefault("ceilings", at_speed(speed))
    return result([record(outcome=[1e-3 * factor * s for s in STEADY])], **more)


def at_speed(speed: float, **changes: object) -> tuple[Ceiling, ...]:
    return tuple(c if c.value is UNSET else replace(c, value=c.value * speed, **changes) for c in ceilings())


def cell(made: Comparison) -> Cell:
    (only,) = made.cells
    return only


def test_a_kernel_as_much_slower_as_the_ceilings_are_lower_is_not_accused() -> None:
    found = cell(compare(run(), run(1.12, 0.89)))
    assert found.verdict == "ambiguous"
    assert "time +12.0%, ceilings -11.0%: the host may have moved, not the code" in found.reason


def test_a_kernel_slower_by_more_than_the_ceilings_is_accused_with_both_numbers() -> None:
    found = cell(compare(run(), run(1.40, 0.89)))
    assert found.verdict == "regressed"
    assert "(time +40.0%, ceilings -11.0%)" in found.reason


def test_equal_times_are_unchanged_even_where_the_ceilings_moved_but_the_reason_has_both_numbers() -> None:
    found = cell(compare(run(), run(1.0, 0.8)))
    assert found.verdict == "unchanged"
    assert "(time +0.0%, ceilings -20.0%)" in found.reason


def test_an_improvement_that_only_the_host_made_is_not_credited_to_the_code() -> None:
    assert cell(compare(run(), run(0.8, 1.25))).verdict == "ambiguous"


def test_a_regression_under_ceilings_that_held_says_so() -> None:
    found = cell(compare(run(), run(1.2, 1.005)))
    assert found.verdict == "regressed"
    assert found.reason.endswith("the ceilings held")


def test_ceilings_that_scatter_more_than_they_moved_are_no_alibi() -> None:
    slow = run(1.12, ceilings=at_speed(0.89, spread=0.2))
    assert cell(compare(run(), slow)).verdict == "regressed"


def test_moved_ceilings_are_noted_with_what_to_do() -> None:
    made = compare(run(), run(1.0, 0.9))
    assert any("ceilings moved between the runs" in note and "--normalise" in note for note in made.notes)


def test_runs_without_common_ceilings_say_that_the_host_is_not_known() -> None:
    made = compare(run(), run(1.2, ceilings=()))
    assert cell(made).verdict == "regressed"
    assert "ceilings" not in cell(made).reason
    assert any("share no ceilings" in note for note in made.notes)


def test_normalised_a_slower_host_changes_nothing() -> None:
    made = compare(run(), run(1.25, 0.8), normalise=True)
    assert (made.basis, cell(made).verdict) == ("roof", "unchanged")
    assert cell(made).base == pytest.approx(cell(made).new)
    assert any("scatter" in note for note in made.notes)


def test_normalised_without_ceilings_nothing_is_compared() -> None:
    made = compare(run(), run(ceilings=()), normalise=True)
    assert (cell(made).verdict, cell(made).reason) == ("incomparable", "no roof applies to it in NEW")
    assert made.compared_nothing
