"""How one case is sampled in one round: calibration, warm-up, stopping. Pure: what is run and observed is injected.

A kernel is called in *slices* of some 50 us, each between two looks at the core: on a shared host the quiet moments
are often shorter than a sample. A *sample* is as many quiet slices as make its least time; where there are too few,
the quietest there were, marked as disturbed. Which slices count is decided by the looks alone, never by their times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from kernelbench.model.result import MIN_QUIET
from kernelbench.protocol import Effort

Run = Callable[[int], float]
"""calls -> the seconds that so many calls took."""

MIN_SAMPLE_S = 1e-3
"""A sample lasts at least this..."""
MIN_TICKS = 10_000
"""...and this many times the timer's resolution (DESIGN rule 3)."""
SLICE_S = 5e-5
"""A slice lasts at least this: a look of 3 us is little beside it, and hosts are quiet for as long now and then."""
LONG_S = 0.005
"""Hardly any stretch of a shared host is quiet for longer: slices above this are taken as they come."""
SETTLED = 0.02
"""Warm-up ends when three samples in a row lie within this of one another."""
HEADROOM = 1.15
"""Aim above the shortest allowed slice, so that a faster phase of the machine does not fall below it."""
MAX_CALLS = 1 << 40

SLOW_CLOCK = 0.95
"""A slice beside which the clock ran below this share of the round's best is disturbed."""
SHARED_CORE = 0.96
"""Fewer independent adds a cycle than this share of the most ever seen: a neighbour uses the core's units."""
SWITCH_EVERY_S = 0.05
"""In long slices a quiet machine interrupts as well: once, and once more per this many seconds."""
CLOCKS = 8
"""Adds a cycle are over the best of so many last clocks: an interrupt can lower one, nothing can raise it."""


class Batch(Struct, frozen=True):
    """Slices timed in a row."""

    seconds: tuple[float, ...]
    """What each took."""
    looks: tuple[float, ...]
    """Independent adds a second before the first and after each slice; 0 where not measured."""


class Runner(Protocol):
    """A kernel that can be timed."""

    def __call__(self, calls: int) -> float:
        """Seconds that ``calls`` calls took."""

    def slices(self, calls: int, count: int) -> Batch:
        """``count`` slices of ``calls`` calls each, in a row."""


class Observation(Struct, frozen=True):
    """What happened beside a batch."""

    involuntary_switches: int
    page_faults: int
    clock_hz: float
    """Core clock right after it; 0 where it cannot be measured."""


class Observer(Protocol):
    """Counts what disturbs a batch."""

    sees_neighbours: bool
    """Whether fewer adds a cycle are a neighbour's doing; not so where threads of ours share a core."""

    def clock_hz(self) -> float:
        """The core's clock now; 0 where it cannot be measured."""

    def start(self) -> None:
        """Called right before a batch."""

    def stop(self) -> Observation:
        """Called right after it: what happened since ``start``."""


class Samples(Struct, frozen=True):
    """The samples of one round, in the order they were begun."""

    seconds_per_call: tuple[float, ...]
    calls_per_sample: int
    disturbed: tuple[bool, ...]
    """Per sample: preempted, at a slow clock, or on a core shared with a busy neighbour."""
    involuntary_switches: tuple[int, ...]
    page_faults: tuple[int, ...]
    clock_hz: tuple[float, ...]
    """Per sample; 0 where it cannot be measured."""
    adds_per_cycle: tuple[float, ...]
    """Per sample, the least of its looks; 0 where not measured."""
    quiet_share: float
    """Share of all slices taken that were undisturbed."""


class _Slice(Struct, frozen=True):
    """One slice and what is known of it."""

    index: int
    seconds: float
    adds_per_cycle: float
    clock_hz: float
    switches: int
    """Of its batch, noted at the first slice."""
    faults: int
    switched: bool
    """Its batch was preempted more than a quiet machine does."""


def shortest_sample_s(effort: Effort, timer_resolution_s: float) -> float:
    """The least time a sample may last."""
    return max(effort.sample_s, MIN_SAMPLE_S, MIN_TICKS * timer_resolution_s)


def shortest_slice_s(timer_resolution_s: float) -> float:
    """The least time a slice may last: with a coarse timer, a whole sample."""
    return max(SLICE_S, MIN_TICKS * timer_resolution_s)


def calibrate(run: Run, shortest_s: float, first_s: float = 0.0) -> tuple[int, float]:
    """(calls per slice, seconds of a slice): grown until two slices in a row really last ``shortest_s``.

    One long slice proves nothing: an interruption of 2 ms would make a kernel of 1 us look slow enough to
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

    ``first_s`` is what the last of as many calls took: it warmed the operands as well.
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


def sample(
    runner: Runner, calls: int, effort: Effort, observer: Observer, *, shortest_s: float, best_adds: float = 0.0
) -> Samples:
    """Slices of ``calls`` calls until ``effort.samples`` quiet samples of ``shortest_s`` are there, or time is up.

    Time is ``effort.round_s``, and ``effort.patience_s`` more as long as fewer than 3 samples are quiet: neighbours
    come and go within a second. Never fewer than 3 samples; of a slice longer than ``round_s`` two, for the
    rounds repeat it. ``best_adds`` is the most independent adds a cycle seen so far on this machine.
    """
    taken: list[_Slice] = []
    # Several before the first: adds over a single clock that an interrupt had lowered would look too many.
    clocks = [observer.clock_hz() for _ in range(CLOCKS)]
    spent, quiet, count = 0.0, 0, 1
    shortest, longest = math.inf, 0.0
    while True:
        observer.start()
        batch = runner.slices(calls, count)
        seen = observer.stop()
        clocks = [*clocks, seen.clock_hz][-CLOCKS:]
        new = _slices(len(taken), batch, seen, max(clocks) if observer.sees_neighbours else 0.0)
        taken += new
        best_adds = max(best_adds, *(one.adds_per_cycle for one in new))
        spent += sum(batch.seconds)
        quiet += sum(not _disturbed(one, best_adds, max(clocks)) for one in new)
        shortest, longest = min(shortest, *batch.seconds), max(longest, *batch.seconds)
        size = _slices_per_sample(shortest, shortest_s)
        count = max(1, int(shortest_s / max(batch.seconds)))  # a batch is about a sample
        least = 2 if longest > effort.round_s else MIN_QUIET
        patient = quiet < MIN_QUIET * size and longest <= LONG_S
        limit_s = effort.round_s + (effort.patience_s if patient else 0.0)
        if len(taken) >= least * size and (quiet >= effort.samples * size or spent >= limit_s):
            return _grouped(taken, calls, shortest_s, max(effort.samples, least), best_adds)


def _slices(first: int, batch: Batch, seen: Observation, clock_hz: float) -> list[_Slice]:
    allowed = 1 + sum(batch.seconds) / SWITCH_EVERY_S if max(batch.seconds) > LONG_S else 0
    return [
        _Slice(
            index=first + i,
            seconds=seconds,
            # The looks beside the neighbouring slices count as well: a pause of 5 us between two bursts is no quiet.
            adds_per_cycle=min(batch.looks[max(0, i - 1) : i + 3]) / clock_hz if clock_hz else 0.0,
            clock_hz=seen.clock_hz,
            switches=0 if i else seen.involuntary_switches,
            faults=0 if i else seen.page_faults,
            switched=seen.involuntary_switches > allowed,
        )
        for i, seconds in enumerate(batch.seconds)
    ]


def _disturbed(one: _Slice, best_adds: float, best_clock_hz: float) -> bool:
    """Preempted, at a slow clock or on a shared core.

    Page faults are recorded, not judged: a variant called from Python allocates, and that is its own work.
    """
    # 0 means that nothing was measured here, not that nothing was added.
    shared = 0 < one.adds_per_cycle < SHARED_CORE * best_adds
    return one.switched or shared or one.clock_hz < SLOW_CLOCK * best_clock_hz


def _grouped(taken: Sequence[_Slice], calls: int, shortest_s: float, samples: int, best_adds: float) -> Samples:
    """The slices as samples: of quiet ones where 3 samples can be made of them, else of the quietest there are."""
    best_clock = max(one.clock_hz for one in taken)
    quiet = [one for one in taken if not _disturbed(one, best_adds, best_clock)]
    size = _slices_per_sample(min(one.seconds for one in taken), shortest_s)
    chosen = quiet
    if len(chosen) < MIN_QUIET * size:
        known = {one.index for one in quiet}
        rest = sorted((one for one in taken if one.index not in known), key=lambda one: -one.adds_per_cycle)
        chosen = [*quiet, *rest][: samples * size]
    groups = [chosen[i : i + size] for i in range(0, len(chosen) - size + 1, size)]
    groups.sort(key=lambda group: min(one.index for one in group))
    return Samples(
        seconds_per_call=tuple(sum(one.seconds for one in group) / (calls * size) for group in groups),
        calls_per_sample=calls * size,
        disturbed=tuple(any(_disturbed(one, best_adds, best_clock) for one in group) for group in groups),
        involuntary_switches=tuple(sum(one.switches for one in group) for group in groups),
        page_faults=tuple(sum(one.faults for one in group) for group in groups),
        clock_hz=tuple(min(one.clock_hz for one in group) for group in groups),
        adds_per_cycle=tuple(min(one.adds_per_cycle for one in group) for group in groups),
        quiet_share=len(quiet) / len(taken),
    )


def _slices_per_sample(shortest_slice_s: float, shortest_s: float) -> int:
    """So many slices that even the shortest ones together last ``shortest_s``."""
    return max(1, math.ceil(shortest_s / max(shortest_slice_s, 1e-9)))
