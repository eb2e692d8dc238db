"""Trials of the gate on this host: identical code, and code made slower by known shares, judged as `ab` judges."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from msgspec import UNSET, UnsetType, structs

from kernelbench.analysis.calibration import (
    MIN_ROUNDS,
    Calibrated,
    Calibration,
    Rates,
    Runs,
    Slowed,
    floor_of,
    scatter_of,
    smallest,
)
from kernelbench.gate.cells import CellState
from kernelbench.gate.replay import Replayed, Stored, replay
from kernelbench.gate.session import Measured, Session, cells_of
from kernelbench.gate.sides import Side
from kernelbench.gate.verdicts import NAMES, file_of
from kernelbench.model import PairedCell, PairRound, Result
from kernelbench.thresholds import Thresholds

TRIALS = 500
"""Replays for each rate: a rate of 80% then moves by 1.8 points (standard error), less than the rounds move it."""


def running(modules: Sequence[str]) -> tuple[Side, Side]:
    """The running kernelbench, with the user's kernel files, on both sides."""
    side = Side("the running kernelbench", "folder", modules=tuple(modules))
    return side, side


def kinds(session: Session, thresholds: Thresholds, slowdowns: Sequence[float]) -> list[CellState]:
    """Every cell as it is, and once for each slowdown that can be put into it; each kind in processes of its own."""
    plain = cells_of(session, thresholds, {})
    slower = [
        CellState(cell.case, cell.threshold, slowdown=share, batch=batch)
        for batch, share in enumerate(slowdowns, 1)
        for cell in plain
        if cell.failed is None and not why_not(session, cell)
    ]
    return [*plain, *slower]


def why_not(session: Session, cell: CellState) -> str:
    """Why no extra work can be put into a cell; empty when it can."""
    interpreted = session.known[1].interpreted
    return "called from Python: extra work fits into compiled kernels only" if cell.case.variant in interpreted else ""


class Trials:
    """A board (``gate.execute``) on which every cell gets the same number of rounds, whatever they say."""

    def __init__(self, cells: Sequence[CellState], rounds: int) -> None:
        self.cells = list(cells)
        self.phase = f"calibration in {rounds} rounds"
        self.share = 1.0
        self.least = 1
        self._rounds = rounds

    @property
    def settled(self) -> int:
        """How many cells the rounds that are done would make up: all of them end in the last round."""
        wanted = sum(self._rounds - len(cell.screen) for cell in self.wanted())
        return len(self.cells) - -(-wanted // self._rounds)

    def wanted(self) -> list[CellState]:
        """The cells that still need rounds; none slowed down whose plain kind fails."""
        dead = {cell.case.id for cell in self.cells if cell.failed is not None and not cell.slowdown}
        return [
            cell
            for cell in self.cells
            if cell.failed is None and cell.case.id not in dead and len(cell.screen) < self._rounds
        ]

    def add(self, cell: CellState, one: PairRound) -> None:
        """One more round of ``cell``."""
        cell.screen.append(one)

    def look(self) -> None:
        """A round is over: nothing is judged before the last."""

    def end(self) -> None:
        """All rounds are measured, or time is up: nothing is left to do."""

    def confirm(self) -> bool:
        """There is no second phase."""
        return False

    def resume(self) -> bool:
        """Nothing is left open."""
        return False


def judge(measured: Measured, rounds: int, default_threshold: float, *, trials: int = TRIALS) -> Calibration:
    """Floors, and the rates of ``trials`` replays, at the thresholds that `ab` will judge by with those floors."""
    session, cells = measured.session, measured.board.cells
    rng = random.Random(session.config.seed)
    plain = [cell for cell in cells if not cell.slowdown]
    floors = {cell.case.id: floor_of(_logs(cell), rng) for cell in plain if cell.failed is None}
    threshold = {cell.case.id: max(cell.threshold, floors.get(cell.case.id, UNSET) or 0.0) for cell in plain}
    enough = [_stored(cell, threshold) for cell in plain if cell.failed is None and len(cell.screen) >= MIN_ROUNDS]
    together = replay(enough, trials, rng)
    found = []
    for cell in plain:
        one = Calibrated(cell.case.id, cell.threshold, threshold[cell.case.id], len(cell.screen), failed=_failure(cell))
        if cell.failed is None:
            same = [other for other in cells if other.slowdown and other.case.id == cell.case.id]
            slower = tuple(_slowed(other, threshold, trials, rng) for other in same)
            one = structs.replace(
                one,
                floor=floors[cell.case.id],
                scatter=scatter_of(_logs(cell)),
                rates=_rates(together, cell.case.id),
                slowed=slower,
                smallest=smallest(slower),
                why_no_slowdowns=why_not(session, cell),
            )
        found.append(one)
    return Calibration(
        machine=session.machine.id,
        cpu=str(session.machine.cpu.model),
        created=measured.created,
        rounds=rounds,
        trials=trials,
        threshold=default_threshold,
        cells=tuple(found),
        runs=Runs(*(together.runs[verdict] / trials for verdict in ("regressed", "improved"))) if enough else UNSET,
        notes=measured.outcome.notes,
    )


def _logs(cell: CellState) -> list[float]:
    return [one.log_ratio for one in cell.screen]


def _stored(cell: CellState, threshold: Mapping[str, float]) -> Stored:
    return Stored(cell.case, threshold[cell.case.id], tuple(cell.screen))


def _rates(found: Replayed, case_id: str) -> Rates | UnsetType:
    if case_id not in found.verdicts:
        return UNSET
    return Rates(*(found.share(case_id, verdict) for verdict in ("unchanged", "regressed", "improved")))


def _slowed(cell: CellState, threshold: Mapping[str, float], trials: int, rng: random.Random) -> Slowed:
    """Power on one cell: the others' flags, which would share its error, are left out."""
    one = Slowed(
        cell.slowdown,
        len(cell.screen),
        reached=cell.slowed if cell.screen else UNSET,
        why=_failure(cell) if cell.failed is not None else "",
    )
    if len(cell.screen) < MIN_ROUNDS:
        return one
    return structs.replace(one, found=replay([_stored(cell, threshold)], trials, rng).share(cell.case.id, "regressed"))


def _failure(cell: CellState) -> str:
    if cell.failed is None:
        return ""
    side, stage, message = cell.failed
    return f"failed on {NAMES[side]} ({stage}): {message}"


def result(measured: Measured, judged: Calibration) -> Result:
    """The file: every kind of every cell with all its rounds."""
    threshold = {cell.case_id: cell.threshold for cell in judged.cells}
    paired = [
        PairedCell(
            case=cell.case,
            threshold=threshold[cell.case.id],
            screen=tuple(cell.screen),
            verdict="failed" if cell.failed is not None else "",
            reason=_failure(cell),
            shared=cell.shared,
            slowed=(cell.slowed if cell.screen else cell.slowdown) if cell.slowdown else UNSET,
        )
        for cell in measured.board.cells
    ]
    return file_of(measured, "calibration", paired, judged.notes)
