"""matmul in bf16: borders of its blocks, rounding, and what is not finite."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels import matmul_bf16
from kernelbench.kernels._bf16 import decode, encode
from kernelbench.kernels._check import WrongResult
from kernelbench.kernels._dot_gemm import GROUP, KC_LONE, scratch_bytes
from kernelbench.kernels._dot_tile import KC, MR_BF16, NR
from kernelbench.kernels._scratch import Scratch
from kernelbench.native.assembly import isa_used
from kernelbench.simd.dot import target_has_bf16
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

BF16 = [name for name, dtype in of_op("matmul") if dtype == "bf16"]
PACKED = ["matmul/bf16", "matmul/bf16_parallel"]
BORDERS = (
    (MR_BF16, NR, 2 * KC),
    (MR_BF16 + 1, NR + 1, 2 * KC + 1),
    (2 * MR_BF16 + 1, GROUP + 1, 3),
    # A lone block of rows reuses the place of its panels.
    (MR_BF16 - 1, GROUP + NR - 1, 2 * KC_LONE + 1),
    (1, GROUP + 1, 2 * KC_LONE - 1),
)


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("size", BORDERS)
def test_a_bf16_product_is_right_at_the_borders_of_its_blocks(name: str, size: tuple[int, int, int]) -> None:
    VARIANTS[name].check(ran(name, "bf16", sizes("matmul", *size), seed=sum(size), offset=1))


@pytest.mark.parametrize("rows", range(1, 17))
def test_a_bf16_product_is_right_for_the_few_rows_of_a_model_that_answers(rows: int) -> None:
    VARIANTS["matmul/bf16"].check(ran("matmul/bf16", "bf16", sizes("matmul", rows, NR + 5, 19), seed=rows))


@few
@given(m=st.integers(0, 40), n=st.integers(0, 70), k=st.integers(0, 70), seed=st.integers(0, 99))
def test_a_bf16_product_is_right_at_any_shape(m: int, n: int, k: int, seed: int) -> None:
    VARIANTS["matmul/bf16"].check(ran("matmul/bf16", "bf16", sizes("matmul", m, n, k), seed=seed, offset=seed % 3))


@pytest.mark.parametrize("name", BF16)
def test_a_sum_is_rounded_once_not_at_every_step(name: str) -> None:
    # Added up in bf16 the ones would end at 256, whose neighbour is 258.
    a, b = encode(np.ones((1, 301), np.float32)), encode(np.ones((301, 1), np.float32))
    found = ran(name, "bf16", sizes("matmul", 1, 1, 301), inputs=(a, b))
    assert decode(found.outputs[0]).item() == 300  # the even one of 301's neighbours


@pytest.mark.parametrize("name", BF16)
def test_what_is_not_finite_stays_in_its_own_row_and_column(name: str) -> None:
    m, n, k = MR_BF16 + 2, NR + 3, 5
    a, b = np.ones((m, k), np.float32), np.ones((k, n), np.float32)
    a[MR_BF16, 2], b[3, n - 1] = np.nan, np.inf
    made = decode(ran(name, "bf16", sizes("matmul", m, n, k), inputs=(encode(a), encode(b))).outputs[0])
    expected = np.full((m, n), k, np.float32)
    expected[:, n - 1] = np.inf
    expected[MR_BF16] = np.nan
    np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize("name", BF16)
@pytest.mark.parametrize("size", [(0, 3, 2), (3, 0, 2), (3, 2, 0)])
def test_an_empty_product_is_empty_and_an_empty_sum_is_zero(name: str, size: tuple[int, int, int]) -> None:
    made = ran(name, "bf16", sizes("matmul", *size)).outputs[0]
    assert made.shape == size[:2]
    assert (made == 0).all()


def test_the_check_sees_one_lost_product_of_many() -> None:
    found = ran("matmul/bf16", "bf16", sizes("matmul", 9, 9, 400), seed=1)
    a, b = (decode(x) for x in found.inputs)
    wrong = decode(found.outputs[0])
    wrong[4, 4] -= a[4, 7] * b[7, 4]
    with pytest.raises(WrongResult, match=r"1 of 81 elements wrong; worst at \[4, 4\]"):
        VARIANTS["matmul/bf16"].check(replace(found, outputs=(encode(wrong),)))


def test_parts_of_any_number_of_threads_give_the_same_product() -> None:
    (a, b), (m, n, k) = (
        VARIANTS["matmul/bf16"].op.inputs(sizes("matmul", 40, 6 * NR + 3, 700), "bf16", np.random.default_rng(1)),
        (40, 6 * NR + 3, 700),
    )
    whole = VARIANTS["matmul/bf16"].call(VARIANTS["matmul/bf16"].make_inputs(sizes("matmul", m, n, k), "bf16", 1))
    c = np.zeros((m, n), np.uint16)
    matmul_bf16.parallel(a, b, Scratch.of(3 * scratch_bytes(k, 2)), 3, c)
    assert c.tolist() == whole.tolist()


def test_the_ladder_is_what_it_says_in_the_emitted_code() -> None:
    assert isa_used(assembly("matmul/bf16_naive", "bf16")) == "scalar"
    emitted = assembly("matmul/bf16", "bf16")
    assert isa_used(emitted) != "scalar"
    assert ("vdpbf16ps" in emitted) is target_has_bf16()
