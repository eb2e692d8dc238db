"""A kernel made slower by a known share, to see whether a comparison notices: extra work, sized by measurement."""

from __future__ import annotations

from kernelbench.timing.sampling import Runner
from kernelbench.units import percent
from kernelbench.worker.bench import CaseError
from kernelbench.worker.entry import Entry

TURNS = 24
"""Slices with and without the extra work, in turns; the shortest of each are compared."""
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


def _both(entry: Entry, run: Runner, calls: int, steps: int) -> tuple[float, float]:
    """Seconds of the shortest slice without the extra work, and with it."""
    plain: list[float] = []
    slow: list[float] = []
    for _ in range(TURNS):
        entry.extra.value = 0
        plain += run.slices(calls, 2).seconds[1:]
        entry.extra.value = steps
        slow += run.slices(calls, 2).seconds[1:]
    return min(plain), min(slow)
