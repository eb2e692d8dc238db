"""The rounds of a paired comparison: fresh pairs of processes, and in each the cells that still need one."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from kernelbench.analysis.turns import QUIET, Turn, is_disturbed, most_adds, round_of
from kernelbench.gate.cells import CellState
from kernelbench.gate.pair import Opening, SideFailed
from kernelbench.gate.roles import BoardLike, Group, PairLike
from kernelbench.gate.round import LONG_S, Pace, take_turns
from kernelbench.protocol import Burst
from kernelbench.runner.job import Position, Progress

NAMED = 3
"""Cells that a note names."""
RETURNS = 2
"""Times that a round comes back to a cell that met too few quiet moments, the other cells first."""


class Job(Struct, frozen=True):
    """What is compared, and for how long."""

    time_budget_s: float
    seed: int = 0
    pace: Pace = Pace()


class Outcome(Struct, frozen=True):
    """How it ended, beside the board."""

    rounds: int
    spent_s: float
    interrupted: bool
    notes: tuple[str, ...]
    faults: tuple[str, ...]


@dataclass
class Visit:
    """One cell in one pair of processes."""

    cell: CellState
    pairs: list[tuple[Turn, Turn]] = field(default_factory=list)
    """The turns of all times that it was come to."""
    times: int = 0
    done: bool = False


class Execution:
    """``run`` fills the board's cells with rounds until each has its place, or time is up."""

    def __init__(
        self,
        job: Job,
        board: BoardLike,
        start: Callable[[Group], PairLike],
        clock: Callable[[], float],
        progress: Progress,
    ) -> None:
        self._job, self._board, self._start, self._clock, self._progress = job, board, start, clock, progress
        self._rng = random.Random(job.seed)
        self._index = 0
        self._best_adds = 0.0
        self._begun = clock()
        self._notes: dict[str, None] = {}
        self._faults: list[str] = []
        self._private: dict[str, dict[str, None]] = {}
        """Cells (as keys) that did not work in the shared memory, by the reason."""

    def run(self) -> Outcome:
        """Screen every cell, then confirm what was flagged. Ctrl-C ends it with what is done."""
        interrupted = False
        try:
            self._phase()
            if self._board.confirm():
                self._phase()
        except KeyboardInterrupt:
            interrupted = True
        notes = (*self._notes, *(_own_memory(list(cells), why) for why, cells in self._private.items()))
        return Outcome(self._index, self._spent(), interrupted, notes, tuple(self._faults))

    def _spent(self) -> float:
        return self._clock() - self._begun

    def _phase(self) -> None:
        """Rounds until nothing is open or time is up; those before the first look are always measured."""
        done, last_s = 0, 0.0
        first = self._board.least
        while wanted := self._board.wanted():
            # Cells drop out, so that the next round hardly takes longer than the last.
            if done >= first and self._spent() + last_s > self._board.share * self._job.time_budget_s:
                self._notes[f"the time budget ended the {self._board.phase} after {done} rounds"] = None
                break
            begun = self._clock()
            batches = sorted({_batch(cell) for cell in wanted})
            self._rng.shuffle(batches)
            for batch in batches:
                self._group(batch[1:], [cell for cell in wanted if _batch(cell) == batch])
            last_s = self._clock() - begun
            done += 1
            self._index += 1
            self._board.look()
        self._board.end()

    def _group(self, group: Group, cells: Sequence[CellState]) -> None:
        """One round of some cells, in random order, in one pair of processes; in a new one after a failure."""
        left = list(cells)
        self._rng.shuffle(left)
        while left:
            pair = self._start_pair(group, left)
            if pair is None:
                return
            try:
                left = self._visits(pair, left)
            finally:
                pair.close()

    def _visits(self, pair: PairLike, cells: Sequence[CellState]) -> list[CellState]:
        """The round of each cell, again where it met too few quiet moments; those left when a side has failed."""
        todo = [Visit(cell) for cell in cells]
        while todo:
            visit = todo.pop()
            self._show(visit.cell)
            if not self._come_to(pair, visit):
                return [other.cell for other in todo]
            if not visit.done:
                todo.insert(0, visit)
        return []

    def _start_pair(self, group: Group, cells: Sequence[CellState]) -> PairLike | None:
        try:
            pair = self._start(group)
        except SideFailed as error:
            for cell in cells:
                self._bury(cell, error)
            return None
        if pair.why_private:
            self._notes[f"each side worked in memory of its own ({pair.why_private}): expect more scatter"] = None
        return pair

    def _come_to(self, pair: PairLike, visit: Visit) -> bool:
        """Turns of one cell; False when a side of it failed, after which neither process is to be trusted."""
        cell = visit.cell
        try:
            opening = pair.open(cell.case, self._job.seed, cell.slowdown, cell.extra_steps)
            slice_s = max(opening.base.call_s, opening.head.call_s) * opening.calls
            visit.pairs += self._turns(pair, opening, slice_s)
            pair.shut(restore=opening.restore)
        except SideFailed as error:
            self._bury(cell, error)
            return False
        self._learn(cell, opening)
        visit.times += 1
        visit.done = visit.times > RETURNS or not is_disturbed(visit.pairs, self._best_adds, slice_s)
        if visit.done:
            self._board.add(cell, round_of(self._index, visit.pairs, self._best_adds, slice_s))
        return True

    def _learn(self, cell: CellState, opening: Opening) -> None:
        """What an opening tells: whose memory it works in, and the extra work in it."""
        for why in filter(None, (opening.base.why_private, opening.head.why_private)):
            self._private.setdefault(why, {})[cell.case.id] = None
        cell.shared = cell.shared and opening.shared
        if cell.slowdown:
            cell.extra_steps = opening.head.extra_steps
            cell.reached.append(opening.head.slowed)

    def _turns(self, pair: PairLike, opening: Opening, slice_s: float) -> list[tuple[Turn, Turn]]:
        calls = opening.calls

        def take(side: int, slices: int, best_adds: float) -> Turn:
            wanted = 0.0 if slice_s > LONG_S else QUIET * best_adds
            seen = pair.burst(side, Burst(calls, slices, opening.restore, wanted))
            return Turn(
                tuple(one / calls for one in seen.seconds),
                seen.adds_per_cycle,
                seen.clock_hz,
                seen.involuntary_switches,
            )

        pairs = take_turns(take, slice_s, self._job.pace, self._best_adds, rng=self._rng, clock=self._clock)
        self._best_adds = max(self._best_adds, most_adds(turn for both in pairs for turn in both))
        return pairs

    def _bury(self, cell: CellState, error: SideFailed) -> None:
        cell.failed = (error.side, error.stage, error.message)
        name = ("BASE", "HEAD")[error.side]
        self._progress.warn(f"{cell.case.id} failed on {name} ({error.stage}): {error.message}")
        if error.fault:
            self._faults.append(f"{cell.case.id} on {name}: {error.message}")

    def _show(self, cell: CellState) -> None:
        phase = f"{self._board.phase}, round {self._index + 1}"
        self._progress.show(Position(phase, self._board.settled, len(self._board.cells), cell.case.id, steady=False))


def _batch(cell: CellState) -> tuple[int, int, str]:
    """Cells that differ in it never share processes."""
    return cell.batch, cell.case.threads, cell.case.isa


def _own_memory(cells: Sequence[str], why: str) -> str:
    """The note on cells that did not work in the shared memory."""
    named = ", ".join(cells[:NAMED]) + (f" and {len(cells) - NAMED} more" if len(cells) > NAMED else "")
    return f"each side worked in memory of its own for {named} ({why}): expect more scatter"
