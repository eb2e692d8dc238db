"""The page of a machine card in a real browser with the network cut."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kernelbench.report import card_html
from tests.report.card_data import card
from tests.report.chromium import browser, page_of

__all__ = ["browser"]

pytestmark = pytest.mark.browser

DOTS = "#chart-ladder svg g.mark-symbol.role-mark path"
CHARTS = ("ladder", "compute", "latency")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("page") / "card.html"
    path.write_text(card_html.render(card()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[tuple[Any, list[str]]]:
    """The page, drawn, and everything the console or the network complained about."""
    width, scheme = getattr(request, "param", (1440, "light"))
    with page_of(browser, address, width, scheme) as (page, faults):
        for chart in CHARTS:
            page.wait_for_selector(f"#chart-{chart} svg path", state="attached", timeout=30_000)
        yield page, faults


@pytest.mark.parametrize("opened", [(1440, "light"), (390, "dark")], indirect=True)
def test_every_chart_is_drawn_offline_within_the_window_and_without_a_complaint(opened: tuple[Any, list[str]]) -> None:
    page, faults = opened
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for chart in CHARTS:
        box = page.locator(f"#chart-{chart} svg").bounding_box()
        assert box["width"] > 0.7 * width
        assert box["x"] + box["width"] <= width
    assert page.locator(DOTS).count() >= 57 * 7
    assert faults == []


def test_choosing_two_threads_moves_the_boundary_of_the_shared_cache(opened: tuple[Any, list[str]]) -> None:
    page, faults = opened
    ladder = page.locator("#chart-ladder")
    assert ladder.get_by_text("L3 16 MiB").count() == 1
    ladder.locator("select[name=view]").select_option("2 threads")
    ladder.get_by_text("L3 8 MiB").wait_for(state="attached", timeout=10_000)
    assert ladder.get_by_text("L3 16 MiB").count() == 0
    assert faults == []


def test_choosing_two_threads_shows_their_rates_as_bars(opened: tuple[Any, list[str]]) -> None:
    page, faults = opened
    chart = page.locator("#chart-compute")
    assert chart.get_by_text("467", exact=True).count() == 1
    chart.locator("select[name=view]").select_option("2 threads")
    chart.get_by_text("925", exact=True).wait_for(state="attached", timeout=10_000)
    assert faults == []
