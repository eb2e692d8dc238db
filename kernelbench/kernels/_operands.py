"""The work of a kernel that declares none: its operands' bytes, and nothing that would have to be guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kernelbench.kernels._shapes import Arrays, Outputs, Shape
from kernelbench.kernels._values import NUMPY
from kernelbench.model import Work

Inputs = Callable[[Shape, str, np.random.Generator], Arrays]
Prepare = Callable[[Arrays, Shape], Arrays]


@dataclass(frozen=True)
class OperandWork:
    """(shape, dtype) -> every input read once, every output written once, no FLOP; ``model`` is "absent".

    The inputs are made and prepared to see their sizes, once a shape and dtype.
    """

    inputs: Inputs
    outputs: Callable[[Shape, str], Outputs]
    prepare: Prepare = field(default=lambda inputs, shape: inputs)
    tunable: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    _known: dict[Any, Work] = field(default_factory=dict)

    def __call__(self, shape: Shape, dtype: str) -> Work:
        """The work of one call."""
        key = (tuple(shape.items()), dtype)
        if key not in self._known:
            settled = {**{name: values[0] for name, values in self.tunable.items()}, **shape}
            made = self.prepare(self.inputs(shape, dtype, np.random.default_rng(0)), settled)
            self._known[key] = _of(made, self.outputs(shape, dtype))
        return self._known[key]


def _of(inputs: Arrays, outputs: Outputs) -> Work:
    arrays = [x for x in inputs if isinstance(x, np.ndarray)]
    scratch = sum(x.nbytes for x in arrays if getattr(x, "may_be_written", False))
    read = sum(x.nbytes for x in arrays) - scratch
    written = sum(int(np.prod(shape, dtype=np.int64)) * NUMPY[kind].itemsize for shape, kind in outputs)
    return Work(
        model="absent",
        read_bytes=float(read),
        write_bytes=float(written),
        working_set_bytes=float(read + written + scratch),
    )


def undeclared_work(shape: Shape, dtype: str) -> Work:
    """Stands for an op's work where none is given."""
    return Work(model="absent")
