"""Which slices count on a shared core, and how long quiet moments are waited for. Times and looks are invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.protocol import Effort
from kernelbench.timing.sampling import AGAIN_SLICES, LONG_S, LOOK_S, LOOKS, MIN_QUIET, Sampler
from kernelbench.timing.slices import SHARED_CORE
from tests.timing.host import ALONE, AMPLE, SAMPLE, SHARED, SIZE, SLICE, Host, derandomized, take

WAIT_S = LOOKS * LOOK_S  # a visit to a core that is not quiet
BATCH = 16


def busy_from(first: int, until: int = 10**9) -> Host:
    return Host(adds=lambda m: SHARED if first <= m < until else ALONE)


# --- slices are chosen by the looks alone


@derandomized
@given(
    st.lists(st.sampled_from([ALONE, ALONE, ALONE, 3.7, 3.5, SHARED]), min_size=20, max_size=200),
    st.lists(st.floats(0, 1), min_size=BATCH, max_size=200),
    st.floats(0, 0.02),
)
def test_which_slices_make_the_samples_does_not_depend_on_how_long_they_took(
    adds: list[float], scattered: list[float], patience_s: float
) -> None:
    def seen(order: list[int]) -> tuple[object, ...]:
        # The first batch is one slice, the others 16 each: all take the same time together, whatever the order.
        host = Host(
            lambda k, m: SLICE * (1 + order[(k - 1) % BATCH] / 1024) if k else SLICE,
            lambda m: adds[m % len(adds)] + m / 1e6,
        )
        found = take(host, round_s=0.01, patience_s=patience_s, best_adds=ALONE, shortest_s=16.5 * SLICE)
        return host.kept, found.adds_per_cycle, found.disturbed, found.quiet_share, found.calls_per_sample

    assert seen(sorted(range(BATCH), key=lambda i: scattered[i])) == seen(list(range(BATCH)))


moments = st.tuples(st.sampled_from([ALONE, SHARED]), st.booleans())


@derandomized
@given(st.lists(moments, max_size=60), st.lists(st.floats(1, 100), max_size=60))
def test_of_slices_as_long_as_a_sample_exactly_those_that_were_left_alone_count(
    script: list[tuple[float, bool]], factors: list[float]
) -> None:
    # Each is a batch of its own: only the looks right before and after it are beside it.
    times = [SAMPLE * factor for factor in [1, *factors]]
    host = Host(
        lambda k, m: times[k] if k < len(times) else SAMPLE,
        lambda m: script[m][0] if m < len(script) else ALONE,
        [m for m, (_, switched) in enumerate(script) if switched],
    )
    found = take(host, best_adds=ALONE)
    assert found.seconds_per_call == tuple(host.seconds(k, 0) / 7 for k in host.alone())
    assert len(found.seconds_per_call) == 5


def test_a_neighbour_that_comes_and_goes_leaves_no_trace_in_the_samples() -> None:
    def there(m: int) -> bool:
        return m // 64 % 2 == 1

    host = Host(lambda k, m: SLICE * (1.4 if there(m) else 1), lambda m: SHARED if there(m) or there(m - 1) else ALONE)
    found = take(host, samples=12)
    assert found.seconds_per_call == pytest.approx((SLICE / 7,) * 12)
    assert found.disturbed == (False,) * 12
    assert found.quiet_share < 1


@pytest.mark.parametrize("free", [(2,), (2, 3)], ids=["one look in four", "two looks in a row of four"])
def test_a_neighbour_that_pauses_only_for_a_look_is_not_taken_for_a_quiet_machine(free: tuple[int, ...]) -> None:
    found = take(Host(adds=lambda m: ALONE if m % 4 in free else SHARED), round_s=0.001, best_adds=ALONE)
    assert found.quiet_share == 0
    assert all(found.disturbed)


def test_a_little_fewer_adds_are_noise_and_fewer_than_that_a_neighbour() -> None:
    assert not any(take(Host(adds=lambda m: ALONE * (SHARED_CORE + 0.01)), best_adds=ALONE).disturbed)
    shared = Host(adds=lambda m: ALONE * (SHARED_CORE - 0.01))
    assert all(take(shared, round_s=0.01, best_adds=ALONE).disturbed)


def test_a_core_that_was_shared_all_the_time_is_known_by_what_it_did_earlier() -> None:
    assert not any(take(Host(adds=lambda m: SHARED)).disturbed)
    assert all(take(Host(adds=lambda m: SHARED), round_s=0.01, best_adds=ALONE).disturbed)


def test_slices_taken_before_the_core_was_first_seen_alone_are_judged_by_what_it_does_alone() -> None:
    host = Host(lambda k, m: SAMPLE, lambda m: SHARED if m < 3 else ALONE)
    found = take(host, samples=6)
    assert found.adds_per_cycle == (ALONE,) * len(found.adds_per_cycle)
    assert found.quiet_share == 1 - 3 / len(host.kept)


def test_where_threads_of_ours_share_a_core_no_neighbour_is_blamed_nor_waited_for() -> None:
    # Preempted at first, so that the case must be visited again.
    host = Host(adds=lambda m: SHARED, sees_neighbours=False, switched=range(60))
    found = take(host, best_adds=ALONE)
    assert found.adds_per_cycle == (0.0,) * 5
    assert not any(found.disturbed)
    assert "look" not in host.events


def test_where_adds_are_not_counted_no_core_is_called_shared() -> None:
    assert not any(take(Host(adds=lambda m: 0.0), best_adds=ALONE).disturbed)


# --- too few quiet ones


def test_the_quietest_slices_stand_in_where_too_few_are_quiet_and_are_marked() -> None:
    # Slices of a whole sample each; the looks between them fall on a busy core, most of all on the first five.
    host = Host(lambda k, m: 1.1 * LONG_S, lambda m: SHARED + (m >= 6) + m / 100)
    found = take(host, samples=3, round_s=0.05, best_adds=ALONE)
    assert len(host.kept) == 10
    assert found.disturbed == (True,) * 3
    assert found.adds_per_cycle == pytest.approx([SHARED + 1 + m / 100 for m in (7, 8, 9)])


@pytest.mark.parametrize("quiet", [1, 2])
def test_the_few_quiet_slices_are_kept_beside_those_that_stand_in(quiet: int) -> None:
    found = take(busy_from(quiet * SIZE + 5), samples=3, round_s=0.01, best_adds=ALONE)
    assert found.disturbed == (False,) * quiet + (True,) * (3 - quiet)


def test_samples_are_in_the_order_they_were_begun() -> None:
    # The quiet ones are chosen first and yet come last.
    host = Host(lambda k, m: 1.1 * LONG_S, lambda m: SHARED if m < 3 else ALONE)
    found = take(host, samples=4, round_s=0.02, best_adds=ALONE)
    assert found.disturbed == (True, True, True, False)


# --- patience


def test_time_beyond_the_round_is_spent_while_fewer_than_three_samples_are_quiet() -> None:
    host = busy_from(2 * SIZE)
    found = take(host, round_s=0.02, patience_s=0.05, best_adds=ALONE)
    assert 0.07 - SAMPLE <= host.elapsed_s <= 0.07 + WAIT_S + SAMPLE
    assert found.disturbed.count(False) < MIN_QUIET


def test_with_three_quiet_samples_the_round_ends_in_its_time() -> None:
    host = busy_from(4 * SIZE)
    found = take(host, round_s=0.02, patience_s=5.0, best_adds=ALONE)
    assert host.elapsed_s <= 0.02 + WAIT_S + SAMPLE
    assert found.disturbed == (False,) * MIN_QUIET


def test_patience_ends_with_the_third_quiet_sample() -> None:
    host = busy_from(0, until=500)
    found = take(host, samples=50, round_s=0.004, patience_s=AMPLE, best_adds=ALONE)
    assert found.disturbed == (False,) * MIN_QUIET
    assert len(host.kept) <= (2 * MIN_QUIET + 2) * SIZE, "three samples at once, and three quiet ones later"


def test_long_slices_are_taken_as_they_come() -> None:
    host = Host(lambda k, m: 1.1 * LONG_S, lambda m: SHARED)
    found = take(host, samples=50, round_s=0.1, patience_s=AMPLE, best_adds=ALONE)
    assert len(host.kept) == len(found.disturbed) == 19, "0.1 s of them"
    assert all(found.disturbed)
    assert host.elapsed_s == host.kept_s, "nothing waited for, nothing thrown away"


def test_one_stalled_slice_does_not_end_the_patience_for_short_ones() -> None:
    host = Host(lambda k, m: 2 * LONG_S if k == 3 else SLICE, lambda m: SHARED)
    take(host, round_s=0.02, patience_s=0.05, best_adds=ALONE)
    assert host.elapsed_s >= 0.07


@derandomized
@given(st.lists(st.integers(1, 90), min_size=1, max_size=12), st.floats(0.005, 0.03), st.floats(0, 0.03))
def test_no_neighbour_can_hold_a_round_up_for_much_longer_than_its_patience(
    stretches: list[int], round_s: float, patience_s: float
) -> None:
    pattern = [ALONE if i % 2 else SHARED for i, length in enumerate(stretches) for _ in range(length)]
    host = Host(adds=lambda m: pattern[m % len(pattern)])
    take(host, samples=12, round_s=round_s, patience_s=patience_s, best_adds=ALONE)
    # A visit that has met quiet slices goes on while they come, one a batch at least until there are three samples.
    assert host.elapsed_s <= round_s + patience_s + WAIT_S + MIN_QUIET * SIZE * SAMPLE


# --- visits


def visitor(host: Host, samples: int = 5, round_s: float = AMPLE) -> Sampler:
    return Sampler(host, 7, Effort(samples=samples, round_s=round_s), host, shortest_s=SAMPLE, best_adds=ALONE)


def test_the_first_visit_takes_three_samples_whatever_the_neighbours_do() -> None:
    host = busy_from(0)
    sampler = visitor(host)
    assert not sampler.visit()
    assert sampler.samples().disturbed == (True,) * MIN_QUIET
    assert host.elapsed_s == host.kept_s <= (MIN_QUIET + 1) * SAMPLE


def test_a_visit_is_left_with_the_first_batch_of_which_nothing_is_quiet() -> None:
    host = busy_from(100)
    assert not visitor(host, samples=50).visit()
    assert len(host.kept) <= 100 + 2 * BATCH


def test_a_later_visit_to_a_busy_core_takes_nothing() -> None:
    host = busy_from(0)
    sampler = visitor(host)
    sampler.visit()
    before = len(host.kept)
    assert not sampler.visit()
    assert len(host.kept) == before
    assert sampler.spent_s == pytest.approx(host.kept_s + WAIT_S)


def test_a_later_visit_begins_with_slices_that_are_not_kept() -> None:
    host = busy_from(0, until=60)
    sampler = visitor(host)
    sampler.visit()
    host.events.clear()
    assert sampler.visit()
    events = [event for event in host.events if event != "look"]
    assert events[:4] == ["not kept", "start", "slices", "stop"]
    assert events.count("not kept") == 1
    assert sampler.samples().disturbed == (False,) * 5
    assert host.elapsed_s - host.kept_s - AGAIN_SLICES * SLICE < WAIT_S


def test_a_visit_to_a_case_with_enough_samples_does_nothing() -> None:
    host = Host()
    sampler = visitor(host)
    assert sampler.visit()
    before = host.elapsed_s
    assert sampler.visit()
    assert host.elapsed_s == before
