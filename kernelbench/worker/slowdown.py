"""A kernel made slower by a known share, to see whether a comparison notices: extra work, sized by measurement."""

from __future__ import annotations

from statistics import median

from kernelbench.timing.sampling import Runner
from kernelbench.units import percent
from kernelbench.worker.bench import CaseError
from kernelbench.worker.entry import Entry

TURNS = 24
"""Slices with and without the extra work, in turns, at least."""
TAKEN_S = 0.1
"""So long in any case: neighbours come and go, and enough slices are to be of moments without them."""
SIZING_S = 0.5
"""So long while the work is sized, which is done once and stands for all rounds."""
QUIET, LEAST_QUIET = 0.97, 12
"""Slices beside looks at this share of the best count as quiet; from so many on their median stands for all, as it does
where two sides are compared: a kernel of two speeds has no shortest slice that does."""
FAR = 0.2
"""The share reached is beyond doubt another than the one asked for (10% asked: below 8% or above 12%)."""
SIZED_AGAIN = 2
"""Times at most."""
SMALLEST = 0.5
"""Cycles; less cannot be told from nothing by steps of one."""

Slice = tuple[float, float]
"""(seconds, the least independent adds a second before and after it; 0 where not measured)."""


def apply(entry: Entry, run: Runner, calls: int, share: float, clock_hz: float) -> float:
    """Give every call of ``entry`` extra work of ``share`` of its time; returns the share really reached.

    A step is a cycle that nothing hides: the kernel waits for the last. So the steps follow from the kernel's own time.
    Only where they cost something quite different are they sized again: the difference of two times that are measured
    while neighbours come and go is a poor guide. Raises CaseError where a step is too coarse for so fast a kernel, or
    no clock is known.
    """
    if not clock_hz:
        raise CaseError("warm-up", "extra work is sized by the core's clock, which cannot be measured here")
    plain_s, _ = _both(entry, run, calls, 0, SIZING_S)
    wanted = share * plain_s / calls * clock_hz
    if wanted < SMALLEST:
        raise CaseError("warm-up", f"a call is too short for {percent(share)} of extra work, {wanted:.2f} cycles")
    steps = max(1, round(wanted))
    reached = again(entry, run, calls, steps, SIZING_S)
    for _ in range(SIZED_AGAIN):
        if abs(reached - share) <= FAR * share:
            break
        # Never more than twofold: a disturbed measurement must not run away.
        steps = max(1, round(steps * (min(2.0, max(0.5, share / reached)) if reached > 0 else 2.0)))
        reached = again(entry, run, calls, steps, SIZING_S)
    return reached


def again(entry: Entry, run: Runner, calls: int, steps: int, taken_s: float = TAKEN_S) -> float:
    """Give every call ``steps`` of extra work, sized earlier; returns the share that they are, seen for ``taken_s``."""
    plain, slow = _both(entry, run, calls, steps, taken_s)
    return slow / plain - 1


def _both(entry: Entry, run: Runner, calls: int, steps: int, least_s: float) -> tuple[float, float]:
    """Seconds of a slice without the extra work, and with it."""
    plain: list[Slice] = []
    slow: list[Slice] = []
    taken_s = 0.0
    while len(plain) < TURNS or taken_s < least_s:
        for seen, extra in ((plain, 0), (slow, steps)):
            entry.extra.value = extra
            batch = run.slices(calls, 2)
            seen.append((batch.seconds[1], min(batch.looks[1:], default=0.0)))
            taken_s += sum(batch.seconds)
    best = max(look for _, look in plain + slow)
    quiet = [[seconds for seconds, look in seen if look >= QUIET * best > 0] for seen in (plain, slow)]
    if min(map(len, quiet)) >= LEAST_QUIET:
        return median(quiet[0]), median(quiet[1])
    return min(plain)[0], min(slow)[0]
