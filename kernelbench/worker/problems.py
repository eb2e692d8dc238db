"""Inputs and references, kept between the variants that share them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kernelbench.kernels._registry import Op
from kernelbench.model import Accuracy, Case

LIMIT_BYTES = 512 << 20
"""Memory for what is kept; the least recently used goes first."""


@dataclass(frozen=True)
class Problem:
    """An op's inputs at one shape, and what checks have computed about them."""

    seed: int
    inputs: tuple[Any, ...]
    memo: dict[Any, Any] = field(default_factory=dict)
    verified: dict[Any, list[tuple[list[np.ndarray], Accuracy]]] = field(default_factory=dict)
    """Per check function, outputs that it has passed, with what it said."""

    @property
    def size_bytes(self) -> int:
        """Bytes of every array held, references included."""
        passed = [outputs for known in self.verified.values() for outputs, _ in known]
        return _size(self.inputs) + _size(tuple(self.memo.values())) + _size(passed)


def _size(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return value.nbytes
    return sum(map(_size, value)) if isinstance(value, tuple | list) else 0


class Problems:
    """The problems of one worker, made once each."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], Problem] = OrderedDict()

    def get(self, op: Op, case: Case, seed: int) -> Problem:
        """The problem of ``case``: the same seed gives every variant the same operands."""
        key = (op.name, tuple(case.settings.items()), case.dtype, seed)
        if key not in self._kept:
            inputs = op.inputs(case.settings, case.dtype, np.random.default_rng(seed))
            for array in inputs:
                if isinstance(array, np.ndarray):
                    array.flags.writeable = False
            self._kept[key] = Problem(seed, inputs)
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(p.size_bytes for p in self._kept.values()) > LIMIT_BYTES:
            self._kept.popitem(last=False)
        return self._kept[key]
