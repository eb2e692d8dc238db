"""A kernel made slower by a known share, to see whether a comparison notices: extra work, sized by measurement."""

from __future__ import annotations

from kernelbench.timing.sampling import Runner
from kernelbench.units import percent
from kernelbench.worker.bench import CaseError
from kernelbench.worker.entry import Entry

TURNS = 24
"""Slices with and without the extra work, in turns, at least; the shortest of each are compared."""
TAKEN_S = 0.1
"""So long in any case: neighbours come and go, and the shortest slices are to be of moments without them."""
FAR = 0.5
"""The share reached is beyond doubt another than the one asked for (10% asked: below 5% or above 15%)."""
SMALLEST = 0.5
"""Cycles; less cannot be told from nothing by steps of one."""


def apply(entry: Entry, run: Runner, calls: int, share: float, clock_hz: float) -> float:
    """Give every call of ``entry`` extra work of ``share`` of its time; returns the share really reached.

    A step is a cycle that nothing hides: the kernel waits for the last. So the steps follow from the kernel's own time.
    Only where they cost something quite different are they sized again: the difference of two times that are measured
    while neighbours come and go is a poor guide. Raises CaseError where a step is too coarse for so fast a kernel, or
    no clock is known.
    """
    if not clock_hz:
        raise CaseError("warm-up", "extra work is sized by the core's clock, which cannot be measured here")
    plain_s, _ = _both(entry, run, calls, 0)
    wanted = share * plain_s / calls * clock_hz
    if wanted < SMALLEST:
        raise CaseError("warm-up", f"a call is too short for {percent(share)} of extra work, {wanted:.2f} cycles")
    steps = max(1, round(wanted))
    reached = again(entry, run, calls, steps)
    if abs(reached - share) > FAR * share:
        # Never more than twofold: a disturbed measurement must not run away.
        steps = max(1, round(steps * (min(2.0, max(0.5, share / reached)) if reached > 0 else 2.0)))
        reached = again(entry, run, calls, steps)
    return reached


def again(entry: Entry, run: Runner, calls: int, steps: int) -> float:
    """Give every call ``steps`` of extra work, sized earlier; returns the share that they are now."""
    plain, slow = _both(entry, run, calls, steps)
    return slow / plain - 1


def _both(entry: Entry, run: Runner, calls: int, steps: int) -> tuple[float, float]:
    """Seconds of the shortest slice without the extra work, and with it."""
    plain: list[float] = []
    slow: list[float] = []
    taken_s = 0.0
    while len(plain) < TURNS or taken_s < TAKEN_S:
        for seen, extra in ((plain, 0), (slow, steps)):
            entry.extra.value = extra
            batch = run.slices(calls, 2)
            seen.append(batch.seconds[1])
            taken_s += sum(batch.seconds)
    return min(plain), min(slow)
