"""softmax: awkward shapes and places, NaN, infinities and large numbers, rows that do not touch each other."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kernelbench.kernels._registry import NUMPY
from kernelbench.kernels.softmax import PARALLEL_ELEMENTS
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

ALL = of_op("softmax")
SHAPES = ((0, 0), (0, 5), (3, 0), (1, 1), (1, 7), (7, 1), (5, 15), (5, 16), (5, 17), (3, 65), (2, 131), (2, 1009))


def softmax_of(name: str, dtype: str, rows: object) -> np.ndarray:
    """The output of variant ``name`` for these rows, checked."""
    x = np.array(rows, NUMPY[dtype])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # inf - inf is meant
        found = ran(name, dtype, sizes("softmax", *x.shape), inputs=(x,))
        VARIANTS[name].check(found)
    return found.outputs[0]


@pytest.mark.parametrize(("name", "dtype"), ALL)
@pytest.mark.parametrize("offset", [0, 1])
def test_softmax_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for m, n in SHAPES:
        VARIANTS[name].check(ran(name, dtype, sizes("softmax", m, n), seed=m + n, offset=offset))


@pytest.mark.parametrize(("name", "dtype"), [pair for pair in ALL if VARIANTS[pair[0]].parallel])
def test_softmax_is_right_where_threads_share_it(name: str, dtype: str) -> None:
    n = PARALLEL_ELEMENTS // 16
    for m in (15, 16, 17):
        VARIANTS[name].check(ran(name, dtype, sizes("softmax", m, n), seed=m))


@pytest.mark.parametrize(("name", "dtype"), ALL)
def test_rows_sum_to_one_and_large_numbers_do_not_overflow(name: str, dtype: str) -> None:
    top = float(np.finfo(NUMPY[dtype]).max)
    found = softmax_of(name, dtype, [[1e4, 1e4 - 1, 0.0] * 9, [-1e4, -1e4 - 1, -2e4] * 9, [top, top, -top] * 9])
    np.testing.assert_allclose(found.astype(np.float64).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(("name", "dtype"), ALL)
@pytest.mark.parametrize("at", [0, 20, 36])
@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_nan_or_infinity_makes_its_whole_row_nan_and_no_other(name: str, dtype: str, odd: float, at: int) -> None:
    rows = np.random.default_rng(1).uniform(-2, 2, (3, 37))
    rows[1, at] = odd
    found = softmax_of(name, dtype, rows)
    assert np.isnan(found[1]).all()
    assert np.isfinite(found[[0, 2]]).all()


@pytest.mark.parametrize(("name", "dtype"), ALL)
def test_minus_infinity_gives_zero_and_a_row_of_nothing_else_nan(name: str, dtype: str) -> None:
    rows = np.random.default_rng(2).uniform(-2, 2, (4, 37))
    rows[0, :5] = rows[1, 30:] = -np.inf
    rows[2] = -np.inf
    rows[3, :36] = -np.inf
    found = softmax_of(name, dtype, rows)
    assert (found[0, :5] == 0).all()
    assert (found[1, 30:] == 0).all()
    assert np.isnan(found[2]).all()
    assert found[3].tolist() == [0] * 36 + [1]


@pytest.mark.parametrize("name", ["softmax/three_pass", "softmax/online"])
@pytest.mark.parametrize("dtype", ["f64", "f32"])
@few
@given(data=st.data())
def test_softmax_is_right_for_any_values(name: str, dtype: str, data: st.DataObject) -> None:
    width = 8 * NUMPY[dtype].itemsize
    values = st.floats(-100, 100, width=width) | st.sampled_from([-np.inf, np.inf, np.nan, 0.0, -0.0])
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 70)))
    softmax_of(name, dtype, data.draw(arrays(NUMPY[dtype], shape, elements=values)))


def test_naive_takes_one_element_at_a_time_and_the_others_many() -> None:
    assert isa_used(assembly("softmax/naive", "f32")) == "scalar"
    assert isa_used(assembly("softmax/three_pass", "f32")) != "scalar"
    assert isa_used(assembly("softmax/online", "f32")) != "scalar"
