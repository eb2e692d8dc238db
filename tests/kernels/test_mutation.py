"""A check that passes a wrong output is worth nothing: every variant's own check sees one wrong element."""

from dataclasses import replace

import numpy as np
import pytest

from kernelbench.kernels._check import Verification, WrongResult
from tests.kernels.running import VARIANTS, all_variants, ran, sizes

SHAPES = {1: (37,), 2: (5, 9), 3: (5, 9, 6)}
"""Sizes by the number of an op's dimensions: odd ones, so that every kernel has a remainder."""


def elements(name: str, dtype: str) -> int:
    """How many numbers the variant's first output holds."""
    variant = VARIANTS[name]
    shape = sizes(variant.op.name, *SHAPES[len(variant.op.dims)])
    return int(np.prod(variant.outputs(shape, dtype)[0][0]))


MANY = [pair for pair in all_variants() if elements(*pair) > 1]
"""What gives one number has tests of its own: there is no neighbour to mistake it for."""


def result(name: str, dtype: str) -> Verification:
    op = VARIANTS[name].op.name
    return ran(name, dtype, sizes(op, *SHAPES[len(VARIANTS[name].op.dims)]), seed=9)


def places(found: Verification) -> list[int]:
    size = found.outputs[0].size
    return [0, 1, size // 2, size - 1]


def with_element(found: Verification, at: int, value: float) -> Verification:
    wrong = found.outputs[0].copy()
    wrong.reshape(-1)[at] = value
    return replace(found, outputs=(wrong, *found.outputs[1:]))


def magnitude(found: Verification, at: int) -> float:
    """What an error of element ``at`` is measured by: the sum of the magnitudes that made it."""
    parts = [np.abs(x.astype(np.float64)) for x in found.inputs]
    made = parts[0] @ parts[1] if "k" in found.shape else sum(parts)
    return float(made.reshape(-1)[at])


@pytest.mark.parametrize(("name", "dtype"), all_variants())
def test_what_the_variant_computed_passes(name: str, dtype: str) -> None:
    VARIANTS[name].check(result(name, dtype))


@pytest.mark.parametrize(("name", "dtype"), [pair for pair in MANY if pair[1] != "i8"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_float_off_by_a_thousandth_is_wrong(name: str, dtype: str, sign: int) -> None:
    found = result(name, dtype)
    for at in places(found):
        off = float(found.outputs[0].flat[at]) + sign * 1e-3 * magnitude(found, at)
        with pytest.raises(WrongResult):
            VARIANTS[name].check(with_element(found, at, off))


@pytest.mark.parametrize(("name", "dtype"), [pair for pair in all_variants() if pair[1] == "i8"])
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
    untouched = {"int8": -128, "int32": -(2**31)}.get(found.outputs[0].dtype.name, np.nan)
    for at in places(found):
        with pytest.raises(WrongResult):
            VARIANTS[name].check(with_element(found, at, untouched))


@pytest.mark.parametrize(("name", "dtype"), MANY)
def test_an_output_one_element_further_along_is_wrong(name: str, dtype: str) -> None:
    found = result(name, dtype)
    shifted = np.roll(found.outputs[0].reshape(-1), 1).reshape(found.outputs[0].shape)
    with pytest.raises(WrongResult):
        VARIANTS[name].check(replace(found, outputs=(shifted,)))
