"""A check that passes a wrong output is worth nothing: every variant's own check sees one wrong element."""

from dataclasses import replace

import numpy as np
import pytest

from kernelbench.kernels import _bf16
from kernelbench.kernels._check import Verification, WrongResult
from kernelbench.kernels._registry import Shape, Variant
from kernelbench.worker.bench import SENTINEL
from tests.kernels.running import VARIANTS, all_variants, ran, sizes, some_shape

SHAPES = {1: (37,), 2: (5, 9), 3: (5, 9, 6)}
"""Sizes by the number of an op's dimensions: odd ones, so that every kernel has a remainder."""


def shape_of(variant: Variant) -> Shape:
    """A small shape with remainders; of an op with many dimensions, its default size cut down to 7."""
    op = variant.op
    if op.square and len(op.dims) in SHAPES:
        return variant.whole(sizes(op.name, *SHAPES[len(op.dims)]))
    return some_shape(variant, 7)


def elements(name: str, dtype: str) -> int:
    """How many numbers the variant's first output holds."""
    variant = VARIANTS[name]
    return int(np.prod(variant.outputs(shape_of(variant), dtype)[0][0]))


def integers(name: str, dtype: str) -> bool:
    """True where the first output is of integers, which are checked exactly."""
    variant = VARIANTS[name]
    return variant.outputs(shape_of(variant), dtype)[0][1] in ("i8", "u8", "i32")


MANY = [pair for pair in all_variants() if elements(*pair) > 1]
"""What gives one number has tests of its own: there is no neighbour to mistake it for."""


def result(name: str, dtype: str) -> Verification:
    return ran(name, dtype, shape_of(VARIANTS[name]), seed=9)


def places(found: Verification) -> list[int]:
    size = found.outputs[0].size
    return [0, 1, size // 2, size - 1]


def floats(x: np.ndarray) -> np.ndarray:
    """Numbers of any kind as float64; bits of bf16 are the only words of 16 bits."""
    return (_bf16.decode(x) if x.dtype == np.uint16 else x).astype(np.float64)


def with_element(found: Verification, at: int, value: float) -> Verification:
    wrong = found.outputs[0].copy()
    bits = wrong.dtype == np.uint16
    wrong.reshape(-1)[at] = _bf16.encode(np.array([value], np.float32))[0] if bits else value
    return replace(found, outputs=(wrong, *found.outputs[1:]))


def magnitude(found: Verification, at: int) -> float:
    """What an error of element ``at`` is measured by: the magnitudes that made it, else the largest result."""
    parts = [np.abs(floats(x)) for x in found.inputs]
    if len(found.outputs[0].shape) == 2 and "k" in found.shape and len(parts) == 2:
        return float((parts[0] @ parts[1]).reshape(-1)[at])
    if all(x.shape == found.outputs[0].shape for x in parts):
        return float(sum(parts).reshape(-1)[at])
    return float(np.abs(floats(found.outputs[0])).max())


@pytest.mark.parametrize(("name", "dtype"), all_variants())
def test_what_the_variant_computed_passes(name: str, dtype: str) -> None:
    VARIANTS[name].check(result(name, dtype))


OFF = {"f64": 1e-3, "f32": 1e-3, "bf16": 0.1, "i8": 1e-3}
"""The share by which an element is off: bf16 rounds each operand by up to 0.4%. i8: results in f32."""


@pytest.mark.parametrize(("name", "dtype"), [pair for pair in MANY if not integers(*pair)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_float_off_by_a_thousandth_is_wrong(name: str, dtype: str, sign: int) -> None:
    found = result(name, dtype)
    for at in places(found):
        off = float(floats(found.outputs[0]).flat[at]) + sign * OFF[dtype] * magnitude(found, at)
        with pytest.raises(WrongResult):
            VARIANTS[name].check(with_element(found, at, off))


@pytest.mark.parametrize(("name", "dtype"), [pair for pair in MANY if integers(*pair)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_an_integer_off_by_one_is_wrong(name: str, dtype: str, sign: int) -> None:
    found = result(name, dtype)
    for at in places(found):
        value = int(found.outputs[0].flat[at])
        off = value - sign if abs(value) == 127 else value + sign
        with pytest.raises(WrongResult, match=r"1 of .* integers differ"):
            VARIANTS[name].check(with_element(found, at, off))


@pytest.mark.parametrize(("name", "dtype"), MANY)
def test_an_element_that_still_holds_what_it_held_before_the_call_is_wrong(name: str, dtype: str) -> None:
    found = result(name, dtype)
    kind = VARIANTS[name].outputs(found.shape, dtype)[0][1]
    untouched = SENTINEL[kind] if kind in SENTINEL and kind != "bf16" else np.nan
    for at in places(found):
        with pytest.raises(WrongResult):
            VARIANTS[name].check(with_element(found, at, untouched))


@pytest.mark.parametrize(("name", "dtype"), MANY)
def test_an_output_one_element_further_along_is_wrong(name: str, dtype: str) -> None:
    found = result(name, dtype)
    shifted = np.roll(found.outputs[0].reshape(-1), 1).reshape(found.outputs[0].shape)
    with pytest.raises(WrongResult):
        VARIANTS[name].check(replace(found, outputs=(shifted, *found.outputs[1:])))
