"""How one case is sampled in one round: calibration, warm-up, stopping. Pure: what is run and observed is injected.

``run(calls)`` returns the seconds that ``calls`` calls took; nothing here reads a clock, so tests never sleep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from kernelbench.protocol import Effort

Run = Callable[[int], float]

MIN_SAMPLE_S = 1e-3
"""A sample lasts at least this..."""
MIN_TICKS = 10_000
"""...and this many times the timer's resolution (DESIGN rule 3)."""
MIN_SAMPLES = 3
SETTLED = 0.02
"""Warm-up ends when three samples in a row lie within this of one another."""
HEADROOM = 1.15
"""Aim above the shortest allowed sample, so that a faster phase of the machine does not fall below it."""
MAX_CALLS = 1 << 40


class Observer(Protocol):
    """Counts what disturbs a sample."""

    def start(self) -> None:
        """Called right before a sample."""

    def stop(self) -> Observation:
        """Called right after it: what happened since ``start``."""

    def wait_until_quiet(self, best_adds: float, limit_s: float) -> float:
        """Wait while a neighbour uses this core, at most ``limit_s``; returns seconds waited."""


class Observation(Struct, frozen=True):
    """What disturbed one sample."""

    involuntary_switches: int
    page_faults: int
    clock_hz: float
    """Core clock beside the sample; 0 where it cannot be measured."""
    adds_per_cycle: float = 0.0
    """Independent adds a cycle beside the sample, the lower of before and after; 0 where not measured."""


class Samples(Struct, frozen=True):
    """The samples of one round."""

    seconds_per_call: tuple[float, ...]
    calls_per_sample: int
    observations: tuple[Observation, ...]
    disturbed: tuple[bool, ...]
    """Per sample: preempted, at a slow clock, or on a core shared with a busy neighbour."""


def shortest_sample_s(effort: Effort, timer_resolution_s: float) -> float:
    """The least time a sample may last."""
    return max(effort.sample_s, MIN_SAMPLE_S, MIN_TICKS * timer_resolution_s)


def calibrate(run: Run, shortest_s: float, first_s: float = 0.0) -> tuple[int, float]:
    """(calls per sample, seconds of a sample): grown until two samples in a row really last ``shortest_s``.

    One long sample proves nothing: an interruption of 2 ms would make a kernel of 1 us look slow enough to
    be timed one call at a time. ``first_s`` is what a single call took before, 0 when there was none.
    """
    calls = 1
    took = first_s or run(1)
    while True:
        if took < shortest_s:
            # At most tenfold a step: a first, cold call says little about the speed of a thousand warm ones.
            grown = calls * 10 if took <= 0 else min(calls * 10, int(calls * shortest_s * HEADROOM / took) + 1)
            calls = min(max(grown, calls + 1), MAX_CALLS)
            took = run(calls)
            continue
        again = run(calls)
        if again >= shortest_s:
            return calls, again
        took = again


def warm_up(run: Run, calls: int, first_s: float, limit_s: float) -> float:
    """Sample until three in a row agree within ``SETTLED``, or ``limit_s`` is spent; returns seconds spent.

    ``first_s`` is what calibration's last sample took: it warmed the operands as well.
    """
    spent = first_s
    recent = [first_s]
    while spent < limit_s:
        took = run(calls)
        spent += took
        recent = [*recent, took][-3:]
        if len(recent) == 3 and max(recent) <= min(recent) * (1 + SETTLED):
            break
    return spent


SLOW_CLOCK = 0.95
"""A sample beside which the clock ran below this share of the round's best is disturbed."""
SHARED_CORE = 0.96
"""Fewer independent adds a cycle than this share of the most ever seen: a neighbour uses the core's units."""
SWITCH_EVERY_S = 0.05
"""A quiet machine still interrupts: one involuntary switch per this many seconds is not a disturbance."""


WAIT_UP_TO_S = 0.005
"""No waiting for samples longer than this: on a shared host hardly any quiet stretch lasts longer."""


def sample(run: Run, calls: int, effort: Effort, observer: Observer, best_adds: float = 0.0) -> Samples:
    """Samples until ``effort.samples`` are quiet or ``effort.round_s`` is spent on them, never fewer than 3 in all.

    Before each it waits for a quiet moment, ``effort.patience_s`` in all: neighbours come and go within a second.
    A sample longer than the whole of ``round_s`` is taken twice only: the rounds repeat it. ``best_adds`` is the
    most independent adds a cycle seen so far on this machine.
    """
    seconds: list[float] = []
    observations: list[Observation] = []
    spent, waited, least, took = 0.0, 0.0, MIN_SAMPLES, 0.0
    while True:
        if took <= WAIT_UP_TO_S and waited < effort.patience_s:
            best_adds = max([best_adds, *(o.adds_per_cycle for o in observations[-1:])])
            waited += observer.wait_until_quiet(best_adds, effort.patience_s - waited)
        observer.start()
        took = run(calls)
        observations.append(observer.stop())
        seconds.append(took / calls)
        spent += took
        if took > effort.round_s:
            least = 2
        bad = judge(seconds, calls, observations, best_adds)
        if len(seconds) >= least and (bad.count(False) >= effort.samples or spent >= effort.round_s):
            return Samples(tuple(seconds), calls, tuple(observations), bad)


def judge(
    seconds: Sequence[float], calls: int, observations: Sequence[Observation], best_adds: float = 0.0
) -> tuple[bool, ...]:
    """Which samples (seconds per call) were disturbed by preemption, a slow clock or a shared core.

    Page faults are recorded, not judged: a variant called from Python allocates, and that is its own work.
    """
    clock = max((o.clock_hz for o in observations), default=0.0)
    adds = max([best_adds, *(o.adds_per_cycle for o in observations)])

    def bad(one: float, o: Observation) -> bool:
        allowed = 1 + one * calls / SWITCH_EVERY_S
        slow = o.clock_hz < SLOW_CLOCK * clock
        # 0 means that nothing was measured here, not that nothing was added.
        shared = 0 < o.adds_per_cycle < SHARED_CORE * adds
        return o.involuntary_switches > allowed or slow or shared

    return tuple(bad(one, o) for one, o in zip(seconds, observations, strict=True))
