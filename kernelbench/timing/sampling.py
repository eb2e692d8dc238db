"""How one case is sampled in one round: in batches of slices, until enough are quiet. Pure: what is run is injected.

A kernel is called in *slices* of some 50 us, each between two looks at the core: on a shared host the quiet moments
are often shorter than a sample. A *sample* is as many quiet slices as make its least time; where there are too few,
the quietest there were, marked as disturbed. Which slices count is decided by the looks alone, never by their times.
"""

from __future__ import annotations

import math
from typing import Protocol

from msgspec import Struct

from kernelbench.model.result import MIN_QUIET
from kernelbench.protocol import Effort
from kernelbench.timing.slices import SHARED_CORE as SHARED_CORE
from kernelbench.timing.slices import Samples as Samples
from kernelbench.timing.slices import Slice, disturbed, grouped, slices_per_sample

MIN_SAMPLE_S = 1e-3
"""A sample lasts at least this..."""
MIN_TICKS = 10_000
"""...and this many times the timer's resolution (DESIGN rule 3)."""
SLICE_S = 5e-5
"""A slice lasts at least this: a look of 3 us is little beside it, and hosts are quiet for as long now and then."""
LONG_S = 0.005
"""Hardly any stretch of a shared host is quiet for longer: slices above this are taken as they come."""

SWITCH_EVERY_S = 0.05
"""In long slices a quiet machine interrupts as well: once, and once more per this many seconds."""
LOOKS = 2000
"""A visit waits for a quiet one among so many: some 8 ms, after which another case gets its chance."""
LOOK_S = 4e-6
"""A look takes about this long."""
AGAIN_SLICES = 2
"""Slices that warm the caches again."""
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

    def adds_per_s(self) -> float:
        """Independent adds a second now; asked only of one that sees neighbours."""

    def start(self) -> None:
        """Called right before a batch."""

    def stop(self) -> Observation:
        """Called right after it: what happened since ``start``."""


def shortest_sample_s(effort: Effort, timer_resolution_s: float) -> float:
    """The least time a sample may last."""
    return max(effort.sample_s, MIN_SAMPLE_S, MIN_TICKS * timer_resolution_s)


def shortest_slice_s(timer_resolution_s: float) -> float:
    """The least time a slice may last: with a coarse timer, a whole sample."""
    return max(SLICE_S, MIN_TICKS * timer_resolution_s)


class Sampler:
    """The slices of one case in one round, taken in one go or, on a busy host, in several visits."""

    def __init__(
        self, runner: Runner, calls: int, effort: Effort, observer: Observer, *, shortest_s: float, best_adds: float = 0
    ) -> None:
        """``calls`` make a slice, slices of ``shortest_s`` in all a sample.

        ``best_adds`` is the most independent adds a cycle seen so far on this machine.
        """
        self._runner, self._calls, self._effort, self._observer = runner, calls, effort, observer
        self._shortest_s, self._best_adds = shortest_s, best_adds
        self._taken: list[Slice] = []
        # Several before the first: adds over a single clock that an interrupt had lowered would look too many.
        self._clocks = [observer.clock_hz() for _ in range(CLOCKS)]
        self._quiet, self._count = 0, 1
        # The shortest slice tells how long one is: an interruption only makes it longer.
        self._shortest, self._spent_s, self._waited_s = math.inf, 0.0, 0.0

    @property
    def enough(self) -> bool:
        """No more slices are wanted: all samples are quiet, or 3 are and ``effort.round_s`` is spent.

        Slices above ``LONG_S`` are taken as they come, within ``round_s``.
        """
        size, effort = self._size, self._effort
        if len(self._taken) < self._least * size:
            return False
        return self._quiet >= effort.samples * size or (self._spent_s >= effort.round_s and not self.few)

    @property
    def few(self) -> bool:
        """Fewer than 3 samples are quiet, and more may be had: the slices are short."""
        return self._quiet < MIN_QUIET * self._size and not self._long

    @property
    def spent_s(self) -> float:
        """Time spent so far in slices and in waiting for a quiet look."""
        return self._spent_s + self._waited_s

    def visit(self) -> bool:
        """Take slices as long as they are wanted and any of a batch is quiet; True once there are enough.

        The first visit takes at least what samples are made of, disturbed or not. A later one waits a moment for a
        quiet look and begins with slices that are not kept, for others have used the caches.
        """
        if self._taken and not self.enough:
            if not self._quiet_look():
                return False
            self._runner.slices(self._calls, AGAIN_SLICES)
        while not self.enough:
            quiet = self._batch()
            leave = not quiet and not self._long and len(self._taken) >= self._least * self._size
            if leave and not self.enough:
                return False
        return True

    def samples(self) -> Samples:
        """What has been taken, as samples. Needs a visit before."""
        return grouped(
            self._taken, self._calls, self._shortest_s, max(self._effort.samples, self._least), self._best_adds
        )

    @property
    def _size(self) -> int:
        return slices_per_sample(self._shortest, self._shortest_s) if self._taken else 1

    @property
    def _least(self) -> int:
        """Never fewer than 3 samples; of a slice longer than ``round_s`` two, for the rounds repeat it."""
        return 2 if self._shortest > self._effort.round_s else MIN_QUIET

    @property
    def _long(self) -> bool:
        return self._shortest > LONG_S

    def _quiet_look(self) -> bool:
        """Look at the core until it is quiet, or so many times."""
        if not self._observer.sees_neighbours:
            return True
        wanted = SHARED_CORE * self._best_adds * max(self._clocks)
        for _ in range(LOOKS):
            self._waited_s += LOOK_S
            if self._observer.adds_per_s() >= wanted:
                return True
        return False

    def _batch(self) -> int:
        """Take about a sample's slices; returns how many of them were quiet."""
        self._observer.start()
        batch = self._runner.slices(self._calls, self._count)
        seen = self._observer.stop()
        self._clocks = [*self._clocks, seen.clock_hz][-CLOCKS:]
        clock = max(self._clocks)
        self._shortest = min(self._shortest, *batch.seconds)
        allowed = 1 + sum(batch.seconds) / SWITCH_EVERY_S if self._long else 0
        switched = seen.involuntary_switches > allowed
        new = _slices(len(self._taken), batch, seen, switched, clock if self._observer.sees_neighbours else 0.0)
        self._taken += new
        self._best_adds = max(self._best_adds, *(one.adds_per_cycle for one in new))
        quiet = sum(not disturbed(one, self._best_adds, clock) for one in new)
        self._quiet += quiet
        self._spent_s += sum(batch.seconds)
        self._count = max(1, int(self._shortest_s / max(batch.seconds)))
        return quiet


def sample(
    runner: Runner, calls: int, effort: Effort, observer: Observer, *, shortest_s: float, best_adds: float = 0.0
) -> Samples:
    """The samples of a round in one go: visits until there are enough, or time is up.

    Time is ``effort.round_s``, and ``effort.patience_s`` more as long as fewer than 3 samples are quiet: neighbours
    come and go within a second.
    """
    sampler = Sampler(runner, calls, effort, observer, shortest_s=shortest_s, best_adds=best_adds)
    while not sampler.visit():
        if sampler.spent_s >= effort.round_s + (effort.patience_s if sampler.few else 0.0):
            break
    return sampler.samples()


def _slices(first: int, batch: Batch, seen: Observation, switched: bool, clock_hz: float) -> list[Slice]:
    return [
        Slice(
            index=first + i,
            seconds=seconds,
            # The looks beside the neighbouring slices count as well: a pause of 5 us between two bursts is no quiet.
            adds_per_cycle=min(batch.looks[max(0, i - 1) : i + 3]) / clock_hz if clock_hz else 0.0,
            clock_hz=seen.clock_hz,
            switches=0 if i else seen.involuntary_switches,
            faults=0 if i else seen.page_faults,
            switched=switched,
        )
        for i, seconds in enumerate(batch.seconds)
    ]
