"""What two sides' turns say: one log-ratio a round, of turns right beside each other.

Neighbours on the host come and go within milliseconds. Two turns of half a millisecond, one after the other, mostly
meet the same ones, and the median over many such pairs forgets the rest. Pairs that met a quiet core count alone where
there are enough of them, for beside a neighbour a slower code may be slower by another share. Which those are is told
by looks at the core, never by times.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from msgspec import Struct

from kernelbench.analysis.stats import median
from kernelbench.model import PairRound
from kernelbench.model.paired import LEAST_QUIET, QUIET

LOOKS = 6
"""Looks in a row whose median may tell what a core of one's own can do."""


class Turn(Struct, frozen=True):
    """One side's slices in a row."""

    seconds_per_call: tuple[float, ...]
    adds_per_cycle: tuple[float, ...] = ()
    """Beside each slice; empty where neighbours cannot be seen."""
    clock_hz: float = 0.0
    switches: int = 0
    """Involuntary context switches during it."""


Pair = tuple[Turn, Turn]
"""BASE's turn and HEAD's, right beside each other."""


def is_quiet(turn: Turn, best_adds: float) -> bool:
    """Whether half of its slices were quiet; where nothing can be seen, not being preempted must do."""
    if not turn.adds_per_cycle:
        return turn.switches == 0
    return 2 * sum(adds >= QUIET * best_adds for adds in turn.adds_per_cycle) >= len(turn.adds_per_cycle)


def most_adds(turns: Iterable[Turn]) -> float:
    """The most independent adds a cycle of ``LOOKS`` looks in a row, by their median: a single look may be too high.

    0 where there are fewer looks.
    """
    looks = [adds for turn in turns for adds in turn.adds_per_cycle]
    groups = (looks[i : i + LOOKS] for i in range(0, len(looks) - LOOKS + 1, LOOKS))
    return max(map(median, groups), default=0.0)


def quiet_of(pairs: Sequence[Pair], best_adds: float) -> list[Pair]:
    """The pairs of which both turns met a quiet core."""
    return [pair for pair in pairs if all(is_quiet(turn, best_adds) for turn in pair)]


def round_of(index: int, pairs: Sequence[Pair], best_adds: float) -> PairRound:
    """One round's log-ratio of HEAD's time over BASE's: the median over its pairs, over the quiet ones if enough.

    ``best_adds`` is the most independent adds a cycle seen so far. Raises ValueError without pairs.
    """
    if not pairs:
        raise ValueError("a round needs at least one pair of turns")
    quiet = quiet_of(pairs, best_adds)
    counted = quiet if len(quiet) >= LEAST_QUIET else pairs
    base_s, head_s = (median([_time(pair[side]) for pair in counted]) for side in (0, 1))
    clocks = [median([pair[side].clock_hz for pair in pairs]) for side in (0, 1)]
    return PairRound(
        index=index,
        log_ratio=median([math.log(_time(head) / _time(base)) for base, head in counted]),
        base_s=base_s,
        head_s=head_s,
        pairs=len(pairs),
        quiet_share=len(quiet) / len(pairs),
        clock_ratio=clocks[1] / clocks[0] if min(clocks) > 0 else 1.0,
    )


def beside_neighbours(rounds: Iterable[PairRound]) -> int:
    """How many of the rounds met a quiet core in fewer than half of their pairs."""
    return sum(one.quiet_share < 0.5 for one in rounds)


def _time(turn: Turn) -> float:
    return median(turn.seconds_per_call)
