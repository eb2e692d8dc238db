"""The best of a point's slices, against loops of invented speed."""

from collections.abc import Iterator
from itertools import chain, count, repeat

import pytest

from kernelbench.ceilings.probing import BATCH, Point, Prober
from kernelbench.protocol import ProbeCeilings
from kernelbench.timing import clock
from kernelbench.timing.sampling import SLICE_S, Batch

STEADY: Iterator[float] = repeat(1.0)
QUIET: Iterator[float] = repeat(4e9)


class Loop:
    """A call takes ``call_s`` times the next of ``factors``; the core looks as told."""

    def __init__(self, call_s: float, factors: Iterator[float] = STEADY, looks: Iterator[float] = QUIET) -> None:
        self.call_s, self.factors, self.looks = call_s, factors, looks
        self.sliced = 0

    def __call__(self, calls: int) -> float:
        return calls * self.call_s

    def slices(self, calls: int, count: int) -> Batch:
        self.sliced += count
        seconds = tuple(calls * self.call_s * next(self.factors) for _ in range(count))
        return Batch(seconds, tuple(next(self.looks) for _ in range(count + 1)))


@pytest.fixture(autouse=True)
def no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "available", lambda: True)
    monkeypatch.setattr(clock, "clock_hz", lambda: 3e9)


def prober(*, probe_s: float = 0.002, patience_s: float = 0.0) -> Prober:
    return Prober(ProbeCeilings("m", (), 0.0, probe_s=probe_s, patience_s=patience_s), (0,))


def busy_for(slices: int) -> Iterator[float]:
    """One quiet look, so that the prober knows what quiet is; then a neighbour for so many."""
    return chain([4e9], repeat(1e9, slices), repeat(4e9))


def test_the_best_slice_counts() -> None:
    loop = Loop(1e-6, chain([1.5, 1.0, 1.2], repeat(1.4)))
    assert prober().take(Point([loop], 100.0)).value == pytest.approx(100.0 / 1e-6)


def test_a_slice_is_long_enough_for_the_timer() -> None:
    point = Point([Loop(1e-8)], 1.0)
    prober().take(point)
    assert point.calls * 1e-8 >= SLICE_S


def test_every_address_is_tried_at_least_once() -> None:
    loops = [Loop(1.0) for _ in range(4)]
    prober().take(Point(loops, 1.0))
    assert all(loop.sliced for loop in loops)


def test_a_settled_point_is_not_tried_again() -> None:
    loop, this = Loop(1e-6), prober(patience_s=60.0)
    point = Point([loop], 1.0)
    this.take(point)
    before = loop.sliced
    this.again([point])
    assert loop.sliced == before


def test_a_point_without_a_quiet_moment_is_tried_again_until_it_has_one() -> None:
    loop, this = Loop(1e-6, chain(repeat(1.5, 60), repeat(1.0)), busy_for(100)), prober(probe_s=1e-4, patience_s=60.0)
    point = Point([loop], 1.0)
    assert this.take(point).value == pytest.approx(1 / 1.5e-6)
    this.again([point])
    assert point.settled
    assert point.probe.value == pytest.approx(1 / 1e-6)


def test_a_best_reached_once_is_tried_until_it_is_reached_again() -> None:
    lucky = chain(repeat(1.2, 3 * BATCH), [1.0], repeat(1.2, 5 * BATCH), repeat(1.0))
    loop, this = Loop(1e-6, lucky), prober(patience_s=60.0)
    point = Point([loop], 1.0)
    this.take(point)
    assert not point.settled
    this.again([point])
    assert point.settled
    assert loop.sliced >= 9 * BATCH


def test_the_loop_that_was_best_is_tried_again_out_of_its_turn() -> None:
    slow = [Loop(2e-6) for _ in range(9)]
    best, this = Loop(1e-6, chain([1.0], repeat(1.3, 3 * BATCH), repeat(1.0))), prober(probe_s=1e-9, patience_s=60.0)
    point = Point([best, *slow], 1.0)
    this.take(point)
    this.again([point])
    assert point.settled
    assert best.sliced > 3 * slow[0].sliced


def test_a_quiet_rival_far_below_the_best_need_not_be_settled() -> None:
    best = Point([Loop(1e-6)], 1.0)
    other = Point([Loop(1e-6, chain([1.2], repeat(1.4)))], 1.0)
    best.rivals = other.rivals = (best, other)
    this = prober()
    for point in (best, other):
        this.take(point)
    assert best.settled
    assert other.settled
    other.rivals = (other,)
    assert not other.settled


def test_patience_ends() -> None:
    loop, ticks = Loop(1e-6, looks=busy_for(10**6)), count(0.0, 1.0)
    this = prober(probe_s=1e-4, patience_s=5.0)
    point = Point([loop], 1.0)
    this.take(point)
    before = loop.sliced
    this.again([point], now=lambda: next(ticks))
    assert 1 <= (loop.sliced - before) / BATCH <= 10


def test_important_points_come_first_and_leave_some_patience_to_the_others() -> None:
    ticks = count(0.0, 1.0)
    this = prober(probe_s=1e-4, patience_s=20.0)
    points = [Point([Loop(1e-6, looks=busy_for(10**6))], 1.0, important=i == 1) for i in range(3)]
    for point in points:
        this.take(point)
    before = [point.turn for point in points]
    this.again(points, now=lambda: next(ticks))
    tries = [point.turn - turn for point, turn in zip(points, before, strict=True)]
    assert tries[1] > tries[0] >= 1
    assert tries[1] > tries[2] >= 1


def test_a_probe_carries_its_time_and_the_clock() -> None:
    made = prober().take(Point([Loop(1e-6)], 1.0))
    assert made.at_s > 0
    assert made.clock_hz == 3e9
