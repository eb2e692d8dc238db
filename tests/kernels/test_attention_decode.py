"""One token against a cache: awkward shapes, both number types, special values, and heads cut into parts."""

import platform
import warnings

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels._attention_cache import BLOCK
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

SHAPES = (
    *((1, 1, 1, 1), (2, 3, 5, 9), (1, 1, 1, 64), (1, 2, 0, 16), (1, 2, 3, 0), (0, 2, 3, 16)),
    # One off the edges of a vector, of four of them, of four keys and of a block of keys.
    *((1, 1, 3, 15), (2, 1, 4, 16), (1, 2, 5, 17), (1, 1, 7, 65), (1, 1, 6, 111), (1, 1, BLOCK - 1, 31)),
    *((1, 1, BLOCK, 40), (1, 3, 2 * BLOCK + 1, 80)),
)
DECODE = of_op("attention_decode")


@pytest.mark.parametrize(("name", "dtype"), DECODE)
@pytest.mark.parametrize("offset", [0, 1])
def test_decoding_is_right_at_awkward_shapes_and_places(name: str, dtype: str, offset: int) -> None:
    for size in SHAPES:
        VARIANTS[name].check(ran(name, dtype, sizes("attention_decode", *size), seed=sum(size), offset=offset))


@pytest.mark.parametrize("name", ["attention_decode/vectorized", "attention_decode/parallel"])
@few
@given(heads=st.integers(1, 3), t=st.integers(1, 600), d=st.integers(1, 140), dtype=st.sampled_from(["f32", "bf16"]))
def test_decoding_is_right_at_any_shape(name: str, heads: int, t: int, d: int, dtype: str) -> None:
    VARIANTS[name].check(ran(name, dtype, sizes("attention_decode", 1, heads, t, d), seed=t, offset=t % 3))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_head_cut_into_parts_gives_what_it_gives_whole(threads: int) -> None:
    before, shape = numba.get_num_threads(), sizes("attention_decode", 1, 1, 5 * BLOCK + 3, 64)
    numba.set_num_threads(min(threads, before))
    try:
        found = ran("attention_decode/parallel", "f32", shape)
    finally:
        numba.set_num_threads(before)
    VARIANTS["attention_decode/parallel"].check(found)


@pytest.mark.parametrize("name", ["attention_decode/naive", "attention_decode/vectorized", "attention_decode/parallel"])
def test_parts_of_very_different_scores_are_put_together_right(name: str) -> None:
    shape = sizes("attention_decode", 1, 1, 3 * BLOCK, 64)
    q, k, v = VARIANTS[name].op.inputs(shape, "f32", np.random.default_rng(1))
    k[0, 0, BLOCK : 2 * BLOCK] *= 50
    k[0, 0, :BLOCK, 3] = -np.inf
    VARIANTS[name].check(ran(name, "f32", shape, inputs=(np.abs(q), k, v)))


@pytest.mark.parametrize(("name", "dtype"), [pair for pair in DECODE if pair[1] == "f32"])
@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_not_finite_in_a_query_reaches_its_head_only(name: str, dtype: str, odd: float) -> None:
    shape = sizes("attention_decode", 1, 3, 300, 64)
    q, k, v = VARIANTS[name].op.inputs(shape, dtype, np.random.default_rng(1))
    q[0, 1, 7] = odd
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # inf - inf is meant here
        found = ran(name, dtype, shape, inputs=(q, k, v))
        VARIANTS[name].check(found)
    assert np.isnan(found.outputs[0][0]).all(axis=1).tolist() == [False, True, False]


def test_the_work_counts_the_bytes_of_the_cache() -> None:
    variant, shape = VARIANTS["attention_decode/vectorized"], sizes("attention_decode", 2, 3, 50, 64)
    for dtype in variant.dtypes:
        made = variant.op.inputs(shape, dtype, np.random.default_rng(0))
        assert variant.work(shape, dtype).read_bytes == sum(x.nbytes for x in made)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")
@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_the_naive_rung_is_scalar_and_the_next_in_vectors(dtype: str) -> None:
    assert isa_used(assembly("attention_decode/naive", dtype)) == "scalar"
    assert isa_used(assembly("attention_decode/vectorized", dtype)) != "scalar"
