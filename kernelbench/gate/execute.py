"""The rounds of a paired comparison: fresh pairs of processes, and in each the cells that still need one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

from msgspec import Struct

from kernelbench.analysis.turns import Turn, most_adds, round_of
from kernelbench.gate.cells import CellState
from kernelbench.gate.pair import Opening, SideFailed, turn_of
from kernelbench.gate.roles import BoardLike, Group, PairLike
from kernelbench.gate.round import Pace, take_turns
from kernelbench.model import PairRound
from kernelbench.protocol import Burst
from kernelbench.runner.job import Position, Progress

NAMED = 3
"""Cells that a note names."""


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
        self._done: Counter[str] = Counter()
        """Rounds of each phase."""
        self._cut: dict[str, None] = {}
        """Phases (as keys) that time ended."""
        self._own: dict[tuple[str, str], dict[str, None]] = {}
        """Cells (as keys) of which something was not shared, by what and the reason."""

    def run(self) -> Outcome:
        """Screen all, confirm what was flagged, go on while there is time. Ctrl-C ends it with what is done."""
        interrupted = False
        try:
            self._phase()
            while self._board.confirm():
                self._phase()
                if not self._board.resume():
                    break
                self._phase()
        except KeyboardInterrupt:
            interrupted = True
        ended = (f"the time budget ended the {phase} after {self._done[phase]} rounds" for phase in self._cut)
        notes = (*self._notes, *ended, *(_own(what, list(cells), why) for (what, why), cells in self._own.items()))
        return Outcome(self._index, self._spent(), interrupted, notes, tuple(self._faults))

    def _spent(self) -> float:
        return self._clock() - self._begun

    def _phase(self) -> None:
        """Rounds until nothing is open or time is up; those before the first look are always measured."""
        done, last_s, board = 0, 0.0, self._board
        first, phase = board.least, board.phase
        while wanted := board.wanted():
            # Cells drop out, so that the next round hardly takes longer than the last.
            if done >= first and self._spent() + last_s > board.share * self._job.time_budget_s:
                break
            begun = self._clock()
            batches = sorted({_batch(cell) for cell in wanted})
            self._rng.shuffle(batches)
            for batch in batches:
                self._group(batch[1:], [cell for cell in wanted if _batch(cell) == batch])
            last_s = self._clock() - begun
            done += 1
            self._index += 1
            board.look()
        self._cut.pop(phase, None)
        if wanted:
            self._cut[phase] = None
        self._done[phase] += done
        board.end()

    def _group(self, group: Group, cells: Sequence[CellState]) -> None:
        """One round of some cells, in random order, in one pair of processes; in a new one after a failure."""
        left = list(cells)
        self._rng.shuffle(left)
        while left:
            pair = self._start_pair(group, left)
            if pair is None:
                return
            try:
                while left and self._visit(pair, left.pop()):
                    pass
            finally:
                pair.close()

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

    def _visit(self, pair: PairLike, cell: CellState) -> bool:
        """One cell's round; False when a side of it failed, after which neither process is to be trusted."""
        self._show(cell)
        try:
            opening = pair.open(cell.case, self._job.seed, cell.slowdown, cell.extra_steps)
            one = self._round(pair, opening)
            pair.shut(restore=opening.restore)
        except SideFailed as error:
            self._bury(cell, error)
            return False
        self._learn(cell, opening)
        self._board.add(cell, one)
        return True

    def _learn(self, cell: CellState, opening: Opening) -> None:
        """What an opening tells: whose memory it works in, and the extra work in it."""
        for side in (opening.base, opening.head):
            for what, why in (("worked in memory", side.why_private), ("had its code on pages", side.why_own_code)):
                if why:
                    self._own.setdefault((what, why), {})[cell.case.id] = None
        cell.shared = cell.shared and opening.shared
        if cell.slowdown:
            cell.extra_steps = opening.head.extra_steps
            cell.reached.append(opening.head.slowed)

    def _round(self, pair: PairLike, opening: Opening) -> PairRound:
        calls = opening.calls

        def take(side: int, slices: int) -> Turn:
            return turn_of(pair.burst(side, Burst(calls, slices, opening.restore)), calls)

        slice_s = max(opening.base.call_s, opening.head.call_s) * calls
        pairs = take_turns(take, slice_s, self._job.pace, self._best_adds, rng=self._rng, clock=self._clock)
        self._best_adds = max(self._best_adds, most_adds(turn for both in pairs for turn in both))
        return round_of(self._index, pairs, self._best_adds)

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


def _own(what: str, cells: Sequence[str], why: str) -> str:
    """The note on cells of which ``what`` was not shared."""
    named = ", ".join(cells[:NAMED]) + (f" and {len(cells) - NAMED} more" if len(cells) > NAMED else "")
    return f"each side {what} of its own for {named} ({why}): expect more scatter"
