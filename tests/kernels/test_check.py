"""Comparing an output with its reference: what passes, what does not, and what the user is told."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from kernelbench.kernels._check import CHUNK, WrongResult, close_to, elementwise, exactly
from kernelbench.model import Accuracy
from tests.kernels.running import few


def close(actual: np.ndarray, exact: np.ndarray, scale: np.ndarray | float = 1.0, tolerance: float = 1e-6) -> Accuracy:
    return close_to(actual, exact, scale, tolerance, metric="max |error|", reference="float64")


def test_equal_arrays_have_no_error_and_no_signal_to_noise_ratio() -> None:
    assert close(np.ones(5, np.float32), np.ones(5)) == Accuracy("max |error|", 0.0, "float64", 1e-6)


def test_the_accuracy_is_the_worst_error_over_its_scale() -> None:
    found = close(np.array([1.0, 2.5, 4.1]), np.array([1.0, 2.0, 4.0]), np.array([1.0, 10.0, 4.0]), 0.1)
    assert found.value == pytest.approx(0.05)


def test_the_signal_to_noise_ratio_is_of_sums_of_squares() -> None:
    found = close(np.array([3.0, 4.5]), np.array([3.0, 4.0]), 1.0, 1.0)
    assert found.snr_db == pytest.approx(10 * math.log10(25 / 0.25))


@pytest.mark.parametrize("at", [0, CHUNK - 1, CHUNK, 2 * CHUNK])
def test_one_wrong_element_is_named_with_its_place_and_values(at: int) -> None:
    exact = np.zeros(2 * CHUNK + 1)
    actual = exact.astype(np.float32)
    actual[at] = 0.5
    with pytest.raises(WrongResult, match=rf"^1 of 65537 elements wrong; worst at \[{at}\]: got 0.5, expected 0.0"):
        close(actual, exact)


def test_the_worst_of_several_wrong_elements_is_named_by_row_and_column() -> None:
    actual = np.zeros((3, 4))
    actual[1, 2], actual[2, 3] = 7.0, -9.0
    with pytest.raises(WrongResult, match=r"2 of 12 elements wrong; worst at \[2, 3\]: got -9.0"):
        close(actual, np.zeros((3, 4)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_wrong_where_the_reference_is_finite(bad: float) -> None:
    with pytest.raises(WrongResult, match=r"worst at \[1\]"):
        close(np.array([1.0, bad, 1.0]), np.ones(3), 1.0, 1e300)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_a_finite_value_is_wrong_where_the_reference_is_not_finite(special: float) -> None:
    with pytest.raises(WrongResult, match=r"worst at \[0\]: got 1.0"):
        close(np.ones(2), np.array([special, 1.0]), 1.0, 1e300)


def test_the_same_special_values_on_both_sides_are_right() -> None:
    same = np.array([np.nan, np.inf, -np.inf, 2.0])
    assert close(same, same.copy()).value == 0


def test_infinity_of_the_other_sign_is_wrong() -> None:
    with pytest.raises(WrongResult):
        close(np.array([np.inf]), np.array([-np.inf]), 1.0, 1e300)


def test_an_error_of_exactly_the_tolerance_passes_and_the_next_larger_fails() -> None:
    exact, scale, tolerance = np.zeros(1), np.array([2.0]), 0.25
    assert close(np.array([0.5]), exact, scale, tolerance).value == tolerance
    with pytest.raises(WrongResult):
        close(np.array([np.nextafter(0.5, 1.0)]), exact, scale, tolerance)


def test_where_the_scale_is_zero_only_equality_passes() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert close(np.zeros(2), np.zeros(2), np.zeros(2)).value == 0
        with pytest.raises(WrongResult):
            close(np.array([0.0, 1e-300]), np.zeros(2), np.zeros(2))


def test_an_infinite_tolerance_only_measures() -> None:
    assert close(np.array([1.0, 3.0]), np.zeros(2), 1.0, math.inf).value == 3.0


@pytest.mark.parametrize("shape", [(0,), (0, 3)])
def test_an_empty_output_is_right(shape: tuple[int, ...]) -> None:
    assert close(np.empty(shape, np.float32), np.empty(shape)).value == 0
    exactly(np.empty(shape, np.int32), np.empty(shape, np.int64))


def test_values_whose_squares_overflow_have_no_signal_to_noise_ratio() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert close(np.array([1e200, 2.0]), np.array([1e200, 1.0]), 1.0, 2.0).snr_db is UNSET


def test_swapped_rows_are_wrong() -> None:
    exact = np.arange(12.0).reshape(4, 3)
    with pytest.raises(WrongResult, match="6 of 12 elements wrong"):
        close(exact[[0, 2, 1, 3]], exact)


@few
@given(st.integers(1, 3 * CHUNK), st.data())
def test_the_reference_may_be_made_in_parts(n: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(n)
    exact = rng.random(n)
    actual = (exact + 1e-3 * rng.random(n)).astype(np.float32)
    at = data.draw(st.integers(0, n - 1))
    actual[at] += 0.5
    whole = close(actual, exact, 1.0, 1.0)
    parts = elementwise(actual, lambda part: (exact[part], 1.0), 1.0, metric="max |error|", reference="float64")
    assert parts == whole
    assert parts.value == float(np.abs(actual - exact).max())


def test_the_first_integer_that_differs_is_named() -> None:
    actual = np.arange(6, dtype=np.int32).reshape(2, 3)
    actual[0, 2] += 1
    actual[1, 1] -= 1
    with pytest.raises(WrongResult, match=r"^2 of 6 integers .* first at \[0, 2\]: got 3, expected 2$"):
        exactly(actual, np.arange(6, dtype=np.int64).reshape(2, 3))


def test_integers_beyond_float64_precision_are_told_apart() -> None:
    with pytest.raises(WrongResult):
        exactly(np.array([2**53 + 1]), np.array([2**53]))
