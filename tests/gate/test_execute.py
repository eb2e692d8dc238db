"""Rounds of a paired comparison on pairs that are none: order, failures, time and Ctrl-C."""

import math

import pytest

from kernelbench.gate.cells import Board, CellState
from tests.gate.pairs import CALL_S, START_S, Fault, Host, Wild, case, cells, verdicts


def test_identical_code_is_unchanged_after_the_first_look() -> None:
    host, board = Host(), Board(cells("a", "b"))
    outcome = host.run(board)
    assert verdicts(board.cells) == {"a": "unchanged", "b": "unchanged"}
    assert (outcome.rounds, len(host.pairs)) == (6, 6)
    assert outcome.notes == ()


def test_a_slower_kernel_is_flagged_and_confirmed_in_fresh_pairs() -> None:
    host, board = Host(), Board(cells("same", "slow"))
    host.change["scale/slow"] = 1.0
    outcome = host.run(board)
    assert verdicts(board.cells) == {"same": "unchanged", "slow": "regressed"}
    assert outcome.rounds == len(host.pairs) == 6 + 8
    assert all(pair.visited == ["scale/slow"] for pair in host.pairs[6:])
    assert board.cells[1].confirm[0].log_ratio == pytest.approx(math.log(2))


def test_a_faster_kernel_is_improved() -> None:
    host, board = Host(), Board(cells("fast"))
    host.change["scale/fast"] = -0.5
    host.run(board)
    assert verdicts(board.cells) == {"fast": "improved"}


def test_every_pair_is_ended() -> None:
    host, board = Host(), Board(cells("same", "slow", "wrong"))
    host.change["scale/slow"] = 1.0
    host.faults["scale/wrong"] = Fault(1)
    host.run(board)
    assert {pair.closed for pair in host.pairs} == {1}


def test_a_round_visits_the_cells_in_an_order_of_its_own() -> None:
    host, board = Host(), Board(cells(*"abcdefgh"))
    host.run(board)
    assert len({tuple(pair.visited) for pair in host.pairs}) > 1
    assert all(sorted(pair.visited) == sorted(host.pairs[0].visited) for pair in host.pairs)


def test_both_sides_make_the_same_number_of_calls_a_slice() -> None:
    host = Host()
    host.run(Board(cells("a")))
    assert {request.calls for _, _, request in host.asked} == {60}


def test_times_are_seconds_a_call() -> None:
    host, board = Host(), Board(cells("a"))
    host.run(board)
    assert board.cells[0].screen[0].base_s == pytest.approx(CALL_S)


def test_different_layouts_are_restored_before_every_turn() -> None:
    host = Host()
    host.run(Board(cells("a")))
    assert {request.restore for _, _, request in host.asked} == {True}


@pytest.mark.parametrize("at", ["open", "burst", "shut"])
@pytest.mark.parametrize("side", [0, 1])
def test_a_side_that_fails_buries_the_cell_and_both_processes_are_replaced(side: int, at: str) -> None:
    host, board = Host(), Board(cells("a", "wrong", "b"))
    host.faults["scale/wrong"] = Fault(side, at)
    host.run(board)
    assert verdicts(board.cells) == {"a": "unchanged", "wrong": "failed", "b": "unchanged"}
    assert board.cells[1].failed == (side, "verify", f"{at} went wrong")
    first = host.pairs[0].visited
    assert first[-1] == "scale/wrong" or len(first) == 3
    # Nothing is measured again in the processes that met it.
    assert sum(pair.visited.count("scale/wrong") for pair in host.pairs) == 1
    assert len(board.cells[0].screen) == len(board.cells[2].screen) == 6
    assert not board.cells[1].screen


def test_a_failure_names_the_side() -> None:
    host = Host()
    host.faults["scale/wrong"] = Fault(1)
    host.run(Board(cells("wrong")))
    assert host.warnings == ["scale/wrong/f32/n=1000/t=1 failed on HEAD (verify): open went wrong"]


def test_a_fault_of_our_own_is_told_apart_from_a_kernels() -> None:
    host = Host()
    host.faults["scale/ours"] = Fault(0, fault=True)
    host.faults["scale/theirs"] = Fault(0)
    outcome = host.run(Board(cells("ours", "theirs")))
    assert len(outcome.faults) == 1
    assert "scale/ours" in outcome.faults[0]


def test_a_neighbour_costs_the_cell_more_turns_and_no_round() -> None:
    quiet, busy = Host(), Host()
    busy.busy = lambda variant: busy.now > 2 * START_S
    assert quiet.run(Board(cells("a"))).rounds == busy.run(Board(cells("a"))).rounds == 6
    assert len(busy.asked) > len(quiet.asked)


def test_a_pair_that_does_not_start_fails_all_its_cells_once() -> None:
    host, board = Host(), Board(cells("a", "b"))
    host.no_pairs = "no module named numba"
    host.run(board)
    assert verdicts(board.cells) == {"a": "failed", "b": "failed"}
    assert host.now == START_S


def test_a_group_has_the_threads_of_its_cells() -> None:
    host = Host()
    host.run(Board([CellState(case("a", threads), 0.05) for threads in (1, 2)]))
    assert {pair.group for pair in host.pairs} == {(1, "native"), (2, "native")}


def test_the_time_budget_ends_the_screen_but_never_before_the_first_look() -> None:
    host, board = Host(), Board(cells("a"))
    outcome = host.run(board, budget_s=0.001)
    assert (outcome.rounds, board.cells[0].verdict) == (6, "unchanged")
    assert outcome.notes == ()


def test_a_spent_budget_is_said_and_leaves_the_rest_undecided() -> None:
    host, board = Host(), Board(cells("wild"))
    host.change = Wild(host)
    outcome = host.run(board, budget_s=0.001)
    assert outcome.rounds == 6
    assert board.cells[0].verdict == "ambiguous"
    assert outcome.notes == ("the time budget ended the screen after 6 rounds",)


def test_confirming_has_its_rounds_whatever_the_screen_has_spent() -> None:
    host, board = Host(), Board(cells("slow"))
    host.change["scale/slow"] = 1.0
    outcome = host.run(board, budget_s=0.001)
    assert (outcome.rounds, board.cells[0].verdict) == (14, "regressed")


def test_a_generous_budget_gives_an_undecided_cell_every_round_of_the_screen() -> None:
    host, board = Host(), Board(cells("wild"))
    host.change = Wild(host)
    assert host.run(board).rounds == 20


def test_time_that_confirming_leaves_goes_to_what_was_open() -> None:
    host, board = Host(), Board(cells("slow", "wild"))
    host.change = Wild(host, "scale/wild")
    host.change["scale/slow"] = 1.0
    # A few cells take less time than all: 6 s for the screen, 0.8 s to confirm, and the rest is left.
    host.start_s = lambda started: 1.0 if started < 6 else 0.1
    outcome = host.run(board, budget_s=9.0)
    slow, wild = board.cells
    assert slow.verdict == "regressed"
    assert 6 < len(wild.screen) < 20
    assert outcome.notes == (f"the time budget ended the screen after {len(wild.screen)} rounds",)


def test_ctrl_c_keeps_what_is_done_and_ends_the_pair() -> None:
    host, board = Host(), Board(cells("a", "b"))
    host.interrupt_at = 5
    outcome = host.run(board)
    assert outcome.interrupted
    assert sorted(len(cell.screen) for cell in board.cells) == [2, 3]
    assert {pair.closed for pair in host.pairs} == {1}


def test_memory_of_their_own_is_said_with_the_reason() -> None:
    host = Host()
    host.why_private = "no memory that both can map: No space left on device"
    (note,) = host.run(Board(cells("a"))).notes
    assert note == (
        "each side worked in memory of its own (no memory that both can map: No space left on device): "
        "expect more scatter"
    )


def test_cells_too_large_for_the_shared_memory_are_named_in_one_note() -> None:
    host, board = Host(), Board(cells("a", "b"))
    host.too_large = {"scale/b"}
    (note,) = host.run(board).notes
    assert note == (
        "each side worked in memory of its own for scale/b/f32/n=1000/t=1 (the operands do not fit): "
        "expect more scatter"
    )
    assert [cell.shared for cell in board.cells] == [True, False]


def test_code_on_pages_of_its_own_is_said_with_the_reason() -> None:
    host, board = Host(), Board(cells("a", "b"))
    host.own_code = {"scale/b": "Numba has kept no object code of it"}
    (note,) = host.run(board).notes
    assert note == (
        "each side had its code on pages of its own for scale/b/f32/n=1000/t=1 (Numba has kept no object code of it): "
        "expect more scatter"
    )
    assert all(cell.shared for cell in board.cells)


def test_many_cells_too_large_are_counted_beyond_the_first_three() -> None:
    host, board = Host(), Board(cells(*"abcde"))
    host.too_large = {f"scale/{name}" for name in "abcde"}
    (note,) = host.run(board).notes
    assert note.count("scale/") == 3
    assert "and 2 more" in note


def test_extra_work_goes_into_head_and_what_was_reached_is_kept() -> None:
    host, board = Host(), Board(cells("a"))
    board.cells[0].slowdown = 0.1
    host.run(board)
    assert host.opened[0] == ("scale/a", 0.1)
    assert board.cells[0].slowed == 0.1


def test_extra_work_is_sized_once_and_the_same_in_every_round_after() -> None:
    host, board = Host(), Board(cells("a"))
    board.cells[0].slowdown = 0.1
    host.run(board)
    assert host.steps[:3] == [0, 100, 100]


def test_progress_tells_phase_round_and_cell() -> None:
    host = Host()
    host.change["scale/slow"] = 1.0
    host.run(Board(cells("slow")))
    assert host.shown[0].phase == "screen, round 1"
    assert host.shown[-1].phase == "confirm, round 14"
    assert host.shown[0].label == "scale/slow/f32/n=1000/t=1"
