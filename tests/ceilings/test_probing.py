"""The best of a point's slices, against loops of invented speed."""

from collections.abc import Iterator
from itertools import chain, repeat

import pytest

from kernelbench.ceilings.probing import Prober
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


def test_the_best_slice_counts() -> None:
    loop = Loop(1e-6, chain([1.5, 1.0, 1.2], repeat(1.4)))
    assert prober().best([loop], 100.0).value == pytest.approx(100.0 / 1e-6)


def test_a_slice_is_long_enough_for_the_timer() -> None:
    loop = Loop(1e-8)
    probed: list[int] = []
    loop.slices = lambda calls, count: probed.append(calls) or Loop.slices(loop, calls, count)  # type: ignore[func-returns-value, method-assign]
    prober().best([loop], 1.0)
    assert min(probed) * 1e-8 >= SLICE_S


def test_every_address_is_tried_at_least_once() -> None:
    loops = [Loop(1.0) for _ in range(4)]
    prober().best(loops, 1.0)
    assert all(loop.sliced for loop in loops)


def test_a_point_without_a_quiet_moment_is_tried_longer_within_the_patience_of_the_pass() -> None:
    def busy() -> Iterator[float]:
        return chain([4e9, 1e9] * 40, repeat(4e9))

    hasty, patient = Loop(1e-6, looks=busy()), Loop(1e-6, looks=busy())
    prober(probe_s=1e-4).best([hasty], 1.0)
    prober(probe_s=1e-4, patience_s=60.0).best([patient], 1.0)
    assert patient.sliced > hasty.sliced


def test_patience_ends() -> None:
    ticks = iter(range(10**6))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kernelbench.ceilings.probing.time.perf_counter", lambda: float(next(ticks)))
        loop = Loop(1e-6, looks=chain([4e9], repeat(1e9)))
        prober(probe_s=1e-4, patience_s=5.0).best([loop], 1.0)
    assert loop.sliced < 500


def test_a_probe_carries_its_time_and_the_clock() -> None:
    made = prober().best([Loop(1e-6)], 1.0)
    assert made.at_s > 0
    assert made.clock_hz == 3e9
