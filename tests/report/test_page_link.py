"""A dot and its row find each other, with the mouse and with the keyboard."""

from typing import Any

import pytest

from tests.report.chromium import browser
from tests.report.page_data import DOTS, RINGS, address, page, shown

__all__ = ["address", "browser", "page"]

pytestmark = pytest.mark.browser


def row(page: Any, case: str) -> Any:
    return page.locator(f"#cases tr[data-case='{case}']")


def chosen(page: Any) -> str:
    return str(page.locator("tr.chosen").get_attribute("data-case"))


def test_a_click_on_a_dot_shows_its_row(page: Any) -> None:
    dot = page.locator(DOTS).last
    dot.click(force=True)
    page.locator("tr.chosen").wait_for(timeout=10_000)
    assert chosen(page) == dot.evaluate("path => path.__data__.datum.case")
    assert page.evaluate("(r => r.top >= 0 && r.bottom <= innerHeight)"
                         "(document.querySelector('tr.chosen').getBoundingClientRect())")  # fmt: skip


def test_a_click_on_a_dot_finds_its_row_behind_a_text_filter(page: Any) -> None:
    page.locator("#filters [name=text]").fill("nothing like it")
    page.locator(DOTS).last.click(force=True)
    page.locator("tr.chosen").wait_for(timeout=10_000)
    assert chosen(page) in shown(page)


def test_a_click_on_a_row_rings_its_dot(page: Any) -> None:
    row(page, "triad/naive/f32/n=65536/t=1").locator("td").first.click()
    page.locator(RINGS).wait_for(state="attached", timeout=10_000)
    assert page.locator(RINGS).count() == 1
    assert chosen(page) == "triad/naive/f32/n=65536/t=1"


def test_enter_on_a_row_rings_its_dot(page: Any) -> None:
    row(page, "triad/naive/f32/n=65536/t=1").locator("button").focus()
    page.keyboard.press("Enter")
    page.locator(RINGS).wait_for(state="attached", timeout=10_000)


def test_a_row_of_other_threads_brings_their_view(page: Any) -> None:
    row(page, "triad/parallel/f32/n=65536/t=2").locator("td").first.click()
    page.locator(RINGS).wait_for(state="attached", timeout=10_000)
    assert page.locator("#view-roofline").inner_text() == "Shown: 2 threads."


def test_a_row_without_a_dot_says_so(page: Any) -> None:
    row(page, "matmul/packed/f32/n=512/t=1").locator("td").first.click()
    assert "no dot: it was not measured" in page.locator("#counted").inner_text()


def test_the_rows_are_one_stop_of_the_tab_key_and_arrows_walk_them(page: Any) -> None:
    buttons = page.locator("#cases tr.case button")
    assert page.locator("#cases tr.case button[tabindex='0']").count() == 1
    buttons.first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('tr').dataset.case") == shown(page)[1]
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.closest('tr').dataset.case") == shown(page)[-1]
