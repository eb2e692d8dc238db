"""Which slices were undisturbed, and samples made of them. Decided by the looks at the core alone, never by times."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from kernelbench.model.result import MIN_QUIET

SLOW_CLOCK = 0.95
"""A slice beside which the clock ran below this share of the round's best is disturbed."""
SHARED_CORE = 0.96
"""Fewer independent adds a cycle than this share of the most ever seen: a neighbour uses the core's units."""


class Slice(Struct, frozen=True):
    """One slice and what is known of it."""

    index: int
    seconds: float
    adds_per_cycle: float
    clock_hz: float
    switches: int
    """Of its batch, noted at the first slice."""
    faults: int
    switched: bool
    """Its batch was preempted more than a quiet machine does."""


class Samples(Struct, frozen=True):
    """The samples of one round, in the order they were begun."""

    seconds_per_call: tuple[float, ...]
    calls_per_sample: int
    disturbed: tuple[bool, ...]
    """Per sample: preempted, at a slow clock, or on a core shared with a busy neighbour."""
    involuntary_switches: tuple[int, ...]
    page_faults: tuple[int, ...]
    clock_hz: tuple[float, ...]
    """Per sample; 0 where it cannot be measured."""
    adds_per_cycle: tuple[float, ...]
    """Per sample, the least of its looks; 0 where not measured."""
    quiet_share: float
    """Share of all slices taken that were undisturbed."""


def disturbed(one: Slice, best_adds: float, best_clock_hz: float) -> bool:
    """Preempted, at a slow clock or on a shared core.

    Page faults are recorded, not judged: a variant called from Python allocates, and that is its own work.
    """
    # 0 means that nothing was measured here, not that nothing was added.
    shared = 0 < one.adds_per_cycle < SHARED_CORE * best_adds
    return one.switched or shared or one.clock_hz < SLOW_CLOCK * best_clock_hz


def grouped(taken: Sequence[Slice], calls: int, shortest_s: float, samples: int, best_adds: float) -> Samples:
    """The slices as samples: of quiet ones where 3 samples can be made of them, else of the quietest there are."""
    best_clock = max(one.clock_hz for one in taken)
    quiet = [one for one in taken if not disturbed(one, best_adds, best_clock)]
    size = slices_per_sample(min(one.seconds for one in taken), shortest_s)
    chosen = quiet
    if len(chosen) < MIN_QUIET * size:
        known = {one.index for one in quiet}
        rest = sorted((one for one in taken if one.index not in known), key=lambda one: -one.adds_per_cycle)
        chosen = [*quiet, *rest][: samples * size]
    groups = [chosen[i : i + size] for i in range(0, len(chosen) - size + 1, size)]
    groups.sort(key=lambda group: min(one.index for one in group))
    return Samples(
        seconds_per_call=tuple(sum(one.seconds for one in group) / (calls * size) for group in groups),
        calls_per_sample=calls * size,
        disturbed=tuple(any(disturbed(one, best_adds, best_clock) for one in group) for group in groups),
        involuntary_switches=tuple(sum(one.switches for one in group) for group in groups),
        page_faults=tuple(sum(one.faults for one in group) for group in groups),
        clock_hz=tuple(min(one.clock_hz for one in group) for group in groups),
        adds_per_cycle=tuple(min(one.adds_per_cycle for one in group) for group in groups),
        quiet_share=len(quiet) / len(taken),
    )


def slices_per_sample(shortest_slice_s: float, shortest_s: float) -> int:
    """So many slices that even the shortest ones together last ``shortest_s``."""
    return max(1, math.ceil(shortest_s / max(shortest_slice_s, 1e-9)))
