"""Two functions in turns in this process: sides that can be timed, and rounds of them until a question is settled."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from kernelbench.analysis.turns import Turn, most_adds, round_of
from kernelbench.api import operands, timing
from kernelbench.api.operands import Copies
from kernelbench.api.timing import Prepared
from kernelbench.errors import UsageError
from kernelbench.gate.cells import Board, CellState
from kernelbench.gate.round import Pace, Take, take_turns
from kernelbench.model import Case, PairRound, case_id
from kernelbench.timing.sampling import AGAIN_SLICES, LONG_S

APART = 8.0
"""Sides whose times differ by more each get a number of calls of their own: as many of the slow one would take long."""


class Call(Struct, frozen=True):
    """A function and what it is called with."""

    fn: Callable[..., Any]
    args: Sequence[Any]


class Setting(Struct, frozen=True):
    """What a comparison is made of: who is timed how, by which clock, in which order, for how long at most."""

    take: Take
    slice_s: float
    """What a slice of the slower side takes."""
    rng: random.Random
    clock: Callable[[], float]
    most_s: float
    pace: Pace = Pace()


class Rounds:
    """Rounds of turns, one log-ratio (second over first) each."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._ends_at = setting.clock() + setting.most_s
        self._best_adds = 0.0
        self._index = 0
        # A long call is a turn by itself: three pairs of them a round would take minutes.
        pace = setting.pace
        self._pace = Pace(1, 1, pace.round_s) if setting.slice_s > LONG_S else pace

    @property
    def over(self) -> bool:
        """No time is left."""
        return self._setting.clock() >= self._ends_at

    def next(self) -> PairRound:
        """One more round."""
        setting = self._setting
        pairs = take_turns(
            setting.take, setting.slice_s, self._pace, self._best_adds, rng=setting.rng, clock=setting.clock
        )
        self._best_adds = max(self._best_adds, most_adds(turn for both in pairs for turn in both))
        self._index += 1
        return round_of(self._index - 1, pairs, self._best_adds)


def judged(setting: Setting, threshold: float) -> CellState:
    """Rounds until the second is improved, regressed or unchanged beside the first, as ``kernelbench ab`` decides.

    Screened at looks that share the error, and what looks changed confirmed on fresh rounds.
    """
    name = "compare"
    cell = CellState(Case(case_id(name, "", {}, 1), name, name, "", "", {}, 1), threshold)
    board, rounds = Board([cell]), Rounds(setting)
    _phase(board, cell, rounds)
    if board.confirm():
        _phase(board, cell, rounds)
    return cell


def _phase(board: Board, cell: CellState, rounds: Rounds) -> None:
    while board.wanted() and not rounds.over:
        board.add(cell, rounds.next())
        board.look()
    board.end()


@dataclass
class Side:
    """One function on operands that are its own, or shared and written anew before each turn."""

    prepared: Prepared
    copies: Copies
    restore: bool = False
    clocks: list[float] = field(default_factory=list)

    def turn(self, calls: int, slices: int, *, long: bool) -> Turn:
        """So many slices in a row, after a few that bring the caches back."""
        from kernelbench.worker.cost import Watch

        watch = Watch()
        if self.restore:
            self.copies.restore()
        if not self.clocks:
            self.clocks = [watch.clock_hz() for _ in range(8)]
        if not long:
            self.prepared.run.slices(calls, AGAIN_SLICES)
        watch.start()
        batch = self.prepared.run.slices(calls, slices)
        seen = watch.stop()
        self.clocks = [*self.clocks, seen.clock_hz][-8:]
        clock = max(self.clocks) if watch.sees_neighbours else 0.0
        # The looks beside the neighbouring slices count as well: a pause between two bursts of work is no quiet.
        looks = [min(batch.looks[max(0, i - 1) : i + 3]) for i in range(len(batch.seconds))]
        return Turn(
            seconds_per_call=tuple(seconds / calls for seconds in batch.seconds),
            adds_per_cycle=tuple(look / clock for look in looks) if clock else (),
            clock_hz=seen.clock_hz,
            switches=seen.involuntary_switches,
        )


@dataclass
class Sides:
    """Both, ready to take turns."""

    both: tuple[Side, Side]
    calls: tuple[int, int]
    slice_s: float
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, str]:
        """The functions' names, told apart where both have the same."""
        first, second = (side.prepared.name for side in self.both)
        return (first, second) if first != second else (f"{first} (first)", f"{second} (second)")

    def take(self, side: int, slices: int) -> Turn:
        """One side's turn."""
        return self.both[side].turn(self.calls[side], slices, long=self.slice_s > LONG_S)

    def check(self) -> None:
        """Raises UsageError when a timed call of either raised in compiled code."""
        for side in self.both:
            side.prepared.check()


def sides(first: Call, second: Call, *, check: bool) -> Sides:
    """Both functions on copies of their operands, compiled and warm.

    Functions of the same arguments get the same memory, for where operands lie changes times by some percent; when
    one of them works in place it is written anew before each turn. Raises UsageError when their results disagree, and
    what a function raises when called.
    """
    for call in (first, second):
        timing.check_call(call.fn, call.args)
    shared = len(first.args) == len(second.args) and all(map(_same, first.args, second.args))
    copies = Copies(first.args)
    own = (copies, copies if shared else Copies(second.args))
    found = tuple(_results(call, mine) for call, mine in zip((first, second), own, strict=True))
    if check and shared:
        _agree(first, second, (found[0].first, found[1].first))
    restore = any(one.in_place for one in found)
    made = []
    for call, mine in zip((first, second), own, strict=True):
        mine.restore()
        made.append(Side(timing.prepare(call.fn, mine.args), mine, restore))
    notes = _notes(made, restore, disagreeing=bool(not check), shared=shared)
    both = (made[0], made[1])
    return Sides(both, *_calls(both), notes)


def _same(one: Any, other: Any) -> bool:
    return one is other


class _Found(Struct, frozen=True):
    first: dict[str, Any]
    in_place: bool
    """A second call on what the first one left gives something else."""


def _results(call: Call, copies: Copies) -> _Found:
    copies.restore()
    first = copies.snapshot(call.fn(*copies.args))
    second = copies.snapshot(call.fn(*copies.args))
    return _Found(first, bool(operands.disagreement(first, second)))


def _agree(first: Call, second: Call, found: tuple[dict[str, Any], dict[str, Any]]) -> None:
    names = (timing.name_of(first.fn), timing.name_of(second.fn))
    how = operands.disagreement(*found)
    if how:
        raise UsageError(
            f"{names[0]} and {names[1]} disagree on the same operands ({how}); a comparison of times means nothing "
            "then: pass check=False to time them all the same"
        )


def _calls(both: tuple[Side, Side]) -> tuple[tuple[int, int], float]:
    """(calls a slice of either, seconds of the longer slice): equal calls, unless the sides are far apart."""
    prepared = [side.prepared for side in both]
    each = [one.slice_s / one.calls for one in prepared]
    if max(each) > APART * min(each):
        return (prepared[0].calls, prepared[1].calls), max(one.slice_s for one in prepared)
    calls = max(one.calls for one in prepared)
    return (calls, calls), calls * max(each)


def _notes(made: Sequence[Side], restore: bool, *, disagreeing: bool, shared: bool) -> tuple[str, ...]:
    from msgspec import UNSET

    python = [one.prepared.name for one in made if one.prepared.block is UNSET]
    found = []
    if len(python) == 1:
        found.append(f"the time of {python[0]} includes the call from Python, that of the other does not")
    if restore:
        found.append("works in place: operands are written anew before each turn")
    if not shared:
        found.append("the sides have arguments of their own: where those lie counts as well")
    if disagreeing:
        found.append("results not compared")
    return tuple(found)


def setting_of(both: Sides, most_s: float, seed: int) -> Setting:
    """Real time, turns in random order."""
    return Setting(both.take, both.slice_s, random.Random(seed), time.perf_counter, most_s)
