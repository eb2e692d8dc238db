"""Every cell of a paired comparison on its way to a verdict. Pure: rounds are handed in, nothing is timed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kernelbench.analysis.sequential import SCREEN, Plan, confirmation, place
from kernelbench.analysis.stats import median
from kernelbench.model import Case, PairRound

SCREEN_SHARE = 0.6
"""Of the time budget, once the screen has flagged a cell; the rest is kept for confirming it."""
RESUMED_SHARE = 0.85
"""The same for a screen that is gone on with after confirming."""
LEAST_SHARING = 3
"""Cells that the error of confirming is shared among, where so many may be flagged: three can still be settled at the
first look."""
CHANGED = ("slower", "faster")


@dataclass
class CellState:
    """One cell: what was measured of it and where it stands."""

    case: Case
    threshold: float
    screen: list[PairRound] = field(default_factory=list)
    confirm: list[PairRound] = field(default_factory=list)
    place: str = "open"
    """As ``sequential.place`` says, of the phase it is in."""
    flagged: bool = False
    sharing: int = 0
    """How many cells share the error of confirming it."""
    failed: tuple[int, str, str] | None = None
    """(side, stage, message)."""
    shared: bool = True
    floor: float = 0.0
    """This host's floor for it, where ``threshold`` is that; 0 where it is the user's."""
    slowdown: float = 0.0
    """Share of extra work to put into HEAD, to try the gate."""
    extra_steps: int = 0
    """What that share comes to, as the first round found; the same in all that follow."""
    reached: list[float] = field(default_factory=list)
    """The share that was reached, as each round measured it."""
    batch: int = 0
    """Only cells of one batch share their processes."""

    @property
    def slowed(self) -> float:
        """The share of extra work in HEAD, by all rounds; 0 where there is none."""
        return median(self.reached) if self.reached else 0.0

    @property
    def rounds(self) -> list[PairRound]:
        """Those that its verdict is made of."""
        return self.confirm if self.flagged else self.screen

    @property
    def verdict(self) -> str:
        """What its rounds say: "failed", "unchanged", "regressed", "improved" or "ambiguous"."""
        if self.failed is not None:
            return "failed"
        changed = {"slower": "regressed", "faster": "improved"} if self.flagged else {}
        return {"inside": "unchanged", **changed}.get(self.place, "ambiguous")


class Board:
    """All cells. ``wanted`` says which need a round now, ``add`` takes one, ``look`` judges after a round."""

    def __init__(self, cells: Sequence[CellState]) -> None:
        self.cells = list(cells)
        self.phase = "screen"
        self._plan: Plan = SCREEN
        self._sharing = 0

    @property
    def share(self) -> float:
        """Of the time budget, that the phase may have spent at its end."""
        if self.phase == "screen" and self._sharing:
            return RESUMED_SHARE
        flagged = any(cell.place in CHANGED for cell in self.cells)
        return SCREEN_SHARE if self.phase == "screen" and flagged else 1.0

    @property
    def least(self) -> int:
        """Rounds of the phase that are measured whatever the time."""
        return 0 if self.phase == "screen" and self._sharing else self._plan.looks[0]

    @property
    def settled(self) -> int:
        """Cells that need no more rounds in this phase."""
        return sum(cell.place != "open" or cell.failed is not None for cell in self.cells)

    def wanted(self) -> list[CellState]:
        """The cells that still need rounds in this phase."""
        return [cell for cell in self._alive() if cell.place == "open" and len(cell.rounds) < self._plan.looks[-1]]

    def look(self) -> None:
        """Judge every open cell that has come to a look."""
        for cell in self._alive():
            if cell.place == "open" and len(cell.rounds) in self._plan.looks:
                self._judge(cell)

    def add(self, cell: CellState, one: PairRound) -> None:
        """One more round of ``cell``, in this phase."""
        cell.rounds.append(one)

    def end(self) -> None:
        """The phase is over: what stayed open is judged by the rounds there are."""
        for cell in self._alive():
            if cell.place == "open":
                self._judge(cell)

    def confirm(self) -> bool:
        """Go on to confirm what was flagged; False when nothing was, or no share of the error is left.

        The error of confirming is shared among the cells that are flagged first. Where those are fewer than
        ``LEAST_SHARING``, cells that the time left open may join them after a resumed screen.
        """
        flagged = [cell for cell in self._alive() if cell.place in CHANGED and not cell.flagged]
        if not self._sharing:
            self._sharing = max(len(flagged), min(LEAST_SHARING, len(flagged) + len(self.wanted())))
        self.phase, self._plan = "confirm", confirmation(self._sharing)
        taken = sum(cell.flagged for cell in self.cells)
        joining = flagged[: self._sharing - taken]
        for cell in joining:
            cell.flagged, cell.place, cell.sharing = True, "open", self._sharing
        return bool(joining)

    def resume(self) -> bool:
        """Go back to screening what the time left open, with what confirming left of it; False: nothing is open."""
        self.phase, self._plan = "screen", SCREEN
        return bool(self.wanted())

    def _alive(self) -> list[CellState]:
        """The cells that the phase is about."""
        return [cell for cell in self.cells if cell.failed is None and cell.flagged == (self.phase == "confirm")]

    def _judge(self, cell: CellState) -> None:
        cell.place = place(self._plan.interval([one.log_ratio for one in cell.rounds]), cell.threshold)
