"""How a case is sampled in one round: how many samples, how long, and what of the system's doing disturbs them."""

from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.timing.sampling import LONG_S, MIN_QUIET, SWITCH_EVERY_S
from tests.timing.host import ALONE, HZ, SAMPLE, SHARED, SIZE, SLICE, Host, derandomized, durations_s, take


@derandomized
@given(st.floats(5e-5, 0.02), st.floats(1e-3, 0.1), st.integers(MIN_QUIET, 20))
def test_a_quiet_machine_gives_as_many_samples_as_asked_and_each_is_long_enough(
    slice_s: float, shortest_s: float, samples: int
) -> None:
    found = take(Host(lambda k, m: slice_s), samples, shortest_s=shortest_s)
    assert len(found.seconds_per_call) == samples
    assert found.disturbed == (False,) * samples
    assert found.quiet_share == 1
    assert min(durations_s(found)) >= shortest_s * (1 - 1e-9)


def test_samples_are_in_seconds_per_call_of_whole_slices() -> None:
    found = take(Host())
    assert found.calls_per_sample == 7 * SIZE
    assert found.seconds_per_call == pytest.approx((SLICE / 7,) * 5)


@derandomized
@given(st.lists(st.floats(0.25, 50.0), min_size=1, max_size=40), st.booleans())
def test_a_sample_lasts_long_enough_however_its_slices_scatter(factors: list[float], shared: bool) -> None:
    host = Host(lambda k, m: SLICE * factors[k % len(factors)], lambda m: SHARED if shared else ALONE)
    found = take(host, round_s=0.02, best_adds=ALONE)
    assert min(durations_s(found)) >= SAMPLE * (1 - 1e-9)
    assert len(found.seconds_per_call) >= MIN_QUIET


def test_samples_stop_when_the_time_of_the_round_is_spent() -> None:
    assert len(take(Host(lambda k, m: 0.03), samples=100, round_s=0.12).seconds_per_call) == 4


def test_a_kernel_that_fills_the_round_with_two_samples_is_still_sampled_three_times() -> None:
    assert len(take(Host(lambda k, m: 0.07), samples=100, round_s=0.12).seconds_per_call) == 3


def test_a_kernel_slower_than_the_round_is_sampled_twice() -> None:
    assert len(take(Host(lambda k, m: 5.0), samples=100, round_s=0.12).seconds_per_call) == 2


def test_one_stalled_slice_does_not_make_two_samples_of_a_fast_kernel_enough() -> None:
    host = Host(lambda k, m: 0.5 if k == 3 else SLICE, lambda m: SHARED)
    assert len(take(host, samples=100, round_s=0.12, best_adds=ALONE).seconds_per_call) >= MIN_QUIET


@derandomized
@given(st.floats(5e-5, 1.0), st.integers(MIN_QUIET, 40), st.floats(0.01, 0.5))
def test_the_number_of_samples_is_bounded_and_the_time_as_well(slice_s: float, samples: int, round_s: float) -> None:
    host = Host(lambda k, m: slice_s)
    count = len(take(host, samples, round_s, patience_s=9.0).seconds_per_call)
    assert 2 <= count <= samples
    # The batch that ends the round is begun within it and lasts a sample; three samples are taken anyhow.
    assert host.elapsed_s <= max(round_s, MIN_QUIET * (SAMPLE + slice_s)) + SAMPLE + slice_s


def test_the_observer_is_started_before_and_stopped_after_each_batch() -> None:
    host = Host()
    take(host, samples=3)
    assert host.events == ["start", "slices", "stop"] * (len(host.events) // 3)


def test_what_was_observed_is_told_per_sample() -> None:
    found = take(Host(lambda k, m: 2 * SAMPLE, faults=9, clocks=[3e9, 2.99e9, 2.98e9]), samples=3)
    assert found.page_faults == (9, 9, 9)
    assert found.involuntary_switches == (0, 0, 0)
    assert found.clock_hz == (3e9, 2.99e9, 2.98e9)
    assert found.adds_per_cycle == (ALONE,) * 3


# --- disturbance by the operating system


def test_a_preempted_batch_does_not_count() -> None:
    # Batches begin at 0, 1, 17, 33, 49...
    host = Host(lambda k, m: SLICE * (3 if m in range(33, 49) else 1), switched=[40])
    found = take(host)
    assert found.disturbed == (False,) * 5
    assert found.seconds_per_call == pytest.approx((SLICE / 7,) * 5)
    assert found.quiet_share == 1 - 16 / len(host.kept)


def test_a_preempted_batch_does_not_count_even_if_one_of_its_slices_stood_still_for_long() -> None:
    host = Host(lambda k, m: 2 * LONG_S if m == 40 else SLICE, switched=[40])
    assert max(durations_s(take(host))) == SAMPLE


def test_a_stalled_slice_does_not_make_later_switches_those_of_a_quiet_machine() -> None:
    host = Host(lambda k, m: 2 * LONG_S if m == 3 else SLICE, switched=[3, 40, 60])
    found = take(host)
    assert found.disturbed == (False,) * 5
    assert max(found.involuntary_switches) == 0


def test_a_long_slice_may_be_switched_as_often_as_a_quiet_machine_does() -> None:
    found = take(Host(lambda k, m: SWITCH_EVERY_S, switched=[0, 0, 1, 2, 2, 2]), round_s=3 * SWITCH_EVERY_S)
    assert found.disturbed == (False, False, True)
    assert found.involuntary_switches == (2, 1, 3)


def test_samples_beside_which_the_clock_was_low_are_disturbed() -> None:
    host = Host(lambda k, m: 2 * LONG_S, clocks=[3.6e9, 3.5e9, 3.0e9, 1.8e9])
    assert take(host, samples=9, round_s=7 * LONG_S).disturbed == (False, False, True, True)


def test_adds_a_cycle_are_over_the_best_of_the_last_clocks() -> None:
    # An interrupt lowers the second clock, which says nothing about the core; the third is really higher.
    host = Host(lambda k, m: 2 * LONG_S, clocks=[HZ, HZ / 2, 2 * HZ])
    assert take(host, samples=9, round_s=5 * LONG_S).adds_per_cycle == (ALONE, ALONE, ALONE / 2)


def test_page_faults_alone_disturb_nothing() -> None:
    assert not any(take(Host(faults=500)).disturbed)


def test_where_the_clock_cannot_be_measured_only_switches_count() -> None:
    twice = [1, 1, 2, 2]
    host = Host(lambda k, m: 2 * LONG_S, switched=twice, clocks=repeat(0.0), sees_neighbours=False)
    found = take(host, samples=9, round_s=7 * LONG_S)
    assert found.disturbed == (False, True, True, False)
    assert found.clock_hz == found.adds_per_cycle == (0.0,) * 4
