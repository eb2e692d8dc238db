"""Matrix times vector with weights of 8 and 4 bits: shapes, integers, what quantization may and may not do."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernelbench.kernels._check import WrongResult
from kernelbench.kernels._registry import random_values
from kernelbench.kernels._weights import CHUNK, GROUPS, LANES, pack_bytes, pack_nibbles, quantize
from kernelbench.kernels._weights_check import quantize_activations
from kernelbench.kernels.gemv_quantized import SERIAL_BELOW
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

OURS = sorted(name for name, _ in of_op("gemv") if name.startswith(("gemv/int8", "gemv/int4")))
EVERY = [*OURS, *(name for name, _ in of_op("gemv") if name.startswith("gemv/onnx"))]
ROUNDED = [name for name in OURS if "_dot" in name]
"""Those that quantize x as well."""
CASES = [(name, group) for name in EVERY for group in (GROUPS if VARIANTS[name].params else (0,))]
SHAPES = (
    *((0, 0), (0, 5), (5, 0), (1, 1), (1, 7), (7, 1), (2, 1009), (301, 3)),
    # One off the edges of a panel of rows, of a chunk of columns and of a group of 128.
    *((LANES - 1, CHUNK - 1), (LANES, CHUNK), (LANES + 1, CHUNK + 1), (2 * LANES + 1, 127), (LANES - 1, 129)),
)


def shape_of(m: int, n: int, group: int) -> dict[str, int]:
    return sizes("gemv", m, n) | ({"group": group} if group else {})


@pytest.mark.parametrize(("name", "group"), CASES)
@pytest.mark.parametrize("offset", [0, 1])
def test_quantized_weights_are_right_at_awkward_shapes_and_places(name: str, group: int, offset: int) -> None:
    for m, n in SHAPES:
        VARIANTS[name].check(ran(name, "f32", shape_of(m, n, group), seed=m + n, offset=offset))


@pytest.mark.parametrize("name", ["gemv/int8_dot", "gemv/int4_dot", "gemv/int4"])
@few
@given(m=st.integers(1, 40), n=st.integers(1, 300), group=st.sampled_from(GROUPS), seed=st.integers(0, 99))
def test_quantized_weights_are_right_at_any_shape(name: str, m: int, n: int, group: int, seed: int) -> None:
    shape = shape_of(m, n, group if VARIANTS[name].params else 0)
    VARIANTS[name].check(ran(name, "f32", shape, seed=seed, offset=seed % 3))


@pytest.mark.parametrize("name", [name for name in OURS if name.endswith("parallel")])
def test_panels_are_shared_out_above_the_crossover(name: str) -> None:
    n = 1021
    VARIANTS[name].check(ran(name, "f32", sizes("gemv", SERIAL_BELOW // n + LANES + 1, n)))


@pytest.mark.parametrize("name", EVERY)
def test_quantized_weights_without_columns_give_zeros(name: str) -> None:
    assert ran(name, "f32", sizes("gemv", 3, 0)).outputs[0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", ROUNDED)
@pytest.mark.parametrize("group", GROUPS)
def test_whole_numbers_of_every_size_multiply_exactly(name: str, group: int) -> None:
    rng = np.random.default_rng(group)
    top = 7 if "int4" in name else 127
    a = rng.integers(-top, top, (19, 300), endpoint=True).astype(np.float32)
    x = rng.integers(-127, 127, 300, endpoint=True).astype(np.float32)
    # The largest number in every group makes every step 1, so that numbers are their own integers.
    a[:, ::CHUNK], x[::CHUNK] = -top, -127
    a[3], a[4], x[64:128] = top, -top, 127
    found = ran(name, "f32", shape_of(19, 300, group if "int4" in name else 0), inputs=(a, x))
    assert found.outputs[0].tolist() == (a.astype(np.int64) @ x.astype(np.int64)).tolist()


@pytest.mark.parametrize("name", OURS)
def test_nan_in_the_vector_reaches_every_row_of_a_quantized_product(name: str) -> None:
    a, x = VARIANTS[name].op.inputs(sizes("gemv", 9, 37), "f32", np.random.default_rng(3))
    x[11] = np.nan
    found = ran(name, "f32", sizes("gemv", 9, 37), inputs=(a, x))
    assert np.isnan(found.outputs[0]).all()


@pytest.mark.parametrize("name", ROUNDED)
@pytest.mark.parametrize("at", [0, 36])
def test_infinity_in_a_quantized_vector_makes_every_result_nan(name: str, at: int) -> None:
    a, x = VARIANTS[name].op.inputs(sizes("gemv", 9, 37), "f32", np.random.default_rng(3))
    x[at] = -np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = ran(name, "f32", sizes("gemv", 9, 37), inputs=(a, x))
    assert np.isnan(found.outputs[0]).all()


@pytest.mark.parametrize("name", ROUNDED)
@pytest.mark.parametrize("scale", [1e-44, 1e-38, 1e30])
def test_a_vector_of_tiny_or_huge_numbers_neither_wraps_nor_overflows(name: str, scale: float) -> None:
    x = (np.float32(scale) * random_values(np.random.default_rng(1), (70,), "f32")).astype(np.float32)
    a = random_values(np.random.default_rng(2), (5, 70), "f32")
    y = ran(name, "f32", sizes("gemv", 5, 70), inputs=(a, x)).outputs[0]
    assert (np.abs(y) <= 1.1 * np.abs(a) @ np.abs(x).astype(np.float64) + 70 * np.finfo(np.float32).tiny).all()


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_without_an_integer_are_refused(name: str, bad: float) -> None:
    a = np.ones((3, 40), np.float32)
    a[1, 33] = bad
    variant = VARIANTS[name]
    with pytest.raises(ValueError, match="NaN or infinity, which no integer represents"):
        variant.prepare((a, np.ones(40, np.float32)), variant.whole(sizes("gemv", 3, 40)))


finite = st.floats(-1, 1, width=32) | st.floats(allow_nan=False, allow_infinity=False, width=32)


@few
@given(
    a=arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 70)), elements=finite),
    bits=st.sampled_from([8, 4]),
)
def test_a_quantized_weight_errs_by_half_a_step_and_stays_in_range(a: np.ndarray, bits: int) -> None:
    q, steps = quantize(a, bits, CHUNK)
    across = np.repeat(steps.astype(np.float64), CHUNK, axis=1)[:, : a.shape[1]]
    assert np.abs(q).max() <= {8: 127, 4: 7}[bits]
    assert (np.abs(q[:, : a.shape[1]] * across - a) <= 0.5 * across * (1 + 1e-5)).all()


@few
@given(x=arrays(np.float32, st.integers(1, 70), elements=finite))
def test_a_quantized_activation_errs_by_half_a_step_and_stays_in_range(x: np.ndarray) -> None:
    q, step, _ = quantize_activations(x, CHUNK)
    assert np.abs(q).max() <= 127
    assert (np.abs(q * step - x) <= 0.5 * step * (1 + 1e-5)).all()


@pytest.mark.parametrize("name", OURS)
@few
@given(a=arrays(np.float32, (5, 45), elements=st.floats(-8, 8, width=32)), zero_row=st.integers(0, 4))
def test_a_quantized_product_passes_its_check_for_any_weights(name: str, a: np.ndarray, zero_row: int) -> None:
    a[zero_row] = 0
    x = random_values(np.random.default_rng(2), (45,), "f32")
    found = ran(name, "f32", sizes("gemv", 5, 45), inputs=(a, x))
    VARIANTS[name].check(found)
    assert found.outputs[0][zero_row] == 0


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("at", [0, 31, 32, 44])
def test_one_weight_off_by_one_step_is_caught_though_quantization_errs_by_more(name: str, at: int) -> None:
    found = ran(name, "f32", sizes("gemv", 6, 45), seed=8)
    a, x = found.inputs
    eight = "int8" in name
    group = 45 if eight else CHUNK
    _, steps = quantize(a, 8 if eight else 4, group)
    wrong = found.outputs[0].copy()
    wrong[4] += steps[4, at // group] * x[at]
    with pytest.raises(WrongResult, match="on the quantized factors"):
        VARIANTS[name].check(replace(found, outputs=(wrong,)))


def test_packed_nibbles_lie_16_apart_in_a_byte_and_rows_in_lanes() -> None:
    q = (np.arange((LANES + 1) * 2 * CHUNK) % 15 - 7).astype(np.int8).reshape(LANES + 1, -1)
    packed = pack_nibbles(q)
    assert packed.shape == (2, 2, 4, LANES)
    one = np.ascontiguousarray(packed[1, 1, :, 0]).view(np.uint8)  # the row after a whole panel, its second chunk
    assert ((one & 15).astype(int) - 8).tolist() == q[LANES, CHUNK : CHUNK + 16].tolist()
    assert ((one >> 4).astype(int) - 8).tolist() == q[LANES, CHUNK + 16 :].tolist()


def test_packed_bytes_hold_four_neighbours_of_a_row_in_a_lane() -> None:
    q = (np.arange((LANES + 1) * CHUNK) % 255 - 127).astype(np.int8).reshape(LANES + 1, -1)
    packed = pack_bytes(q)
    assert packed.shape == (2, 1, 8, LANES)
    one = np.ascontiguousarray(packed[1, 0, :, 0]).view(np.uint8)
    assert (one.astype(int) - 128).tolist() == q[LANES].tolist()


@pytest.mark.parametrize(("name", "group"), [case for case in CASES if case[0] in OURS])
def test_the_work_of_quantized_weights_counts_the_bytes_of_whole_panels(name: str, group: int) -> None:
    variant = VARIANTS[name]
    shape = shape_of(2 * LANES, 256, group)
    work = variant.work(shape, "f32")
    prepared = variant.make_inputs(shape, "f32").arrays
    assert work.read_bytes == sum(array.nbytes for array in prepared if isinstance(array, np.ndarray))
    assert work.flop == 2 * 2 * LANES * 256


@pytest.mark.parametrize("name", ["gemv/int8", "gemv/int8_dot", "gemv/int4", "gemv/int4_dot"])
def test_narrow_weights_are_multiplied_in_vectors(name: str) -> None:
    assert isa_used(assembly(name, "f32")) != "scalar"
