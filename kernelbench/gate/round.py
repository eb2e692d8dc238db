"""One cell in one round: both sides in turns, in random order, until enough was timed on a quiet core.

Pure but for what is injected: ``take`` times one side, ``clock`` tells the time, ``rng`` the order.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from msgspec import Struct

from kernelbench.analysis.turns import Pair, Turn, most_adds, quiet_of

Take = Callable[[int, int], Turn]
"""(side, slices) -> what was timed."""

TURN_S = 0.0004
"""A turn lasts about this: the shorter, the more both sides see the same machine."""


class Pace(Struct, frozen=True):
    """How long one cell is timed in one round."""

    pairs: int = 30
    """Pairs of turns that are enough where both are quiet."""
    least: int = 3
    """Pairs in any case."""
    round_s: float = 0.2
    """Time for the turns of one cell while too few of them are quiet. Nothing is waited for in between: turns that lie
    apart meet different neighbours."""


def take_turns(
    take: Take, slice_s: float, pace: Pace, best_adds: float, *, rng: random.Random, clock: Callable[[], float]
) -> list[Pair]:
    """Pairs of turns (BASE's, HEAD's) of slices of ``slice_s`` seconds.

    ``best_adds`` is the most independent adds a cycle seen so far.
    """
    pairs: list[Pair] = []
    begun = clock()
    slices = max(1, int(TURN_S / slice_s))
    quiet = 0
    while True:
        first = rng.randrange(2)
        turns = {side: take(side, slices) for side in (first, 1 - first)}
        pairs.append((turns[0], turns[1]))
        if (seen := most_adds(turns.values())) > best_adds:
            best_adds, quiet = seen, len(quiet_of(pairs, seen))
        else:
            quiet += len(quiet_of(pairs[-1:], best_adds))
        if len(pairs) >= pace.least and (quiet >= pace.pairs or clock() - begun >= pace.round_s):
            return pairs
