"""Sizes as people write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelbench import sizes
from kernelbench.errors import UsageError
from kernelbench.model import OpInfo

MATMUL = OpInfo("matmul", "C = A B", ("m", "n", "k"))
RELU = OpInfo("relu", "y = max(x, 0)", ("n",))
CONV = OpInfo("conv2d", "convolution", ("n", "c", "h", "w", "k", "r", "s"))


def shapes(op: OpInfo, *entries: int | str) -> list[tuple[int, ...]]:
    parsed = tuple(size for entry in entries for size in sizes.parse(entry))
    return [tuple(shape.values()) for shape in sizes.shapes(parsed, op).fits]


def test_a_bare_number_is_every_dimension() -> None:
    assert shapes(MATMUL, "64,256", 8) == [(64, 64, 64), (256, 256, 256), (8, 8, 8)]
    assert shapes(RELU, 64) == [(64,)]


def test_a_full_group_gives_each_dimension_in_order() -> None:
    parsed = sizes.parse("1x4096x512")
    assert sizes.shapes(parsed, MATMUL).fits == ({"m": 1, "n": 4096, "k": 512},)


def test_a_prefix_restricts_to_its_op_and_takes_the_place_of_general_sizes() -> None:
    entries = ("64", "matmul:8,16", "relu:5")
    assert shapes(MATMUL, *entries) == [(8,) * 3, (16,) * 3]
    assert shapes(RELU, *entries) == [(5,)]
    assert shapes(OpInfo("dot", "", ("n",)), *entries) == [(64,)]


def test_groups_after_a_prefix_join_until_every_dimension_has_its_number() -> None:
    assert shapes(CONV, "conv2d:1x64x56x56,64x3x3") == [(1, 64, 56, 56, 64, 3, 3)]
    assert shapes(CONV, "conv2d:1x2x3x4,5,6x7,1x1x1x1,2x3x3") == [(1, 2, 3, 4, 5, 6, 7), (1, 1, 1, 1, 2, 3, 3)]


def test_a_lone_number_that_starts_a_shape_is_every_dimension_even_after_a_prefix() -> None:
    assert shapes(CONV, "conv2d:8,1x2x3x4,5x6x7") == [(8,) * 7, (1, 2, 3, 4, 5, 6, 7)]


def test_one_value_may_hold_general_sizes_and_those_of_several_ops() -> None:
    entry = "64,matmul:1x2x3,relu:7,9"
    assert shapes(MATMUL, entry) == [(1, 2, 3)]
    assert shapes(RELU, entry) == [(7,), (9,)]
    assert shapes(OpInfo("dot", "", ("n",)), entry) == [(64,)]


def test_without_a_prefix_groups_never_join() -> None:
    found = sizes.shapes(sizes.parse("1x2,3"), MATMUL)
    assert found.fits == ({"m": 3, "n": 3, "k": 3},)
    assert found.misfits == (("1x2", "matmul has 3 dimensions (m x n x k), the size 1x2 has 2"),)


def test_a_size_with_too_many_numbers_is_a_reason_not_an_error() -> None:
    found = sizes.shapes(sizes.parse("1x2x3"), RELU)
    assert found.fits == ()
    assert found.misfits == (("1x2x3", "relu has 1 dimension (n), the size 1x2x3 has 3"),)


def test_a_joined_size_that_stays_short_is_a_reason() -> None:
    found = sizes.shapes(sizes.parse("conv2d:1x64x56x56,64"), CONV)
    assert "the size 1x64x56x56x64 has 5" in found.misfits[0][1]


def test_an_op_without_a_size_has_the_default() -> None:
    assert shapes(MATMUL) == [(256, 256, 256)]
    assert shapes(MATMUL, "relu:5") == [(256, 256, 256)]


def test_the_same_shape_written_twice_is_one_shape() -> None:
    assert shapes(MATMUL, "8", "8x8x8", 8) == [(8, 8, 8)]


@pytest.mark.parametrize(
    "entry",
    ["0", 0, -1, "-1", "", " ", "64,", "1x0x3", "axb", "1.5", "1e3", "+4", "1_000", "٣", "conv2d:", "conv2d:1xx2",
     ":64", "a:b:3", "0x10", str(1 << 41), "9" * 5000],
)  # fmt: skip
def test_a_size_that_cannot_be_is_refused_with_the_accepted_forms(entry: int | str) -> None:
    with pytest.raises(UsageError) as caught:
        sizes.parse(entry)
    assert "1x4096x4096" in str(caught.value)
    assert len(str(caught.value)) < 400


def test_the_refusal_names_the_wrong_part_and_the_whole_value() -> None:
    with pytest.raises(UsageError, match="size '0' in '64,1x0x3'"):
        sizes.parse("64,1x0x3")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789x,: abconv2d-", max_size=25))
def test_any_text_gives_shapes_of_positive_numbers_or_a_usage_error(text: str) -> None:
    try:
        parsed = sizes.parse(text)
    except UsageError:
        return
    for op in (MATMUL, RELU, CONV):
        for shape in sizes.shapes(parsed, op).fits:
            assert tuple(shape) == op.dims
            assert min(shape.values()) >= 1


@given(st.lists(st.integers(1, 1 << 40), min_size=3, max_size=3))
def test_a_shape_written_out_is_read_back(dims: list[int]) -> None:
    assert shapes(MATMUL, "x".join(map(str, dims))) == [tuple(dims)]
