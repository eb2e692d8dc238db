"""What the rounds of a comparison need of others: a pair of live workers, and a board that says what is wanted."""

from __future__ import annotations

from typing import Protocol

from kernelbench.gate.cells import CellState
from kernelbench.gate.pair import Opening
from kernelbench.model import Case, PairRound
from kernelbench.protocol import Burst, Slices

Group = tuple[int, str]
"""(threads, isa): what a pair of workers is started for."""


class PairLike(Protocol):
    """A pair of live workers (``gate.pair.Pair``)."""

    why_private: str

    def open(self, case: Case, seed: int, slowdown: float = 0.0, extra_steps: int = 0) -> Opening:
        """The case, ready on both sides."""

    def burst(self, side: int, request: Burst) -> Slices:
        """One side's turn."""

    def shut(self, *, restore: bool) -> object:
        """Verify and let go."""

    def close(self) -> None:
        """End both."""


class BoardLike(Protocol):
    """Which cells want rounds (``gate.cells.Board``, ``gate.calibrate.Trials``)."""

    cells: list[CellState]
    phase: str

    @property
    def share(self) -> float:
        """Of the time budget, that the phase may have spent at its end."""

    @property
    def least(self) -> int:
        """Rounds of the phase that are measured whatever the time."""

    @property
    def settled(self) -> int:
        """Cells that need no more rounds."""

    def wanted(self) -> list[CellState]:
        """The cells of the next round; none: the phase is over."""

    def add(self, cell: CellState, one: PairRound) -> None:
        """One more round of ``cell``."""

    def look(self) -> None:
        """A round is over."""

    def end(self) -> None:
        """The phase is over."""

    def confirm(self) -> bool:
        """Go on to confirm what was flagged; False: there is nothing to confirm."""

    def resume(self) -> bool:
        """Go back to what the time left open; False: there is nothing."""
