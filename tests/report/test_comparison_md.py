"""A comparison as Markdown: golden output, untrusted text, and the size of it."""

import re

import pytest
from markdown_it import MarkdownIt

from kernelbench.analysis.cell import Comparison
from kernelbench.report.comparison_md import MOST_ROWS, render
from kernelbench.report.comparison_words import View
from kernelbench.report.markdown import code, escaped
from tests.report.comparison_data import HOSTILE, hostile, judged, named, timed
from tests.report.golden_file import assert_golden


def html(text: str) -> str:
    """As a reader sees it, with tables and raw tags allowed, as on GitHub."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


def test_the_markdown_is_the_golden_one() -> None:
    assert_golden("comparison.md", render([named()], judged()))


def test_unchanged_cells_are_folded_away() -> None:
    text = render([named()])
    assert "<details><summary>2 cells unchanged</summary>" in text
    assert "details" not in render([named()], view=View(only_changed=True))


def test_ten_thousand_cells_stay_below_the_limit_of_a_step_summary() -> None:
    reason = "the interval 1.001 to 1.099 crosses the threshold; slowdowns from 9.9% would have been seen"
    cells = [
        timed(f"matmul/tiled/f32/n={n}/t=1", v, 1.05, reason) for n in range(5000) for v in ("ambiguous", "unchanged")
    ]
    text = render([named(Comparison("time", 0.05, tuple(cells)))])
    assert len(text.encode()) < 500_000
    assert text.count(f"and {5000 - MOST_ROWS} more; `--format json` has every cell") == 2


def test_names_and_reasons_become_no_tag_link_mention_or_row() -> None:
    text = render([hostile()])
    shown = html(text)
    assert "<b>" not in shown
    assert "<a " not in shown
    assert shown.count("<tr>") == 2 + 2
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)
    assert "@you" not in re.sub(r"(`+).*?\1", "", text)


@pytest.mark.parametrize("text", ["`", "a`b", "``a", "a``", " ", "", "a|b", HOSTILE])
def test_a_code_span_shows_its_text_and_ends_where_it_should(text: str) -> None:
    shown = html(f"| {code(text)} | next |\n|---|---|\n| 1 | 2 |\n")
    assert shown.count("<th>") == 2
    assert shown.count("<code>") == 1


def test_escaped_text_reads_as_it_was() -> None:
    import html as entities

    for text in ("a_b*c*", "<i>x</i> & y", "1 | 2", "[x](http://evil)", "@team #12 ~no~"):
        shown = re.sub("<[^>]*>", "", html(escaped(text))).strip()
        # What keeps a mention from being one takes no room and shows as nothing.
        assert entities.unescape(shown).replace("\u200b", "") == text
