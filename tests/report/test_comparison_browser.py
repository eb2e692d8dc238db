"""The comparison page in a real browser with the network cut."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kernelbench.analysis.cell import Comparison
from kernelbench.analysis.compare import compare
from kernelbench.model import Result
from kernelbench.report import comparison_html
from kernelbench.report.comparison_words import Named
from tests.builders import case, matmul_work, record, result
from tests.report.chromium import browser, page_of
from tests.report.comparison_data import every, hostile

__all__ = ["browser"]

pytestmark = pytest.mark.browser

MARKS = "#forest svg g.mark-symbol.role-mark path"
WINDOWS = [(1440, "light"), (390, "dark")]


def run(*factors: float) -> Result:
    """One case a factor, each by so much slower."""
    made = []
    for i, factor in enumerate(factors):
        n = 64 * (i + 1)
        made.append(record(case(shape={"m": n, "n": n, "k": n}), [1e-3 * n * factor] * 10, work=matmul_work(n)))
    return result(made)


def two_news() -> str:
    """Every verdict in the first NEW; an improvement alone in the second."""
    base, slow, fast = run(1, 1, 1), run(1.5, 1, 1), run(1, 1, 0.5)
    slow, fast = (replace(one, created=f"2026-02-0{i}") for i, one in enumerate((slow, fast)))
    first = compare(base, slow)
    first = Comparison(first.basis, first.threshold, (*first.cells, *every().cells), first.notes)
    named = [Named("main", "slow", first), Named("main", "fast", compare(base, fast))]
    return comparison_html.render(named, [("main", base), ("slow", slow), ("fast", fast)])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("page") / "comparison.html"
    path.write_text(two_news(), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[tuple[Any, list[str]]]:
    """The page, drawn, and everything the console or the network complained about."""
    width, scheme = getattr(request, "param", WINDOWS[0])
    with page_of(browser, address, width, scheme) as (page, faults):
        page.wait_for_selector(MARKS, state="attached", timeout=30_000)
        page.wait_for_selector("#arrows svg", state="attached", timeout=30_000)
        yield page, faults


@pytest.mark.parametrize("opened", WINDOWS, indirect=True)
def test_the_page_draws_both_figures_offline_without_a_complaint(opened: tuple[Any, list[str]]) -> None:
    page, faults = opened
    assert page.locator(MARKS).count() == 8
    assert page.locator("#arrows svg g.mark-symbol.role-mark path").count() >= 6
    assert faults == []


@pytest.mark.parametrize("opened", WINDOWS, indirect=True)
def test_the_page_is_no_wider_than_its_window(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("opened", WINDOWS, indirect=True)
def test_axe_finds_no_serious_violation(opened: tuple[Any, list[str]]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page, _ = opened
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


def test_choosing_another_result_shows_its_ratios_instead(opened: tuple[Any, list[str]]) -> None:
    page, faults = opened
    page.locator("#forest-controls select").select_option("fast")
    page.wait_for_function(f"document.querySelectorAll({MARKS!r}).length === 3", timeout=10_000)
    assert page.locator("#forest svg text", has_text="0.500").count() == 1
    assert faults == []


def test_a_mark_tells_its_case_and_its_reason_on_hover(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.locator(MARKS).first.hover(force=True)
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for(timeout=10_000)
    assert "regressed" in tooltip.inner_text()
    assert "matmul/tiled/f32/n=64/t=1" in tooltip.inner_text()


def names(page: Any) -> list[str]:
    """The cases listed in the first table, in order."""
    found: list[str] = page.locator("#cells-1 tbody tr:not([hidden]) th").all_inner_texts()
    return found


def test_the_table_sorts_by_a_column_and_back_with_the_keyboard(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    button = page.locator("#cells-1 thead button", has_text="ratio")
    button.focus()
    page.keyboard.press("Enter")
    assert names(page)[0] == "relu/vectorized/f32/n=4096/t=1"
    assert page.locator("#cells-1 th[aria-sort=ascending]").inner_text().startswith("ratio")
    page.keyboard.press("Enter")
    assert names(page)[0] == "matmul/tiled/f32/n=64/t=1"


def test_cells_without_a_ratio_stay_last_whichever_way_it_is_sorted(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    button = page.locator("#cells-1 thead button", has_text="ratio")
    for _ in range(2):
        button.click()
        assert page.locator("#cells-1 tbody tr").last.locator("td").nth(1).inner_text() == ""


def test_words_in_the_filter_narrow_the_table(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.locator("#filter").fill("MATMUL regressed n=512")
    assert names(page) == ["matmul/tiled/f32/n=512/t=1"]
    assert "1 of 16 listed cells shown" in page.locator("#filtered").inner_text()


def test_a_count_lists_the_cells_of_its_verdict_and_a_second_press_all(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    everything = len(names(page))
    button = page.locator(".tally button", has_text="failed").first
    button.click()
    assert len(names(page)) == 2
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    assert len(names(page)) == everything


def test_a_hostile_page_runs_nothing_and_complains_of_nothing(browser: Any, tmp_path: Path) -> None:
    evil = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
    bad = replace(hostile(), base=evil, new=evil)
    path = tmp_path / "hostile.html"
    path.write_text(comparison_html.render([bad, bad], []), encoding="utf-8")
    with page_of(browser, path.as_uri(), 1440, "light") as (page, faults):
        page.wait_for_selector(MARKS, state="attached", timeout=30_000)
        assert page.evaluate("window.hacked") is None
        assert faults == []
