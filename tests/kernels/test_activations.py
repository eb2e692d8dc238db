"""sigmoid, silu and both gelus: awkward lengths and places, special values, the accuracy they claim."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels import _erf_reference
from kernelbench.kernels._activation import BLOCK, PARALLEL_ELEMENTS
from kernelbench.kernels._registry import NUMPY
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran

OPS = ("sigmoid", "silu", "gelu", "gelu_tanh")
ALL = [pair for op in OPS for pair in of_op(op)]
COMPILED = [pair for pair in ALL if VARIANTS[pair[0]].compiled]
LENGTHS = (0, 1, 2, 7, 15, 16, 17, 33, 1009)


@pytest.mark.parametrize(("name", "dtype"), ALL)
@pytest.mark.parametrize("offset", [0, 1])
def test_an_activation_is_right_at_awkward_lengths_and_places(name: str, dtype: str, offset: int) -> None:
    for n in LENGTHS:
        VARIANTS[name].check(ran(name, dtype, {"n": n}, seed=n, offset=offset))


@pytest.mark.parametrize(("name", "dtype"), [pair for pair in ALL if VARIANTS[pair[0]].parallel])
def test_an_activation_is_right_where_threads_share_it(name: str, dtype: str) -> None:
    for n in (PARALLEL_ELEMENTS - 1, PARALLEL_ELEMENTS, PARALLEL_ELEMENTS + BLOCK + 1):
        VARIANTS[name].check(ran(name, dtype, {"n": n}, seed=n, offset=1))


LIMITS = {
    "sigmoid": {math.inf: 1.0, -math.inf: 0.0, 0.0: 0.5, -1e4: 0.0, 1e4: 1.0},
    "silu": {math.inf: math.inf, 0.0: 0.0, -1e4: 0.0, 1e4: 1e4},
    "gelu": {math.inf: math.inf, 0.0: 0.0, -1e4: 0.0, 1e4: 1e4},
    "gelu_tanh": {math.inf: math.inf, 0.0: 0.0, -1e4: 0.0, 1e4: 1e4},
}


@pytest.mark.parametrize(("name", "dtype"), COMPILED)
def test_special_values_give_the_limits_and_nan_gives_nan(name: str, dtype: str) -> None:
    limits = LIMITS[VARIANTS[name].op.name]
    x = np.array([math.nan, *limits], NUMPY[dtype])
    found = ran(name, dtype, {"n": x.size}, inputs=(x,))
    VARIANTS[name].check(found)
    np.testing.assert_array_equal(found.outputs[0], np.array([math.nan, *limits.values()], NUMPY[dtype]))


@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_minus_infinity_gives_what_is_said_of_it(dtype: str) -> None:
    x = np.array([-math.inf], NUMPY[dtype])
    given_by = {
        name: float(ran(name, dtype, {"n": 1}, inputs=(x,)).outputs[0][0]) for name, d in COMPILED if d == dtype
    }
    assert {name for name, y in given_by.items() if y == 0} == {
        *("sigmoid/naive", "sigmoid/vectorized", "sigmoid/parallel", "gelu/vectorized", "gelu/parallel")
    }
    assert all(y == 0 or math.isnan(y) for y in given_by.values())


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("dtype", ["f64", "f32"])
@few
@given(data=st.data())
def test_an_activation_is_right_for_any_finite_values(op: str, dtype: str, data: st.DataObject) -> None:
    finite = st.floats(-1e6, 1e6, width=8 * NUMPY[dtype].itemsize)
    x = np.array(data.draw(st.lists(finite, min_size=1, max_size=40)), NUMPY[dtype])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        VARIANTS[f"{op}/vectorized"].check(ran(f"{op}/vectorized", dtype, {"n": x.size}, inputs=(x,)))


def test_gelu_keeps_digits_in_the_tail_where_one_plus_erf_cancels() -> None:
    x = np.linspace(-4, -1, 301).astype(np.float32)
    exact = np.array([0.5 * v * math.erfc(-v / math.sqrt(2)) for v in x.astype(float)])
    worst = {
        name: np.abs(ran(f"gelu/{name}", "f32", {"n": x.size}, inputs=(x,)).outputs[0] / exact - 1).max()
        for name in ("naive", "vectorized")
    }
    assert worst["vectorized"] < 3e-4 < worst["naive"]


def test_the_reference_of_erf_agrees_with_libm_to_the_last_digits() -> None:
    x = np.concatenate([np.linspace(-7, 7, 4001), [0.0, -0.0, np.inf, -np.inf, 1e-300]])
    expected = np.array([math.erf(v) for v in x])
    found = _erf_reference.erf(x)
    assert (np.abs(found - expected) <= 3 * np.spacing(np.abs(expected))).all()
    assert np.isnan(_erf_reference.erf(np.array([np.nan]))).all()


@pytest.mark.parametrize("op", OPS)
def test_naive_takes_one_element_at_a_time_and_vectorized_many(op: str) -> None:
    assert isa_used(assembly(f"{op}/naive", "f32")) == "scalar"
    assert isa_used(assembly(f"{op}/vectorized", "f32")) != "scalar"
