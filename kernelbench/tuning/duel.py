"""Two candidates in turns: one case open in each of two processes, with its own values of the tunable parameters.

The processes, their shared memory and the turns are the gate's (``gate.pair``, ``gate.round``): both sides work on
the same physical bytes, and only the side that is timed runs.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from msgspec import structs

from kernelbench.analysis.turns import Turn, most_adds, round_of
from kernelbench.gate.pair import Opening, Pair, turn_of
from kernelbench.gate.round import Pace, take_turns
from kernelbench.model import Case, PairRound, Values
from kernelbench.protocol import Burst, CaseMeasured, Open, Opened, Shut


def tuned(case: Case, tunable: dict[str, Values], values: Values) -> Case:
    """``case`` with these values of its tunable parameters; its id stays, for it is the same cell of the plan."""
    return structs.replace(case, tuning=dict(zip(tunable, values, strict=True)))


@dataclass
class Seen:
    """What earlier meetings saw of the machine."""

    best_adds: float = 0.0
    """The most independent adds a cycle: what a core of one's own can do."""
    why_private: str = ""
    """Why sides did not work in shared memory; empty where they did."""


class Duel:
    """A pair of processes with the reference open in the first; candidates are opened in the second, one by one."""

    def __init__(
        self,
        pair: Pair,
        reference: Case,
        with_values: Callable[[Values], Case],
        seen: Seen,
        *,
        seed: int,
        pace: Pace,
        clock: Callable[[], float],
        rng: random.Random,
    ) -> None:
        """Takes ``pair`` over. Raises SideFailed where the reference fails; the pair is closed then."""
        self._pair, self._with_values, self._seen = pair, with_values, seen
        self._seed, self._pace, self._clock, self._rng = seed, pace, clock, rng
        try:
            self._reference = pair.ask(0, Open(reference, seed), Opened)
        except BaseException:
            pair.close()
            raise

    def against(self, values: Values) -> PairRound:
        """``values``, verified before and after, in turns with the reference. Raises SideFailed."""
        candidate = self._pair.ask(1, Open(self._with_values(values), self._seed), Opened)
        opening = Opening(self._reference, candidate)
        self._seen.why_private = self._seen.why_private or candidate.why_private
        slice_s = max(opening.base.call_s, opening.head.call_s) * opening.calls
        calls = opening.calls

        def take(side: int, slices: int) -> Turn:
            return turn_of(self._pair.burst(side, Burst(calls, slices, opening.restore)), calls)

        pairs = take_turns(take, slice_s, self._pace, self._seen.best_adds, rng=self._rng, clock=self._clock)
        self._seen.best_adds = max(self._seen.best_adds, most_adds(turn for both in pairs for turn in both))
        self._pair.ask(1, Shut(restore=opening.restore), CaseMeasured)
        return round_of(0, pairs, self._seen.best_adds)

    def close(self) -> None:
        """End both processes."""
        self._pair.close()
