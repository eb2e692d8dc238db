"""transpose: any shape and place, every value unchanged, squares of vectors at every width."""

import platform
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels._check import WrongResult
from kernelbench.kernels._registry import NUMPY
from kernelbench.kernels.transpose import BAND
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran

SHAPES = (
    (0, 0),
    (0, 5),
    (5, 0),
    (1, 1),
    (1, 7),
    (7, 1),
    (3, 1009),
    (1009, 2),
    # One off the sides of a square (4 to 16) and of a band of rows of y.
    (15, 16),
    (16, 16),
    (17, 15),
    (31, 33),
    (16, BAND - 1),
    (17, BAND),
    (33, BAND + 1),
    (32, 2 * BAND),
)


@pytest.mark.parametrize(("name", "dtype"), of_op("transpose"))
@pytest.mark.parametrize("offset", [0, 1])
def test_a_transpose_has_every_value_in_its_place_at_awkward_shapes(name: str, dtype: str, offset: int) -> None:
    for m, n in SHAPES:
        found = ran(name, dtype, {"m": m, "n": n}, seed=m + n, offset=offset)
        assert np.array_equal(found.outputs[0], found.inputs[0].T)
        VARIANTS[name].check(found)


@pytest.mark.parametrize("name", ["transpose/blocked", "transpose/vectorized"])
@few
@given(m=st.integers(1, 70), n=st.integers(1, 140), seed=st.integers(0, 99))
def test_a_transpose_is_right_at_any_shape(name: str, m: int, n: int, seed: int) -> None:
    VARIANTS[name].check(ran(name, "f32", {"m": m, "n": n}, seed=seed, offset=seed % 3))


@pytest.mark.parametrize(("name", "dtype"), of_op("transpose"))
def test_special_values_keep_every_bit(name: str, dtype: str) -> None:
    x = np.ones((18, 35), NUMPY[dtype])
    info = np.finfo(NUMPY[dtype])
    x.reshape(-1)[::5] = np.resize([np.nan, np.inf, -np.inf, -0.0, info.smallest_subnormal, info.max], 126)
    found = ran(name, dtype, {"m": 18, "n": 35}, inputs=(x,))
    assert found.outputs[0].tobytes() == np.ascontiguousarray(x.T).tobytes()


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_two_values_that_changed_places_are_wrong(dtype: str) -> None:
    found = ran("transpose/vectorized", dtype, {"m": 9, "n": 12})
    wrong = found.outputs[0].copy()
    wrong[3, 2], wrong[2, 3] = found.outputs[0][2, 3], found.outputs[0][3, 2]
    with pytest.raises(WrongResult, match="2 of 108 elements wrong"):
        VARIANTS["transpose/vectorized"].check(replace(found, outputs=(wrong,)))


def test_an_operand_left_as_it_was_is_wrong() -> None:
    found = ran("transpose/naive", "f32", {"m": 8, "n": 8})
    with pytest.raises(WrongResult):
        VARIANTS["transpose/naive"].check(replace(found, outputs=(found.inputs[0].copy(),)))


def test_a_transpose_moves_bytes_and_computes_nothing() -> None:
    work = VARIANTS["transpose/vectorized"].work({"m": 10, "n": 30}, "f32")
    assert (work.read_bytes, work.write_bytes, work.working_set_bytes) == (1200, 1200, 2400)
    assert not work.flop
    assert not work.mix


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")
@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_naive_is_scalar_and_the_squares_are_vectors(dtype: str) -> None:
    assert isa_used(assembly("transpose/naive", dtype)) == "scalar"
    assert isa_used(assembly("transpose/vectorized", dtype)) != "scalar"
