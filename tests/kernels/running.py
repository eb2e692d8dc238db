"""Calling a variant as the worker does, on operands placed where a test wants them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numba
import numpy as np
from hypothesis import settings

from kernelbench.kernels import _registry as registry
from kernelbench.kernels._check import Verification
from kernelbench.kernels._registry import NUMPY, Shape, Variant
from kernelbench.sizes import parse, shapes
from kernelbench.timing.loops import Calls
from kernelbench.worker.bench import SENTINEL
from kernelbench.worker.entry import Block, Entry, compile_entry

registry.load_catalogue()
VARIANTS = registry.variants()
LINE = 64
GUARD = 4 * LINE
_ENTRIES: dict[tuple[Any, ...], Entry] = {}

few = settings(max_examples=12, deadline=None, derandomize=True, database=None)
"""Compiling takes the first example far longer than the rest: no deadline."""


def of_op(op: str) -> list[tuple[str, str]]:
    """(variant, dtype) of every variant of ``op`` that can run here."""
    return [(n, d) for n, v in VARIANTS.items() if v.op.name == op and not v.unavailable() for d in v.dtypes]


def all_variants() -> list[tuple[str, str]]:
    return [pair for op in registry.ops() for pair in of_op(op)]


def sizes(op: str, *size: int) -> dict[str, int]:
    return dict(zip(registry.ops()[op].dims, size, strict=True))


def some_shape(variant: Variant, n: int) -> Shape:
    """A small shape of the variant's op: n for every dimension, or at most n of each one of its first default size."""
    if variant.op.square:
        return variant.whole(n)
    (size,) = shapes(parse(f"{variant.op.name}:{variant.op.sizes[0]}"), variant.op.info).fits
    return variant.whole({name: min(length, n) for name, length in size.items()})


class Placed:
    """An array ``offset`` elements past a cache line, between guards that nobody may write."""

    def __init__(self, array: np.ndarray, offset: int) -> None:
        skip = offset * array.itemsize
        self._raw = np.full(array.nbytes + skip + 2 * GUARD + LINE, 0xA5, np.uint8)
        self._begin = -self._raw.ctypes.data % LINE + GUARD + skip
        self._end = self._begin + array.nbytes
        self.array = self._raw[self._begin : self._end].view(array.dtype).reshape(array.shape)
        self.array[...] = array

    def guards_intact(self) -> bool:
        return bool((self._raw[: self._begin] == 0xA5).all() and (self._raw[self._end :] == 0xA5).all())


def empty_outputs(variant: Variant, shape: Shape, dtype: str) -> list[np.ndarray]:
    """Outputs full of NaN or the sentinel, as before a verified call."""
    return [np.full(size, SENTINEL.get(kind, np.nan), NUMPY[kind]) for size, kind in variant.outputs(shape, dtype)]


def call(variant: Variant, arguments: Iterable[Any]) -> None:
    """One call through the timed entry."""
    given = tuple(arguments)
    if not variant.compiled:
        variant.function(*given)
        return
    key = (variant.name, *(numba.typeof(x) for x in given))
    if key not in _ENTRIES:
        _ENTRIES[key] = compile_entry(variant.function, given)
    entry, block = _ENTRIES[key], Block(given)
    Calls(entry.address, [block.address])(1)
    assert block.status == 0, f"{variant.name} raised inside the compiled call"


def ran(
    name: str, dtype: str, shape: Shape, *, seed: int = 0, offset: int = 0, inputs: tuple[Any, ...] = ()
) -> Verification:
    """What a check sees after one call of variant ``name``; asserts that nothing beside the outputs was written."""
    variant = VARIANTS[name]
    shape = variant.whole(shape)
    made = inputs or variant.op.inputs(shape, dtype, np.random.default_rng(seed))
    ready = variant.prepare(made, shape)
    operands = [Placed(x, offset) if isinstance(x, np.ndarray) else x for x in ready]
    outputs = [Placed(x, offset) for x in empty_outputs(variant, shape, dtype)]
    prepared = tuple(x.array if isinstance(x, Placed) else x for x in operands)
    call(variant, (*prepared, *(x.array for x in outputs)))
    placed = [x for x in (*operands, *outputs) if isinstance(x, Placed)]
    assert all(x.guards_intact() for x in placed), f"{name} wrote beyond an operand"
    for before, after in zip(ready, prepared, strict=True):
        if isinstance(before, np.ndarray) and not getattr(before, "may_be_written", False):
            assert before.tobytes() == after.tobytes(), f"{name} changed an input"
    return Verification(shape, dtype, seed, made, prepared, tuple(x.array for x in outputs), {})


def assembly(name: str, dtype: str) -> str:
    """What the compiler emits for a variant, compiled anew: code from Numba's cache comes without its text."""
    variant = VARIANTS[name]
    shape = some_shape(variant, 9)
    arguments = (*variant.make_inputs(shape, dtype).arrays, *empty_outputs(variant, shape, dtype))
    anew = numba.jit(**variant.function.targetoptions)(variant.function.py_func)
    anew.compile(tuple(numba.typeof(x) for x in arguments))
    return "\n".join(anew.inspect_asm().values())
