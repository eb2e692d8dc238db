"""A kernel made slower by a known share, to see whether a comparison notices: extra work, sized by measurement."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from kernelbench.model.paired import LEAST_QUIET, QUIET
from kernelbench.timing.sampling import Runner
from kernelbench.units import percent
from kernelbench.worker.bench import CaseError
from kernelbench.worker.entry import Entry

PAIRS = 24
"""Slices with and without the extra work right beside each other, at least."""
TAKEN_S = (0.1, 0.2)
"""So long in any case, and at most while too few pairs met a quiet core."""
SIZING_S = (0.3, 2.0)
"""The same while the work is sized, which is done once and stands for all rounds."""
LOOKS = 6
"""The most adds are those that so many looks reached. Which pairs then count is as where two sides are compared: beside
a neighbour the same work costs another share."""
FAR = 0.1
"""The share reached is another than the one asked for (10% asked: below 9% or above 11%)."""
SIZED_AGAIN = 3
"""Times at most."""
SMALLEST = 0.5
"""Cycles; less cannot be told from nothing by steps of one."""

Pair = tuple[float, float, tuple[float, float]]
"""(seconds of a slice without the extra work, with it, the least independent adds a second beside each; 0 where not
measured)."""


def apply(entry: Entry, run: Runner, calls: int, share: float, clock_hz: float) -> float:
    """Give every call of ``entry`` extra work of ``share`` of its time; returns the share really reached.

    A step is a cycle that nothing hides: the kernel waits for the last. So the steps follow from the kernel's own time,
    and where they cost something else they are sized again. Raises CaseError where a step is too coarse for so fast a
    kernel, or no clock is known.
    """
    if not clock_hz:
        raise CaseError("warm-up", "extra work is sized by the core's clock, which cannot be measured here")
    plain_s = median([plain for plain, _ in _both(entry, run, calls, 0, SIZING_S)])
    wanted = share * plain_s / calls * clock_hz
    if wanted < SMALLEST:
        raise CaseError("warm-up", f"a call is too short for {percent(share)} of extra work, {wanted:.2f} cycles")
    steps = max(1, round(wanted))
    reached = again(entry, run, calls, steps, SIZING_S)
    for _ in range(SIZED_AGAIN):
        if abs(reached - share) <= FAR * share:
            break
        # So many cycles are missing. Never more than twofold: a disturbed measurement must not run away.
        missing = wanted * (share - reached) / share
        steps = max(1, round(min(2.0 * steps, max(0.5 * steps, steps + missing))))
        reached = again(entry, run, calls, steps, SIZING_S)
    return reached


def again(entry: Entry, run: Runner, calls: int, steps: int, taken_s: tuple[float, float] = TAKEN_S) -> float:
    """Give every call ``steps`` of extra work, sized earlier; returns the share that they are.

    ``taken_s`` is how long it is looked at: in any case, and at most.
    """
    return median([slow / plain for plain, slow in _both(entry, run, calls, steps, taken_s)]) - 1


def _both(entry: Entry, run: Runner, calls: int, steps: int, taken_s: tuple[float, float]) -> list[tuple[float, float]]:
    """Seconds of slices without the extra work and right after with it: of the quiet pairs where there are enough."""
    least_s, most_s = taken_s
    pairs: list[Pair] = []
    spent_s = 0.0
    while True:
        until = max(least_s, spent_s + least_s / 4)
        while len(pairs) < PAIRS or spent_s < until:
            entry.extra.value = 0
            plain = run.slices(calls, 2)
            entry.extra.value = steps
            slow = run.slices(calls, 2)
            looks = (min(plain.looks[1:], default=0.0), min(slow.looks[1:], default=0.0))
            pairs.append((plain.seconds[1], slow.seconds[1], looks))
            spent_s += sum(plain.seconds) + sum(slow.seconds)
        quiet = _quiet(pairs)
        if len(quiet) >= LEAST_QUIET or spent_s >= most_s or not any(max(looks) for _, _, looks in pairs):
            return quiet if len(quiet) >= LEAST_QUIET else [(plain, slow) for plain, slow, _ in pairs]


def _quiet(pairs: Sequence[Pair]) -> list[tuple[float, float]]:
    """Those beside which the core was quiet; a few looks may be too high."""
    best = sorted(look for _, _, looks in pairs for look in looks)[-LOOKS]
    return [(plain, slow) for plain, slow, looks in pairs if min(looks) >= QUIET * best > 0]
