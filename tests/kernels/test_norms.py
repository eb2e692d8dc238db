"""layernorm and rmsnorm: awkward shapes, rows without a spread, special values, a mean far from zero."""

import platform
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels._check import WrongResult
from kernelbench.kernels._norms import EPSILON
from kernelbench.kernels._registry import NUMPY
from kernelbench.kernels._rows import BLOCK, PARALLEL_ELEMENTS
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

LAYER, RMS = of_op("layernorm"), of_op("rmsnorm")
ALL = [*LAYER, *RMS]
SHAPES = (
    *((0, 0), (0, 5), (5, 0), (1, 1), (1, 7), (7, 1), (3, 15), (2, 16), (3, 17), (2, 33), (2, 1009)),
    # One off the blocks of 8 vectors, for vectors of 16, 8 and 4.
    *((3, 16 * BLOCK - 1), (3, 16 * BLOCK + 1), (2, 8 * BLOCK + 1), (2, 4 * BLOCK), (2, 48 * BLOCK + 5)),
)


def operands(name: str, dtype: str, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """``x`` with the op's own gain and bias."""
    op = VARIANTS[name].op
    return x, *op.inputs(sizes(op.name, *x.shape), dtype, np.random.default_rng(1))[1:]


def of_rows(name: str, dtype: str, x: np.ndarray) -> np.ndarray:
    """The checked result for the rows of ``x``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's own variant meets inf - inf
        found = ran(name, dtype, sizes(VARIANTS[name].op.name, *x.shape), inputs=operands(name, dtype, x))
    VARIANTS[name].check(found)
    return found.outputs[0]


@pytest.mark.parametrize(("name", "dtype"), ALL)
@pytest.mark.parametrize("offset", [0, 1])
def test_a_normalisation_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for size in SHAPES:
        VARIANTS[name].check(ran(name, dtype, sizes(VARIANTS[name].op.name, *size), seed=sum(size), offset=offset))


@pytest.mark.parametrize("name", ["layernorm/vectorized", "layernorm/fused", "rmsnorm/vectorized"])
@few
@given(m=st.integers(1, 6), n=st.integers(1, 300), seed=st.integers(0, 99))
def test_a_normalisation_is_right_at_any_shape(name: str, m: int, n: int, seed: int) -> None:
    VARIANTS[name].check(ran(name, "f32", sizes(VARIANTS[name].op.name, m, n), seed=seed, offset=seed % 3))


@pytest.mark.parametrize("op", ["layernorm", "rmsnorm"])
def test_a_parallel_normalisation_is_right_above_its_crossover(op: str) -> None:
    n = PARALLEL_ELEMENTS // 5 + 1
    VARIANTS[f"{op}/parallel"].check(ran(f"{op}/parallel", "f32", sizes(op, 5, n)))


@pytest.mark.parametrize(("name", "dtype"), LAYER)
def test_a_row_of_equal_elements_gives_the_bias(name: str, dtype: str) -> None:
    x = np.full((3, 40), 0.5, NUMPY[dtype])
    found = of_rows(name, dtype, x)
    np.testing.assert_allclose(found, np.broadcast_to(operands(name, dtype, x)[2], x.shape), rtol=1e-4)


@pytest.mark.parametrize(("name", "dtype"), LAYER)
def test_a_mean_a_thousand_deviations_away_costs_three_digits_and_no_more(name: str, dtype: str) -> None:
    x = (1000 + np.random.default_rng(4).standard_normal((3, 500))).astype(NUMPY[dtype])
    found = of_rows(name, dtype, x)
    _, gain, bias = operands(name, dtype, x)
    wide = x.astype(np.longdouble)
    centred = wide - wide.mean(axis=1, keepdims=True)
    exact = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + EPSILON) * gain + bias
    assert np.abs(found - exact).max() < 4e3 * np.finfo(NUMPY[dtype]).eps


@pytest.mark.parametrize(("name", "dtype"), RMS)
def test_a_row_of_zeros_gives_zeros(name: str, dtype: str) -> None:
    assert not of_rows(name, dtype, np.zeros((3, 40), NUMPY[dtype])).any()


@pytest.mark.parametrize(("name", "dtype"), ALL)
@pytest.mark.parametrize("at", [0, 20, 133])
def test_nan_in_a_row_makes_that_row_nan_and_no_other(name: str, dtype: str, at: int) -> None:
    x = operands(name, dtype, np.random.default_rng(2).uniform(-1, 1, (5, 134)).astype(NUMPY[dtype]))[0]
    x[3, at] = np.nan
    found = of_rows(name, dtype, x)
    assert np.isnan(found[3]).all()
    assert np.isfinite(np.delete(found, 3, axis=0)).all()


@pytest.mark.parametrize(("name", "dtype"), ALL)
@pytest.mark.parametrize("odd", [np.inf, -np.inf])
def test_infinity_in_a_row_takes_its_scale(name: str, dtype: str, odd: float) -> None:
    x = np.random.default_rng(2).uniform(0.5, 1, (5, 134)).astype(NUMPY[dtype])
    x[3, 70] = odd
    found = of_rows(name, dtype, x)
    if VARIANTS[name].op.name == "layernorm":
        assert np.isnan(found[3]).all()
    else:
        assert np.flatnonzero(np.isnan(found[3])).tolist() == [70]
        assert not np.delete(found[3], 70).any()
    assert np.isfinite(np.delete(found, 3, axis=0)).all()


@pytest.mark.parametrize("name", ["layernorm/vectorized", "rmsnorm/vectorized"])
@pytest.mark.parametrize("lost", [0, 17, 999])
def test_an_element_that_no_sum_counted_is_caught(name: str, lost: int) -> None:
    op = VARIANTS[name].op
    found = ran(name, "f32", sizes(op.name, 2, 1000), seed=3)
    x = found.inputs[0].copy()
    x[1, lost] = 0
    without = ran(name, "f32", sizes(op.name, 2, 1000), inputs=(x, *found.inputs[1:]))
    without.outputs[0][1, lost] = found.outputs[0][1, lost]
    with pytest.raises(WrongResult):
        VARIANTS[name].check(replace(found, outputs=without.outputs))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")
@pytest.mark.parametrize("op", ["layernorm", "rmsnorm"])
def test_the_naive_normalisation_is_scalar_and_the_next_rung_is_not(op: str) -> None:
    assert isa_used(assembly(f"{op}/naive", "f32")) == "scalar"
    assert isa_used(assembly(f"{op}/vectorized", "f32")) != "scalar"
