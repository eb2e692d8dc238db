"""quantize and dequantize: awkward shapes, the exact integers, rows without any, and the way there and back."""

import platform
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernelbench.kernels._check import Verification, WrongResult
from kernelbench.kernels._rows import PARALLEL_ELEMENTS
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

ALL = [*of_op("quantize"), *of_op("dequantize")]
QUANTIZE, DEQUANTIZE = ([name for name, _ in of_op(op)] for op in ("quantize", "dequantize"))
OURS = ["quantize/naive", "quantize/vectorized", "quantize/parallel"]
SHAPES = (
    *((0, 0), (0, 5), (5, 0), (1, 1), (1, 7), (7, 1), (3, 15), (2, 16), (3, 17), (2, 63), (2, 65), (2, 1009)),
    (3, 129),
)


def quantized(name: str, x: np.ndarray) -> Verification:
    found = ran(name, "i8", sizes("quantize", *x.shape), inputs=(x,))
    VARIANTS[name].check(found)
    return found


@pytest.mark.parametrize(("name", "dtype"), ALL)
@pytest.mark.parametrize("offset", [0, 1])
def test_a_conversion_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for size in SHAPES:
        VARIANTS[name].check(ran(name, dtype, sizes(VARIANTS[name].op.name, *size), seed=sum(size), offset=offset))


@pytest.mark.parametrize("op", ["quantize", "dequantize"])
def test_a_parallel_conversion_is_right_above_its_crossover(op: str) -> None:
    name, dtype = next(pair for pair in of_op(op) if pair[0].endswith("parallel"))
    VARIANTS[name].check(ran(name, dtype, sizes(op, 5, PARALLEL_ELEMENTS // 5 + 1)))


values = st.floats(-1, 1, width=32) | st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.mark.parametrize("name", QUANTIZE)
@few
@given(x=arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 40)), elements=values))
def test_any_finite_values_become_the_exact_integers_within_127(name: str, x: np.ndarray) -> None:
    q, scale = quantized(name, x).outputs
    assert np.abs(q.astype(int)).max() <= 127
    assert (np.abs(q * scale.astype(np.float64) - x) <= 0.5001 * scale.astype(np.float64)).all()


@pytest.mark.parametrize("name", QUANTIZE)
def test_the_largest_becomes_127_and_halves_go_to_even(name: str) -> None:
    steps = np.array([[127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, -127, 126.5, 0, -0.0]], np.float32)
    q, scale = quantized(name, np.repeat(steps, 2, axis=1)).outputs
    assert scale.tolist() == [[1]]
    assert q[0, ::2].tolist() == [127, 0, 2, 2, 0, -2, -2, -127, 126, 0, 0]


@pytest.mark.parametrize("name", QUANTIZE)
def test_a_row_of_zeros_has_scale_one(name: str) -> None:
    q, scale = quantized(name, np.zeros((3, 20), np.float32)).outputs
    assert not q.any()
    assert (scale == 1).all()


@pytest.mark.parametrize("name", QUANTIZE)
def test_denormal_and_huge_rows_stay_in_range(name: str) -> None:
    x = np.ones((4, 20), np.float32) * np.array([[1e-45], [1e-38], [1e-36], [3.4e38]], np.float32)
    q, scale = quantized(name, x).outputs
    assert np.abs(q.astype(int)).max() <= 127
    assert (scale >= np.finfo(np.float32).tiny).all()


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("odd", [np.nan, -np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [0, 17, 70])
def test_a_row_without_integers_has_no_scale_and_the_others_keep_theirs(name: str, odd: float, at: int) -> None:
    x = np.ones((3, 71), np.float32)
    x[1, at] = odd
    q, scale = quantized(name, x).outputs
    assert np.isnan(scale).reshape(-1).tolist() == [False, True, False]
    assert not q[1].any()
    assert (q[::2] == 127).all()


@pytest.mark.parametrize("name", ["quantize/vectorized", "quantize/numpy"])
def test_a_wrong_scale_is_caught_where_the_integers_are_right(name: str) -> None:
    found = ran(name, "i8", sizes("quantize", 3, 20))
    q, scale = found.outputs
    wrong = scale.copy()
    wrong[2] = np.nextafter(wrong[2], np.float32(9))
    with pytest.raises(WrongResult, match="scale"):
        VARIANTS[name].check(replace(found, outputs=(q, wrong)))


@pytest.mark.parametrize("name", DEQUANTIZE)
def test_every_byte_is_widened_exactly(name: str) -> None:
    q = np.arange(-128, 128, dtype=np.int8)[None, :]
    found = ran(name, "f32", sizes("dequantize", 1, 256), inputs=(q, np.ones((1, 1), np.float32)))
    assert found.outputs[0].tolist() == q.tolist()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's own variant meets 0 times infinity
@pytest.mark.parametrize("name", DEQUANTIZE)
@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_a_scale_that_is_not_finite_takes_its_row_only(name: str, odd: float) -> None:
    q, scale = VARIANTS[name].op.inputs(sizes("dequantize", 3, 37), "f32", np.random.default_rng(1))
    q[1, :2], scale[1] = (0, 5), odd
    found = ran(name, "f32", sizes("dequantize", 3, 37), inputs=(q, scale))
    VARIANTS[name].check(found)
    assert not np.isfinite(found.outputs[0][1]).any()
    assert np.isfinite(found.outputs[0][::2]).all()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")
@pytest.mark.parametrize(("op", "dtype"), [("quantize", "i8"), ("dequantize", "f32")])
def test_the_naive_conversion_is_scalar_and_the_next_rung_is_not(op: str, dtype: str) -> None:
    assert isa_used(assembly(f"{op}/naive", dtype)) == "scalar"
    assert isa_used(assembly(f"{op}/vectorized", dtype)) != "scalar"
