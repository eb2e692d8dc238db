"""Text of a result file shows as text, whatever it holds."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kernelbench.model import Failed
from kernelbench.report import html
from tests.builders import case, record, result
from tests.report.chromium import browser, drawn, page_of
from tests.report.page_data import hostile, written

__all__ = ["browser"]

PIECES = ("<script>", "</script>", "<!--", "]]>", "&lt;", '"', "'", "`", "=", "\\", "\x1b[2J", "\u202e", "\u2028", "\0",
          "{{", "}}", "{%", "javascript:", "<img onerror=x>", "</style>", "\ud800", "a", " ")  # fmt: skip


class Tags(HTMLParser):
    """The elements of a page, counted by name, and every attribute that runs code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


@pytest.mark.browser
def test_a_hostile_file_runs_no_script_and_opens_no_dialog(browser: Any, tmp_path: Path) -> None:
    with page_of(browser, written(tmp_path / "hostile.html", hostile())) as (page, faults):
        drawn(page)
        page.evaluate("window.kernelbench.drawAll().then(() => 0)")
        page.locator("#chart-roofline svg g.dots_marks path").last.hover(force=True)
        page.locator("#cases tr.case button").first.click()
        page.locator("#cases thead button").first.click()
        assert page.evaluate("window.evil") is None
        assert page.locator("img").count() == 0
        assert faults == []


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_adds_an_element_or_a_control_character(text: str) -> None:
    plain, evil = (rendered(word) for word in ("plain", text))
    assert Tags(evil).names == Tags(plain).names
    assert Tags(evil).handlers == []
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e\u2028]", re.sub(r"<script>.*?</script>", "", evil, flags=re.S))


def rendered(word: str) -> str:
    """A page with ``word`` wherever the file decides on a text, and without Vega, which takes long to hash."""
    of = replace(case(), id=f"{word}1", op=f"o{word}", variant=f"o{word}/v{word}", style=word or "s")
    failed = record(replace(of, id=f"{word}2"), Failed("verify", word))
    content = result([record(of, flags=(f"f{word}",)), failed], ceilings=(), notes=(word,))
    return html.render(content)
