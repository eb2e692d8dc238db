"""One point of a ceiling: a loop run in short slices on one or several threads, the best slice kept.

A ceiling is what the machine can do, so the best of many slices is it; a neighbour on the core can only lower one.
The looks beside the slices say whether any was undisturbed: while none was, the pass spends its patience.
"""

from __future__ import annotations

import ctypes
import time
from collections import deque
from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from kernelbench.model import Probe
from kernelbench.protocol import ProbeCeilings
from kernelbench.simd.jit import Code
from kernelbench.timing import clock
from kernelbench.timing.loops import Calls
from kernelbench.timing.sampling import CLOCKS, SHARED_CORE, SLICE_S, Batch, Runner
from kernelbench.timing.team import run_team, together

Block = ctypes.Array[ctypes.c_int64]
"""What a probe's loop is called with: addresses, sizes, counts, then room for its result."""

POINT_SHARE = 0.05
"""No point takes more of the patience of a pass than this share."""
TEAM_SLICES = 2
"""A team's slices are this many times as long: while one thread looks at its core, the others have more bandwidth."""
BATCH, TEAM_BATCH = 6, 12
"""Slices in a row; starting a team takes as long as two."""


class Team:
    """A probe's loop on one thread per CPU at once, each on its own block."""

    def __init__(self, kernel: int, blocks: Sequence[Block], cpus: Sequence[int]) -> None:
        self._kernel, self._blocks, self._cpus = kernel, tuple(blocks), tuple(cpus)
        self._addresses = [ctypes.addressof(block) for block in blocks]

    def __call__(self, calls: int) -> float:
        """Wall seconds from the first thread's start to the last one's end."""
        members = run_team(self._kernel, self._addresses, calls, 1, self._cpus)
        return max(m.spans_s[-1][1] for m in members) - min(m.spans_s[0][0] for m in members)

    def slices(self, calls: int, count: int) -> Batch:
        """Up to ``count`` slices of ``calls`` calls of every thread, at the rate of all of them together."""
        return together(run_team(self._kernel, self._addresses, calls, count, self._cpus))


class Single(Calls):
    """A probe's loop on this thread. Keeps its block alive."""

    def __init__(self, kernel: int, block: Block) -> None:
        super().__init__(kernel, [ctypes.addressof(block)])
        self._block = block


def runner(code: Code, name: str, blocks: Sequence[Block], cpus: Sequence[int]) -> Runner:
    """The loop ``name`` of ``code``, one block a thread."""
    address = code.address(name)
    return Single(address, blocks[0]) if len(blocks) == 1 else Team(address, blocks, cpus)


class Prober:
    """Measures points one after another within one pass."""

    def __init__(self, request: ProbeCeilings, cpus: Sequence[int]) -> None:
        self.request, self.cpus = request, tuple(cpus)
        self._patience_s = request.patience_s if clock.available() else 0.0
        self._slice_s = SLICE_S * (TEAM_SLICES if len(cpus) > 1 else 1)
        self._batch = TEAM_BATCH if len(cpus) > 1 else BATCH
        self._best_adds = 0.0
        self._clocks: deque[float] = deque(maxlen=CLOCKS)

    @property
    def threads(self) -> int:
        """Threads that run at once."""
        return len(self.cpus)

    def best(self, runs: Sequence[Runner], work_per_call: float) -> Probe:
        """The most work a second of any slice. ``runs`` are tried in turn: the same work at different addresses."""
        calls = self._calls(runs[0])
        fastest, spent, quiet, turn = float("inf"), 0.0, not clock.available(), 0
        least_s = self._patience_s - POINT_SHARE * self.request.patience_s
        while turn < len(runs) or spent < self.request.probe_s or (not quiet and self._patience_s > max(0.0, least_s)):
            extra = turn >= len(runs) and spent >= self.request.probe_s
            began_s = time.perf_counter()
            batch = runs[turn % len(runs)].slices(calls, self._batch if fastest * calls < self._slice_s * 4 else 1)
            turn += 1
            spent += sum(batch.seconds)
            fastest = min(fastest, min(batch.seconds) / calls)
            self._best_adds = max(self._best_adds, *batch.looks)
            wanted = SHARED_CORE * self._best_adds
            quiet = quiet or any(min(batch.looks[i : i + 2]) > wanted for i in range(len(batch.seconds)))
            if extra:
                self._patience_s -= time.perf_counter() - began_s
        at_s = time.monotonic() - self.request.started_at
        return Probe(at_s=at_s, value=work_per_call / fastest, clock_hz=self._clock_hz())

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
