"""Convolutions: paddings, strides, filters larger than the image, and sizes that no tile divides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.running import VARIANTS, few, of_op, ran, sizes

FULL = (
    # n, c, h, w, k, r, s
    (1, 1, 1, 1, 1, 1, 1),
    (1, 1, 1, 1, 1, 3, 3),
    (2, 3, 5, 7, 2, 3, 3),
    (1, 2, 4, 33, 15, 1, 1),
    (1, 5, 9, 17, 29, 3, 1),
    (1, 3, 18, 19, 14, 7, 7),
    (3, 4, 6, 34, 5, 2, 4),
)
DEPTHWISE = tuple((n, c, h, w, r, s) for n, c, h, w, _, r, s in FULL)


def swept(op: str) -> tuple[tuple[int, ...], ...]:
    return FULL if op == "conv2d" else DEPTHWISE


@pytest.mark.parametrize(("name", "dtype"), [*of_op("conv2d"), *of_op("depthwise_conv2d")])
@pytest.mark.parametrize("offset", [0, 1])
def test_it_is_right_at_awkward_shapes_strides_and_places(name: str, dtype: str, offset: int) -> None:
    variant = VARIANTS[name]
    for size in swept(variant.op.name):
        for stride in (1, 2):
            shape = {**sizes(variant.op.name, *size), "stride": stride}
            variant.check(ran(name, dtype, shape, seed=sum(size), offset=offset))


@pytest.mark.parametrize("name", ["conv2d/packed", "conv2d/im2col", "conv2d/tiled", "depthwise_conv2d/tiled"])
@few
@given(data=st.data(), stride=st.integers(1, 2), seed=st.integers(0, 99))
def test_it_is_right_at_any_shape(name: str, data: st.DataObject, stride: int, seed: int) -> None:
    variant = VARIANTS[name]
    largest = {"n": 2, "c": 5, "h": 12, "w": 40, "k": 17, "r": 5, "s": 5}
    drawn = {dim: data.draw(st.integers(1, largest[dim]), label=dim) for dim in variant.op.dims}
    variant.check(ran(name, "f32", {**drawn, "stride": stride}, seed=seed, offset=seed % 3))


@pytest.mark.parametrize(("name", "dtype"), [*of_op("conv2d"), *of_op("depthwise_conv2d")])
def test_nan_reaches_the_pixels_whose_window_holds_it_and_no_others(name: str, dtype: str) -> None:
    op = VARIANTS[name].op
    shape = {**sizes(op.name, *((1, 2, 9, 20, 3, 3, 3) if op.name == "conv2d" else (1, 2, 9, 20, 3, 3))), "stride": 1}
    x, weights = (np.array(operand) for operand in op.inputs(shape, dtype, np.random.default_rng(1)))
    x[0, 0, 4, 10] = np.nan
    found = ran(name, dtype, shape, inputs=(x, weights))
    channels = slice(None) if op.name == "conv2d" else slice(0, 1)
    expected = np.zeros(found.outputs[0].shape, bool)
    expected[0, channels, 3:6, 9:12] = True
    np.testing.assert_array_equal(np.isnan(found.outputs[0]), expected)
