"""The page's form narrows the roofline and the table alike."""

from typing import Any

import pytest

from tests.report.chromium import browser
from tests.report.page_data import address, dots, page, shown

__all__ = ["address", "browser", "page"]

pytestmark = pytest.mark.browser


def wait_for_dots(page: Any, count: int) -> None:
    page.wait_for_function(
        "n => document.querySelectorAll('#chart-roofline g.dots_marks path').length === n",
        arg=count,
        timeout=10_000,
    )


def choose(page: Any, name: str, value: str) -> None:
    page.locator(f"#filters [name={name}]").select_option(value)


def label(page: Any, text: str) -> Any:
    return page.locator("#chart-roofline svg").get_by_text(text, exact=True)


def test_without_a_choice_the_table_has_all_cases_and_the_roofline_those_of_one_thread(page: Any) -> None:
    assert len(shown(page)) == 24
    assert dots(page) == sum("/t=1" in case for case in shown(page) if "python" not in case and "packed" not in case)
    assert page.locator("#counted").inner_text() == "24 of 24 cases"


def test_an_op_leaves_its_rows_and_its_dots(page: Any) -> None:
    choose(page, "op", "triad")
    wait_for_dots(page, 3)
    assert len(shown(page)) == 4
    assert all(case.startswith("triad/") for case in shown(page))


@pytest.mark.parametrize(("facet", "value", "count"), [("style", "tiled", 2), ("dtype", "i8", 2), ("size", "n=256", 7)])
def test_a_choice_of_each_kind_narrows_both(page: Any, facet: str, value: str, count: int) -> None:
    choose(page, facet, value)
    wait_for_dots(page, 6 if facet == "size" else count)
    assert len(shown(page)) == (10 if facet == "size" else count)


def test_two_threads_bring_their_own_ceilings(page: Any) -> None:
    assert label(page, "L1 read 198 GB/s").count() == 1
    choose(page, "threads", "2")
    label(page, "L1 read 396 GB/s").wait_for(state="attached", timeout=10_000)
    assert label(page, "L1 read 198 GB/s").count() == 0
    assert all("/t=2" in case for case in shown(page))
    assert page.locator("#view-roofline").inner_text() == "Shown: 2 threads."


def test_sizes_that_the_chosen_op_lacks_cannot_be_chosen(page: Any) -> None:
    choose(page, "op", "triad")
    options = page.locator("#filters [name=size] option:not([disabled])").all_inner_texts()
    assert options == ["all", "n=65536"]


def test_words_narrow_the_table(page: Any) -> None:
    page.locator("#filters [name=text]").fill("failed packed")
    assert shown(page) == ["matmul/packed/f32/n=256/t=1", "matmul/packed/f32/n=512/t=1"]
    assert page.locator("tr.problem:not([hidden])").count() == 2


def test_words_that_fit_nothing_are_said_to(page: Any) -> None:
    page.locator("#filters [name=text]").fill("no such case")
    assert page.locator("#none").is_visible()


def test_show_all_undoes_every_choice(page: Any) -> None:
    before = dots(page)
    choose(page, "op", "triad")
    wait_for_dots(page, 3)
    page.get_by_role("button", name="Show all").click()
    wait_for_dots(page, before)
    assert len(shown(page)) == 24


def test_a_level_that_is_switched_off_takes_its_line_label_and_ridges(page: Any) -> None:
    ridges = page.locator("#chart-roofline svg g.ridges_marks path").count()
    page.get_by_label("L2", exact=True).uncheck()
    label(page, "L2 read 107 GB/s").wait_for(state="detached", timeout=10_000)
    assert label(page, "L1 read 198 GB/s").count() == 1
    after = page.locator("#chart-roofline svg g.ridges_marks path").count()
    assert after <= ridges
    page.get_by_label("i8 peak").uncheck()
    label(page, "i8 AVX-512 dot product 467 GOP/s").wait_for(state="detached", timeout=10_000)


def test_the_form_works_with_the_keyboard_alone(page: Any) -> None:
    page.locator("nav a").last.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "op"
    page.keyboard.type("triad")
    wait_for_dots(page, 3)
    assert len(shown(page)) == 4


def ticks(page: Any) -> list[str]:
    texts: list[str] = page.locator("#chart-roofline svg g.role-axis-label text").all_inner_texts()
    return texts


def test_buttons_zoom_and_reset(page: Any) -> None:
    before = ticks(page)
    page.locator("[data-zoom=in][data-of=roofline]").click()
    page.wait_for_function("window.kernelbench.draw('roofline').then(v => v.scale('x').domain()[1] < 100)")
    assert ticks(page) != before
    page.locator("[data-zoom=reset][data-of=roofline]").click()
    page.wait_for_timeout(300)
    assert ticks(page) == before


def test_the_wheel_scrolls_the_page_and_zooms_with_ctrl(page: Any) -> None:
    box = page.locator("#chart-roofline").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 150)
    before, at = ticks(page), page.evaluate("scrollY")
    page.mouse.wheel(0, 120)
    page.wait_for_function("y => scrollY > y", arg=at, timeout=5_000)
    assert ticks(page) == before
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    page.wait_for_timeout(300)
    assert ticks(page) != before
