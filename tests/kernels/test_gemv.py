"""Matrix times vector: awkward shapes, special values, and weights of 8 and 4 bits."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernelbench.kernels._check import WrongResult
from kernelbench.kernels._registry import random_values
from kernelbench.kernels._weights import GROUP, pack_nibbles, quantize
from kernelbench.kernels.gemv import BAND, ROWS
from kernelbench.simd.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

SHAPES = (
    *((0, 0), (0, 5), (5, 0), (1, 1), (1, 7), (7, 1), (2, 1009), (301, 3)),
    # One off the edges of the rows taken together, of a thread's band and of a group of 4-bit weights.
    *(
        (ROWS - 1, GROUP - 1),
        (ROWS, GROUP),
        (ROWS + 1, GROUP + 1),
        (BAND - 1, 2 * GROUP - 1),
        (BAND + 1, 2 * GROUP + 1),
    ),
)
QUANTIZED = ["gemv/int8", "gemv/int4", "gemv/int4_parallel"]
FLOATS = [pair for pair in of_op("gemv") if pair[0] not in QUANTIZED]


@pytest.mark.parametrize(("name", "dtype"), of_op("gemv"))
@pytest.mark.parametrize("offset", [0, 1])
def test_a_matrix_times_a_vector_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for m, n in SHAPES:
        VARIANTS[name].check(ran(name, dtype, sizes("gemv", m, n), seed=m + n, offset=offset))


@pytest.mark.parametrize(("name", "dtype"), [("gemv/tiled", "f32"), ("gemv/parallel", "f64"), ("gemv/int4", "f32")])
@few
@given(m=st.integers(1, 70), n=st.integers(1, 140), seed=st.integers(0, 99))
def test_a_matrix_times_a_vector_is_right_at_any_shape(name: str, dtype: str, m: int, n: int, seed: int) -> None:
    VARIANTS[name].check(ran(name, dtype, sizes("gemv", m, n), seed=seed, offset=seed % 3))


@pytest.mark.parametrize(("name", "dtype"), of_op("gemv"))
def test_a_matrix_without_columns_gives_zeros(name: str, dtype: str) -> None:
    assert ran(name, dtype, sizes("gemv", 3, 0)).outputs[0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("name", "dtype"), FLOATS)
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_in_a_row_reaches_that_row_only(name: str, dtype: str, odd: float) -> None:
    a, x = VARIANTS[name].op.inputs(sizes("gemv", 9, 37), dtype, np.random.default_rng(3))
    a[5, 20] = odd
    found = ran(name, dtype, sizes("gemv", 9, 37), inputs=(a, x))
    VARIANTS[name].check(found)
    assert np.flatnonzero(~np.isfinite(found.outputs[0])).tolist() == [5]


@pytest.mark.parametrize(("name", "dtype"), of_op("gemv"))
def test_nan_in_the_vector_reaches_every_row(name: str, dtype: str) -> None:
    a, x = VARIANTS[name].op.inputs(sizes("gemv", 9, 37), dtype, np.random.default_rng(3))
    x[11] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = ran(name, dtype, sizes("gemv", 9, 37), inputs=(a, x))
    assert np.isnan(found.outputs[0]).all()


@pytest.mark.parametrize("name", QUANTIZED)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_without_an_integer_are_refused(name: str, bad: float) -> None:
    a = np.ones((3, 40), np.float32)
    a[1, 33] = bad
    with pytest.raises(ValueError, match="NaN or infinity, which no integer represents"):
        VARIANTS[name].prepare((a, np.ones(40, np.float32)))


finite = st.floats(-1, 1, width=32) | st.floats(allow_nan=False, allow_infinity=False, width=32)


@few
@given(
    a=arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 70)), elements=finite),
    bits=st.sampled_from([8, 4]),
)
def test_a_quantized_weight_errs_by_half_a_step_and_stays_in_range(a: np.ndarray, bits: int) -> None:
    q, steps = quantize(a, bits, GROUP)
    across = np.repeat(steps.astype(np.float64), GROUP, axis=1)[:, : a.shape[1]]
    assert np.abs(q).max() <= {8: 127, 4: 7}[bits]
    assert (np.abs(q[:, : a.shape[1]] * across - a) <= 0.5 * across * (1 + 1e-5)).all()


@pytest.mark.parametrize("name", QUANTIZED)
@few
@given(a=arrays(np.float32, (5, 45), elements=st.floats(-8, 8, width=32)), zero_row=st.integers(0, 4))
def test_a_quantized_product_passes_its_check_for_any_weights(name: str, a: np.ndarray, zero_row: int) -> None:
    a[zero_row] = 0
    x = random_values(np.random.default_rng(2), (45,), "f32")
    found = ran(name, "f32", sizes("gemv", 5, 45), inputs=(a, x))
    VARIANTS[name].check(found)
    assert found.outputs[0][zero_row] == 0


@pytest.mark.parametrize("name", QUANTIZED)
@pytest.mark.parametrize("at", [0, 31, 32, 44])
def test_one_weight_off_by_one_step_is_caught_though_quantization_errs_by_more(name: str, at: int) -> None:
    found = ran(name, "f32", sizes("gemv", 6, 45), seed=8)
    a, x = found.inputs
    group = 45 if name == "gemv/int8" else GROUP
    _, steps = quantize(a, 8 if name == "gemv/int8" else 4, group)
    wrong = found.outputs[0].copy()
    wrong[4] += steps[4, at // group] * x[at]
    with pytest.raises(WrongResult, match="on the quantized weights"):
        VARIANTS[name].check(replace(found, outputs=(wrong,)))


def test_packed_weights_lie_16_apart_in_a_byte() -> None:
    q = (np.arange(2 * GROUP) % 15 - 7).astype(np.int8)[None, :]
    packed = pack_nibbles(q)
    assert packed.shape == (1, GROUP)
    low, high = (packed & 15).astype(int) - 8, (packed >> 4).astype(int) - 8
    assert low[0, :16].tolist() == q[0, :16].tolist()
    assert high[0, :16].tolist() == q[0, 16:32].tolist()
    assert high[0, 16:].tolist() == q[0, 48:].tolist()


def test_the_work_of_quantized_weights_counts_the_bytes_that_are_prepared() -> None:
    for name in QUANTIZED:
        variant = VARIANTS[name]
        shape = sizes("gemv", 10, 50)
        work = variant.work(shape, "f32")
        prepared = variant.make_inputs(shape, "f32").arrays
        assert work.read_bytes == sum(array.nbytes for array in prepared)
        assert work.flop == 2 * 10 * 50


@pytest.mark.parametrize("name", ["gemv/int8", "gemv/int4"])
def test_narrow_weights_are_widened_in_vectors(name: str) -> None:
    assert isa_used(assembly(name, "f32")) != "scalar"
