"""Rounds made of turns: which slices count, told by looks at the core and never by times."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.analysis.turns import LEAST_QUIET, TELLING_S, Turn, is_disturbed, is_quiet, most_adds, round_of

BEST = 4.0


def turn(*seconds: float, adds: float = BEST, clock_hz: float = 3e9, switches: int = 0) -> Turn:
    return Turn(seconds, (adds,) * len(seconds), clock_hz, switches)


def unseen(*seconds: float, switches: int = 0) -> Turn:
    return Turn(seconds, switches=switches)


def test_slices_beside_a_busy_neighbour_do_not_count_where_enough_quiet_ones_exist() -> None:
    quiet = (turn(*[1e-6] * 12), turn(*[1.1e-6] * 12))
    busy = (turn(*[2e-6] * 12, adds=0.9 * BEST), turn(*[9e-6] * 12, adds=0.9 * BEST))
    found = round_of(0, [quiet, busy], BEST)
    assert found.log_ratio == pytest.approx(math.log(1.1))
    assert (found.base_s, found.head_s) == pytest.approx((1e-6, 1.1e-6))
    assert found.quiet_share == pytest.approx(0.5)


def test_which_slices_count_is_not_told_by_how_long_they_took() -> None:
    slow = (turn(*[1e-6] * 11, 5e-6), turn(*[1e-6] * 11, 7e-6))
    assert round_of(0, [slow], BEST).quiet_share == 1.0


def test_too_few_quiet_slices_are_not_trusted_and_pairs_of_turns_decide() -> None:
    few = LEAST_QUIET - 1
    quiet = (turn(*[1e-6] * few), turn(*[3e-6] * few))
    busy = [(turn(*[2e-6] * 5, adds=0.5), turn(*[4e-6] * 5, adds=0.5)) for _ in range(2)]
    found = round_of(0, [quiet, *busy], BEST)
    assert found.log_ratio == pytest.approx(math.log(2))


def test_one_side_with_too_few_quiet_slices_makes_the_other_side_go_by_pairs_as_well() -> None:
    pairs = [(turn(*[1e-6] * 12), turn(*[2e-6] * 12, adds=0.5)) for _ in range(3)]
    assert round_of(0, pairs, BEST).log_ratio == pytest.approx(math.log(2))


def test_without_looks_a_round_is_the_median_over_its_pairs() -> None:
    pairs = [(unseen(1e-6), unseen(1e-6)), (unseen(1e-6), unseen(2e-6)), (unseen(1e-6), unseen(50e-6))]
    assert round_of(0, pairs, 0.0).log_ratio == pytest.approx(math.log(2))


@pytest.mark.parametrize("side", [0, 1])
def test_a_round_with_too_few_quiet_slices_on_either_side_is_disturbed(side: int) -> None:
    sides = [turn(*[1e-6] * LEAST_QUIET), turn(*[1e-6] * LEAST_QUIET)]
    assert not is_disturbed([(sides[0], sides[1])], BEST, 5e-5)
    sides[side] = turn(*[1e-6] * (LEAST_QUIET - 1))
    assert is_disturbed([(sides[0], sides[1])], BEST, 5e-5)
    assert round_of(0, [(sides[0], sides[1])], BEST, 5e-5).disturbed


def test_what_cannot_be_seen_is_not_called_disturbed() -> None:
    assert not is_disturbed([(unseen(1e-6), unseen(2e-6))], 0.0, 5e-5)
    busy = [(turn(1e-6, adds=0.5), turn(1e-6, adds=0.5))]
    assert is_disturbed(busy, BEST, TELLING_S)
    assert not is_disturbed(busy, BEST, 2 * TELLING_S)


def test_a_round_tells_how_the_sides_clocks_differed() -> None:
    found = round_of(0, [(turn(1e-6, clock_hz=3e9), turn(1e-6, clock_hz=2.4e9))], BEST)
    assert found.clock_ratio == pytest.approx(0.8)


def test_an_unknown_clock_accuses_nobody() -> None:
    assert round_of(0, [(turn(1e-6, clock_hz=0.0), turn(1e-6))], BEST).clock_ratio == 1.0


def test_a_round_without_a_turn_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one pair"):
        round_of(0, [], BEST)


def test_a_turn_is_quiet_when_half_of_its_slices_are() -> None:
    half = Turn((1e-6,) * 4, (BEST, BEST, 0.5, 0.5))
    less = Turn((1e-6,) * 4, (BEST, 0.5, 0.5, 0.5))
    assert (is_quiet(half, BEST), is_quiet(less, BEST)) == (True, False)


def test_where_neighbours_cannot_be_seen_a_turn_is_quiet_unless_preempted() -> None:
    assert is_quiet(unseen(1e-6), BEST)
    assert not is_quiet(unseen(1e-6, switches=1), BEST)


def test_one_lucky_look_does_not_raise_the_bar() -> None:
    assert most_adds([Turn((1e-6,) * 6, (BEST, BEST, BEST, BEST, BEST, 9.0))]) == BEST


def test_a_turn_of_few_looks_tells_nothing_of_what_the_core_can_do() -> None:
    assert most_adds([turn(*[1e-6] * 3)]) == 0.0


times = st.floats(1e-9, 1.0)
turns = st.tuples(
    st.lists(times, min_size=1, max_size=20).map(lambda s: turn(*s)),
    st.lists(times, min_size=1, max_size=20).map(lambda s: turn(*s)),
)


@given(st.lists(turns, min_size=1, max_size=5), st.sampled_from([0.0, BEST, 2 * BEST]))
def test_swapping_the_sides_turns_the_ratio_round(pairs: list[tuple[Turn, Turn]], best: float) -> None:
    there = round_of(0, pairs, best)
    back = round_of(0, [(head, base) for base, head in pairs], best)
    assert there.log_ratio == pytest.approx(-back.log_ratio, abs=1e-9)
    assert (there.base_s, there.head_s) == (back.head_s, back.base_s)
