"""Trials of the gate: which kinds are measured, how they share the loop of `ab`, and what is made of them."""

import pytest
from msgspec import UNSET

from kernelbench.gate.calibrate import Trials, judge, kinds, result
from kernelbench.gate.cells import CellState
from kernelbench.gate.pair import SideFailed
from kernelbench.model import Case
from kernelbench.thresholds import Thresholds
from tests.builders import case
from tests.gate.calibrating import NOISY, RELU, STEADY, TILED, cell, measured, rounds, session, slower
from tests.gate.pairs import Host

PYTHON = case("matmul/python", style="python")


class Calibrated(Host):
    """A host on which some kinds cannot be made."""

    def __init__(self, *bad: tuple[str, float]) -> None:
        super().__init__()
        self._bad = bad
        """(variant, slowdown)."""

    def fail(self, wanted: Case, side: int, at: str) -> None:
        if (side, at) == (1, "open") and self.opened[-1] in self._bad:
            raise SideFailed(1, "warm-up", "extra work is too coarse")


def test_each_cell_is_tried_as_it_is_and_with_every_slowdown() -> None:
    found = kinds(session(TILED, RELU), Thresholds(), (0.02, 0.10))
    assert [(one.case.id, one.slowdown) for one in found] == [
        (of.id, share) for share in (0.0, 0.02, 0.10) for of in (TILED, RELU)
    ]


def test_no_two_kinds_share_their_processes() -> None:
    found = kinds(session(TILED), Thresholds(), (0.02, 0.05))
    assert len({one.batch for one in found}) == 3


def test_what_is_called_from_python_is_tried_on_identical_code_only() -> None:
    found = kinds(session(TILED, PYTHON, interpreted=["matmul/python"]), Thresholds(), (0.05,))
    assert [one.slowdown for one in found if one.case == PYTHON] == [0.0]


def test_what_does_not_compile_is_not_slowed_down() -> None:
    found = kinds(session(TILED, uncompiled={TILED.id: "no"}), Thresholds(), (0.05,))
    assert [(one.slowdown, bool(one.failed)) for one in found] == [(0.0, True)]


def test_every_kind_gets_the_rounds_asked_for() -> None:
    board = Trials(kinds(session(TILED, RELU), Thresholds(), (0.05,)), 9)
    Calibrated().run(board)
    assert [len(one.screen) for one in board.cells] == [9] * 4


def test_kinds_are_interleaved_round_by_round_in_an_order_that_varies() -> None:
    host = Calibrated()
    host.run(Trials(kinds(session(TILED), Thresholds(), (0.05, 0.10)), 8))
    order = [share for _, share in host.opened]
    by_round = [tuple(order[i : i + 3]) for i in range(0, len(order), 3)]
    assert all(set(one) == {0.0, 0.05, 0.10} for one in by_round)
    assert len(set(by_round)) > 1


def test_every_kind_of_every_round_has_a_fresh_pair_of_processes() -> None:
    host = Calibrated()
    host.run(Trials(kinds(session(TILED, RELU), Thresholds(), (0.05,)), 3))
    assert [len(pair.visited) for pair in host.pairs] == [2] * 6


def test_the_time_budget_ends_it_after_whole_rounds() -> None:
    board = Trials(kinds(session(TILED), Thresholds(), (0.05,)), 50)
    outcome = Calibrated().run(board, budget_s=20.0)
    lengths = {len(one.screen) for one in board.cells}
    assert len(lengths) == 1
    assert 0 < lengths.pop() < 50
    assert "time budget ended the calibration" in outcome.notes[0]


def test_what_a_slowdown_reached_is_the_median_over_its_rounds() -> None:
    board = Trials(kinds(session(TILED), Thresholds(), (0.05,)), 3)
    slow = board.cells[1]
    for reached, one in zip((0.05, 0.09, 0.051), rounds(STEADY), strict=False):
        slow.reached.append(reached)
        board.add(slow, one)
        board.look()
    assert slow.slowed == 0.051


def test_a_slowdown_that_cannot_be_made_costs_that_kind_alone() -> None:
    board = Trials(kinds(session(TILED), Thresholds(), (0.05, 0.10)), 8)
    Calibrated((TILED.variant, 0.05)).run(board)
    assert [len(one.screen) for one in board.cells] == [8, 0, 8]


def test_a_cell_that_fails_as_it_is_is_not_slowed_down_any_further() -> None:
    board = Trials(kinds(session(TILED), Thresholds(), (0.05,)), 8)
    Calibrated((TILED.variant, 0.0)).run(board)
    assert len(board.cells[1].screen) <= 1


def test_steady_identical_code_is_decided_without_a_false_alarm() -> None:
    found = judge(measured(cell(TILED, STEADY)), 12, 0.05, trials=50).cells[0]
    assert found.rates
    assert (found.rates.unchanged, found.rates.regressed, found.rates.improved) == (1.0, 0.0, 0.0)
    assert found.threshold == 0.05
    assert found.floor == pytest.approx(0.002, abs=1e-4)


def test_a_noisy_cell_is_judged_by_its_floor() -> None:
    found = judge(measured(cell(TILED, [2 * one for one in NOISY])), 12, 0.05, trials=50).cells[0]
    assert found.asked == 0.05
    assert found.threshold == found.floor > 0.05


def test_an_injected_slowdown_beyond_the_threshold_is_found_and_one_within_it_is_not() -> None:
    found = judge(measured(cell(TILED, STEADY), slower(TILED, 0.02), slower(TILED, 0.10)), 12, 0.05, trials=50)
    slow = found.cells[0].slowed
    assert [one.found for one in slow] == [0.0, 1.0]
    assert found.cells[0].smallest.how == "between"


def test_fewer_than_eight_rounds_state_no_rate_and_no_floor() -> None:
    judged = judge(measured(cell(TILED, STEADY[:7]), slower(TILED, 0.1, STEADY[:7])), 7, 0.05, trials=50)
    one = judged.cells[0]
    assert (judged.runs, one.rates, one.floor, one.slowed[0].found, one.smallest) == (UNSET,) * 5
    assert judged.floors == {}


def test_a_failed_cell_has_its_reason_and_no_rates() -> None:
    broken = CellState(TILED, 0.05, failed=(1, "timing", "SIGSEGV"))
    found = judge(measured(broken, cell(RELU, STEADY)), 12, 0.05, trials=50)
    assert found.cells[0].failed == "failed on HEAD (timing): SIGSEGV"
    assert found.cells[0].rates is UNSET
    assert found.cells[1].rates


def test_the_rate_of_whole_runs_is_of_all_cells_together() -> None:
    odd = cell(RELU, [0.2 + one for one in STEADY], threshold=0.05)
    found = judge(measured(cell(TILED, STEADY), odd), 12, 0.05, trials=50)
    assert found.runs
    assert found.runs.regressed == max(one.rates.regressed for one in found.cells if one.rates)


def test_the_file_holds_every_kind_with_its_rounds_and_what_was_injected() -> None:
    found = measured(cell(TILED, STEADY), slower(TILED, 0.10))
    file = result(found, judge(found, 12, 0.05, trials=10))
    assert file.kind == "calibration"
    assert [(len(one.screen), one.slowed) for one in file.paired] == [(12, UNSET), (12, 0.10)]


def test_cells_of_other_thread_counts_never_share_processes() -> None:
    host = Calibrated()
    host.run(Trials(kinds(session(TILED, case(threads=2)), Thresholds(), ()), 1))
    assert sorted(pair.group for pair in host.pairs) == [(1, "native"), (2, "native")]
