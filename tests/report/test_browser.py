"""The page in a real browser with the network cut: what it draws, in both themes and at every width."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kernelbench.report import html
from tests.builders import sample
from tests.report.chromium import browser, drawn, page_of

__all__ = ["browser"]

pytestmark = pytest.mark.browser

DOTS = "#chart-roofline svg g.dots_marks path"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html.render(sample()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[tuple[Any, list[str]]]:
    """The page with its roofline drawn, and everything the console or the network complained about."""
    width, scheme = getattr(request, "param", (1440, "light"))
    with page_of(browser, address, width, scheme) as (page, faults):
        drawn(page)
        yield page, faults


@pytest.mark.parametrize("opened", [(1440, "light"), (390, "dark")], indirect=True)
def test_every_figure_is_drawn_offline_without_a_console_error(opened: tuple[Any, list[str]]) -> None:
    page, faults = opened
    for place in page.locator("[data-figure]").all():
        assert drawn(page, place.get_attribute("data-figure")).locator("svg").count() == 1
    assert faults == []


def test_a_figure_below_the_window_waits_until_it_comes_near(browser: Any, address: str) -> None:
    with page_of(browser, address) as (page, _):
        page.wait_for_selector("#chart-roofline[data-drawn]", timeout=30_000)
        last = page.locator("[data-figure]").last
        assert last.get_attribute("data-drawn") is None
        drawn(page, last.get_attribute("data-figure"))


@pytest.mark.parametrize("opened", [(1440, "light"), (390, "light")], indirect=True)
def test_the_page_is_no_wider_than_its_window(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.evaluate("window.kernelbench.drawAll().then(() => 0)")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(("opened", "label"), [((1440, "light"), "L1 read 198 GB/s"), ((390, "dark"), "L1 198")],
                         indirect=["opened"])  # fmt: skip
def test_a_slope_carries_its_label_short_on_a_phone(opened: tuple[Any, list[str]], label: str) -> None:
    page, _ = opened
    assert page.locator("#chart-roofline svg").get_by_text(label, exact=True).count() == 1


@pytest.mark.parametrize("opened", [(1440, "light"), (390, "dark")], indirect=True)
def test_a_tooltip_with_the_case_and_its_roof_appears_on_hover(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.locator(DOTS).last.hover(force=True)
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for(timeout=10_000)
    assert "/f32/n=65536/t=1" in tooltip.inner_text()
    assert "L2 triad 1 thread" in tooltip.inner_text()
    box = tooltip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= page.viewport_size["width"]


def test_the_charts_take_the_text_colour_of_dark_mode(browser: Any, address: str) -> None:
    colours = []
    for scheme in ("light", "dark"):
        with page_of(browser, address, scheme=scheme) as (page, _):
            drawn(page)
            colours.append(page.evaluate("getComputedStyle(document.querySelector('#chart-roofline svg text')).fill"))
    assert colours[0] != colours[1]


def test_print_shows_the_whole_table_on_white_without_the_controls(browser: Any, address: str) -> None:
    with page_of(browser, address, scheme="dark") as (page, _):
        drawn(page)
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert not page.locator("#filters").is_visible()
        assert page.evaluate("(e => e.scrollHeight <= e.clientHeight)(document.querySelector('.cases'))")


def test_the_contents_lead_to_every_section(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    links = page.locator("nav a").all()
    assert links[0].inner_text() == "Roofline"
    for link in links:
        assert page.locator(link.get_attribute("href")).count() == 1
