"""Looks at a paired comparison: their ranks by hand, and how often they err in all, exactly and by trial."""

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from kernelbench.analysis.sequential import (
    CONFIRM_LOOKS,
    FALSE_ALARM,
    MISSED,
    SCREEN,
    SCREEN_LOOKS,
    Plan,
    confirmation,
    place,
)
from kernelbench.analysis.stats import Interval


def tail(n: int, rank: int) -> float:
    """P(B < rank), B binomial(n, 1/2): that x(rank) of n rounds lies above their true median."""
    return sum(math.comb(n, k) for k in range(rank)) / 2**n


@pytest.mark.parametrize(
    ("n", "rank"),
    # 5% in all. Half of it: 1/64 = 1.56%; half of the rest, 1.72%: 11/1024 = 1.07%; the rest, 2.36%: 106/16384 = 0.65%
    # (470 would be 2.87%).
    [(6, 1), (10, 2), (14, 3)],
)
def test_ranks_of_the_screen_are_those_counted_by_hand(n: int, rank: int) -> None:
    assert SCREEN.rank(n) == rank


@pytest.mark.parametrize(
    ("n", "rank"),
    # 2.5% in all; of 1.25%: 1/256 = 0.39%; of 1.05%: 13/4096 = 0.32%; of 0.90%: 137/65536 = 0.21%; of 1.58%:
    # 6196/1048576 = 0.59%.
    [(8, 1), (12, 2), (16, 3), (20, 5)],
)
def test_ranks_of_confirming_one_cell_are_those_counted_by_hand(n: int, rank: int) -> None:
    assert confirmation(1).looks == CONFIRM_LOOKS
    assert confirmation(1).rank(n) == rank


@pytest.mark.parametrize(
    ("n", "rank"),
    # 2.5% / 20 cells = 0.125%; of half of it: 1/4096 = 0.024%; of half of the rest, 0.050%: 17/65536 = 0.026%; of the
    # rest, 0.075%: 211/1048576 = 0.020%.
    [(12, 1), (16, 2), (20, 3)],
)
def test_ranks_of_confirming_twenty_cells_are_those_counted_by_hand(n: int, rank: int) -> None:
    assert confirmation(20).rank(n) == rank


def test_confirming_does_not_look_before_a_look_can_show_anything() -> None:
    # Four cells: of 0.625% each the first look may spend 0.31%, less than the 0.39% of the extreme of 8 rounds.
    assert confirmation(4).looks == (12, 16, 20)
    assert confirmation(4).rank(12) == 1


@pytest.mark.parametrize(("flagged", "ranks"), [(2, [1, 2, 3, 4]), (3, [1, 1, 3, 4])])
def test_eight_rounds_can_settle_up_to_three_cells(flagged: int, ranks: list[int]) -> None:
    # Two: 1.25% in all; of 0.63%: 0.39%; of 0.43%: 0.32%; of 0.27%: 0.21%; of 0.33%: 1351/1048576 = 0.13%.
    # Three: 0.83%; of 0.42%: 0.39%; of 0.22%: 0.02%; of 0.2095%: 0.2090%; of 0.21%: 0.13%.
    plan = confirmation(flagged)
    assert plan.looks == CONFIRM_LOOKS
    assert [plan.rank(n) for n in plan.looks] == ranks


def test_there_is_no_rank_where_nobody_looks() -> None:
    assert SCREEN.rank(7) == 0


@pytest.mark.parametrize("plan", [SCREEN, *map(confirmation, (1, 2, 3, 5, 20, 100))])
def test_all_looks_together_err_no_more_than_promised(plan: Plan) -> None:
    assert sum(tail(n, plan.rank(n)) for n in plan.looks) <= plan.one_sided


@pytest.mark.parametrize("plan", [SCREEN, *map(confirmation, (1, 2, 3, 5, 20, 100))])
def test_the_exact_chance_to_err_at_any_look_is_below_what_is_promised(plan: Plan) -> None:
    """A walk over the number of rounds above the true median: it errs once fewer than the rank lie below it."""
    alive, erred = {0: 1.0}, 0.0
    for n in range(1, plan.looks[-1] + 1):
        step: dict[int, float] = {}
        for below, chance in alive.items():
            step[below] = step.get(below, 0.0) + chance / 2
            step[below + 1] = step.get(below + 1, 0.0) + chance / 2
        alive = step
        if n in plan.looks:
            erred += sum(chance for below, chance in alive.items() if below < plan.rank(n))
            alive = {below: chance for below, chance in alive.items() if below >= plan.rank(n)}
    assert 0 < erred <= plan.one_sided


def test_the_promises_are_those_of_the_documentation() -> None:
    assert (SCREEN_LOOKS, SCREEN.one_sided) == ((6, 10, 14, 20), MISSED) == ((6, 10, 14, 20), 0.05)
    assert FALSE_ALARM == 0.05
    assert confirmation(4).one_sided == pytest.approx(0.05 / 2 / 4)


def test_an_interval_is_that_of_the_last_look_and_not_of_the_rounds_after_it() -> None:
    rounds = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, -100.0, 100.0]
    found = SCREEN.interval(rounds)
    assert isinstance(found, Interval)
    assert (found.low, found.high) == (0.0, 5.0)


def test_there_is_no_interval_before_the_first_look() -> None:
    assert SCREEN.interval([0.0] * 5) is UNSET


@pytest.mark.parametrize(
    ("low", "high", "where"),
    [
        (0.06, 0.20, "slower"),
        (-0.20, -0.06, "faster"),
        (-0.04, 0.04, "inside"),
        (0.00, 0.20, "open"),
        (-0.20, 0.20, "open"),
    ],
)
def test_an_interval_lies_where_all_of_it_does(low: float, high: float, where: str) -> None:
    assert place(Interval(low, high, 0.95), 0.05) == where


def test_a_cell_without_an_interval_is_open() -> None:
    assert place(UNSET, 0.05) == "open"


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0.001, 0.5))
def test_swapping_the_sides_mirrors_the_place(low: float, width: float, threshold: float) -> None:
    mirror = {"slower": "faster", "faster": "slower", "inside": "inside", "open": "open"}
    there = place(Interval(low, low + width, 0.95), threshold)
    assert place(Interval(-(low + width), -low, 0.95), threshold) == mirror[there]


@given(st.integers(1, 400))
def test_more_flagged_cells_never_make_it_easier_to_confirm_one(flagged: int) -> None:
    few, many = confirmation(flagged), confirmation(flagged + 1)
    for n in set(few.looks) & set(many.looks):
        # A plan without its useless looks shares its error among fewer.
        if few.looks == many.looks:
            assert many.rank(n) <= few.rank(n)


def test_a_change_of_just_the_threshold_passes_for_unchanged_in_few_trials() -> None:
    rng, trials = random.Random(20260102), 3000
    passed = 0
    for _ in range(trials):
        logs = [math.log1p(0.05) + 0.01 * rng.gauss(0, 1) for _ in range(SCREEN_LOOKS[-1])]
        places = (place(SCREEN.interval(logs[:n]), 0.05) for n in SCREEN_LOOKS)
        passed += next(itertools.dropwhile("open".__eq__, places), "open") == "inside"
    assert passed / trials <= MISSED
