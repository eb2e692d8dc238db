"""Medians, sign-test intervals and Mann-Whitney shifts."""

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from kernelbench.analysis.stats import best, median, median_interval, shift, u_counts, u_critical

TIMES = st.floats(1e-9, 1e3)


def test_the_median_of_an_even_number_of_values_is_the_mean_of_the_middle_two() -> None:
    assert median([4.0, 1.0, 3.0, 2.0]) == 2.5


def test_the_best_is_the_smallest_value() -> None:
    assert best([3.0, 1.0, 2.0]) == 1.0


@pytest.mark.parametrize("estimator", [median, best])
def test_no_values_have_no_estimate(estimator) -> None:
    with pytest.raises(ValueError, match="at least one"):
        estimator([])


def test_five_rounds_have_no_95_percent_interval() -> None:
    assert median_interval([1.0, 2.0, 3.0, 4.0, 5.0]) is UNSET


@pytest.mark.parametrize(("n", "rank"), [(6, 1), (8, 1), (9, 2), (10, 2), (12, 3), (15, 4), (20, 6), (25, 8)])
def test_the_interval_of_the_median_takes_the_tabulated_order_statistics(n: int, rank: int) -> None:
    interval = median_interval([float(i) for i in range(1, n + 1)])
    assert interval is not UNSET
    assert (interval.low, interval.high) == (rank, n + 1 - rank)


@pytest.mark.parametrize("n", [6, 9, 11, 16])
def test_the_interval_of_the_median_covers_at_least_95_percent_counted_exactly(n: int) -> None:
    interval = median_interval([float(i) for i in range(n)])
    assert interval is not UNSET
    rank = int(interval.low) + 1
    covered = sum(math.comb(n, below) for below in range(rank, n - rank + 1)) / 2**n
    tighter = sum(math.comb(n, below) for below in range(rank + 1, n - rank)) / 2**n
    assert covered >= 0.95 > tighter


@given(st.lists(TIMES, min_size=6, max_size=15), st.randoms())
def test_the_interval_holds_the_median_and_ignores_the_order(values: list[float], order: random.Random) -> None:
    interval = median_interval(values)
    shuffled = list(values)
    order.shuffle(shuffled)
    assert interval is not UNSET
    assert interval.low <= median(values) <= interval.high
    assert median_interval(shuffled) == interval


@pytest.mark.parametrize(("n", "m"), [(3, 2), (4, 4)])
def test_counts_of_u_equal_those_of_every_ordering(n: int, m: int) -> None:
    counted = [0] * (n * m + 1)
    for mine in itertools.combinations(range(n + m), n):
        others = [i for i in range(n + m) if i not in mine]
        counted[sum(a > b for a in mine for b in others)] += 1
    assert u_counts(n, m) == tuple(counted)


@pytest.mark.parametrize(
    ("n", "m", "critical"), [(5, 5, 2), (6, 6, 5), (6, 8, 8), (7, 7, 8), (8, 8, 13), (10, 10, 23), (12, 9, 26)]
)
def test_critical_values_of_u_are_the_tabulated_ones(n: int, m: int, critical: int) -> None:
    assert u_critical(n, m) == u_critical(m, n) == critical


def test_two_samples_too_small_for_any_u_have_no_critical_value() -> None:
    assert u_critical(3, 3) == -1


def test_the_interval_of_a_shift_takes_the_sixth_difference_from_either_end_at_six_rounds() -> None:
    base, new = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    differences = sorted(b - a for a in base for b in new)
    found = shift(base, new)
    assert found.interval is not UNSET
    assert (found.interval.low, found.interval.high) == (differences[5], differences[30])
    assert found.estimate == (differences[17] + differences[18]) / 2


def test_a_shift_needs_six_rounds_on_both_sides() -> None:
    assert shift([1.0] * 5, [1.0] * 12).interval is UNSET
    assert shift([1.0] * 12, [1.0] * 5).interval is UNSET


def test_a_shift_from_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="both sides"):
        shift([], [1.0])


@given(st.lists(TIMES, min_size=6, max_size=9), st.lists(TIMES, min_size=6, max_size=9), st.randoms())
def test_a_shift_mirrors_when_the_sides_swap_and_ignores_the_order(
    base: list[float], new: list[float], order: random.Random
) -> None:
    there, back = shift(base, new), shift(new, base)
    order.shuffle(base)
    assert shift(base, new) == there
    assert there.interval is not UNSET
    assert back.interval is not UNSET
    assert there.estimate == -back.estimate
    assert (there.interval.low, there.interval.high) == (-back.interval.high, -back.interval.low)


def test_the_interval_of_a_shift_misses_zero_in_at_most_5_percent_of_all_null_orderings() -> None:
    misses = total = 0
    for mine in itertools.combinations(range(12), 6):
        base = [float(i) for i in range(12) if i not in mine]
        interval = shift(base, [float(i) for i in mine]).interval
        assert interval is not UNSET
        total += 1
        misses += interval.low > 0 or interval.high < 0
    assert 0 < misses / total <= 0.05
