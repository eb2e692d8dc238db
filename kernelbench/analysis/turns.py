"""What two sides' turns say: one log-ratio a round, of slices that were quiet, told by looks at the core alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from msgspec import Struct

from kernelbench.analysis.stats import median
from kernelbench.model import PairRound

QUIET = 0.97
"""Slices beside looks at this share of the most independent adds a cycle count as quiet."""
LEAST_QUIET = 12
"""Quiet slices a side that a round's ratio may be made of: fewer may all be of one moment."""
TELLING_S = 0.001
"""Looks before and after a longer slice do not tell whether it was quiet in between."""
LOOKS = 6
"""Looks whose median may tell what a core of one's own can do."""


class Turn(Struct, frozen=True):
    """One side's slices in a row."""

    seconds_per_call: tuple[float, ...]
    adds_per_cycle: tuple[float, ...] = ()
    """Beside each slice; empty where neighbours cannot be seen."""
    clock_hz: float = 0.0
    switches: int = 0
    """Involuntary context switches during it."""


def is_quiet(turn: Turn, best_adds: float) -> bool:
    """Whether half of its slices were quiet; where nothing can be seen, not being preempted must do."""
    if not turn.adds_per_cycle:
        return turn.switches == 0
    return 2 * sum(adds >= QUIET * best_adds for adds in turn.adds_per_cycle) >= len(turn.adds_per_cycle)


def most_adds(turns: Iterable[Turn]) -> float:
    """The most independent adds a cycle of any turn, by its median: a single look may be too high; 0 without looks."""
    return max((median(turn.adds_per_cycle) for turn in turns if len(turn.adds_per_cycle) >= LOOKS), default=0.0)


def is_disturbed(pairs: Sequence[tuple[Turn, Turn]], best_adds: float, slice_s: float) -> bool:
    """Whether too few slices (of ``slice_s`` seconds) were quiet on either side, told by the looks alone.

    Nothing that cannot be seen to be disturbed is called so: neighbours that cannot be seen, slices too long to tell.
    """
    if best_adds <= 0 or slice_s > TELLING_S:
        return False
    return any(len(_quiet([pair[side] for pair in pairs], best_adds)) < LEAST_QUIET for side in (0, 1))


def round_of(index: int, pairs: Sequence[tuple[Turn, Turn]], best_adds: float, slice_s: float = math.inf) -> PairRound:
    """One round's log-ratio of HEAD's time over BASE's. Raises ValueError without pairs.

    Where each side has enough quiet slices: of their medians. Else the median over the pairs: two turns beside each
    other met much the same neighbours. ``slice_s`` as of ``is_disturbed``.
    """
    if not pairs:
        raise ValueError("a round needs at least one pair of turns")
    sides = [[pair[side] for pair in pairs] for side in (0, 1)]
    quiet = [_quiet(side, best_adds) for side in sides]
    if min(map(len, quiet)) >= LEAST_QUIET:
        base_s, head_s = (median(seconds) for seconds in quiet)
        log_ratio = math.log(head_s / base_s)
    else:
        log_ratio = median([math.log(_time(head) / _time(base)) for base, head in pairs])
        base_s, head_s = (median([_time(turn) for turn in side]) for side in sides)
    clocks = [median([turn.clock_hz for turn in side]) for side in sides]
    return PairRound(
        index=index,
        log_ratio=log_ratio,
        base_s=base_s,
        head_s=head_s,
        pairs=len(pairs),
        quiet_share=sum(map(len, quiet)) / sum(len(turn.seconds_per_call) for side in sides for turn in side),
        clock_ratio=clocks[1] / clocks[0] if min(clocks) > 0 else 1.0,
        disturbed=is_disturbed(pairs, best_adds, slice_s),
    )


def _time(turn: Turn) -> float:
    return median(turn.seconds_per_call)


def _quiet(turns: Sequence[Turn], best_adds: float) -> list[float]:
    """Seconds a call of the slices that were timed on a quiet core."""
    return [
        seconds
        for turn in turns
        for seconds, adds in zip(turn.seconds_per_call, turn.adds_per_cycle, strict=False)
        if adds >= QUIET * best_adds > 0
    ]
