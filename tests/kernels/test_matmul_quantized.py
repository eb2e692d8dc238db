"""matmul that quantizes its activations: exact integers, zero points, saturation, and what has no byte."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernelbench.kernels._activations import quantize_all, quantize_rows, to_bytes
from kernelbench.kernels._check import WrongResult
from kernelbench.kernels._dot_tile import KC, MR_I8, NR
from kernelbench.kernels._quantize import absmax_int8_columns, affine_uint8
from kernelbench.kernels._registry import random_values
from kernelbench.kernels.matmul_quantized import int8_requantized
from tests.kernels.running import VARIANTS, few, ran, sizes

FLOATS = [f"matmul/{name}" for name in ("int8_affine", "int8_per_channel", "int8_per_channel_parallel")]
ALL = [*FLOATS, "matmul/int8_requantized"]
rows_of_floats = arrays(
    np.float32, st.tuples(st.integers(1, 5), st.integers(1, 70)), elements=st.floats(-8, 8, width=32)
)


def as_kernels_do(x: np.ndarray, by_row: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    q, steps, zeros = np.zeros(x.shape, np.uint8), np.zeros(len(x), np.float32), np.zeros(len(x), np.int32)
    if by_row:
        quantize_rows(x, 0, len(x), q, steps, zeros)
    else:
        quantize_all(x, q, steps, zeros)
    return q, steps, zeros


@pytest.mark.parametrize("by_row", [False, True])
@few
@given(x=rows_of_floats)
def test_bytes_steps_and_zero_points_are_those_of_numpy(by_row: bool, x: np.ndarray) -> None:
    for ours, theirs in zip(as_kernels_do(x, by_row), affine_uint8(x, 1 if by_row else None), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@few
@given(x=rows_of_floats)
def test_quantizing_errs_by_half_a_step_and_keeps_zero_exact(x: np.ndarray) -> None:
    q, steps, zeros = as_kernels_do(x, True)
    back = (q.astype(np.float64) - zeros[:, None]) * steps[:, None]
    assert (np.abs(back - x) <= 0.5 * steps[:, None] * (1 + 1e-4)).all()
    assert (back[x == 0] == 0).all()


def test_an_all_zero_row_has_step_one_and_gives_zeros() -> None:
    x = np.zeros((2, 70), np.float32)
    x[1, 3] = 5
    q, steps, zeros = as_kernels_do(x, True)
    assert (steps[0], zeros[0], q[0].max()) == (1.0, 0, 0)
    b = random_values(np.random.default_rng(1), (70, 9), "f32")
    for name in ALL:
        assert (ran(name, "i8", sizes("matmul", 2, 9, 70), inputs=(x, b)).outputs[0][0] == 0).all()


@pytest.mark.parametrize("value", [-3e38, -1e4, 1e4, 3e38])
def test_what_lies_beyond_the_range_saturates(value: float) -> None:
    x, q = np.full(70, value, np.float32), np.full(70, 7, np.uint8)
    to_bytes(x, 0, 70, np.float32(0.5), np.float32(100), q)
    assert (q == (255 if value > 0 else 0)).all()


@pytest.mark.parametrize("peak", [1e-44, 1e-39, 3e38])
def test_the_smallest_and_largest_numbers_have_bytes_too(peak: float) -> None:
    x = np.array([[peak, -peak, 0.0]], np.float32)
    q, steps, zeros = as_kernels_do(x, True)
    back = (q.astype(np.float64) - zeros[:, None]) * steps[:, None]
    assert (np.abs(back - x) <= 0.5 * steps[:, None] * (1 + 1e-4)).all()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "size", [(MR_I8 + 1, NR + 1, 4 * KC + 1), (1, 1, 1), (3, 5, 2), (16, NR, 7), (2 * MR_I8, 3, 70)]
)
@pytest.mark.parametrize("offset", [0, 1])
def test_a_quantized_product_is_right_at_awkward_shapes_and_places(
    name: str, size: tuple[int, int, int], offset: int
) -> None:
    VARIANTS[name].check(ran(name, "i8", sizes("matmul", *size), seed=sum(size), offset=offset))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [(0, 3, 2), (3, 0, 2), (3, 2, 0)])
def test_an_empty_product_is_empty_and_an_empty_sum_is_zero(name: str, size: tuple[int, int, int]) -> None:
    made = ran(name, "i8", sizes("matmul", *size)).outputs[0]
    assert made.shape == size[:2]
    assert (made == 0).all()


@pytest.mark.parametrize("name", ALL)
@few
@given(a=rows_of_floats, seed=st.integers(0, 99))
def test_a_quantized_product_passes_its_check_for_any_activations(name: str, a: np.ndarray, seed: int) -> None:
    m, k = a.shape
    b = np.random.default_rng(seed).standard_normal((k, 37), np.float32)
    VARIANTS[name].check(ran(name, "i8", sizes("matmul", m, 37, k), inputs=(a, b)))


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_has_no_byte_makes_nan_of_all_that_shares_its_range(name: str, odd: float) -> None:
    a, b = VARIANTS[name].op.inputs(sizes("matmul", 9, 37, 20), "i8", np.random.default_rng(3))
    a[5, 11] = odd
    found = ran(name, "i8", sizes("matmul", 9, 37, 20), inputs=(a, b))
    VARIANTS[name].check(found)
    lost = np.isnan(found.outputs[0])
    assert lost[5].all()
    assert lost.all() if name == "matmul/int8_affine" else lost.sum() == 37


@pytest.mark.parametrize("name", ALL)
def test_weights_without_an_integer_are_refused(name: str) -> None:
    a, b = VARIANTS[name].op.inputs(sizes("matmul", 3, 4, 5), "i8", np.random.default_rng(3))
    b[1, 1] = np.nan
    with pytest.raises(ValueError, match="NaN or infinity"):
        VARIANTS[name].prepare((a, b), sizes("matmul", 3, 4, 5))


def test_a_step_for_each_column_serves_columns_of_different_sizes() -> None:
    b = np.array([[1.0, 1000.0, 0.0], [-0.4, 400.0, 0.0]], np.float32)
    q, steps = absmax_int8_columns(b)
    assert q.tolist() == [[127, 127, 0], [-51, 51, 0]]
    assert steps.tolist() == pytest.approx([1 / 127, 1000 / 127, 1.0])


def test_steps_by_row_and_column_are_more_exact_where_rows_and_columns_differ() -> None:
    rng = np.random.default_rng(5)
    a = rng.standard_normal((8, 64), np.float32) * np.logspace(-2, 2, 8, dtype=np.float32)[:, None]
    b = rng.standard_normal((64, 40), np.float32) * np.logspace(-2, 2, 40, dtype=np.float32)
    exact = a.astype(np.float64) @ b
    error = {}
    for name in FLOATS[:2]:
        made = ran(name, "i8", sizes("matmul", 8, 40, 64), inputs=(a, b)).outputs[0]
        error[name] = float(np.median(np.abs(made - exact) / np.abs(exact)))
    assert error["matmul/int8_per_channel"] < 0.1 * error["matmul/int8_affine"]


def test_an_int8_result_saturates_at_127_of_either_sign() -> None:
    variant = VARIANTS["matmul/int8_requantized"]
    inputs = variant.make_inputs(sizes("matmul", 5, 37, 60), "i8", seed=2)
    *before, step = inputs.arrays
    c = np.zeros((5, 37), np.int8)
    int8_requantized(*before, step / 1000, c)
    assert set(np.abs(c.astype(int)).ravel()) == {127}


@pytest.mark.parametrize("name", FLOATS)
def test_one_integer_off_by_one_is_caught_though_quantization_errs_by_more(name: str) -> None:
    found = ran(name, "i8", sizes("matmul", 6, 45, 30), seed=8)
    by_row = name != "matmul/int8_affine"
    steps = affine_uint8(found.inputs[0], 1 if by_row else None)[1]
    wrong = found.outputs[0].copy()
    wrong[4, 40] += steps[4] * found.prepared[3][40]
    with pytest.raises(WrongResult, match=r"1 of 270 elements wrong; worst at \[4, 40\]"):
        VARIANTS[name].check(replace(found, outputs=(wrong,)))


def test_accuracy_is_reported_against_the_operands_as_they_were() -> None:
    name = "matmul/int8_per_channel"
    accuracy = VARIANTS[name].check(ran(name, "i8", sizes("matmul", 20, 40, 60), seed=8))
    assert accuracy.reference == "exact integers, then float64"
    assert 0 < accuracy.value < 0.016
    assert 30 < accuracy.snr_db < 60
