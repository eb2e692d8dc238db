"""Turns of two functions whose times are made up, on a clock that only they move."""

import random

from kernelbench.analysis.turns import Turn
from kernelbench.api.turns import Setting
from kernelbench.gate.round import Pace

SLICE_S = 5e-5


class FakeTurns:
    """Side 0 takes 1 us a call, side 1 ``ratio`` times that, each turn off by up to ``scatter`` (0.1 = 10%)."""

    def __init__(self, ratio: float, scatter: float = 0.0, seed: int = 1) -> None:
        self.now = 0.0
        self.taken: list[int] = []
        self._ratio, self._scatter, self._rng = ratio, scatter, random.Random(seed)

    def take(self, side: int, slices: int) -> Turn:
        """A turn of equal slices, undisturbed as far as anybody can see."""
        self.now += slices * SLICE_S
        self.taken.append(side)
        seconds = (self._ratio if side else 1.0) * 1e-6 * (1 + self._scatter * self._rng.uniform(-1, 1))
        return Turn((seconds,) * slices)

    def setting(self, most_s: float = 10.0, slice_s: float = SLICE_S) -> Setting:
        """Short rounds of these turns."""
        return Setting(self.take, slice_s, random.Random(0), lambda: self.now, most_s, Pace(pairs=3, least=3))
