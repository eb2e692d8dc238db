"""Before the samples of a round: how many calls a slice takes, and when the kernel has settled. Pure as well."""

from collections.abc import Callable

Run = Callable[[int], float]
"""calls -> the seconds that so many calls took."""

SETTLED = 0.02
"""Warm-up ends when three samples in a row lie within this of one another."""
HEADROOM = 1.15
"""Aim above the shortest allowed slice, so that a faster phase of the machine does not fall below it."""
MAX_CALLS = 1 << 40


def calibrate(run: Run, shortest_s: float, first_s: float = 0.0) -> tuple[int, float]:
    """(calls per slice, seconds of a slice): grown until two slices in a row really last ``shortest_s``.

    One long slice proves nothing: an interruption of 2 ms would make a kernel of 1 us look slow enough to
    be timed one call at a time. ``first_s`` is what a single call took before, 0 when there was none.
    """
    calls = 1
    took = first_s or run(1)
    while True:
        if took < shortest_s:
            # At most tenfold a step: a first, cold call says little about the speed of a thousand warm ones.
            grown = calls * 10 if took <= 0 else min(calls * 10, int(calls * shortest_s * HEADROOM / took) + 1)
            calls = min(max(grown, calls + 1), MAX_CALLS)
            took = run(calls)
            continue
        again = run(calls)
        if again >= shortest_s:
            return calls, again
        took = again


def warm_up(run: Run, calls: int, first_s: float, limit_s: float) -> float:
    """Sample until three in a row agree within ``SETTLED``, or ``limit_s`` is spent; returns seconds spent.

    ``first_s`` is what the last of as many calls took: it warmed the operands as well.
    """
    spent = first_s
    recent = [first_s]
    while spent < limit_s:
        took = run(calls)
        spent += took
        recent = [*recent, took][-3:]
        if len(recent) == 3 and max(recent) <= min(recent) * (1 + SETTLED):
            break
    return spent
