"""Every variant is right on every awkward shape, through the entry that is timed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels import matmul
from kernelbench.kernels._dot_tile import MR_I8, NR
from kernelbench.simd.dot import QUAD
from tests.kernels.running import VARIANTS, all_variants, few, of_op, ran, sizes, some_shape

ONE_DIMENSION = (1, 2, 3, 7, 15, 16, 17, 31, 33, 63, 65, 127, 257, 1009)
PRODUCTS = (
    (1, 1, 1),
    (1, 7, 1),
    (7, 1, 1),
    (1, 1, 7),
    (2, 3, 1009),
    (3, 5, 2),
    (13, 31, 5),
    (33, 65, 129),
    (97, 1, 64),
    # One off the edges of the float tiles (4 rows, KC deep, NC wide) and of the bands of 32 rows...
    (5, matmul.NC - 1, matmul.KC - 1),
    (4, matmul.NC + 1, matmul.KC + 1),
    (31, 9, matmul.KC),
    (33, 9, 3),
    # ...and of the integer tile.
    (MR_I8 - 1, NR, QUAD),
    (MR_I8, NR + 1, QUAD - 1),
    (MR_I8 + 1, NR - 1, QUAD + 1),
    (2 * MR_I8, 2 * NR, 2 * QUAD),
)


@pytest.mark.parametrize(("name", "dtype"), [*of_op("relu"), *of_op("triad")])
@pytest.mark.parametrize("offset", [0, 1])
def test_a_vector_kernel_is_right_at_awkward_lengths_and_places(name: str, dtype: str, offset: int) -> None:
    for n in ONE_DIMENSION:
        found = ran(name, dtype, {"n": n}, seed=n, offset=offset)
        VARIANTS[name].check(found)


@pytest.mark.parametrize(("name", "dtype"), of_op("matmul"))
@pytest.mark.parametrize("offset", [0, 1])
def test_a_product_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for size in PRODUCTS:
        found = ran(name, dtype, sizes("matmul", *size), seed=sum(size), offset=offset)
        VARIANTS[name].check(found)


@pytest.mark.parametrize(
    ("name", "dtype"), [("matmul/tiled", "f32"), ("matmul/parallel", "f64"), ("matmul/int8", "i8")]
)
@few
@given(m=st.integers(1, 40), n=st.integers(1, 70), k=st.integers(1, 70), seed=st.integers(0, 99))
def test_a_tiled_product_is_right_at_any_shape(name: str, dtype: str, m: int, n: int, k: int, seed: int) -> None:
    VARIANTS[name].check(ran(name, dtype, sizes("matmul", m, n, k), seed=seed, offset=seed % 3))


@pytest.mark.parametrize(("name", "dtype"), all_variants())
def test_every_call_gives_the_same_bits_on_the_same_operands(name: str, dtype: str) -> None:
    variant = VARIANTS[name]
    inputs = variant.make_inputs(some_shape(variant, 21), dtype, seed=5)
    first, second = (variant.call(inputs) for _ in range(2))
    assert all(x.tobytes() == y.tobytes() for x, y in zip(_each(first), _each(second), strict=True))


def _each(called: np.ndarray | tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """The outputs of one call, one or several."""
    return called if isinstance(called, tuple) else (called,)
