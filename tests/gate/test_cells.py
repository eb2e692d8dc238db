"""Cells on their way to a verdict: which get rounds, when they are settled, and how often that errs."""

import math
import random

import pytest

from kernelbench.gate.cells import LEAST_SHARING, RESUMED_SHARE, SCREEN_SHARE, Board, CellState
from tests.gate.pairs import cells, one_round, play, verdicts

CELLS = [f"v{i}" for i in range(20)]


def board(*names: str, threshold: float = 0.05) -> Board:
    return Board(cells(*names, threshold=threshold))


def rounds(board: Board, cell: CellState, *logs: float) -> None:
    for log in logs:
        board.add(cell, one_round(log))
        board.look()


def test_a_settled_cell_gets_no_more_rounds() -> None:
    of = board("same", "wild")
    same, wild = of.cells
    for n in range(6):
        rounds(of, same, 0.001 * n)
        rounds(of, wild, 0.2 * (-1) ** n)
    assert of.wanted() == [wild]
    assert (same.place, wild.place) == ("inside", "open")


def test_a_screen_ends_after_its_last_look_whatever_was_found() -> None:
    of = board("wild")
    rounds(of, of.cells[0], *[0.2 * (-1) ** n for n in range(20)])
    assert of.wanted() == []
    assert of.cells[0].verdict == "ambiguous"


def test_between_two_looks_nothing_is_settled() -> None:
    of = board("same")
    rounds(of, of.cells[0], *[0.2 * (-1) ** n for n in range(6)], *[0.0] * 3)
    assert of.cells[0].place == "open"


def test_time_is_kept_for_confirming_once_something_is_flagged() -> None:
    of = board("same", "slow")
    assert of.share == 1.0
    rounds(of, of.cells[1], *[0.5] * 6)
    assert of.share == SCREEN_SHARE
    of.confirm()
    assert of.share == 1.0


def test_fresh_rounds_alone_decide_a_flagged_cell() -> None:
    of = board("lucky")
    (cell,) = of.cells
    rounds(of, cell, *[0.5] * 6)
    assert cell.place == "slower"
    assert of.confirm()
    rounds(of, cell, *[0.0] * 8)
    assert cell.verdict == "unchanged"
    assert (len(cell.screen), len(cell.confirm)) == (6, 8)


def test_a_cell_that_is_flagged_and_not_confirmed_has_no_verdict() -> None:
    of = board("slow")
    rounds(of, of.cells[0], *[0.5] * 6)
    assert of.cells[0].verdict == "ambiguous"


def test_only_flagged_cells_are_confirmed() -> None:
    of = board("same", "slow", "wild")
    play(of, lambda cell: {"scale/same": 0.0, "scale/slow": 0.3}.get(cell.case.variant, 0.0))
    assert [len(cell.confirm) for cell in of.cells] == [0, 8, 0]
    assert verdicts(of.cells) == {"same": "unchanged", "slow": "regressed", "wild": "unchanged"}


def test_an_improvement_is_confirmed_as_one() -> None:
    of = board("fast")
    play(of, lambda _: -0.3)
    assert verdicts(of.cells) == {"fast": "improved"}


def test_what_time_left_open_is_gone_on_with_after_confirming() -> None:
    of = board("slow", "late")
    slow, late = of.cells
    rounds(of, slow, *[0.5] * 6)
    rounds(of, late, *[0.2, 0.2, 0.2, 0.0, 0.2, 0.2])
    of.end()
    assert of.confirm()
    rounds(of, slow, *[0.5] * 8)
    of.end()
    assert of.resume()
    assert of.wanted() == [late]
    assert (of.phase, of.least, of.share) == ("screen", 0, RESUMED_SHARE)
    rounds(of, late, *[0.2] * 4)
    assert of.confirm()
    assert of.wanted() == [late]
    rounds(of, late, *[0.2] * 8)
    assert verdicts(of.cells) == {"slow": "regressed", "late": "regressed"}


def test_the_error_of_confirming_is_shared_with_those_that_may_join() -> None:
    of = board("slow", *(f"open{n}" for n in range(5)))
    for cell in of.cells:
        rounds(of, cell, *([0.5] * 6 if cell is of.cells[0] else [0.2, 0.2, 0.2, 0.0, 0.2, 0.2]))
    of.end()
    of.confirm()
    assert of.cells[0].sharing == LEAST_SHARING == 3
    rounds(of, of.cells[0], *[0.5] * 8)
    of.end()
    of.resume()
    for cell in of.wanted():
        rounds(of, cell, *[0.2] * 4)
    assert of.confirm()
    # No more than share it are confirmed: the others stay flagged and nothing more.
    assert len(of.wanted()) == LEAST_SHARING - 1
    assert [cell.verdict for cell in of.cells[3:]] == ["ambiguous"] * 3


def test_more_flagged_cells_share_the_error_among_themselves() -> None:
    of = board(*"abcdef")
    for cell in of.cells:
        rounds(of, cell, *([0.2, 0.2, 0.2, 0.0, 0.2, 0.2] if cell is of.cells[0] else [0.5] * 6))
    of.end()
    of.confirm()
    assert {cell.sharing for cell in of.cells[1:]} == {5}


def test_nothing_open_is_nothing_to_go_on_with() -> None:
    of = board("slow")
    rounds(of, of.cells[0], *[0.5] * 6)
    of.confirm()
    rounds(of, of.cells[0], *[0.5] * 8)
    of.end()
    assert not of.resume()


def test_nothing_flagged_is_nothing_to_confirm() -> None:
    of = board("same")
    rounds(of, of.cells[0], *[0.0] * 6)
    assert not of.confirm()


def test_a_failed_cell_gets_no_more_rounds_and_no_other_verdict() -> None:
    of = board("dead", "same")
    dead, same = of.cells
    rounds(of, dead, *[0.5] * 6)
    dead.failed = (1, "verify", "wrong result")
    assert of.wanted() == [same]
    assert not of.confirm()
    assert dead.verdict == "failed"


def test_each_cell_is_judged_by_its_own_threshold() -> None:
    strict, lax = CellState(cells("a")[0].case, 0.01), CellState(cells("b")[0].case, 0.2)
    of = Board([strict, lax])
    play(of, lambda _: math.log(1.1))
    assert (strict.verdict, lax.verdict) == ("regressed", "unchanged")


def test_the_first_look_of_confirming_is_one_that_can_decide() -> None:
    of = board("a", "b")
    for cell in of.cells:
        rounds(of, cell, *[0.5] * 6)
    of.confirm()
    for cell in of.cells:
        rounds(of, cell, *[0.5] * of.least)
    assert verdicts(of.cells) == {"a": "regressed", "b": "regressed"}


def heavy(rng: random.Random, scale: float) -> float:
    """Student's t with 2 degrees of freedom: no finite variance."""
    return scale * rng.gauss(0, 1) / math.sqrt(rng.expovariate(1.0))


@pytest.mark.parametrize("true", [0.0, math.log(1.05)], ids=["identical code", "a change of just the threshold"])
def test_a_whole_run_of_twenty_cells_rarely_calls_one_regressed_that_is_not(true: float) -> None:
    rng, runs, false = random.Random(7), 1000, 0
    for _ in range(runs):
        of = board(*CELLS)
        play(of, lambda _: true + heavy(rng, 0.02))
        false += "regressed" in verdicts(of.cells).values()
    # Promised: 2.5% of runs a direction. 4 standard errors of 1000 trials are 2%.
    assert false / runs <= 0.025 + 0.02


@pytest.mark.parametrize(
    ("change", "threshold", "least"), [(0.10, 0.05, 0.99), (0.05, 0.03, 0.95)], ids=["10% over 5%", "5% over 3%"]
)
def test_a_slowdown_beyond_the_threshold_is_found_at_one_percent_scatter(
    change: float, threshold: float, least: float
) -> None:
    rng, trials, found = random.Random(11), 400, 0
    for _ in range(trials):
        of = board(*CELLS, threshold=threshold)
        slow = of.cells[3]
        play(of, lambda cell, slow=slow: math.log1p(change) * (cell is slow) + 0.01 * rng.gauss(0, 1))  # type: ignore[misc]
        found += slow.verdict == "regressed"
    assert found / trials >= least


def test_cells_of_identical_code_are_decided_at_one_percent_scatter() -> None:
    rng, decided, runs = random.Random(13), 0, 50
    for _ in range(runs):
        of = board(*CELLS)
        play(of, lambda _: 0.01 * rng.gauss(0, 1))
        decided += list(verdicts(of.cells).values()).count("unchanged")
    assert decided >= 0.9 * runs * len(CELLS)
