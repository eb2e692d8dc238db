"""CPU lists and masks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.machine.cpulist import format_cpus, parse, parse_mask


def test_a_list_with_ranges_is_read_in_rising_order() -> None:
    assert parse("8,0-3") == (0, 1, 2, 3, 8)


def test_an_empty_list_has_no_cpus() -> None:
    assert parse(" \n") == ()


def test_neighbours_are_written_as_ranges() -> None:
    assert format_cpus((8, 2, 1, 0)) == "0-2,8"


@given(st.frozensets(st.integers(0, 300)))
def test_writing_and_reading_gives_the_same_cpus(cpus: frozenset[int]) -> None:
    assert parse(format_cpus(cpus)) == tuple(sorted(cpus))


@given(st.frozensets(st.integers(0, 300), min_size=1))
def test_a_mask_names_the_same_cpus_as_a_list(cpus: frozenset[int]) -> None:
    bits = sum(1 << cpu for cpu in cpus)
    words = [f"{bits >> shift & 0xFFFFFFFF:08x}" for shift in range(288, -1, -32)]
    assert parse_mask(",".join(words)) == tuple(sorted(cpus))


@pytest.mark.parametrize("text", ["3-1", "a", "1,,2", "0-99999999999", "0-70000", "-1", "1;2"])
def test_what_is_no_list_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="CPU"):
        parse(text)


@pytest.mark.parametrize("text", ["", "xyz", "1,2", "0x3"])
def test_what_is_no_mask_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="CPU mask"):
        parse_mask(text)
