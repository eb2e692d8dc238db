"""The gate's own procedure on rounds drawn at random from stored ones: what it would have said, many times over."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from kernelbench.gate.cells import Board, CellState
from kernelbench.model import Case, PairRound


class Stored(Struct, frozen=True):
    """One cell to draw from."""

    case: Case
    threshold: float
    rounds: tuple[PairRound, ...]
    """Not empty."""


class Replayed(Struct, frozen=True):
    """How the trials ended."""

    trials: int
    verdicts: dict[str, Counter[str]]
    """By case id: how many trials gave each verdict."""
    runs: Counter[str]
    """How many trials gave each verdict to any cell."""

    def share(self, case_id: str, verdict: str) -> float:
        """Of the trials of a cell, those with this verdict."""
        return self.verdicts[case_id][verdict] / self.trials


def replay(cells: Sequence[Stored], trials: int, rng: random.Random) -> Replayed:
    """``trials`` whole runs of ``cells`` together, without a limit of time."""
    verdicts: dict[str, Counter[str]] = {cell.case.id: Counter() for cell in cells}
    runs: Counter[str] = Counter()
    for _ in range(trials):
        found = dict(_run(cells, rng))
        for case_id, verdict in found.items():
            verdicts[case_id][verdict] += 1
        runs.update(set(found.values()))
    return Replayed(trials, verdicts, runs)


def _run(cells: Sequence[Stored], rng: random.Random) -> Iterator[tuple[str, str]]:
    """(case id, verdict) of every cell after a run on rounds drawn with replacement."""
    board = Board([CellState(cell.case, cell.threshold) for cell in cells])
    source = {cell.case.id: cell.rounds for cell in cells}
    _measure(board, source, rng)
    if board.confirm():
        _measure(board, source, rng)
    return ((cell.case.id, cell.verdict) for cell in board.cells)


def _measure(board: Board, source: dict[str, tuple[PairRound, ...]], rng: random.Random) -> None:
    while wanted := board.wanted():
        for cell in wanted:
            board.add(cell, rng.choice(source[cell.case.id]))
        board.look()
    board.end()
