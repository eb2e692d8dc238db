"""Extra work sized by measurement, on a kernel whose time is made up."""

import ctypes
from collections.abc import Callable

import pytest

from kernelbench.timing.sampling import Batch
from kernelbench.worker.bench import CaseError
from kernelbench.worker.slowdown import FAR, SIZING_S, TAKEN_S, again, apply

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


def test_work_that_mostly_hides_beside_the_kernel_is_made_up_for() -> None:
    reached, steps = applied(lambda n: max(0.0, (n - 70) / CLOCK_HZ))
    assert abs(reached - 0.1) <= FAR * 0.1
    assert steps == 170


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
    reached, steps = applied(lambda n: n / CLOCK_HZ, share=0.02)
    assert (reached, steps) == (pytest.approx(0.02), 20)


def test_steps_sized_earlier_are_taken_as_they_are_and_measured_again() -> None:
    entry = Entry()
    reached = again(entry, Run(entry, lambda n: 0.5 * n / CLOCK_HZ), 50, 100)  # type: ignore[arg-type]
    assert (reached, entry.extra.value) == (pytest.approx(0.05), 100)


def test_a_neighbour_of_half_the_time_taken_does_not_change_what_was_reached() -> None:
    entry, spent = Entry(), [0.0]

    class Beside(Run):
        """Twice as slow until half of the time is over."""

        def slices(self, calls: int, count: int) -> Batch:
            slow = 2 if spent[0] < TAKEN_S[0] / 2 else 1
            taken = tuple(slow * one for one in super().slices(calls, count).seconds)
            spent[0] += sum(taken)
            return Batch(taken, ())

    assert again(entry, Beside(entry, lambda n: n / CLOCK_HZ), 50, 100) == pytest.approx(0.1)  # type: ignore[arg-type]


def test_steps_that_cost_less_than_a_cycle_each_are_made_up_for() -> None:
    reached, steps = applied(lambda n: 0.85 * n / CLOCK_HZ)
    assert (reached, steps) == (pytest.approx(0.098, abs=1e-3), 115)


def test_a_difference_of_a_tenth_of_the_share_does_not_change_the_size() -> None:
    reached, steps = applied(lambda n: 0.95 * n / CLOCK_HZ)
    assert (reached, steps) == (pytest.approx(0.095), 100)


def test_the_work_is_looked_at_longer_while_too_few_moments_are_quiet() -> None:
    entry, spent = Entry(), [0.0]

    class LateQuiet(Run):
        """A neighbour, beside whom extra work costs twice as much, leaves after twice the usual time."""

        def slices(self, calls: int, count: int) -> Batch:
            busy = spent[0] < 2 * SIZING_S[0]
            extra = 2 if busy else 1
            taken = (calls * (CALL_S + extra * entry.extra.value / CLOCK_HZ),) * count
            spent[0] += sum(taken)
            return Batch(taken, ((2e9 if busy and int(spent[0] * 1e5) % 9 else 4e9),) * (count + 1))

    reached = again(entry, LateQuiet(entry, lambda n: n / CLOCK_HZ), 50, 100, SIZING_S)  # type: ignore[arg-type]
    assert reached == pytest.approx(0.1)


def test_a_kernel_of_two_speeds_is_slowed_by_a_share_of_its_usual_one() -> None:
    entry = Entry()
    count = [0]

    class TwoSpeeds(Run):
        """Without extra work every eighth slice is twice as fast."""

        def slices(self, calls: int, count_: int) -> Batch:
            count[0] += 1
            fast = entry.extra.value == 0 and count[0] % 8 == 1
            taken = tuple(one / (1 + fast) for one in super().slices(calls, count_).seconds)
            return Batch(taken, (4e9,) * (count_ + 1))

    assert again(entry, TwoSpeeds(entry, lambda n: n / CLOCK_HZ), 50, 100) == pytest.approx(0.1)  # type: ignore[arg-type]


def test_slices_beside_a_busy_neighbour_do_not_size_the_extra_work() -> None:
    entry = Entry()
    count = [0]

    class Beside(Run):
        """Of the slices with extra work every second one has a neighbour."""

        def slices(self, calls: int, count_: int) -> Batch:
            count[0] += 1
            busy = entry.extra.value > 0 and count[0] % 4 == 0
            taken = tuple(one * (1 + 3 * busy) for one in super().slices(calls, count_).seconds)
            return Batch(taken, (4e9 / (1 + busy),) * (count_ + 1))

    assert again(entry, Beside(entry, lambda n: n / CLOCK_HZ), 50, 100) == pytest.approx(0.1)  # type: ignore[arg-type]


def test_without_a_clock_nothing_is_slowed_and_the_case_says_why() -> None:
    entry = Entry()
    with pytest.raises(CaseError, match="clock, which cannot be measured"):
        apply(entry, Run(entry, lambda n: 0.0), 50, 0.1, 0.0)  # type: ignore[arg-type]
    assert entry.extra.value == 0
