"""Thresholds as typed, and which one judges a cell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelbench.errors import UsageError
from kernelbench.thresholds import DEFAULT_THRESHOLD, Thresholds, parse

CASE = "matmul/tiled/f32/n=512/t=1"


def test_without_any_the_default_judges_every_cell() -> None:
    assert parse([]) == Thresholds(DEFAULT_THRESHOLD)
    assert parse([]).of(CASE) == DEFAULT_THRESHOLD


def test_a_percentage_and_a_share_mean_the_same() -> None:
    assert parse(["5%"]) == parse(["0.05"]) == Thresholds(0.05)


def test_of_two_plain_shares_the_last_one_counts() -> None:
    assert parse(["5%", "3%"]).of(CASE) == 0.03


@pytest.mark.parametrize("glob", ["matmul/*", "matmul/tiled", "*/tiled", "*/n=512/*", CASE])
def test_a_glob_names_cells_by_case_id_or_by_variant(glob: str) -> None:
    made = parse(["5%", f"{glob}=10%"])
    assert made.of(CASE) == 0.10
    assert made.of("relu/naive/f32/n=64/t=1") == 0.05


def test_of_the_globs_that_match_the_last_one_wins() -> None:
    assert parse(["matmul/*=10%", "*/tiled=20%"]).of(CASE) == 0.20
    assert parse(["*/tiled=20%", "matmul/*=10%"]).of(CASE) == 0.10


def test_a_plain_share_after_a_glob_does_not_overrule_it() -> None:
    assert parse(["matmul/*=10%", "3%"]).of(CASE) == 0.10


@pytest.mark.parametrize("text", ["5", "0", "-5%", "100%", "nan", "inf", "five", "", "%", "matmul/*=0", "matmul/*="])
def test_what_is_no_share_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match=r"5% or 0\.05.*'matmul/\*=10%'"):
        parse([text])


def test_a_glob_without_its_share_is_refused_as_typed() -> None:
    with pytest.raises(UsageError, match=r"'relu/\*/n=512'.*'512' is not between 0% and 100%"):
        parse(["relu/*/n=512"])


def test_an_empty_glob_is_refused() -> None:
    with pytest.raises(UsageError, match=r"names no cells before '='"):
        parse(["=5%"])


def test_globs_that_match_nothing_are_named() -> None:
    assert parse(["matmul/*=10%", "matmull/*=10%"]).idle([CASE]) == ("matmull/*",)


@given(st.text())
def test_any_text_is_a_share_between_0_and_1_or_refused(text: str) -> None:
    try:
        made = parse([text])
    except UsageError:
        return
    assert all(0 < share < 1 for share in (made.default, *(share for _, share in made.rules)))


@given(glob=st.from_regex(r"[a-z*?/=,0-9]+", fullmatch=True), percent=st.integers(1, 99))
def test_what_stands_before_the_last_equals_sign_is_the_glob(glob: str, percent: int) -> None:
    assert parse([f"{glob}={percent}%"]).rules == ((glob, percent / 100),)


@given(st.text(alphabet="[]!*?-a/", max_size=20))
def test_any_glob_can_be_matched_against(glob: str) -> None:
    assert Thresholds(0.05, ((glob, 0.1),)).of(CASE) in (0.05, 0.1)
