"""The page of a profile: self-contained, escaped, drawn without a complaint in light and dark, on a phone too."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kernelbench.model import ThreadPoint
from kernelbench.report import profile_html
from kernelbench.report.profile import view
from kernelbench.report.profile_figures import figures
from kernelbench.report.profile_parts import parts
from tests.profiles import of_size, profile, profiled
from tests.report.chromium import browser, drawn, page_of
from tests.report.parsed import Page, policy
from tests.report.test_profile import hostile

__all__ = ["browser"]


@pytest.fixture(scope="module")
def page() -> str:
    return profile_html.render(profiled())


def test_the_page_points_nowhere_and_allows_only_its_own_scripts(page: str) -> None:
    for tag, attributes in Page(page).tags:
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith(("data:", "#")), (tag, attributes)
    assert policy(page).startswith("default-src 'none'; script-src 'sha256-")


def test_every_link_of_the_contents_has_its_section(page: str) -> None:
    ids = {attributes.get("id") for _, attributes in Page(page).tags}
    links = [attributes["href"] for tag, attributes in Page(page).tags if tag == "a"]
    assert links
    assert {link.removeprefix("#") for link in links} <= ids


def test_the_marked_change_is_marked_on_the_page(page: str) -> None:
    assert '<tr class="supports">' in page


def test_a_profile_without_sweeps_has_no_charts_and_still_a_page() -> None:
    bare = profile_html.render(profiled(profile(sizes=(), threads=(), isa=())))
    assert "data-figure" not in bare.partition("<script>")[0]
    assert "What holds it back" in bare


def test_texts_of_a_file_are_no_markup() -> None:
    assert "<script>window.evil" not in profile_html.render(hostile())


def test_three_thread_counts_are_drawn_and_two_are_a_table() -> None:
    third = ThreadPoint(of_size(512, 4).id, 4, 2.2e-3, 3.3)
    two, three = profiled(), profiled(replace(profile(), threads=(*profile().threads, third)))
    found = [
        figures(next(part for part in parts(view(one)) if part.id == "threads"), view(one)) for one in (two, three)
    ]
    assert [len(one) for one in found] == [0, 1]


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")])
def test_the_page_draws_and_fits(browser: Any, page: str, tmp_path: Path, width: int, scheme: str) -> None:
    path = tmp_path / "profile.html"
    path.write_text(page, encoding="utf-8")
    with page_of(browser, path.as_uri(), width, scheme) as (opened, faults):
        drawn(opened, "sizes-curve")
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
        assert faults == []
