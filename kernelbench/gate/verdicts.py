"""What the rounds of a paired comparison say: one verdict a cell, with its reason, and the file that keeps it all."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from kernelbench import config as configuration
from kernelbench.analysis.cell import Cell, Comparison
from kernelbench.analysis.paired import cell
from kernelbench.analysis.sequential import FALSE_ALARM
from kernelbench.analysis.stats import median, median_interval
from kernelbench.analysis.verdict import detectable, seen_from
from kernelbench.gate.cells import CellState
from kernelbench.gate.session import Measured, Session, differs
from kernelbench.model import SCHEMA_VERSION, PairedCell, PairRound, Result, SideInfo
from kernelbench.runner.tool import this_tool
from kernelbench.units import percent

NAMES = ("BASE", "HEAD")
CLOCK_MOVED = 0.02
"""Two sides' clocks that differ by more are told with the verdict."""


def comparison(measured: Measured, default_threshold: float, notes: Sequence[str] = ()) -> Comparison:
    """Every case that either side has, the measured ones judged; ``notes`` on the host come last of its notes."""
    base, head = measured.session.known
    states = {cell.case.id: cell for cell in measured.board.cells}
    cells = []
    for case_id in dict.fromkeys([*base.cases, *head.cases]):
        if case_id in states:
            cells.append(cell_of(states[case_id]))
        elif case_id not in head.cases:
            cells.append(Cell(case_id, "missing", f"only on BASE{_why(head.skipped, case_id, head.missing)}"))
        elif case_id not in base.cases:
            cells.append(Cell(case_id, "new", f"only on HEAD{_why(base.skipped, case_id, base.missing)}"))
        else:
            cells.append(Cell(case_id, "incomparable", differs(measured.session, case_id)))
    said = [note for side in measured.session.sides for note in side.notes]
    told = dict.fromkeys([*said, *measured.outcome.notes, *notes])
    return Comparison("time", default_threshold, tuple(cells), tuple(told))


def _why(skipped: dict[str, str], case_id: str, missing: str) -> str:
    why = skipped.get(case_id, missing)
    return f": {why}" if why else ""


def cell_of(state: CellState) -> Cell:
    """One measured case's verdict."""
    verdict, reason = _verdict(state)
    return cell(state.case.id, verdict, reason, state.rounds or state.screen, state.threshold)


def _verdict(state: CellState) -> tuple[str, str]:
    """(verdict, reason)."""
    if state.failed:
        side, stage, message = state.failed
        return "failed", f"failed on {NAMES[side]} ({stage}): {message}"
    logs = [one.log_ratio for one in state.rounds]
    bound = percent(state.threshold) + (" (this host's floor for it)" if state.floor else "")
    clock, verdict = _clock(state.rounds), state.verdict
    if verdict == "unchanged":
        return verdict, f"within {bound} of BASE after {len(logs)} rounds{clock}"
    if verdict in ("regressed", "improved"):
        change = percent(abs(math.expm1(median(logs))))
        shared = f", shared among {state.sharing} cells" if state.sharing > 1 else ""
        return verdict, (
            f"{state.place} by {change}, beyond {bound}: flagged in {len(state.screen)} rounds, confirmed in "
            f"{len(logs)} fresh ones, at {percent(FALSE_ALARM)} family-wise{shared}{clock}"
        )
    return verdict, f"{_undecided(state, logs, bound)}{clock}"


def _undecided(state: CellState, logs: list[float], bound: str) -> str:
    """Why there is no verdict, in words."""
    interval = median_interval(logs)
    flagged = f"flagged in {len(state.screen)} rounds"
    if state.place in ("slower", "faster") and not state.flagged:
        return f"{state.place}, beyond {bound}: {flagged}, and not confirmed: the comparison ended before"
    if not logs and not state.flagged:
        return "no round of it was finished; a verdict needs 6"
    if isinstance(interval, UnsetType):
        few = f"only {len(logs)} {'fresh ' * state.flagged}round{'s' * (len(logs) != 1)}"
        return f"{flagged}, but {few} followed, too few to confirm it" if state.flagged else f"{few}; a verdict needs 6"
    seen = seen_from(detectable(median(logs), interval, state.threshold))
    low, high = math.exp(interval.low), math.exp(interval.high)
    span = f"{low:.3f} to {high:.3f} of BASE after {len(logs)} rounds"
    if state.flagged:
        return f"{flagged}, but fresh ones did not settle it against {bound} ({span}); {seen}"
    return f"neither beyond nor within {bound}: {span}; {seen}"


def _clock(rounds: list[PairRound]) -> str:
    """That the host rather than the code moved, where the two sides' clocks differ."""
    moved = median([one.clock_ratio for one in rounds]) - 1 if rounds else 0.0
    return f"; HEAD's core ran at {percent(1 + moved)} of BASE's clock" if abs(moved) > CLOCK_MOVED else ""


def result(measured: Measured, found: Comparison) -> Result:
    """The file: both sides, and every cell with all its rounds."""
    states = {state.case.id: state for state in measured.board.cells}
    paired = [
        _stored(states[cell.case_id], cell)
        if cell.case_id in states
        else _unmeasured(measured.session, cell, found.threshold)
        for cell in found.cells
    ]
    return file_of(measured, "ab", paired, found.notes)


def file_of(measured: Measured, kind: str, paired: Sequence[PairedCell], notes: tuple[str, ...]) -> Result:
    """A file of two sides in turns: "ab" or "calibration"."""
    session = measured.session
    return Result(
        schema_version=SCHEMA_VERSION,
        kind=kind,
        kernelbench=this_tool(),
        created=measured.created,
        config=configuration.as_dict(session.config),
        machines={session.machine.id: session.machine},
        interrupted=measured.outcome.interrupted,
        notes=notes,
        sides=tuple(
            SideInfo(side.label, side.kind, side.commit, side.dirty, known.source_hash)
            for side, known in zip(session.sides, session.known, strict=True)
        ),
        paired=tuple(paired),
    )


def _stored(state: CellState, judged: Cell) -> PairedCell:
    return PairedCell(
        case=state.case,
        threshold=state.threshold,
        screen=tuple(state.screen),
        confirm=tuple(state.confirm),
        verdict=judged.verdict,
        reason=judged.reason,
        shared=state.shared,
        slowed=state.slowed or UNSET,
    )


def _unmeasured(session: Session, judged: Cell, threshold: float) -> PairedCell:
    """A case that a side lacks, or that is another problem there."""
    base, head = session.known
    case = (head.cases if judged.case_id in head.cases else base.cases)[judged.case_id]
    return PairedCell(case, threshold, verdict=judged.verdict, reason=judged.reason, shared=False)
