"""Many cells judged at once: how sure each must be."""

import math
import random

import pytest

from kernelbench.analysis.family import FAMILY_ALPHA, Family, chance_above


def test_one_cell_needs_no_more_than_its_own_interval_does() -> None:
    assert Family(1).confidence == 1 - FAMILY_ALPHA
    assert Family(1).suffices((6, 6))


@pytest.mark.parametrize(("cells", "rounds"), [(23, 6), (24, 7), (4618, 10), (4620, 11)])
def test_the_rounds_needed_grow_with_the_cells(cells: int, rounds: int) -> None:
    assert Family(cells).rounds_needed == rounds


def test_ten_rounds_of_twenty_cells_can_convict_one_that_moved_alone() -> None:
    assert Family(20).suffices((10, 10))


def test_a_cell_alone_needs_the_share_of_bonferroni() -> None:
    family = Family(20)
    assert family.convicted([family.alone_p]) == family.alone_p
    assert family.convicted([family.alone_p * 1.01]) == 0


def test_cells_that_moved_together_support_each_other() -> None:
    half = FAMILY_ALPHA / 2
    assert Family(20).convicted([half] * 20) == half
    assert Family(20).convicted([half] * 19) == 0


def test_a_clear_cell_is_convicted_whatever_the_others_say() -> None:
    assert Family(3).convicted([1e-6, 0.3, 0.9]) == 1e-6


def test_nothing_is_convicted_where_nothing_was_accused() -> None:
    assert Family(20).convicted([]) == 0
    assert Family(0).convicted([]) == 0


def test_the_chance_of_complete_separation_is_one_ordering_of_all() -> None:
    assert chance_above([0.0] * 6, [1.0] * 6, 0.5) == 1 / math.comb(12, 6)


def test_a_difference_at_the_limit_counts_against_the_accusation() -> None:
    assert chance_above([0.0] * 6, [0.5] * 6, 0.5) == 1


def test_identical_rounds_are_called_different_no_more_often_than_promised() -> None:
    chooser, cells, trials = random.Random(1), 20, 400
    false = 0
    for _ in range(trials):
        rows = [
            ([chooser.gauss(0, 1) for _ in range(6)], [chooser.gauss(0, 1) for _ in range(6)]) for _ in range(cells)
        ]
        chances = [chance_above(base, new, 0.0) for base, new in rows]
        false += Family(cells).convicted(chances) > 0
    # Half of the 5% for one direction, and three standard deviations of 400 trials.
    assert false / trials <= FAMILY_ALPHA / 2 + 3 * math.sqrt(0.025 * 0.975 / trials)
