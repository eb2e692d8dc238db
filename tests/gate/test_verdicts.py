"""Verdicts of a paired comparison in words, and the file that keeps them."""

import math
from pathlib import Path

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.config import Config
from kernelbench.gate.asking import Known
from kernelbench.gate.cells import Board, CellState
from kernelbench.gate.execute import Outcome
from kernelbench.gate.session import Measured, Session
from kernelbench.gate.sides import Side
from kernelbench.gate.verdicts import cell_of, comparison, result
from kernelbench.model import Case
from kernelbench.store.files import read_result, write_result
from tests import builders
from tests.gate.pairs import case, cells, one_round

NO_ROUNDS = Outcome(0, 0.0, False, (), ())


def state(
    screen: tuple[float, ...] = (), confirm: tuple[float, ...] = (), place: str = "open", sharing: int = 0
) -> CellState:
    """A cell that found these log-ratios and stands there."""
    (made,) = cells("a")
    made.screen = [one_round(log) for log in screen]
    made.confirm = [one_round(log) for log in confirm]
    made.flagged, made.place, made.sharing = bool(confirm), place, sharing
    return made


def known(*cases: Case, **more: object) -> Known:
    """A side with these cases."""
    return Known({}, {one.id: one for one in cases}, {}, "0123", **more)  # type: ignore[arg-type]


def measured(base: Known, head: Known, *states: CellState, outcome: Outcome = NO_ROUNDS) -> Measured:
    """A comparison that is over."""
    sides = Side("main", "ref", commit="a" * 40), Side(".", "folder", notes=("has uncommitted changes",))
    session = Session(Config(), builders.machine(), sides, (base, head), 1 << 30)
    return Measured(session, Board(states), outcome, "2026-01-02T03:04:05+00:00")


def test_an_unchanged_cell_says_within_what_and_after_how_many_rounds() -> None:
    cell = cell_of(state((0.0,) * 6, place="inside"))
    assert (cell.verdict, cell.reason) == ("unchanged", "within 5.0% of BASE after 6 rounds")


def test_a_regression_says_how_it_was_flagged_and_confirmed() -> None:
    cell = cell_of(state((0.3,) * 6, (math.log(1.2),) * 8, "slower"))
    assert (cell.verdict, cell.ratio) == ("regressed", pytest.approx(1.2))
    assert cell.reason == (
        "slower by 20.0%, beyond 5.0%: flagged in 6 rounds, confirmed in 8 fresh ones, at 5.0% family-wise"
    )


def test_a_verdict_among_many_says_among_how_many() -> None:
    cell = cell_of(state((-0.3,) * 6, (-0.3,) * 12, "faster", sharing=3))
    assert cell.verdict == "improved"
    assert "12 fresh ones, at 5.0% family-wise, shared among 3 cells" in cell.reason


def test_numbers_are_those_of_the_fresh_rounds_where_there_are_any() -> None:
    cell = cell_of(state((0.5,) * 6, (0.1,) * 8, "slower"))
    assert cell.ratio == pytest.approx(math.exp(0.1))
    assert cell.new_rounds == 8


def test_an_undecided_cell_says_what_would_have_been_seen() -> None:
    cell = cell_of(state((-0.1, 0.1) * 7))
    assert cell.verdict == "ambiguous"
    assert cell.reason.startswith("neither beyond nor within 5.0%: 0.905 to 1.105 of BASE after 14 rounds; slowdowns")


def test_a_flag_that_fresh_rounds_left_open_is_told_as_such() -> None:
    cell = cell_of(state((0.3,) * 6, (-0.1, 0.1) * 10))
    assert cell.verdict == "ambiguous"
    assert cell.reason.startswith("flagged in 6 rounds, but fresh ones did not settle it against 5.0%")


def test_a_flag_without_fresh_rounds_is_no_verdict_and_says_why() -> None:
    cell = cell_of(state((0.3,) * 6, place="slower"))
    assert cell.verdict == "ambiguous"
    assert cell.reason == ("slower, beyond 5.0%: flagged in 6 rounds, and not confirmed: the comparison ended before")


def test_a_flag_with_too_few_fresh_rounds_says_how_few() -> None:
    cell = cell_of(state((0.3,) * 6, (0.3,)))
    assert cell.reason == "flagged in 6 rounds, but only 1 fresh round followed, too few to confirm it"


def test_too_few_rounds_for_any_verdict_say_so() -> None:
    assert cell_of(state((0.0,) * 2)).reason == "only 2 rounds; a verdict needs 6"


def test_a_cell_without_a_round_says_so() -> None:
    assert cell_of(state()).reason == "no round of it was finished; a verdict needs 6"


def test_a_failed_cell_names_side_and_stage_and_counts_as_broken() -> None:
    wrong = state((0.0,) * 3)
    wrong.failed = (0, "timing", "killed by SIGSEGV")
    found = comparison(measured(known(wrong.case), known(wrong.case), wrong), 0.05)
    assert found.cells[0].reason == "failed on BASE (timing): killed by SIGSEGV"
    assert found.broken == 1


def test_a_cell_that_never_ran_has_no_numbers() -> None:
    cell = cell_of(state())
    assert (cell.ratio, cell.base, cell.ci_low) == (UNSET, UNSET, UNSET)


def test_that_the_hosts_clock_moved_is_told_with_the_verdict() -> None:
    moved = state((0.2,) * 6, place="inside")
    moved.screen = [replace(one, clock_ratio=0.88) for one in moved.screen]
    assert cell_of(moved).reason.endswith("; HEAD's core ran at 88.0% of BASE's clock")


def test_what_only_one_side_has_is_new_or_missing_with_the_reason() -> None:
    old, fresh, both = case("old"), case("fresh"), state((0.0,) * 6, place="inside")
    base = known(old, both.case, missing="main: no kernel matches 'scale/fresh'")
    head = Known({}, {one.id: one for one in (both.case, fresh)}, {old.id: "needs more memory"}, "0123")
    found = {cell.case_id: cell for cell in comparison(measured(base, head, both), 0.05).cells}
    assert (found[old.id].verdict, found[old.id].reason) == ("missing", "only on BASE: needs more memory")
    assert found[fresh.id].verdict == "new"
    assert "no kernel matches" in found[fresh.id].reason


def test_another_problem_behind_one_id_is_incomparable_and_says_which_field_differs() -> None:
    mine = case("a")
    other = replace(mine, shape={"m": 1000, "n": 1000})
    (cell,) = comparison(measured(known(mine), known(other)), 0.05).cells
    assert cell.verdict == "incomparable"
    assert cell.reason == "shape differs: {'n': 1000} on BASE, {'m': 1000, 'n': 1000} on HEAD"


def test_a_comparison_of_nothing_is_told_apart_from_a_pass() -> None:
    assert comparison(measured(known(case("a")), known(case("b"))), 0.05).compared_nothing


def test_notes_of_the_sides_and_of_the_measuring_reach_the_reader() -> None:
    outcome = Outcome(6, 1.0, False, ("the time budget ended the screen after 6 rounds",), ())
    notes = comparison(measured(known(), known(), outcome=outcome), 0.05).notes
    assert any("has uncommitted changes" in note for note in notes)
    assert outcome.notes[0] in notes


def test_the_file_reads_back_as_it_was_written(tmp_path: Path) -> None:
    slow = state((0.3,) * 6, (0.3,) * 8, "slower")
    gone, fresh = case("gone"), case("fresh")
    done = measured(known(slow.case, gone), known(slow.case, fresh), slow)
    made = result(done, comparison(done, 0.05))
    write_result(tmp_path / "ab.json", made)
    back = read_result(tmp_path / "ab.json")
    assert back == made
    assert (back.kind, [side.label for side in back.sides]) == ("ab", ["main", "."])


def test_the_file_keeps_every_round_and_also_what_one_side_lacks() -> None:
    slow = state((0.3,) * 6, (0.3,) * 8, "slower")
    gone, fresh = case("gone"), case("fresh")
    done = measured(known(slow.case, gone), known(slow.case, fresh), slow)
    kept = {cell.case.id: cell for cell in result(done, comparison(done, 0.05)).paired}
    assert (len(kept[slow.case.id].screen), len(kept[slow.case.id].confirm)) == (6, 8)
    assert [kept[one.id].verdict for one in (slow.case, gone, fresh)] == ["regressed", "missing", "new"]


def test_an_interrupted_comparison_says_so_in_its_file() -> None:
    done = measured(known(), known(), outcome=Outcome(2, 1.0, True, (), ()))
    assert result(done, comparison(done, 0.05)).interrupted
