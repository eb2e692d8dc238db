"""Special values: NaN, infinities, signed zeros and denormals go through as IEEE 754 and NumPy have them."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernelbench.kernels._registry import NUMPY
from tests.kernels.running import VARIANTS, few, of_op, ran

TINY = {"f64": 5e-324, "f32": 1e-45}
LARGE = {"f64": 1e307, "f32": float(np.float32(1e37))}
"""Three times this, and one more, is still finite."""


def special(dtype: str) -> tuple[np.ndarray, ...]:
    values = [np.nan, np.inf, -np.inf, 0.0, -0.0, TINY[dtype], -TINY[dtype], 1.0, -1.0, LARGE[dtype], -LARGE[dtype]]
    first, second = np.meshgrid(values, values)
    return first.ravel().astype(NUMPY[dtype]), second.ravel().astype(NUMPY[dtype])


def floats(dtype: str) -> st.SearchStrategy[float]:
    width = 8 * NUMPY[dtype].itemsize
    ordinary = st.floats(-LARGE[dtype], LARGE[dtype], width=width)
    return ordinary | st.sampled_from([np.nan, np.inf, -np.inf, -0.0, TINY[dtype], -TINY[dtype]])


def vectors(dtype: str) -> st.SearchStrategy[np.ndarray]:
    return st.integers(1, 40).flatmap(lambda n: arrays(NUMPY[dtype], n, elements=floats(dtype)))


RELU = [(name, dtype) for name, dtype in of_op("relu") if dtype != "i8"]


@pytest.mark.parametrize(("name", "dtype"), RELU)
def test_relu_gives_what_np_maximum_gives_for_special_values(name: str, dtype: str) -> None:
    x, _ = special(dtype)
    found = ran(name, dtype, {"n": x.size}, inputs=(x,))
    np.testing.assert_array_equal(found.outputs[0], np.maximum(x, 0))
    VARIANTS[name].check(found)


@pytest.mark.parametrize(("name", "dtype"), RELU)
@few
@given(data=st.data())
def test_relu_gives_what_np_maximum_gives_for_any_values(name: str, dtype: str, data: st.DataObject) -> None:
    x = data.draw(vectors(dtype))
    np.testing.assert_array_equal(ran(name, dtype, {"n": x.size}, inputs=(x,)).outputs[0], np.maximum(x, 0))


@pytest.mark.parametrize(("name", "dtype"), of_op("triad"))
def test_triad_is_right_for_special_values(name: str, dtype: str) -> None:
    b, c = special(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # inf - inf is meant here
        found = ran(name, dtype, {"n": b.size}, inputs=(b, c))
        VARIANTS[name].check(found)
        expected = b + NUMPY[dtype].type(3) * c
    assert np.array_equal(np.isnan(found.outputs[0]), np.isnan(expected))


@pytest.mark.parametrize(("name", "dtype"), of_op("triad"))
@few
@given(data=st.data())
def test_triad_is_right_for_any_values(name: str, dtype: str, data: st.DataObject) -> None:
    b = data.draw(vectors(dtype))
    c = data.draw(arrays(NUMPY[dtype], b.size, elements=floats(dtype)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        VARIANTS[name].check(ran(name, dtype, {"n": b.size}, inputs=(b, c)))
