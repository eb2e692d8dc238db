"""Pairs of workers that are none: every call lasts what the test says, on a clock of its own."""

from collections.abc import Callable, Sequence

from kernelbench.gate.cells import Board, CellState
from kernelbench.gate.execute import Execution, Job, Outcome
from kernelbench.gate.pair import Opening, SideFailed
from kernelbench.gate.roles import BoardLike, Group
from kernelbench.model import Accuracy, Case, PairRound, Work
from kernelbench.protocol import Burst, Opened, Slices
from kernelbench.runner.job import Position
from tests import builders

RIGHT = Accuracy("error", 0.0, "exact", 0.0)
CALL_S = 1e-6
START_S = 1.0
"""What starting a pair takes."""


def case(name: str, threads: int = 1) -> Case:
    """A case of its own name."""
    return builders.case(f"scale/{name}", shape={"n": 1000}, threads=threads)


def cells(*names: str, threshold: float = 0.05) -> list[CellState]:
    """Cells that nothing is known of yet."""
    return [CellState(case(name), threshold) for name in names]


def one_round(log_ratio: float, index: int = 0, clock_ratio: float = 1.0) -> PairRound:
    """A round that found this."""
    return PairRound(index, log_ratio, 1e-6, 1e-6, 10, clock_ratio=clock_ratio)


class Fault:
    """What goes wrong with a case: on a side, at "open", "burst" or "shut"."""

    def __init__(self, side: int, at: str = "open", *, fault: bool = False) -> None:
        self.side, self.at, self.fault = side, at, fault


class Host:
    """Its clock, its pairs, and what is measured on it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.change: dict[str, float] = {}
        """HEAD's time over BASE's less 1, by variant."""
        self.faults: dict[str, Fault] = {}
        """By variant."""
        self.interrupt_at = -1
        """The opening at which Ctrl-C is pressed, counted from 0."""
        self.start_s: Callable[[int], float] = lambda started: START_S
        """What starting a pair takes after so many."""
        self.no_pairs = ""
        """Why BASE does not start."""
        self.why_private = ""
        """Of the pair."""
        self.busy: Callable[[str], bool] = lambda variant: False
        """Whether a neighbour is on the core while ``variant`` is timed."""
        self.too_large: set[str] = set()
        """Variants whose operands do not fit."""
        self.own_code: dict[str, str] = {}
        """Why a variant's code lies on pages of its own."""
        self.pairs: list[FakePair] = []
        self.opened: list[tuple[str, float]] = []
        self.steps: list[int] = []
        """Extra steps asked for, by opening."""
        self.asked: list[tuple[str, int, Burst]] = []
        self.shown: list[Position] = []
        self.warnings: list[str] = []

    def clock(self) -> float:
        """Seconds."""
        return self.now

    def start(self, group: Group) -> "FakePair":
        """A pair for ``group``."""
        self.now += self.start_s(len(self.pairs))
        if self.no_pairs:
            raise SideFailed(0, "import", self.no_pairs)
        self.pairs.append(FakePair(self, group))
        return self.pairs[-1]

    def show(self, position: Position) -> None:
        """Progress."""
        self.shown.append(position)

    def warn(self, message: str) -> None:
        """A warning."""
        self.warnings.append(message)

    def run(self, board: BoardLike, budget_s: float = 1e6, seed: int = 0) -> Outcome:
        """The whole comparison."""
        return Execution(Job(budget_s, seed), board, self.start, self.clock, self).run()

    def fail(self, wanted: Case, side: int, at: str) -> None:
        """Raises SideFailed where that is planned."""
        planned = self.faults.get(wanted.variant)
        if planned and (planned.side, planned.at) == (side, at):
            raise SideFailed(side, "verify", f"{at} went wrong", fault=planned.fault)


class FakePair:
    """``gate.execute.PairLike``."""

    def __init__(self, host: Host, group: Group) -> None:
        self.why_private = host.why_private
        self.group, self.closed, self.used_after_close = group, 0, False
        self.visited: list[str] = []
        self._host = host
        self._case: Case = case("none")

    def open(self, case: Case, seed: int, slowdown: float = 0.0, extra_steps: int = 0) -> Opening:
        """Both sides."""
        host, self._case = self._host, case
        self.visited.append(case.variant)
        if len(host.opened) == host.interrupt_at:
            raise KeyboardInterrupt
        host.opened.append((case.variant, slowdown))
        host.steps.append(extra_steps)
        for side in (0, 1):
            host.fail(case, side, "open")
        why = "the operands do not fit" if case.variant in host.too_large else ""
        shared, own = not (why or self.why_private), host.own_code.get(case.variant, "")
        sides = [
            Opened(RIGHT, Work("absent"), calls, CALL_S, layout, shared, why, own, slowdown, 100 * (slowdown > 0))
            for calls, layout in ((50, "a"), (60, "b"))
        ]
        return Opening(*sides)

    def burst(self, side: int, request: Burst) -> Slices:
        """A turn."""
        host = self._host
        host.fail(self._case, side, "burst")
        host.asked.append((self._case.variant, side, request))
        took = CALL_S * request.calls * (1 + host.change.get(self._case.variant, 0.0) * side)
        host.now += took * request.slices
        adds = 2.0 if host.busy(self._case.variant) else 4.0
        return Slices((took,) * request.slices, (adds,) * request.slices, 3e9, 0)

    def shut(self, *, restore: bool) -> None:
        """Let go."""
        for side in (0, 1):
            self._host.fail(self._case, side, "shut")

    def close(self) -> None:
        """End."""
        self.closed += 1


class Wild(dict[str, float]):
    """Slower in one round, faster in the next: what no number of rounds settles. ``names``: all, or these variants."""

    def __init__(self, host: Host, *names: str) -> None:
        super().__init__()
        self._host, self._names = host, names

    def get(self, key: str, default: float = 0.0) -> float:  # type: ignore[override]
        """HEAD's change now."""
        if self._names and key not in self._names:
            return super().get(key, default)
        return 0.5 if len(self._host.pairs) % 2 else -0.3


def play(board: Board, ratio: Callable[[CellState], float]) -> None:
    """All rounds of both phases without a clock; ``ratio`` gives a round's log-ratio."""
    for _ in range(2):
        while wanted := board.wanted():
            for cell in wanted:
                board.add(cell, one_round(ratio(cell)))
            board.look()
        if board.phase == "confirm" or not board.confirm():
            return


def verdicts(cells: Sequence[CellState]) -> dict[str, str]:
    """By variant."""
    return {cell.case.variant.partition("/")[2]: cell.verdict for cell in cells}
