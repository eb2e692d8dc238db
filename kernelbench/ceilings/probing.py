"""One point of a ceiling: a loop run in short slices on one or several threads, the best slice kept.

A ceiling is what the machine can do, so the best of many slices is it; a neighbour on the core can only lower one.
The looks beside the slices say which were undisturbed. To points that had few of those, or reached their best only
once, the pass comes back at its end.
"""

from __future__ import annotations

import ctypes
import time
from collections import deque
from collections.abc import Callable, Sequence

from msgspec import UNSET, UnsetType

from kernelbench.model import Probe
from kernelbench.native.jit import Code
from kernelbench.protocol import ProbeCeilings
from kernelbench.timing import clock
from kernelbench.timing.loops import Calls
from kernelbench.timing.sampling import CLOCKS, SHARED_CORE, SLICE_S, Batch, Runner
from kernelbench.timing.team import run_team, together

Block = ctypes.Array[ctypes.c_int64]
"""What a probe's loop is called with: addresses, sizes, counts, then room for its result."""

IMPORTANT_SHARE = 0.6
"""Of the patience of a pass, for what every case is judged by: arithmetic, and the points that stand for levels."""
QUIET_SLICES = 6
"""A point is settled once so many of its slices were quiet..."""
AGREE = 1.005
"""...and two batches at different times came so close to each other: what was reached twice is no accident, and a
neighbour that two looks missed seldom takes the same share twice."""
OUTDONE = 0.97
"""A quiet rival of the same ceiling that stays below this share of the best need not be settled."""
HELD_UP = 10
"""Where a hypervisor holds a thread up, a point takes no more than so many times ``probe_s``."""
MEETINGS = 5
"""Tries until the threads of a team work at the same time; on one CPU they never do."""
TEAM_SLICES = 2
"""A team's slices are this many times as long: while one thread looks at its core, the others have more bandwidth."""
BATCH, TEAM_BATCH = 6, 12
"""Slices in a row; starting a team takes as long as two."""


class Team:
    """A probe's loop on one thread per CPU at once, each on its own block. Keeps code and blocks alive."""

    def __init__(self, code: Code, name: str, blocks: Sequence[Block], cpus: Sequence[int]) -> None:
        self._code, self._kernel = code, code.address(name)
        self._blocks, self._cpus = tuple(blocks), tuple(cpus)
        self._addresses = [ctypes.addressof(block) for block in blocks]

    def __call__(self, calls: int) -> float:
        """Wall seconds from the first thread's start to the last one's end."""
        members = run_team(self._kernel, self._addresses, calls, 1, self._cpus)
        return max(m.spans_s[-1][1] for m in members) - min(m.spans_s[0][0] for m in members)

    def slices(self, calls: int, count: int) -> Batch:
        """Up to ``count`` slices of ``calls`` calls of every thread, at the rate of all of them together."""
        for _ in range(MEETINGS):
            batch = together(run_team(self._kernel, self._addresses, calls, count, self._cpus))
            if batch.seconds:
                return batch
        return Batch((self(calls),), (0.0, 0.0))


class Single(Calls):
    """A probe's loop on this thread. Keeps code and block alive."""

    def __init__(self, code: Code, name: str, block: Block) -> None:
        super().__init__(code.address(name), [ctypes.addressof(block)])
        self._code, self._block = code, block


def runner(code: Code, name: str, blocks: Sequence[Block], cpus: Sequence[int]) -> Runner:
    """The loop ``name`` of ``code``, one block a thread."""
    return Single(code, name, blocks[0]) if len(blocks) == 1 else Team(code, name, blocks, cpus)


class Point:
    """One point of a ceiling: the same work by several loops or at several addresses, and the best of it so far."""

    def __init__(
        self, runs: Sequence[Runner], work_per_call: float, *, important: bool = True, operands: Sequence[object] = ()
    ) -> None:
        """``work_per_call`` by all threads; ``important`` points come first when a busy host allows few.

        ``operands`` live as long as the point: loops know addresses only.
        """
        self._operands = tuple(operands)
        self.runs, self.work_per_call, self.important = tuple(runs), work_per_call, important
        self.calls = 0
        self.turn = 0
        self.fastest_s = self.second_s = float("inf")
        """Of a call, the best of all slices, and the best of another batch."""
        self.best_turn = 0
        """When the loop that gave the best had its turn."""
        self.quiet_slices = 0
        """How many met no neighbour on the core."""
        self.probe = Probe(0.0, 0.0)
        self.rivals: Sequence[Point] = ()
        """The points of which only the best counts, this one among them."""

    @property
    def settled(self) -> bool:
        """Whether more slices would hardly change what comes of this point."""
        if self.quiet_slices < QUIET_SLICES:
            return False
        best = max((rival.probe.value for rival in self.rivals), default=0.0)
        return self.second_s <= AGREE * self.fastest_s or self.probe.value < OUTDONE * best

    def note(self, fastest_s: float, turn: int) -> bool:
        """The best call of the batch of ``turn``; True when it is the best so far."""
        if fastest_s >= self.fastest_s:
            self.second_s = min(self.second_s, fastest_s)
            return False
        self.fastest_s, self.second_s = fastest_s, self.fastest_s
        self.best_turn = turn
        return True


class Prober:
    """Measures points one after another, and comes back to those that met no quiet moment, within one pass."""

    def __init__(self, request: ProbeCeilings, cpus: Sequence[int]) -> None:
        self.request, self.cpus = request, tuple(cpus)
        self._slice_s = SLICE_S * (TEAM_SLICES if len(cpus) > 1 else 1)
        self._batch = TEAM_BATCH if len(cpus) > 1 else BATCH
        self._best_adds = 0.0
        self._clocks: deque[float] = deque(maxlen=CLOCKS)

    @property
    def threads(self) -> int:
        """Threads that run at once."""
        return len(self.cpus)

    def take(self, point: Point) -> Probe:
        """Try every one of the point's loops, and all of them for ``probe_s`` in all."""
        point.calls = self._calls(point.runs[0])
        spent, began_s = 0.0, time.perf_counter()
        while point.turn < len(point.runs) or spent < self.request.probe_s:
            spent += self._try(point)
            if time.perf_counter() - began_s > HELD_UP * self.request.probe_s:
                break
        return point.probe

    def again(self, points: Sequence[Point], now: Callable[[], float] = time.perf_counter) -> None:
        """Come back in turn to the points that are not settled, within ``patience_s``: the important ones first.

        Neighbours come in bursts: trying another point meanwhile is better than insisting on one.
        """
        if not clock.available():
            return
        began_s = now()
        for share, wanted in ((IMPORTANT_SHARE, [p for p in points if p.important]), (1.0, points)):
            open_ = deque(point for point in wanted if not point.settled)
            while open_ and now() - began_s < share * self.request.patience_s:
                point = open_.popleft()
                self._try(point)
                # The loop that was best has a turn more: it may only need to be seen twice.
                self._try(point, point.best_turn)
                if not point.settled:
                    open_.append(point)

    def _try(self, point: Point, turn: int = -1) -> float:
        """A batch of one of the point's loops, the next or the one of ``turn``; returns the seconds it took."""
        long = point.fastest_s * point.calls > 4 * self._slice_s
        turn, following = (point.turn, point.turn + 1) if turn < 0 else (turn, point.turn)
        batch = point.runs[turn % len(point.runs)].slices(point.calls, 1 if long else self._batch)
        self._best_adds = max(self._best_adds, *batch.looks)
        wanted = SHARED_CORE * self._best_adds
        point.quiet_slices += sum(min(batch.looks[i : i + 2]) > wanted for i in range(len(batch.seconds)))
        point.turn = following
        if point.note(min(batch.seconds) / point.calls, turn):
            at_s = time.monotonic() - self.request.started_at
            point.probe = Probe(at_s=at_s, value=point.work_per_call / point.fastest_s, clock_hz=self._clock_hz())
        return sum(batch.seconds)

    def _clock_hz(self) -> float | UnsetType:
        """The clock now: the best of the last few, for an interrupt can lower one and nothing can raise it."""
        if not clock.available():
            return UNSET
        self._clocks.append(clock.clock_hz())
        return max(self._clocks)

    def _calls(self, run: Runner) -> int:
        """So many calls that a slice lasts; the operands are warm afterwards."""
        calls = 1
        while (took := run(calls)) < self._slice_s:
            calls = max(calls + 1, min(calls * 10, int(1.2 * calls * self._slice_s / max(took, 1e-9))))
        return calls
