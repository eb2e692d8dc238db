"""A calibration without a machine: cells whose rounds a formula gives."""

from collections.abc import Sequence
from typing import Any

from kernelbench.config import Config
from kernelbench.gate.calibrate import Trials, running
from kernelbench.gate.cells import CellState
from kernelbench.gate.execute import Outcome
from kernelbench.gate.session import Known, Measured, Session
from kernelbench.model import Case, PairRound
from tests.builders import case, machine

STEADY = tuple(0.002 * (-1) ** i for i in range(12))
"""Log-ratios within 0.2%."""
NOISY = tuple(0.06 * (-1) ** i * (i / 12) for i in range(12))
"""Log-ratios of up to 5.5%."""


def rounds(logs: Sequence[float]) -> list[PairRound]:
    """A round a log-ratio, BASE at 1 ms."""
    return [PairRound(i, log, 1e-3, 1e-3 * (1 + log), 10) for i, log in enumerate(logs)]


def cell(of: Case, logs: Sequence[float], **more: Any) -> CellState:
    """A measured cell at a threshold of 5%."""
    return CellState(of, more.pop("threshold", 0.05), screen=rounds(logs), **more)


def slower(of: Case, share: float, logs: Sequence[float] = STEADY) -> CellState:
    """A cell with a slowdown that was reached exactly."""
    return cell(of, [share + one for one in logs], slowdown=share, reached=[share], batch=1)


def session(*cases: Case, interpreted: Sequence[str] = (), **more: Any) -> Session:
    """The running kernelbench on both sides, able to run ``cases``."""
    known = Known({}, {one.id: one for one in cases}, {}, "hash", interpreted=frozenset(interpreted), **more)
    return Session(Config(), machine(), running(()), (known, known), 1 << 30)


def measured(*cells: CellState, **more: Any) -> Measured:
    """All of it measured."""
    plain = session(*(one.case for one in cells if not one.slowdown), interpreted=more.pop("interpreted", ()))
    outcome = Outcome(12, 60.0, more.pop("interrupted", False), more.pop("notes", ()), more.pop("faults", ()))
    return Measured(plain, Trials(cells, 12), outcome, "2026-01-02T03:04:05+00:00")


TILED, RELU = case(), case("relu/vectorized", shape={"n": 4096})
