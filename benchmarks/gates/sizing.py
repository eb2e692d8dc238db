"""How much extra work slows each cell by a share, found out once before anything is compared."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence

from gates.cells import Experiment
from gates.kernels import steps_for
from gates.passes import timed
from kernelbench.worker.bench import CaseError

Sized = dict[float, dict[str, int]]
"""Share -> extra cycles by case id; cells that cannot be slowed are left out."""

USABLE = 0.25
"""A slowdown off by more than this part of itself is not used: the cell was too disturbed to size it."""


def sized(wanted: Experiment, jit_key: str, shares: Sequence[float], say: Callable[[str], None]) -> Sized:
    """Sizes for every share and cell, on the CPU where cells are timed; ``say`` is told of those left out."""
    found: Sized = {share: {} for share in shares}
    with pinned(wanted.cpu):
        for cell in timed(wanted):
            for share in shares:
                try:
                    steps, reached = steps_for(cell, jit_key, share)
                except (CaseError, ValueError) as error:
                    say(f"{cell.id} is not slowed: {error}")
                    break
                if abs(reached - share) <= USABLE * share:
                    found[share][cell.id] = steps
                else:
                    say(f"{cell.id} is not slowed by {share:.0%}: {steps} cycles of extra work gave {reached:.1%}")
    return found


@contextlib.contextmanager
def pinned(cpu: int) -> Iterator[None]:
    """Within the block this process stays on ``cpu``."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
