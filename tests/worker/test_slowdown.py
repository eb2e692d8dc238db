"""Extra work sized by measurement, on a kernel whose time is made up."""

import ctypes
from collections.abc import Callable

import pytest

from kernelbench.timing.sampling import Batch
from kernelbench.worker.bench import CaseError
from kernelbench.worker.slowdown import CLOSE, TAKEN_S, again, apply

CLOCK_HZ = 1e9
CALL_S = 1e-6


class Entry:
    """Counts extra steps."""

    def __init__(self) -> None:
        self.extra = ctypes.c_int64(0)


class Run:
    """A kernel of 1 us; ``extra_s`` tells what so many steps cost."""

    def __init__(self, entry: Entry, extra_s: Callable[[int], float]) -> None:
        self._entry, self._extra_s = entry, extra_s

    def __call__(self, calls: int) -> float:
        return sum(self.slices(calls, 1).seconds)

    def slices(self, calls: int, count: int) -> Batch:
        return Batch((calls * (CALL_S + self._extra_s(self._entry.extra.value)),) * count, ())


def applied(extra_s: Callable[[int], float], share: float = 0.1) -> tuple[float, int]:
    """The share that was reached, and the steps left in the kernel."""
    entry = Entry()
    reached = apply(entry, Run(entry, extra_s), 50, share, CLOCK_HZ)  # type: ignore[arg-type]
    return reached, entry.extra.value


def test_a_step_that_costs_a_cycle_is_right_at_once() -> None:
    reached, steps = applied(lambda n: n / CLOCK_HZ)
    assert (reached, steps) == (pytest.approx(0.1), 100)


def test_work_that_hides_beside_the_kernel_is_made_up_for() -> None:
    reached, steps = applied(lambda n: max(0.0, (n - 40) / CLOCK_HZ))
    assert abs(reached - 0.1) <= 0.2 * 0.1
    assert steps > 100


def test_what_is_told_is_what_the_steps_left_in_the_kernel_cost() -> None:
    cost = lambda n: 0.7 * n / CLOCK_HZ  # noqa: E731
    reached, steps = applied(cost)
    assert reached == pytest.approx(cost(steps) / CALL_S)


def test_what_cannot_be_reached_is_told_as_what_came_of_it() -> None:
    reached, steps = applied(lambda n: n * CALL_S, share=0.02)
    assert reached == pytest.approx(steps)


def test_less_than_half_a_cycle_of_extra_work_is_refused() -> None:
    with pytest.raises(CaseError, match=r"too short for 0\.0% of extra work, 0\.40 cycles"):
        applied(lambda n: n / CLOCK_HZ, share=0.0004)


def test_small_shares_are_reached_as_well() -> None:
    reached, _ = applied(lambda n: 1.3 * n / CLOCK_HZ, share=0.02)
    assert abs(reached - 0.02) <= CLOSE * 0.02 + 0.001


def test_steps_sized_earlier_are_taken_as_they_are_and_measured_again() -> None:
    entry = Entry()
    reached = again(entry, Run(entry, lambda n: 0.5 * n / CLOCK_HZ), 50, 100)  # type: ignore[arg-type]
    assert (reached, entry.extra.value) == (pytest.approx(0.05), 100)


@pytest.mark.parametrize("looks", [True, False])
def test_a_neighbour_of_half_the_time_taken_does_not_change_the_size(looks: bool) -> None:
    entry, spent = Entry(), [0.0]

    class Beside(Run):
        """Half as fast, and seen to be, until half of the time is over."""

        def slices(self, calls: int, count: int) -> Batch:
            batch = super().slices(calls, count)
            slow = 2 if spent[0] < TAKEN_S / 2 else 1
            spent[0] += slow * sum(batch.seconds)
            return Batch(tuple(slow * one for one in batch.seconds), (4 / slow,) * (count + 1) if looks else ())

    assert again(entry, Beside(entry, lambda n: n / CLOCK_HZ), 50, 100) == pytest.approx(0.1)  # type: ignore[arg-type]


def test_without_a_clock_nothing_is_slowed_and_the_case_says_why() -> None:
    entry = Entry()
    with pytest.raises(CaseError, match="clock, which cannot be measured"):
        apply(entry, Run(entry, lambda n: 0.0), 50, 0.1, 0.0)  # type: ignore[arg-type]
    assert entry.extra.value == 0


def test_a_kernel_of_two_times_is_sized_by_its_median_where_the_core_is_quiet() -> None:
    entry, turn = Entry(), [0]

    class Bimodal(Run):
        """Now and then 10% faster for no reason."""

        def slices(self, calls: int, count: int) -> Batch:
            turn[0] += 1
            lucky = 0.9 if turn[0] % 7 == 0 else 1.0
            return Batch(tuple(lucky * one for one in super().slices(calls, count).seconds), (4.0,) * (count + 1))

    assert again(entry, Bimodal(entry, lambda n: n / CLOCK_HZ), 50, 100) == pytest.approx(0.1)  # type: ignore[arg-type]
