"""A kernel made slower by a known share, to see whether a comparison notices: extra work, sized by measurement."""

from __future__ import annotations

from statistics import median

from msgspec import Struct

from kernelbench.timing.sampling import Runner
from kernelbench.units import percent
from kernelbench.worker.bench import CaseError
from kernelbench.worker.entry import Entry

TURNS = 24
"""Slices with and without the extra work, in turns, at least."""
TAKEN_S = 0.2
"""So long in any case: neighbours come and go, and enough slices are to be of moments without them."""
QUIET = 0.97
"""Slices beside looks at this share of the most adds a second were quiet; the best twentieth stands for the most."""
LEAST_QUIET = 12
"""Quiet slices a side whose median counts."""
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
    """Seconds of a slice without the extra work, and with it.

    Medians of the quiet slices, told by the looks beside them, where there are enough: a kernel whose slices take now
    one time and now another has no shortest that stands for it. Else the shortest of each.
    """
    plain: list[_Seen] = []
    slow: list[_Seen] = []
    taken_s = 0.0
    while len(plain) < TURNS or taken_s < TAKEN_S:
        for seen, extra in ((plain, 0), (slow, steps)):
            entry.extra.value = extra
            batch = run.slices(calls, 2)
            seen.append(_Seen(batch.seconds[1], min(batch.looks[1:], default=0.0)))
            taken_s += sum(batch.seconds)
    best = sorted(one.adds_per_s for one in [*plain, *slow])[int(0.95 * len([*plain, *slow]))]
    quiet = [[one.seconds for one in seen if one.adds_per_s >= QUIET * best > 0] for seen in (plain, slow)]
    if min(map(len, quiet)) >= LEAST_QUIET:
        return median(quiet[0]), median(quiet[1])
    return min(one.seconds for one in plain), min(one.seconds for one in slow)


class _Seen(Struct, frozen=True):
    """One slice, and the least of the looks around it."""

    seconds: float
    adds_per_s: float
