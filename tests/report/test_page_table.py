"""The table of all cases: sorted, explained, copied."""

from collections.abc import Iterator
from typing import Any

import pytest

from kernelbench.report.columns import COLUMNS
from tests.report.chromium import browser, page_of
from tests.report.page_data import address, hostile, shown, written

__all__ = ["address", "browser"]

pytestmark = pytest.mark.browser

PERMITTED = ["clipboard-read", "clipboard-write"]


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page; no test may make it complain."""
    with page_of(browser, address, permissions=PERMITTED) as (page, faults):
        # A chart that is drawn while the mouse rests on a name would move the name away from under it.
        page.evaluate("window.kernelbench.drawAll().then(() => 0)")
        yield page
        assert faults == []


def column(page: Any, title: str) -> list[str]:
    heads = page.locator("#cases thead th").all_inner_texts()
    place = [head.strip(" ▲▼") for head in heads].index(title)
    texts: list[str] = page.locator(f"#cases tr.case > :nth-child({place + 1})").all_inner_texts()
    return [text for text in texts if text]


def sort_by(page: Any, title: str) -> Any:
    head = page.locator("#cases thead th").filter(has=page.get_by_role("button", name=title, exact=True))
    head.locator("button").click()
    return head


def test_a_click_on_a_number_s_name_sorts_the_largest_first_and_another_the_smallest(page: Any) -> None:
    head = sort_by(page, "GFLOP/s")
    assert head.get_attribute("aria-sort") == "descending"
    numbers = [float(text) for text in column(page, "GFLOP/s")]
    assert numbers == sorted(numbers, reverse=True)
    sort_by(page, "GFLOP/s")
    assert head.get_attribute("aria-sort") == "ascending"
    numbers = [float(text) for text in column(page, "GFLOP/s")]
    assert numbers == sorted(numbers)


def test_times_are_sorted_as_times_and_not_as_text(page: Any) -> None:
    sort_by(page, "median")
    units = [text.split()[1] for text in column(page, "median")]
    assert units == sorted(units, key=["s", "ms", "us", "ns"].index)


def test_cases_without_the_number_come_last_either_way(page: Any) -> None:
    for _ in range(2):
        sort_by(page, "median")
        assert {case.split("/")[1] for case in shown(page)[-4:]} == {"python", "packed"}


def test_a_sorted_row_says_which_problem_it_is_of(page: Any) -> None:
    name = page.locator("#cases tr.case .problem-name").first
    assert not name.is_visible()
    sort_by(page, "median")
    assert name.inner_text() == "matmul n=512"


def test_ladder_order_comes_back_with_its_headings(page: Any) -> None:
    before = shown(page)
    sort_by(page, "median")
    assert page.locator("tr.problem").count() == 0
    page.get_by_role("button", name="Ladder order").click()
    assert shown(page) == before
    assert page.locator("tr.problem").count() == 3


def test_the_keyboard_sorts(page: Any) -> None:
    page.get_by_role("button", name="median", exact=True).focus()
    page.keyboard.press("Enter")
    assert page.locator("th[aria-sort=descending]").count() == 1


@pytest.mark.parametrize("way", ["hover", "focus"])
def test_a_column_is_explained_on(page: Any, way: str) -> None:
    button = page.get_by_role("button", name="% roof", exact=True)
    getattr(button, way)()
    assert page.locator("#tip").inner_text() == COLUMNS["fraction"].meaning
    assert button.get_attribute("aria-describedby") == "tip"
    page.keyboard.press("Escape")
    assert not page.locator("#tip").is_visible()


def test_the_failed_and_the_skipped_stand_with_their_reasons(page: Any) -> None:
    assert column(page, "status").count("failed") == 2
    assert any("would take about 134 s" in reason for reason in column(page, "reason"))


def test_what_is_shown_is_copied_as_tab_separated_text(page: Any) -> None:
    page.locator("#filters [name=op]").select_option("triad")
    page.get_by_role("button", name="Copy as TSV").click()
    page.get_by_text("Copied 4 cases.").wait_for(timeout=5_000)
    lines = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert lines[0].split("\t")[:4] == ["case", "variant", "type", "t"]
    assert [line.split("\t")[0] for line in lines[1:]] == shown(page)


def test_a_browser_that_forbids_the_clipboard_copies_by_hand(page: Any) -> None:
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.get_by_role("button", name="Copy as CSV").click()
    page.locator("#copied:not(:empty)").wait_for(timeout=5_000)
    assert page.locator("#copied").inner_text() in (
        "Copied 24 cases.",
        "The browser forbids copying: the text below is selected.",
    )


def test_no_copied_cell_is_a_formula(browser: Any, tmp_path: Any) -> None:
    address = written(tmp_path / "hostile.html", hostile())
    with page_of(browser, address, permissions=PERMITTED) as (page, faults):
        page.get_by_role("button", name="Copy as TSV").click()
        page.get_by_text("Copied").wait_for(timeout=5_000)
        text = page.evaluate("navigator.clipboard.readText()")
        assert faults == []
    assert not [cell for line in text.splitlines() for cell in line.split("\t") if cell.startswith(("=", "+", "@"))]
