"""Guard zones around operands: bytes of a known pattern that a kernel has no business with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GUARD = 256
"""Bytes before and after each operand: four cache lines, so a whole vector or a small row beside it is seen."""

PATTERN = 0xA5
"""What they hold; its complement in turns, so that no value that a kernel writes is always taken for it."""

OTHER_PATTERN = PATTERN ^ 0xFF


@dataclass(frozen=True)
class Guard:
    """The zones of one operand."""

    before: np.ndarray
    """Empty where nothing of ours lies before it."""
    after: np.ndarray

    def fill(self, pattern: int = PATTERN) -> None:
        """Write ``pattern`` into every byte."""
        for zone in (self.before, self.after):
            zone[...] = pattern

    def trespass(self, pattern: int = PATTERN) -> tuple[int, int]:
        """Bytes from the operand's begin back, and from its end on, to the farthest that is changed; 0: none."""
        before, after = (np.flatnonzero(zone != pattern) for zone in (self.before, self.after))
        back = self.before.size - int(before[0]) if before.size else 0
        return back, int(after[-1]) + 1 if after.size else 0


def words(name: str, itemsize: int, trespass: tuple[int, int]) -> str:
    """ "wrote 1 element before output 0"; empty where nothing was written there."""
    for size, where in zip(trespass, ("before", "after"), strict=True):
        if size:
            count = -(-size // itemsize)
            least = "at least " if size == GUARD else ""
            return f"wrote {least}{count} element{'s' * (count > 1)} {where} {name}"
    return ""
