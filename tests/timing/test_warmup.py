"""How long a slice is, how calls are calibrated, when a kernel is warm: no clock is read and nothing sleeps."""

from collections.abc import Iterator
from itertools import chain, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelbench.protocol import Effort
from kernelbench.timing.sampling import MIN_TICKS, SLICE_S, shortest_sample_s, shortest_slice_s
from kernelbench.timing.warmup import SETTLED, calibrate, warm_up

derandomized = settings(deadline=None, derandomize=True, database=None)
durations = st.floats(1e-9, 10.0)
STEADY = repeat(1.0)


class Kernel:
    """Takes ``call_s`` a call, times the next of ``factors``; remembers what it was asked."""

    def __init__(self, call_s: float, factors: Iterator[float] = STEADY) -> None:
        self.call_s, self.factors = call_s, factors
        self.asked: list[int] = []
        self.took: list[float] = []

    def __call__(self, calls: int) -> float:
        self.asked.append(calls)
        self.took.append(calls * self.call_s * next(self.factors))
        return self.took[-1]


# --- how long a sample is


def test_a_sample_lasts_what_the_effort_asks() -> None:
    assert shortest_sample_s(Effort(sample_s=0.02), 1e-9) == 0.02


def test_a_sample_never_lasts_less_than_a_millisecond() -> None:
    assert shortest_sample_s(Effort(sample_s=1e-5), 1e-9) == 1e-3


def test_a_sample_lasts_ten_thousand_ticks_of_a_coarse_timer() -> None:
    assert shortest_sample_s(Effort(sample_s=0.002), 1e-6) == pytest.approx(0.01)


def test_a_slice_lasts_50_us_with_a_fine_timer() -> None:
    assert shortest_slice_s(1e-9) == SLICE_S == 5e-5


def test_a_slice_lasts_as_long_as_a_sample_where_the_timer_is_coarse() -> None:
    assert shortest_slice_s(1e-6) == shortest_sample_s(Effort(), 1e-6) == MIN_TICKS * 1e-6


# --- calibration


@derandomized
@given(durations, st.floats(5e-5, 0.1))
def test_calibration_ends_with_two_slices_that_last_long_enough(call_s: float, shortest_s: float) -> None:
    kernel = Kernel(call_s)
    calls, took = calibrate(kernel, shortest_s)
    assert kernel.asked[-2:] == [calls, calls]
    assert kernel.took[-1] == took >= shortest_s
    assert kernel.took[-2] >= shortest_s


@derandomized
@given(durations, st.floats(5e-5, 0.1))
def test_calibration_takes_few_steps_and_little_more_time_than_it_must(call_s: float, shortest_s: float) -> None:
    kernel = Kernel(call_s)
    calibrate(kernel, shortest_s)
    # Ten decades of speed at a factor of ten a step, then one exact step, and the slice that confirms it.
    assert len(kernel.asked) <= 12
    assert max(kernel.took) <= max(call_s, 1.2 * shortest_s + call_s)


@derandomized
@given(st.floats(1e-8, 1e-2), st.lists(st.floats(0.2, 50.0), max_size=30))
def test_calibration_survives_a_machine_that_changes_its_speed(call_s: float, factors: list[float]) -> None:
    kernel = Kernel(call_s, chain(factors, repeat(1.0)))
    calls, took = calibrate(kernel, 2e-3)
    assert kernel.took[-2] >= 2e-3 <= kernel.took[-1] == took
    assert kernel.asked[-2:] == [calls, calls]


def test_an_interruption_of_the_first_call_does_not_make_a_fast_kernel_look_slow() -> None:
    kernel = Kernel(1e-6, chain([5000.0], repeat(1.0)))
    calls, _ = calibrate(kernel, 2e-3)
    assert calls >= 2000


def test_a_kernel_too_fast_for_the_timer_is_called_ten_times_as_often_each_step() -> None:
    kernel = Kernel(1e-9, chain(repeat(0.0, 4), repeat(1.0)))
    calls, _ = calibrate(kernel, 1e-3)
    assert kernel.asked[:5] == [1, 10, 100, 1000, 10_000]
    assert calls * 1e-9 >= 1e-3


def test_what_the_first_call_took_need_not_be_measured_again() -> None:
    kernel = Kernel(1e-5)
    calibrate(kernel, 1e-3, first_s=1e-5)
    assert kernel.asked[0] == 10


def test_a_kernel_slower_than_a_slice_is_called_once() -> None:
    assert calibrate(Kernel(0.5), 1e-3) == (1, 0.5)


# --- warm-up


def test_warm_up_ends_when_three_samples_in_a_row_agree() -> None:
    kernel = Kernel(1e-3, iter([2.0, 1.5, 1.0, 1.0 + SETTLED / 2, 1.0, 1.0, 1.0]))
    spent = warm_up(kernel, 1, 3e-3, 1.0)
    assert len(kernel.asked) == 5
    assert spent == pytest.approx(3e-3 + sum(kernel.took))


def test_what_calibration_took_last_is_the_first_of_the_three() -> None:
    kernel = Kernel(1e-3)
    warm_up(kernel, 7, 7e-3, 1.0)
    assert kernel.asked == [7, 7]


def test_a_kernel_that_never_settles_is_warmed_up_until_its_time_is_spent() -> None:
    kernel = Kernel(1e-3, chain.from_iterable(repeat((1.0, 2.0))))
    spent = warm_up(kernel, 1, 1e-3, 0.05)
    assert 0.05 <= spent < 0.05 + 2e-3


def test_a_kernel_slower_than_the_whole_warm_up_is_not_called_again() -> None:
    kernel = Kernel(1.0)
    assert warm_up(kernel, 1, 1.0, 0.25) == 1.0
    assert kernel.asked == []


@derandomized
@given(st.lists(st.floats(0.5, 2.0), min_size=1, max_size=50), st.floats(0.001, 0.05))
def test_warm_up_overruns_its_time_by_less_than_a_sample(factors: list[float], limit_s: float) -> None:
    kernel = Kernel(1e-3, chain(factors, repeat(1.0)))
    assert warm_up(kernel, 1, 1e-3, limit_s) < max(limit_s, 1e-3) + 2e-3
