"""One cell in one round: both sides in turns, in random order, until enough was timed on a quiet core.

Pure but for what is injected: ``take`` times one side, ``clock`` tells the time, ``rng`` the order.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from msgspec import Struct

from kernelbench.analysis.turns import Turn, is_disturbed, is_quiet, most_adds

Take = Callable[[int, int, float], Turn]
"""(side, slices, independent adds a cycle to wait for) -> what was timed."""

TURN_S = 0.0012
"""A turn lasts about this: the shorter, the more both sides see the same machine."""
MOST_SLICES, LEAST_SLICES = 24, 3
"""Slices of one turn, where calls are short."""
LONG_S = 0.005
"""Calls longer than this are timed one a turn, as they come."""


class Pace(Struct, frozen=True):
    """How long one cell is timed in one round."""

    pairs: int = 10
    """Pairs of turns that are enough where both are quiet."""
    least: int = 3
    """Pairs in any case."""
    round_s: float = 0.12
    """Time for the turns of one cell."""
    patience_s: float = 0.25
    """Time in all while too little was quiet."""


def take_turns(
    take: Take, slice_s: float, pace: Pace, best_adds: float, *, rng: random.Random, clock: Callable[[], float]
) -> list[tuple[Turn, Turn]]:
    """Pairs of turns (BASE's, HEAD's) of slices of ``slice_s`` seconds.

    ``best_adds`` is the most independent adds a cycle seen so far.
    """
    pairs: list[tuple[Turn, Turn]] = []
    begun = clock()
    slices = 1 if slice_s > LONG_S else min(MOST_SLICES, max(LEAST_SLICES, int(TURN_S / slice_s)))
    quiet = 0
    while True:
        first = rng.randrange(2)
        turns = {side: take(side, slices, best_adds) for side in (first, 1 - first)}
        pairs.append((turns[0], turns[1]))
        best_adds = max(best_adds, most_adds(turns.values()))
        quiet += all(is_quiet(turn, best_adds) for turn in turns.values())
        spent = clock() - begun
        if len(pairs) < pace.least:
            continue
        if quiet >= pace.pairs or spent >= pace.patience_s:
            return pairs
        if spent >= pace.round_s and quiet >= pace.least and not is_disturbed(pairs, best_adds, slice_s):
            return pairs
