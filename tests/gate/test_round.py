"""One cell in one round: turns in random order until enough of them were quiet."""

import random
from collections.abc import Callable

import pytest

from kernelbench.analysis.turns import Turn
from kernelbench.gate.round import Pace, take_turns

BEST = 4.0
PACE = Pace()


class Core:
    """Times turns on a clock of its own; ``adds`` says how busy a neighbour keeps it."""

    def __init__(self, slice_s: float, adds: Callable[[float], float] = lambda _: BEST) -> None:
        self.now, self.slice_s, self._adds = 0.0, slice_s, adds
        self.asked: list[tuple[int, int]] = []

    def clock(self) -> float:
        return self.now

    def take(self, side: int, slices: int) -> Turn:
        self.asked.append((side, slices))
        self.now += slices * self.slice_s
        return Turn((self.slice_s,) * slices, (self._adds(self.now),) * slices)

    def turns(self, pace: Pace = PACE, best_adds: float = BEST, seed: int = 0) -> list[tuple[Turn, Turn]]:
        rng = random.Random(seed)
        return take_turns(self.take, self.slice_s, pace, best_adds, rng=rng, clock=self.clock)


def test_on_a_quiet_core_a_round_has_as_many_pairs_as_are_enough() -> None:
    assert len(Core(5e-5).turns()) == PACE.pairs


def test_both_sides_get_the_same_number_of_slices_in_every_pair() -> None:
    core = Core(5e-5)
    core.turns()
    first, second = (sorted(asked[0] for asked in core.asked[i::2]) for i in (0, 1))
    assert sorted(first + second) == [0] * PACE.pairs + [1] * PACE.pairs
    assert len({slices for _, slices in core.asked}) == 1


def test_which_side_goes_first_is_random() -> None:
    core = Core(5e-5)
    core.turns(Pace(pairs=40))
    assert {side for side, _ in core.asked[::2]} == {0, 1}


def test_the_order_follows_from_the_seed() -> None:
    one, again = Core(5e-5), Core(5e-5)
    one.turns(seed=5), again.turns(seed=5)
    assert one.asked == again.asked


@pytest.mark.parametrize(("slice_s", "slices"), [(5e-5, 8), (3e-4, 1), (2e-3, 1)])
def test_a_turn_is_short_and_long_calls_are_timed_one_by_one(slice_s: float, slices: int) -> None:
    core = Core(slice_s)
    core.turns()
    assert {asked for _, asked in core.asked} == {slices}


def test_beside_a_busy_neighbour_turns_go_on_until_the_round_s_time_is_up() -> None:
    core = Core(1e-4, adds=lambda _: 0.5 * BEST)
    core.turns()
    assert PACE.round_s <= core.now <= PACE.round_s + 8 * 1e-4


def test_a_core_that_falls_quiet_ends_the_round_sooner() -> None:
    core = Core(1e-4, adds=lambda now: BEST if now > 0.05 else 0.5 * BEST)
    core.turns()
    assert 0.05 < core.now < PACE.round_s


def test_slow_calls_still_get_a_few_pairs() -> None:
    assert len(Core(2.0).turns()) == PACE.least


def test_what_a_better_look_shows_to_have_been_disturbed_counts_no_longer_as_quiet() -> None:
    core = Core(5e-5, adds=lambda now: BEST if now < 0.01 else 2 * BEST)
    pairs = core.turns(best_adds=0.0)
    assert len(pairs) > PACE.pairs
