"""8-bit variants: the integers are exact, whatever the values; the quantization itself errs by half a step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernelbench.kernels._quantize import absmax_int8
from kernelbench.kernels._registry import random_values
from tests.kernels.running import VARIANTS, few, ran, sizes

finite = st.floats(-1, 1) | st.floats(allow_nan=False, allow_infinity=False)


@few
@given(arrays(np.float64, st.integers(1, 50), elements=finite))
def test_quantizing_errs_by_half_a_step_at_most(x: np.ndarray) -> None:
    q, scale = absmax_int8(x)
    assert np.abs(q - x / scale).max() <= 0.5 * (1 + 1e-9)


@few
@given(arrays(np.float64, st.integers(1, 50), elements=finite))
def test_quantized_values_stay_within_127(x: np.ndarray) -> None:
    assert np.abs(absmax_int8(x)[0].astype(int)).max() <= 127


def test_the_largest_magnitudes_become_127_and_minus_127() -> None:
    q, scale = absmax_int8(np.array([-2.54, 1.27, 2.54], np.float64))
    assert q.tolist() == [-127, 64, 127]
    assert scale == pytest.approx(0.02)


def test_halves_round_to_even() -> None:
    assert absmax_int8(np.array([127.0, 0.5, 1.5, 2.5]))[0].tolist() == [127, 0, 2, 2]


def test_all_zeros_quantize_to_zeros_with_scale_one() -> None:
    q, scale = absmax_int8(np.zeros(3, np.float32))
    assert (q.tolist(), scale) == ([0, 0, 0], 1.0)


def test_denormals_quantize_without_wrapping_around() -> None:
    # 190 x 5e-324 / 127 would round to 1 x 5e-324, and 190 wraps as an 8-bit integer.
    assert np.abs(absmax_int8(np.array([190 * 5e-324]))[0]).max() <= 127


def test_an_empty_array_quantizes_to_an_empty_array() -> None:
    assert absmax_int8(np.empty(0, np.float32))[0].size == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_cannot_be_quantized(bad: float) -> None:
    with pytest.raises(ValueError, match="NaN or infinity, which int8 cannot represent"):
        absmax_int8(np.array([1.0, bad]))


def test_int8_relu_gets_operands_of_either_sign_that_use_the_whole_range() -> None:
    (x,) = VARIANTS["relu/int8"].make_inputs(1000, "i8", seed=1).arrays
    assert x.min() < -120
    assert x.max() > 120
    assert (x != 0).all()


def test_an_int8_product_of_extremes_is_exact() -> None:
    # Every product is 127 x 127 with one sign: the largest sum that k = 257 products can give.
    a, b = np.full((13, 257), -1.0, np.float32), np.full((257, 33), 1.0, np.float32)
    found = ran("matmul/int8", "i8", sizes("matmul", 13, 33, 257), inputs=(a, b))
    assert (found.outputs[0] == -257 * 127 * 127).all()


@pytest.mark.parametrize("operand", [0, 1])
def test_an_int8_product_with_an_all_zero_operand_is_zero(operand: int) -> None:
    made = [random_values(np.random.default_rng(1), size, "f32") for size in ((14, 9), (9, 35))]
    made[operand][...] = 0
    found = ran("matmul/int8", "i8", sizes("matmul", 14, 35, 9), inputs=tuple(made))
    assert (found.outputs[0] == 0).all()


@few
@given(data=st.data(), m=st.integers(1, 26), n=st.integers(1, 40), k=st.integers(1, 20))
def test_an_int8_product_equals_python_integers(data: st.DataObject, m: int, n: int, k: int) -> None:
    whole = st.integers(-127, 127).map(float)
    a, b = data.draw(arrays(np.float32, (m, k), elements=whole)), data.draw(arrays(np.float32, (k, n), elements=whole))
    qa, qb = (absmax_int8(x)[0].astype(object) for x in (a, b))
    found = ran("matmul/int8", "i8", sizes("matmul", m, n, k), inputs=(a, b))
    assert (found.outputs[0] == qa @ qb).all()


@few
@given(arrays(np.float32, st.integers(1, 40), elements=st.floats(-8, 8, width=32)))
def test_int8_relu_passes_its_check_for_any_values(x: np.ndarray) -> None:
    VARIANTS["relu/int8"].check(ran("relu/int8", "i8", {"n": x.size}, inputs=(x,)))
