"""Results that hold less, or far more, than a page expects."""

import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from msgspec.structs import replace

from kernelbench.model import Failed, Record, Result
from kernelbench.report import html
from kernelbench.report.page_table import MOST_ROWS, table
from kernelbench.report.page_unmeasured import MOST_NAMED, unmeasured
from kernelbench.report.rows import Row, rows
from kernelbench.report.thinning import thinned
from tests.builders import case, record, result, sample
from tests.report.page_data import two_machines


def failed(count: int) -> list[Record]:
    return [record(case(shape={"n": 16 + i}), Failed("verify", "wrong")) for i in range(count)]


def many(count: int) -> tuple[Row, ...]:
    """Rows of two ops and three styles, every one measured; the last is by far the nearest to its roof."""
    (row,) = rows(result([record()]))
    made = [
        replace(row, op=f"op{i % 2}", style=("naive", "tiled", "library")[i % 3], case_id=f"c{i}", roof_fraction=0.1)
        for i in range(count)
    ]
    return (*made[:-1], replace(made[-1], roof_fraction=0.9))


@pytest.mark.parametrize(
    "content",
    [
        result([record()]),
        result(failed(3)),
        result([record()], ceilings=()),
        result([record()], ceilings=(), machines={}),
        result([], ceilings=(), machines={}),
        result([]),
        two_machines(),
    ],
    ids=["one cell", "all failed", "no ceilings", "no machine", "nothing at all", "no case", "two machines"],
)
def test_a_page_is_made_of(content: Result) -> None:
    page = html.render(content)
    assert page.startswith("<!doctype html>")
    assert 'id="machine"' in page


def test_an_empty_result_says_that_nothing_was_measured() -> None:
    assert "Nothing was measured" in html.render(result([], ceilings=(), machines={}))


def test_two_machines_can_be_told_apart_and_chosen() -> None:
    page = html.render(two_machines())
    assert "all (roofline: 0123456789ab)" in page
    assert "Other CPU" in page


def test_a_case_without_any_roof_says_that_there_are_no_ceilings() -> None:
    assert "this file holds no ceilings that apply" in html.render(result([record()], ceilings=()))


def test_every_id_of_a_page_is_its_own() -> None:
    ids = re.findall(r'\sid="([^"]*)"', html.render(sample()))
    assert len(ids) == len(set(ids))


def places(kept: Sequence[int], made: Sequence[Row]) -> set[tuple[str, str]]:
    return {(made[place].op, made[place].style) for place in kept}


def test_few_cases_are_all_drawn() -> None:
    assert thinned(many(20), most=20) == tuple(range(20))


def test_thinned_dots_keep_the_best_of_each_op_and_style() -> None:
    made = many(1000)
    kept = thinned(made, most=50)
    assert len(kept) == 50
    assert kept[-1] == 999
    assert places(kept, made) == places(range(1000), made)


def test_thinned_dots_are_spread_evenly_over_the_cases() -> None:
    kept = thinned(many(1000), most=100)
    assert max(b - a for a, b in pairwise(kept)) <= 22


def test_cases_that_were_not_measured_take_no_dot() -> None:
    assert thinned(rows(result(failed(3)))) == ()


def test_the_table_of_too_many_cases_says_how_many_it_shows() -> None:
    made = table(many(MOST_ROWS + 5))
    assert (made.shown, made.total) == (MOST_ROWS, MOST_ROWS + 5)
    assert sum(len(body.lines) for body in made.bodies) == MOST_ROWS


def test_cases_that_share_a_reason_are_named_together_up_to_a_limit() -> None:
    (part,) = unmeasured(rows(result(failed(MOST_NAMED + 3))), ())
    (only,) = part.reasons
    assert len(only.names) == MOST_NAMED
    assert only.others == 3


def test_more_dots_than_a_page_can_hold_as_elements_are_painted_on_a_canvas() -> None:
    (made,) = result([record()]).records
    records = [replace(made, case=case(shape={"n": 16 + i})) for i in range(2001)]
    page = html.render(result(records))
    assert 'data-renderer="canvas"' in page
    assert "The first 2000 of 2001 cases" in page
