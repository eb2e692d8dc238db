"""exp, tanh, erf and their like are within the stated error of exact values, and right for special ones."""

import math
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from kernelbench.native.targets import TARGETS
from kernelbench.simd import lanes as simd

KINDS = [np.float32, np.float64]
NAMES = ("exp", "exp2", "tanh", "sigmoid", "erf", "sqrt", "rsqrt", "normal_tail", "normal_cdf")


@njit
def every(x, y):  # type: ignore[no-untyped-def]
    """y[k, n]: the k-th function of x[n]; one kernel, for compiling takes longest."""
    n = x.size
    for i in range(0, n, simd.lanes(x)):
        rest = n - i
        v = simd.load_part(x, i, rest)
        simd.store_part(y, i, simd.exp(v), rest)
        simd.store_part(y, n + i, simd.exp2(v), rest)
        simd.store_part(y, 2 * n + i, simd.tanh(v), rest)
        simd.store_part(y, 3 * n + i, simd.sigmoid(v), rest)
        simd.store_part(y, 4 * n + i, simd.erf(v), rest)
        simd.store_part(y, 5 * n + i, simd.sqrt(v), rest)
        simd.store_part(y, 6 * n + i, simd.rsqrt(v), rest)
        simd.store_part(y, 7 * n + i, simd.normal_tail(v), rest)
        simd.store_part(y, 8 * n + i, simd.normal_cdf(v), rest)


def computed(values: object, kind: type) -> dict[str, np.ndarray]:
    x = np.asarray(values, kind)
    y = np.full((len(NAMES), x.size), 7, kind)
    every(x, y)
    return dict(zip(NAMES, y, strict=True))


def wide(x: np.ndarray) -> np.ndarray:
    """Of more digits: float64 for f32, for f64 the longest there is."""
    return x.astype(np.longdouble if x.dtype == np.float64 else np.float64)


def by_element(function: Callable[[float], float]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.array([function(float(v)) for v in x])


EXACT: dict[str, tuple[Callable[[np.ndarray], np.ndarray], dict[str, tuple[float, float]], dict[str, float]]] = {
    "exp": (np.exp, {"float32": (-87, 88.7), "float64": (-708, 709.7)}, {"float32": 1.2, "float64": 1.2}),
    "exp2": (np.exp2, {"float32": (-126, 127.9), "float64": (-1022, 1023.9)}, {"float32": 1.2, "float64": 1.2}),
    "tanh": (np.tanh, {"float32": (-12, 12), "float64": (-23, 23)}, {"float32": 1.4, "float64": 1.4}),
    "sigmoid": (
        lambda x: 1 / (1 + np.exp(-x)),
        {"float32": (-87, 50), "float64": (-708, 60)},
        {"float32": 2.5, "float64": 2.4},
    ),
    # libm's erf has an error of its own in f64, below 1 ulp.
    "erf": (by_element(math.erf), {"float32": (-5, 5), "float64": (-7, 7)}, {"float32": 2.8, "float64": 3.5}),
    "sqrt": (np.sqrt, {"float32": (0, 1e30), "float64": (0, 1e300)}, {"float32": 0.501, "float64": 0.501}),
    "rsqrt": (
        lambda x: 1 / np.sqrt(x),
        {"float32": (1e-30, 1e30), "float64": (1e-300, 1e300)},
        {"float32": 1.5, "float64": 1.5},
    ),
}
"""Name -> the function in wider floats, the values it is tried on, the largest error in ulp."""


def points(low: float, high: float, kind: type) -> np.ndarray:
    """Even and logarithmic over the range, both signs where it has them, and where algorithms change."""
    rng = np.random.default_rng(11)
    magnitude = np.exp(rng.uniform(np.log(1e-20 if low <= 0 else low), np.log(high), 8000))
    seams = np.array([k + d for k in (0.5, 0.625, 1, 2, 3.95, 6) for d in (-1e-7, 0, 1e-7)])
    every = np.concatenate([rng.uniform(low, high, 20000), magnitude, seams, -magnitude, -seams])
    return every[(every >= low) & (every <= high)].astype(kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", EXACT)
def test_a_function_is_within_its_stated_error_in_ulp(name: str, kind: type) -> None:
    function, ranges, ulps = EXACT[name]
    x = points(*ranges[kind.__name__], kind)
    exact = function(wide(x))
    unit = np.spacing(np.abs(exact).astype(kind)).astype(exact.dtype)
    error = np.abs(wide(computed(x, kind)[name]) - exact) / unit
    worst = int(np.argmax(error))
    assert error[worst] <= ulps[kind.__name__], f"{name}({x[worst]!r})"


@pytest.mark.parametrize("kind", KINDS)
def test_the_normal_tail_is_within_two_units_of_a_half_and_keeps_digits_far_out(kind: type) -> None:
    x = points(-40, 40, kind)
    # erfc of libm, of double precision: enough for f64 at two units.
    exact = np.array([0.5 * math.erfc(abs(float(v)) / math.sqrt(2)) for v in x])
    found = computed(x, kind)
    assert np.abs(found["normal_tail"] - exact).max() <= 2 * np.spacing(kind(0.5))
    upper = np.where(x < 0, exact, 1 - exact)
    assert np.abs(found["normal_cdf"] - upper).max() <= 2 * np.spacing(kind(0.5))
    near = np.abs(x) < 4
    relative = np.abs(found["normal_tail"][near] / exact[near] - 1)
    assert relative.max() < {np.float32: 3e-4, np.float64: 1e-14}[kind]


INF, NAN = math.inf, math.nan
SPECIAL = {
    "exp": ((NAN, NAN), (INF, INF), (-INF, 0), (0, 1), (-0.0, 1), (1e4, INF), (-1e4, 0)),
    "exp2": ((NAN, NAN), (INF, INF), (-INF, 0), (0, 1), (3, 8), (-4, 0.0625), (1e4, INF), (-1e4, 0)),
    "tanh": ((NAN, NAN), (INF, 1), (-INF, -1), (0, 0), (-0.0, -0.0), (50, 1), (-50, -1)),
    "sigmoid": ((NAN, NAN), (INF, 1), (-INF, 0), (0, 0.5), (100, 1), (-1e4, 0)),
    "erf": ((NAN, NAN), (INF, 1), (-INF, -1), (0, 0), (-0.0, -0.0), (7, 1), (-7, -1)),
    "sqrt": ((NAN, NAN), (INF, INF), (0, 0), (-0.0, -0.0), (4, 2), (-1, NAN)),
    "rsqrt": ((NAN, NAN), (INF, 0), (0, INF), (4, 0.5), (-1, NAN)),
    "normal_tail": ((NAN, NAN), (INF, 0), (-INF, 0), (0, 0.5)),
    "normal_cdf": ((NAN, NAN), (INF, 1), (-INF, 0), (0, 0.5)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SPECIAL)
def test_special_values_give_what_c_gives(name: str, kind: type) -> None:
    given_values, expected = zip(*SPECIAL[name], strict=True)
    found = computed(given_values, kind)[name]
    np.testing.assert_array_equal(found, np.array(expected, kind))
    ordinary = ~np.isnan(found)
    np.testing.assert_array_equal(np.signbit(found[ordinary]), np.signbit(np.array(expected)[ordinary]))


@pytest.mark.parametrize("kind", KINDS)
def test_an_exponential_below_the_smallest_normal_number_is_denormal_not_zero(kind: type) -> None:
    tiny = np.finfo(kind).tiny
    low = math.log(np.finfo(kind).smallest_subnormal) + 0.1
    x = np.linspace(low, math.log(tiny), 500).astype(kind)
    exact = np.exp(wide(x))
    assert np.abs(wide(computed(x, kind)["exp"]) - exact).max() <= np.finfo(kind).smallest_subnormal
    assert computed([math.log(tiny) - 3], kind)["exp"][0] > 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_bounded_by_one_never_exceeds_it(kind: type) -> None:
    x = np.linspace(-30, 30, 60001).astype(kind)
    found = computed(x, kind)
    for name in ("tanh", "erf", "sigmoid", "normal_cdf"):
        assert np.abs(found[name]).max() <= 1, name


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_odd_functions_are_odd_to_the_bit_and_a_lane_does_not_depend_on_its_neighbours(
    kind: type, data: st.DataObject
) -> None:
    width = 8 * np.dtype(kind).itemsize
    x = np.array(data.draw(st.lists(st.floats(allow_nan=False, width=width), min_size=1, max_size=20)), kind)
    found, mirrored = computed(x, kind), computed(-x[::-1], kind)
    for name in ("tanh", "erf"):
        np.testing.assert_array_equal(found[name], -mirrored[name][::-1])
    alone = computed(x[:1], kind)
    assert all(alone[name].tobytes() == found[name][:1].tobytes() for name in NAMES)


PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x86-64 targets")
@pytest.mark.skipif("NUMBA_CPU_NAME" in os.environ, reason="already at a level")
@pytest.mark.parametrize(
    "level",
    ["sse2", *(pytest.param(level, marks=pytest.mark.slow) for level in ("sse4.2", "avx2", "scalar"))],
)
def test_lanes_and_functions_hold_at_a_lower_level_too(level: str) -> None:
    vectors_off = {"NUMBA_LOOP_VECTORIZE": "0", "NUMBA_SLP_VECTORIZE": "0"} if level == "scalar" else {}
    target = TARGETS[level]
    here = Path(__file__).parent
    ended = subprocess.run(
        [sys.executable, *PYTEST, str(here / "test_math.py"), str(here / "test_lanes.py")],
        cwd=here.parents[1],
        env=os.environ | vectors_off | {"NUMBA_CPU_NAME": target.cpu, "NUMBA_CPU_FEATURES": target.features},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:]
