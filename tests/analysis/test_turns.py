"""Rounds made of turns: which slices count, told by looks at the core and never by times."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.analysis.turns import Turn, beside_neighbours, is_quiet, most_adds, quiet_of, round_of
from kernelbench.model.paired import LEAST_QUIET

BEST = 4.0


def turn(*seconds: float, adds: float = BEST, clock_hz: float = 3e9, switches: int = 0) -> Turn:
    return Turn(seconds, (adds,) * len(seconds), clock_hz, switches)


def unseen(*seconds: float, switches: int = 0) -> Turn:
    return Turn(seconds, switches=switches)


def pairs(count: int, ratio: float, adds: float = BEST) -> list[tuple[Turn, Turn]]:
    return [(turn(1e-6, adds=adds), turn(ratio * 1e-6, adds=adds))] * count


def test_pairs_beside_a_busy_neighbour_do_not_count_where_enough_quiet_ones_exist() -> None:
    found = round_of(0, [*pairs(LEAST_QUIET, 1.1), *pairs(3 * LEAST_QUIET, 4.5, adds=0.9 * BEST)], BEST)
    assert found.log_ratio == pytest.approx(math.log(1.1))
    assert (found.base_s, found.head_s) == pytest.approx((1e-6, 1.1e-6))
    assert found.quiet_share == pytest.approx(0.25)


def test_which_pairs_count_is_not_told_by_how_long_they_took() -> None:
    assert round_of(0, [*pairs(11, 1.0), *pairs(1, 7.0)], BEST).quiet_share == 1.0


def test_too_few_quiet_pairs_are_not_trusted_and_all_decide() -> None:
    found = round_of(0, [*pairs(LEAST_QUIET - 1, 3.0), *pairs(LEAST_QUIET, 2.0, adds=0.5)], BEST)
    assert found.log_ratio == pytest.approx(math.log(2))


@pytest.mark.parametrize("side", [0, 1])
def test_a_pair_is_quiet_when_both_its_turns_are(side: int) -> None:
    one = [turn(1e-6), turn(1e-6)]
    one[side] = turn(1e-6, adds=0.5 * BEST)
    assert quiet_of([(one[0], one[1])], BEST) == []


def test_a_phase_of_the_machine_that_both_turns_of_a_pair_meet_cancels() -> None:
    drifting = [(turn(k * 1e-6), turn(1.1 * k * 1e-6)) for k in range(1, 9)]
    assert round_of(0, drifting, BEST).log_ratio == pytest.approx(math.log(1.1))


def test_without_looks_a_round_is_the_median_over_its_pairs() -> None:
    pairs = [(unseen(1e-6), unseen(1e-6)), (unseen(1e-6), unseen(2e-6)), (unseen(1e-6), unseen(50e-6))]
    assert round_of(0, pairs, 0.0).log_ratio == pytest.approx(math.log(2))


def test_rounds_beside_neighbours_are_those_with_a_quiet_core_in_fewer_than_half_of_their_pairs() -> None:
    rounds = [round_of(0, [*pairs(1, 1.0), *pairs(n, 1.0, adds=0.5)], BEST) for n in (0, 1, 2)]
    assert beside_neighbours(rounds) == 1


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


def test_looks_of_turns_in_a_row_tell_together_what_the_core_can_do() -> None:
    assert most_adds([turn(1e-6, 1e-6)] * 3) == BEST


def test_a_few_looks_tell_nothing_of_what_the_core_can_do() -> None:
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
