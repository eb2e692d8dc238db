"""Large products are checked by projection and samples, small ones whole; either way one wrong element shows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from kernelbench.kernels._check import EPS, Verification, WrongResult
from kernelbench.kernels._product import WHOLE_UP_TO, check_product, product_error
from kernelbench.kernels._registry import random_values
from kernelbench.model import Accuracy
from tests.kernels.running import few

LARGE = (211, 203, 199)
SMALL = (5, 6, 7)
assert np.prod(LARGE) > WHOLE_UP_TO
TOLERANCE = 200**0.5 * EPS["f32"]


class Product:
    """a[m,k], b[k,n] and a right c[m,n] in f32; references are kept between checks as a worker keeps them."""

    def __init__(self, m: int, n: int, k: int) -> None:
        rng = np.random.default_rng(4)
        self.a, self.b = random_values(rng, (m, k), "f32"), random_values(rng, (k, n), "f32")
        self.c = (self.a.astype(np.float64) @ self.b).astype(np.float32)
        self.scale = np.abs(self.a) @ np.abs(self.b)
        self.seen = Verification({"m": m, "n": n, "k": k}, "f32", 4, (self.a, self.b), (), (), {})

    def check(self, c: np.ndarray) -> Accuracy:
        return check_product(self.seen, self.a, self.b, c, TOLERANCE)


PRODUCTS = {"small": Product(*SMALL), "large": Product(*LARGE)}
either = pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)


@either
def test_a_right_product_passes_with_an_error_below_one_rounding(product: Product) -> None:
    found = product.check(product.c)
    assert 0 < found.value <= EPS["f32"]
    assert found.snr_db is not UNSET
    assert found.snr_db > 100


def test_the_accuracy_says_what_was_compared() -> None:
    assert PRODUCTS["small"].check(PRODUCTS["small"].c).reference == "float64 einsum"
    assert "projection of all, sampled rows" in PRODUCTS["large"].check(PRODUCTS["large"].c).reference


@either
@few
@given(data=st.data())
def test_one_element_off_by_a_thousandth_is_caught_wherever_it_is(product: Product, data: st.DataObject) -> None:
    at = tuple(data.draw(st.integers(0, size - 1)) for size in product.c.shape)
    wrong = product.c.copy()
    wrong[at] += 1e-3 * product.scale[at]
    with pytest.raises(WrongResult):
        product.check(wrong)


@either
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_element_never_written_or_infinite_is_caught(product: Product, bad: float) -> None:
    wrong = product.c.copy()
    wrong[product.c.shape[0] // 2, product.c.shape[1] // 2] = bad
    with pytest.raises(WrongResult):
        product.check(wrong)


@either
@pytest.mark.parametrize("axis", [0, 1])
def test_swapped_rows_and_columns_are_caught(product: Product, axis: int) -> None:
    order = np.arange(product.c.shape[axis])
    order[[1, 3]] = order[[3, 1]]
    with pytest.raises(WrongResult):
        product.check(np.take(product.c, order, axis))


def test_a_wrong_edge_row_of_a_large_product_is_named() -> None:
    product = PRODUCTS["large"]
    wrong = product.c.copy()
    wrong[-1, -1] = 0
    with pytest.raises(WrongResult, match=r"row 210 is wrong: its projection is off by .* tolerance 8.43e-07"):
        product.check(wrong)


def test_two_errors_that_cancel_in_the_projection_are_caught_at_the_edges() -> None:
    # Adding d to one element and taking it from another of the same sign of t leaves c t as it was.
    product = PRODUCTS["large"]
    for other in range(1, 6):
        wrong = product.c.copy()
        wrong[7, 0] += 0.5
        wrong[7, other] -= 0.5
        with pytest.raises(WrongResult):
            product.check(wrong)


def test_a_product_that_lost_one_step_of_k_is_caught() -> None:
    product = PRODUCTS["large"]
    with pytest.raises(WrongResult):
        product.check(product.c - np.outer(product.a[:, -1], product.b[-1]))


def test_measuring_the_error_never_fails_with_an_infinite_tolerance() -> None:
    product = PRODUCTS["small"]
    found = product_error(product.seen, product.a, product.b, np.zeros_like(product.c), np.inf)
    assert 0 < found.value <= 1


def test_a_product_with_zero_operands_must_be_zero() -> None:
    a, b = np.zeros((2, 3), np.float32), np.zeros((3, 2), np.float32)
    seen = Verification({"m": 2, "n": 2, "k": 3}, "f32", 0, (a, b), (), (), {})
    assert check_product(seen, a, b, np.zeros((2, 2), np.float32), TOLERANCE).value == 0
    with pytest.raises(WrongResult):
        check_product(seen, a, b, np.full((2, 2), 1e-30, np.float32), TOLERANCE)


def test_a_row_of_zeros_must_give_zeros_and_nothing_else() -> None:
    product = Product(*LARGE)
    product.a[7] = 0
    product.c = (product.a.astype(np.float64) @ product.b).astype(np.float32)
    assert product.check(product.c).value <= 1
    wrong = product.c.copy()
    wrong[7, 100] = 1e-30
    with pytest.raises(WrongResult, match="row 7"):
        product.check(wrong)
