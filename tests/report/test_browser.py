"""The page in a real browser with the network cut."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kernelbench.report import html
from tests.builders import sample
from tests.report.chromium import browser, page_of

__all__ = ["browser"]

pytestmark = pytest.mark.browser

DOTS = "#roofline svg g.mark-symbol.role-mark path"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html.render(sample()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[tuple[Any, list[str]]]:
    """The page, drawn, and everything the console or the network complained about."""
    width, scheme = getattr(request, "param", (1440, "light"))
    with page_of(browser, address, width, scheme) as (page, faults):
        page.wait_for_selector(DOTS, state="attached", timeout=30_000)
        yield page, faults


@pytest.mark.parametrize("opened", [(1440, "light"), (390, "dark")], indirect=True)
def test_the_page_draws_its_roofline_offline_without_a_console_error(opened: tuple[Any, list[str]]) -> None:
    page, faults = opened
    assert page.locator(DOTS).count() > 15
    assert page.get_by_text("L1 read 198 GB/s").count() == 1
    assert faults == []


@pytest.mark.parametrize("opened", [(1440, "light"), (390, "light")], indirect=True)
def test_the_page_is_no_wider_than_its_window(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


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


def test_choosing_two_threads_shows_their_ceilings_instead(opened: tuple[Any, list[str]]) -> None:
    page, faults = opened
    assert page.get_by_text("L1 read 198 GB/s").count() == 1
    page.locator("select[name=view]").select_option("2 threads")
    page.get_by_text("L1 read 396 GB/s").wait_for(state="attached", timeout=10_000)
    assert page.get_by_text("L1 read 198 GB/s").count() == 0
    assert faults == []


def test_choosing_an_op_leaves_only_its_dots(opened: tuple[Any, list[str]]) -> None:
    page, faults = opened
    before = page.locator(DOTS).count()
    page.locator("select[name=op]").select_option("triad")
    page.wait_for_function(f"document.querySelectorAll({DOTS!r}).length < {before}", timeout=10_000)
    assert faults == []


def test_the_chart_takes_the_text_colour_of_dark_mode(browser: Any, address: str) -> None:
    colours = []
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme, offline=True)
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector(DOTS, state="attached", timeout=30_000)
        colours.append(page.evaluate("getComputedStyle(document.querySelector('#roofline svg text')).fill"))
        context.close()
    assert colours[0] != colours[1]
