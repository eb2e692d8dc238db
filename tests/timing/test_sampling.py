"""How a case is sampled in one round, against kernels of invented speed: no clock is read and nothing sleeps."""

from collections.abc import Callable, Iterator
from itertools import chain, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelbench.protocol import Effort
from kernelbench.timing.sampling import (
    MIN_SAMPLES,
    SETTLED,
    SWITCH_EVERY_S,
    WAIT_UP_TO_S,
    Observation,
    Samples,
    calibrate,
    judge,
    sample,
    shortest_sample_s,
    warm_up,
)

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


class Quiet:
    """An observer that sees nothing."""

    def start(self) -> None:
        pass

    def stop(self) -> Observation:
        return Observation(0, 0, 3e9)

    def wait_until_quiet(self, best_adds: float, limit_s: float) -> float:
        return 0.0


# --- how long a sample is


def test_a_sample_lasts_what_the_effort_asks() -> None:
    assert shortest_sample_s(Effort(sample_s=0.02), 1e-9) == 0.02


def test_a_sample_never_lasts_less_than_a_millisecond() -> None:
    assert shortest_sample_s(Effort(sample_s=1e-5), 1e-9) == 1e-3


def test_a_sample_lasts_ten_thousand_ticks_of_a_coarse_timer() -> None:
    assert shortest_sample_s(Effort(sample_s=0.002), 1e-6) == pytest.approx(0.01)


# --- calibration


@derandomized
@given(durations, st.floats(1e-3, 0.1))
def test_calibration_ends_with_two_samples_that_last_long_enough(call_s: float, shortest_s: float) -> None:
    kernel = Kernel(call_s)
    calls, took = calibrate(kernel, shortest_s)
    assert kernel.asked[-2:] == [calls, calls]
    assert kernel.took[-1] == took >= shortest_s
    assert kernel.took[-2] >= shortest_s


@derandomized
@given(durations, st.floats(1e-3, 0.1))
def test_calibration_takes_few_steps_and_little_more_time_than_it_must(call_s: float, shortest_s: float) -> None:
    kernel = Kernel(call_s)
    calibrate(kernel, shortest_s)
    # Ten decades of speed at a factor of ten a step, then one exact step, and the sample that confirms it.
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


def test_a_kernel_slower_than_a_sample_is_called_once() -> None:
    assert calibrate(Kernel(0.5), 1e-3) == (1, 0.5)


# --- warm-up


def test_warm_up_ends_when_three_samples_in_a_row_agree() -> None:
    kernel = Kernel(1e-3, iter([2.0, 1.5, 1.0, 1.0 + SETTLED / 2, 1.0, 1.0, 1.0]))
    spent = warm_up(kernel, 1, 3e-3, 1.0)
    assert len(kernel.asked) == 5
    assert spent == pytest.approx(3e-3 + sum(kernel.took))


def test_the_last_sample_of_calibration_is_the_first_of_the_three() -> None:
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


# --- the samples


def take(kernel: Callable[[int], float], calls: int, effort: Effort) -> Samples:
    return sample(kernel, calls, effort, Quiet())


def test_a_fast_kernel_gives_as_many_samples_as_asked_in_seconds_per_call() -> None:
    found = take(Kernel(1e-6), 2000, Effort(samples=5, round_s=1.0))
    assert found.seconds_per_call == pytest.approx((1e-6,) * 5)
    assert found.calls_per_sample == 2000
    assert len(found.observations) == 5


def test_samples_stop_when_the_time_of_the_round_is_spent() -> None:
    assert len(take(Kernel(0.03), 1, Effort(samples=100, round_s=0.12)).seconds_per_call) == 4


def test_a_kernel_that_fills_the_round_with_two_samples_is_still_sampled_three_times() -> None:
    assert len(take(Kernel(0.07), 1, Effort(samples=100, round_s=0.12)).seconds_per_call) == MIN_SAMPLES


def test_a_kernel_slower_than_the_round_is_sampled_twice() -> None:
    assert len(take(Kernel(5.0), 1, Effort(samples=100, round_s=0.12)).seconds_per_call) == 2


@derandomized
@given(st.floats(1e-4, 1.0), st.integers(3, 40), st.floats(0.01, 0.5))
def test_the_number_of_samples_is_bounded_and_the_time_as_well(call_s: float, samples: int, round_s: float) -> None:
    kernel = Kernel(call_s)
    count = len(take(kernel, 1, Effort(samples=samples, round_s=round_s)).seconds_per_call)
    assert 2 <= count <= samples
    assert sum(kernel.took) <= max(round_s + call_s, MIN_SAMPLES * call_s) * (1 + 1e-9)


def test_the_observer_is_started_before_and_stopped_after_each_sample() -> None:
    events: list[str] = []

    class Recorder(Quiet):
        def start(self) -> None:
            events.append("start")

        def stop(self) -> Observation:
            events.append("stop")
            return super().stop()

    def run(calls: int) -> float:
        events.append("run")
        return 0.001

    sample(run, 1, Effort(samples=3), Recorder())
    assert events == ["start", "run", "stop"] * 3


# --- disturbance


def disturbed(*observations: Observation, sample_s: float = 0.002, best_adds: float = 0.0) -> int:
    return judge((sample_s,) * len(observations), 1, observations, best_adds).count(True)


def test_a_quiet_round_is_not_disturbed() -> None:
    assert disturbed(*[Observation(0, 0, 3e9)] * 5) == 0


def test_a_single_involuntary_switch_is_what_a_quiet_machine_does_as_well() -> None:
    assert disturbed(Observation(1, 0, 3e9), Observation(2, 0, 3e9)) == 1


def test_a_long_sample_may_be_switched_as_often_as_a_quiet_machine_does() -> None:
    ten_switches = Observation(10, 0, 3e9)
    assert disturbed(ten_switches, sample_s=10 * SWITCH_EVERY_S) == 0
    assert disturbed(ten_switches, sample_s=5 * SWITCH_EVERY_S) == 1


def test_samples_beside_which_the_clock_was_low_are_disturbed() -> None:
    clocks = (3.6e9, 3.55e9, 3.0e9, 1.8e9)
    assert disturbed(*(Observation(0, 0, hz) for hz in clocks)) == 2


def test_page_faults_alone_disturb_nothing() -> None:
    assert disturbed(Observation(0, 500, 3e9)) == 0


def test_where_the_clock_cannot_be_measured_only_switches_count() -> None:
    assert disturbed(Observation(0, 0, 0.0), Observation(9, 0, 0.0)) == 1


def test_a_round_without_samples_is_not_disturbed() -> None:
    assert disturbed() == 0


def alone(adds_per_cycle: float) -> Observation:
    return Observation(0, 0, 3e9, adds_per_cycle)


def test_a_sample_beside_which_the_core_did_fewer_adds_was_taken_on_a_shared_core() -> None:
    assert disturbed(alone(3.95), alone(3.93), alone(3.0), alone(2.1)) == 2


def test_a_core_that_was_shared_all_the_time_is_known_by_what_it_did_earlier() -> None:
    assert disturbed(alone(2.5), alone(2.5)) == 0
    assert disturbed(alone(2.5), alone(2.5), best_adds=3.95) == 2


def test_where_adds_are_not_counted_no_core_is_called_shared() -> None:
    assert disturbed(alone(0.0), alone(0.0), best_adds=3.95) == 0


# --- waiting for a quiet moment


class Neighbour(Quiet):
    """The core is shared whenever it is looked at; waiting always takes ``wait_s`` and frees it for one sample."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s, self.limits, self.free = wait_s, list[float](), False

    def wait_until_quiet(self, best_adds: float, limit_s: float) -> float:
        self.limits.append(limit_s)
        self.free = self.wait_s <= limit_s
        return min(self.wait_s, limit_s)

    def stop(self) -> Observation:
        adds, self.free = (4.0 if self.free else 2.0), False
        return Observation(0, 0, 3e9, adds)


def test_it_waits_before_each_sample_and_counts_only_quiet_ones() -> None:
    neighbour = Neighbour(0.01)
    found = sample(Kernel(1e-3), 1, Effort(samples=5, round_s=1.0, patience_s=10.0), neighbour, 4.0)
    assert found.disturbed == (False,) * 5
    assert len(neighbour.limits) == 5


def test_patience_bounds_all_the_waiting_of_a_round() -> None:
    neighbour = Neighbour(0.04)
    found = sample(Kernel(1e-3), 1, Effort(samples=5, round_s=0.02, patience_s=0.1), neighbour, 4.0)
    assert neighbour.limits == pytest.approx([0.1, 0.06, 0.02])
    assert found.disturbed.count(False) == 2
    assert len(found.disturbed) == 20, "the rest of the round is sampled as it comes"


def test_a_kernel_with_long_samples_does_not_wait() -> None:
    neighbour = Neighbour(0.01)
    sample(Kernel(2 * WAIT_UP_TO_S), 1, Effort(samples=5, round_s=0.05, patience_s=1.0), neighbour, 4.0)
    assert len(neighbour.limits) == 1, "only before the first sample, whose length is not yet known"
