"""bf16 as bits: rounded to nearest even, exact the other way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels._bf16 import decode, encode
from tests.kernels.running import few


@few
@given(st.lists(st.integers(0, 0xFFFF), max_size=40))
def test_every_bf16_survives_the_way_to_f32_and_back(words: list[int]) -> None:
    bits = np.array(words, np.uint16)
    wide = decode(bits)
    numbers = ~np.isnan(wide)
    assert encode(wide)[numbers].tolist() == bits[numbers].tolist()


@few
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_encoding_takes_the_nearest(values: list[float]) -> None:
    x = np.array(values, np.float32)
    bits = encode(x)
    here = decode(bits).astype(np.float64)
    near = np.array([decode(np.uint16([max(0, int(b) - 1), min(0xFFFF, int(b) + 1)])) for b in bits], np.float64)
    finite = np.isfinite(near).all(axis=1) & np.isfinite(here)
    assert (np.abs(here - x)[finite, None] <= np.abs(near - x.astype(np.float64)[:, None])[finite]).all()


@pytest.mark.parametrize(
    ("bits", "expected"), [(0x3F808000, 0x3F80), (0x3F818000, 0x3F82), (0x3F808001, 0x3F81), (0x7F7FFFFF, 0x7F80)]
)
def test_halves_go_to_even_and_what_is_too_large_to_infinity(bits: int, expected: int) -> None:
    assert encode(np.array([bits], np.uint32).view(np.float32)).tolist() == [expected]


@pytest.mark.parametrize("bits", [0x7F800001, 0xFF800001, 0x7FFFFFFF, 0x7FC00000])
def test_nan_stays_nan_with_its_sign(bits: int) -> None:
    made = encode(np.array([bits], np.uint32).view(np.float32))
    assert np.isnan(decode(made)).all()
    assert made[0] >> 15 == bits >> 31


@pytest.mark.parametrize("size", [(), (0, 3), (2, 3)])
def test_shapes_are_kept(size: tuple[int, ...]) -> None:
    assert encode(np.zeros(size, np.float32)).shape == size
    assert decode(np.zeros(size, np.uint16)).shape == size


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="float64"):
        encode(np.zeros(1))
    with pytest.raises(TypeError, match="uint8"):
        decode(np.zeros(1, np.uint8))
