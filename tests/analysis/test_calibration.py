"""Floors, scatter and the smallest slowdown: what a calibration makes of rounds and rates."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from kernelbench.analysis.calibration import (
    MIN_ROUNDS,
    Slowed,
    Smallest,
    floor_of,
    needed,
    scatter_of,
    smallest,
    unseen,
)
from kernelbench.analysis.sequential import SCREEN, place

SCREENED = SCREEN.looks[-1]
LOGS = st.lists(st.floats(-0.2, 0.2), min_size=SCREENED, max_size=SCREENED)


def ends_as(rounds: list[float], bound: float) -> str:
    """How the gate's screen ends at a bound (a log-ratio): the first place that is not open."""
    for look in SCREEN.looks:
        found = place(SCREEN.interval(rounds[:look]), math.expm1(bound))
        if found != "open":
            return found
    return "open"


def tried(asked: float, found: float) -> Slowed:
    """A slowdown that was reached exactly."""
    return Slowed(asked, 12, reached=asked, found=found)


@given(LOGS)
def test_just_above_what_a_screen_needs_it_ends_as_unchanged(rounds: list[float]) -> None:
    assert ends_as(rounds, needed(rounds) + 1e-9) == "inside"


@given(LOGS)
def test_just_below_what_a_screen_needs_it_does_not_end_as_unchanged(rounds: list[float]) -> None:
    bound = needed(rounds) - 1e-9
    assert bound <= 0 or ends_as(rounds, bound) != "inside"


@given(LOGS)
def test_what_a_screen_needs_is_the_same_with_the_sides_swapped(rounds: list[float]) -> None:
    assert needed([-one for one in rounds]) == pytest.approx(needed(rounds))


def test_a_screen_cut_short_is_refused() -> None:
    with pytest.raises(ValueError, match="20 rounds; got 6"):
        needed([0.0] * 6)


def test_of_rounds_that_all_agree_the_floor_is_what_they_say() -> None:
    assert floor_of([0.02] * MIN_ROUNDS, random.Random(0)) == pytest.approx(math.expm1(0.02))


def test_the_floor_lets_95_percent_of_screens_end_as_unchanged() -> None:
    rng = random.Random(1)
    rounds = [rng.gauss(0, 0.01) for _ in range(1000)]
    floor = floor_of(rounds, random.Random(2))
    assert isinstance(floor, float)
    ends = [ends_as(rng.choices(rounds, k=SCREENED), math.log1p(floor)) for _ in range(2000)]
    assert 0.93 <= ends.count("inside") / 2000 <= 0.98


def test_a_noisier_cell_has_a_higher_floor() -> None:
    quiet = [0.001 * (-1) ** i * i for i in range(12)]
    floors = [floor_of([factor * one for one in quiet], random.Random(3)) for factor in (1, 3)]
    assert floors[1] > 2 * floors[0]


def test_too_few_rounds_have_no_floor() -> None:
    assert floor_of([0.01] * (MIN_ROUNDS - 1), random.Random(0)) is UNSET


def test_the_same_rounds_and_seed_give_the_same_floor() -> None:
    rounds = [0.001 * i for i in range(12)]
    assert floor_of(rounds, random.Random(4)) == floor_of(rounds, random.Random(4))


def test_scatter_is_the_standard_deviation_and_needs_two_rounds() -> None:
    assert scatter_of([0.01, 0.03]) == pytest.approx(0.01414, rel=1e-3)
    assert scatter_of([0.01]) is UNSET


def test_between_a_missed_and_a_found_slowdown_the_smallest_is_interpolated() -> None:
    found = smallest([tried(0.02, 0.0), tried(0.05, 0.6), tried(0.10, 1.0)])
    assert found == Smallest(pytest.approx(0.075), "between")


def test_where_the_smallest_that_was_tried_is_found_no_smaller_one_is_claimed() -> None:
    assert smallest([tried(0.02, 0.9), tried(0.05, 1.0)]) == Smallest(0.02, "at most")


def test_where_none_is_found_there_is_no_smallest() -> None:
    assert smallest([tried(0.02, 0.0), tried(0.05, 0.79)]) is UNSET
    assert smallest([]) is UNSET


def test_a_small_slowdown_found_by_luck_does_not_hide_a_larger_one_that_is_missed() -> None:
    assert smallest([tried(0.02, 0.9), tried(0.05, 0.3), tried(0.10, 1.0)]).share > 0.05  # type: ignore[union-attr]


def test_slowdowns_without_a_rate_do_not_count() -> None:
    assert smallest([Slowed(0.05, 3, reached=0.05)]) is UNSET


def test_what_twelve_rounds_may_miss_is_a_fifth_of_all() -> None:
    assert unseen(12) == pytest.approx(0.221, abs=0.001)
