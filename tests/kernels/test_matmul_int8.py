"""matmul in 8-bit integers: exact at the borders of its blocks, at -128, and however it is parted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels import matmul_int8
from kernelbench.kernels._dot_gemm import GROUP, KC_LONE, scratch_bytes
from kernelbench.kernels._dot_tile import KC, MR_I8, NR
from kernelbench.kernels._int8_product import panels
from kernelbench.kernels._scratch import Scratch
from tests.kernels.running import VARIANTS, few, ran, sizes

OURS = ["matmul/int8", "matmul/int8_parallel", "matmul/int8_prepacked", "matmul/int8_prepacked_parallel"]
LIBRARIES = [f"matmul/{name}" for name in ("torch_int8", "onnxruntime") if not VARIANTS[f"matmul/{name}"].unavailable()]
BORDERS = (
    (MR_I8, NR, 4 * KC),
    (MR_I8 + 1, NR + 1, 4 * KC + 1),
    (2 * MR_I8 + 1, GROUP + 1, 3),
    # A lone block of rows reuses the place of its panels.
    (MR_I8 - 1, GROUP + NR - 1, 4 * KC_LONE + 1),
    (1, GROUP + 1, 4 * KC_LONE - 1),
)


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("size", BORDERS)
def test_an_int8_product_is_exact_at_the_borders_of_its_blocks(name: str, size: tuple[int, int, int]) -> None:
    VARIANTS[name].check(ran(name, "i8", sizes("matmul", *size), seed=sum(size), offset=1))


@pytest.mark.parametrize("name", ["matmul/int8", "matmul/int8_prepacked"])
def test_an_int8_product_is_exact_for_the_few_rows_of_a_model_that_answers(name: str) -> None:
    for rows in range(1, 17):
        VARIANTS[name].check(ran(name, "i8", sizes("matmul", rows, NR + 5, 19), seed=rows))


@pytest.mark.parametrize("name", [*OURS, *LIBRARIES])
@pytest.mark.parametrize("size", [(0, 3, 2), (3, 0, 2), (3, 2, 0)])
def test_an_empty_product_is_empty_and_an_empty_sum_is_zero(name: str, size: tuple[int, int, int]) -> None:
    made = ran(name, "i8", sizes("matmul", *size)).outputs[0]
    assert made.shape == size[:2]
    assert (made == 0).all()


def called(a: np.ndarray, b: np.ndarray, *, threads: int = 0, packed: bool = False) -> np.ndarray:
    """What one of our kernels makes of plain int8 operands, which the op itself would have quantized."""
    c = np.full((a.shape[0], b.shape[1]), 7, np.int32)
    work = Scratch.of(max(1, threads) * scratch_bytes(a.shape[1], 1))
    second = panels(b, 128) if packed else b
    if threads:
        (matmul_int8.prepacked_parallel if packed else matmul_int8.parallel)(a, second, work, threads, c)
    else:
        (matmul_int8.int8_prepacked if packed else matmul_int8.int8)(a, second, work, c)
    return c


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("signs", [(-128, -128), (-128, 127), (127, -128)])
def test_minus_128_is_a_number_like_any_other(packed: bool, signs: tuple[int, int]) -> None:
    a, b = np.full((15, 70), signs[0], np.int8), np.full((70, 33), signs[1], np.int8)
    assert (called(a, b, packed=packed) == 70 * signs[0] * signs[1]).all()


@few
@given(m=st.integers(1, 30), n=st.integers(1, 70), k=st.integers(1, 70), seed=st.integers(0, 99), packed=st.booleans())
def test_any_bytes_give_the_product_of_python_integers(m: int, n: int, k: int, seed: int, packed: bool) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(-128, 128, (m, k), dtype=np.int8), rng.integers(-128, 128, (k, n), dtype=np.int8)
    assert (called(a, b, packed=packed) == a.astype(np.int64) @ b.astype(np.int64)).all()


@pytest.mark.parametrize("packed", [False, True])
def test_parts_of_any_number_of_threads_give_the_same_integers(packed: bool) -> None:
    rng = np.random.default_rng(4)
    for n in (5, 6 * NR + 3, 9 * NR):
        a, b = rng.integers(-128, 128, (60, 4000), dtype=np.int8), rng.integers(-128, 128, (4000, n), dtype=np.int8)
        assert (called(a, b, threads=3, packed=packed) == called(a, b)).all()


def test_the_longest_sum_that_fits_32_bits_is_exact() -> None:
    k = 131071
    a, b = np.full((1, k), -128, np.int8), np.full((k, 1), -128, np.int8)
    assert called(a, b).item() == k * 128 * 128
