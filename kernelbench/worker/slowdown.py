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
REFINEMENTS = 3
CLOSE = 0.05
"""Good enough: the share reached is within 5% of the one asked for (10% asked: 9.5% to 10.5%)."""
SMALLEST = 0.5
"""Cycles; less cannot be told from nothing by steps of one."""


def apply(entry: Entry, run: Runner, calls: int, share: float, clock_hz: float) -> float:
    """Give every call of ``entry`` extra work of ``share`` of its time; returns the share really reached.

    A step is a cycle; what of it hides beside the kernel is found out and made up for. Raises CaseError where a step
    is too coarse for so fast a kernel, or no clock is known.
    """
    if not clock_hz:
        raise CaseError("warm-up", "extra work is sized by the core's clock, which cannot be measured here")
    plain, _ = _both(entry, run, calls, 0)
    wanted = share * plain / calls * clock_hz
    if wanted < SMALLEST:
        raise CaseError("warm-up", f"a call is too short for {percent(share)} of extra work, {wanted:.2f} cycles")
    steps = max(1, round(wanted))
    tried: list[tuple[float, int, float]] = []
    for _ in range(REFINEMENTS):
        plain, slow = _both(entry, run, calls, steps)
        reached = slow / plain - 1
        tried.append((abs(reached - share), steps, reached))
        if abs(reached - share) <= CLOSE * share:
            break
        # Never more than twofold at once: a disturbed measurement must not run away.
        factor = min(2.0, max(0.5, share / reached if reached > 0 else 2.0))
        steps = max(1, round(steps * factor))
    # What is told was measured with the very steps that stay in the kernel.
    _, entry.extra.value, reached = min(tried)
    return reached


def again(entry: Entry, run: Runner, calls: int, steps: int) -> float:
    """Give every call ``steps`` of extra work, sized earlier; returns the share that they are now."""
    plain, slow = _both(entry, run, calls, steps)
    return slow / plain - 1


def _both(entry: Entry, run: Runner, calls: int, steps: int) -> tuple[float, float]:
    """Seconds of the shortest slice without the extra work, and with it."""
    plain: list[float] = []
    slow: list[float] = []
    while len(plain) < TURNS or sum(plain) + sum(slow) < TAKEN_S / 2:  # of two slices the first is not counted
        entry.extra.value = 0
        plain += run.slices(calls, 2).seconds[1:]
        entry.extra.value = steps
        slow += run.slices(calls, 2).seconds[1:]
    return min(plain), min(slow)
