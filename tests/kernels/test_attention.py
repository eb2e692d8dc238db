"""Attention: awkward shapes, causal and not, special values, and how work is shared between threads."""

import platform
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.kernels._attention import KEYS, blocks_of, share
from kernelbench.kernels._check import WrongResult
from kernelbench.kernels._gemm import MR
from kernelbench.native.assembly import isa_used
from tests.kernels.running import VARIANTS, assembly, few, of_op, ran, sizes

SHAPES = (
    *((1, 1, 1, 1, 1), (2, 3, 5, 9, 6), (1, 2, 9, 5, 6), (1, 1, 1, 70, 64), (0, 1, 3, 3, 8), (2, 0, 3, 3, 8)),
    # Nothing to ask, nothing to see, nothing to weigh.
    *((1, 2, 0, 3, 4), (1, 2, 3, 0, 4), (1, 2, 3, 3, 0)),
    # One off the edges of a block of queries, of a block of keys, of a vector; heads wider than a sliver.
    *((1, 1, MR - 1, 31, 15), (2, 1, MR, 32, 16), (1, 2, MR + 1, 33, 17), (1, 1, 30, KEYS + 1, 40), (1, 1, 3, 5, 401)),
    (1, 1, KEYS + 20, KEYS + 20, 5),
)
ATTENTION = of_op("attention")


def shaped(*size: int, causal: int) -> dict[str, int]:
    return {**sizes("attention", *size), "causal": causal}


@pytest.mark.parametrize(("name", "dtype"), ATTENTION)
@pytest.mark.parametrize("causal", [0, 1])
@pytest.mark.parametrize("offset", [0, 1])
def test_attention_is_right_at_awkward_shapes_and_places(name: str, dtype: str, causal: int, offset: int) -> None:
    for size in SHAPES:
        VARIANTS[name].check(ran(name, dtype, shaped(*size, causal=causal), seed=sum(size), offset=offset))


@pytest.mark.parametrize("name", ["attention/flash", "attention/parallel", "attention/materialised"])
@few
@given(
    heads=st.integers(1, 3),
    s=st.integers(1, 40),
    t=st.integers(1, 70),
    d=st.integers(1, 70),
    causal=st.integers(0, 1),
)
def test_attention_is_right_at_any_shape(name: str, heads: int, s: int, t: int, d: int, causal: int) -> None:
    VARIANTS[name].check(ran(name, "f32", shaped(2, heads, s, t, d, causal=causal), seed=s, offset=s % 3))


@pytest.mark.parametrize(("name", "dtype"), ATTENTION)
def test_a_query_that_sees_no_key_gives_zeros(name: str, dtype: str) -> None:
    found = ran(name, dtype, shaped(1, 1, 20, 3, 16, causal=1))
    assert not found.outputs[0][0, 0, :17].any()
    assert found.outputs[0][0, 0, 17:].all()


@pytest.mark.parametrize(("name", "dtype"), ATTENTION)
def test_large_scores_do_not_overflow(name: str, dtype: str) -> None:
    shape = shaped(1, 1, 20, 500, 16, causal=0)
    q, k, v = VARIANTS[name].op.inputs(shape, dtype, np.random.default_rng(1))
    VARIANTS[name].check(ran(name, dtype, shape, inputs=(300 * q, k, v)))


@pytest.mark.parametrize(("name", "dtype"), ATTENTION)
@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_not_finite_in_a_query_reaches_that_query_only(name: str, dtype: str, odd: float) -> None:
    shape = shaped(1, 1, 20, 500, 16, causal=0)
    q, k, v = VARIANTS[name].op.inputs(shape, dtype, np.random.default_rng(1))
    q[0, 0, 7, 3] = odd
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # inf - inf is meant here
        found = ran(name, dtype, shape, inputs=(q, k, v))
        VARIANTS[name].check(found)
    assert np.flatnonzero(np.isnan(found.outputs[0]).all(axis=3)).tolist() == [7]


@pytest.mark.parametrize(("name", "dtype"), ATTENTION)
def test_nan_in_a_key_reaches_the_queries_that_see_it_only(name: str, dtype: str) -> None:
    shape = shaped(1, 1, 20, 20, 16, causal=1)
    q, k, v = VARIANTS[name].op.inputs(shape, dtype, np.random.default_rng(1))
    k[0, 0, 11, 3] = np.nan
    found = ran(name, dtype, shape, inputs=(q, k, v))
    assert np.flatnonzero(np.isnan(found.outputs[0]).all(axis=3)).tolist() == list(range(11, 20))


@pytest.mark.parametrize("name", ["attention/flash", "attention/materialised", "attention/naive"])
def test_a_block_of_keys_of_weight_zero_leaves_the_others(name: str) -> None:
    """The first scores are all -inf: the largest so far is no number to subtract yet."""
    shape = shaped(1, 1, 3, KEYS + 30, 16, causal=0)
    q, k, v = VARIANTS[name].op.inputs(shape, "f32", np.random.default_rng(1))
    q = np.abs(q)
    k[0, 0, : KEYS + 2, 3] = -np.inf
    VARIANTS[name].check(ran(name, "f32", shape, inputs=(q, k, v)))


@pytest.mark.parametrize(("name", "dtype"), ATTENTION)
def test_one_key_more_or_less_is_seen_by_the_check(name: str, dtype: str) -> None:
    shape = shaped(1, 2, 9, 300, 16, causal=0)
    found = ran(name, dtype, shape)
    q, k, v = found.inputs
    fewer = ran("attention/naive", "f32", shaped(1, 2, 9, 299, 16, causal=0), inputs=(q, *cut(k, v)))
    with pytest.raises(WrongResult):
        VARIANTS[name].check(replace(found, outputs=fewer.outputs))


def cut(*arrays: np.ndarray) -> list[np.ndarray]:
    return [np.ascontiguousarray(x[:, :, :-1]) for x in arrays]


@few
@given(
    parts=st.integers(1, 5), heads=st.integers(0, 5), s=st.integers(0, 99), t=st.integers(0, 99), c=st.integers(0, 1)
)
def test_shares_of_the_work_leave_no_block_out(parts: int, heads: int, s: int, t: int, c: int) -> None:
    cuts = [share(part, parts, heads, s, t, c) for part in range(parts + 1)]
    assert cuts[0] == 0
    assert cuts[-1] == heads * blocks_of(s)
    assert cuts == sorted(cuts)


def test_causal_shares_are_about_equal_in_keys_seen() -> None:
    s = 40 * MR
    cut = share(1, 2, 1, s, s, 1)
    assert cut == pytest.approx(40 / 2**0.5, abs=1.5)


def test_the_work_counts_the_pairs_that_are_seen() -> None:
    work = VARIANTS["attention/flash"].work
    assert work(shaped(2, 3, 5, 7, 8, causal=0), "f32").flop == 6 * 35 * 37
    assert work(shaped(2, 3, 5, 7, 8, causal=1), "f32").flop == 6 * (3 + 4 + 5 + 6 + 7) * 37
    assert work(shaped(1, 1, 7, 3, 8, causal=1), "f32").flop == (1 + 2 + 3) * 37


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")
def test_the_naive_rung_is_scalar_and_its_code_has_no_vectors() -> None:
    assert isa_used(assembly("attention/naive", "f32")) == "scalar"
