"""Matrix times vector in floats: awkward shapes, special values, weights narrower than the vector."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels import _bf16
from kernelbench.kernels._gemv_rows import LONG_BYTES, ROWS
from kernelbench.kernels._registry import NUMPY
from kernelbench.kernels.gemv import BAND, SERIAL_BELOW
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

SHAPES = (
    *((0, 0), (0, 5), (5, 0), (1, 1), (1, 7), (7, 1), (2, 1009), (301, 3)),
    # One off the edges of the rows taken together and of a thread's band, and of vectors of 16.
    *((ROWS - 1, 31), (ROWS, 32), (ROWS + 1, 33), (BAND - 1, 63), (BAND + 1, 65)),
)
QUANTIZED = ("gemv/int8", "gemv/int4", "gemv/onnx")
FLOATS = [pair for pair in of_op("gemv") if not pair[0].startswith(QUANTIZED)]
PARALLEL = [pair for pair in FLOATS if pair[0].endswith("parallel")]


@pytest.mark.parametrize(("name", "dtype"), FLOATS)
@pytest.mark.parametrize("offset", [0, 1])
def test_a_matrix_times_a_vector_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for m, n in SHAPES:
        VARIANTS[name].check(ran(name, dtype, sizes("gemv", m, n), seed=m + n, offset=offset))


@pytest.mark.parametrize(("name", "dtype"), [("gemv/tiled", "f32"), ("gemv/vectorized", "f64"), ("gemv/bf16", "bf16")])
@few
@given(m=st.integers(1, 70), n=st.integers(1, 140), seed=st.integers(0, 99))
def test_a_matrix_times_a_vector_is_right_at_any_shape(name: str, dtype: str, m: int, n: int, seed: int) -> None:
    VARIANTS[name].check(ran(name, dtype, sizes("gemv", m, n), seed=seed, offset=seed % 3))


@pytest.mark.parametrize(("name", "dtype"), PARALLEL)
def test_bands_are_shared_out_above_the_crossover_for_short_and_long_vectors(name: str, dtype: str) -> None:
    long = LONG_BYTES // 4 + 5
    for m, n in ((SERIAL_BELOW // 200 + BAND + 1, 200), (SERIAL_BELOW // long + BAND + 1, long)):
        VARIANTS[name].check(ran(name, dtype, sizes("gemv", m, n), offset=1))


@pytest.mark.parametrize(("name", "dtype"), FLOATS)
def test_a_matrix_without_columns_gives_zeros(name: str, dtype: str) -> None:
    assert ran(name, dtype, sizes("gemv", 3, 0)).outputs[0].tolist() == [0, 0, 0]


def as_floats(y: np.ndarray) -> np.ndarray:
    return _bf16.decode(y) if y.dtype == NUMPY["bf16"] else y


@pytest.mark.parametrize(("name", "dtype"), FLOATS)
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", [20, 36])
def test_what_is_not_finite_in_a_row_reaches_that_row_only(name: str, dtype: str, odd: float, column: int) -> None:
    a, x = VARIANTS[name].op.inputs(sizes("gemv", 9, 37), dtype, np.random.default_rng(3))
    a[5, column] = _bf16.encode(np.array(odd, np.float32))[()] if dtype == "bf16" else odd
    found = ran(name, dtype, sizes("gemv", 9, 37), inputs=(a, x))
    VARIANTS[name].check(found)
    assert np.flatnonzero(~np.isfinite(as_floats(found.outputs[0]))).tolist() == [5]


@pytest.mark.parametrize(("name", "dtype"), FLOATS)
def test_nan_in_the_vector_reaches_every_row(name: str, dtype: str) -> None:
    a, x = VARIANTS[name].op.inputs(sizes("gemv", 9, 37), dtype, np.random.default_rng(3))
    x[11] = np.nan
    found = ran(name, dtype, sizes("gemv", 9, 37), inputs=(a, x))
    assert np.isnan(as_floats(found.outputs[0])).all()


@pytest.mark.parametrize("name", ["gemv/bf16", "gemv/bf16_parallel"])
def test_bf16_weights_give_what_the_same_numbers_give_in_f32(name: str) -> None:
    found = ran(name, "bf16", sizes("gemv", 9, 77), seed=4)
    a, x = found.inputs
    same = ran("gemv/vectorized", "f32", sizes("gemv", 9, 77), inputs=(_bf16.decode(a), x))
    np.testing.assert_allclose(found.outputs[0], same.outputs[0], rtol=1e-6, atol=1e-5)


def test_bf16_weights_are_half_the_bytes() -> None:
    shape = sizes("gemv", 10, 50)
    op = VARIANTS["gemv/bf16"].op
    assert op.work(shape, "bf16").read_bytes == 2 * 10 * 50 + 4 * 50
    assert op.work(shape, "f32").read_bytes == 4 * 10 * 50 + 4 * 50


@pytest.mark.parametrize(("name", "dtype"), [("gemv/vectorized", "f64"), ("gemv/tiled", "f32"), ("gemv/bf16", "bf16")])
def test_rows_are_multiplied_in_vectors(name: str, dtype: str) -> None:
    assert isa_used(assembly(name, dtype)) != "scalar"
