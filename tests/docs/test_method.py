"""docs/METHOD.md says how everything in a report is made."""

import re
from pathlib import Path

import pytest

from kernelbench.report.columns import FIELDS, FLAGS

PAGE = (Path(__file__).parents[2] / "docs" / "METHOD.md").read_text(encoding="utf-8")


def explained(heading: str) -> set[str]:
    """The names in the first column of the section's table."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    firsts = re.findall(r"^\|([^|]*)\|", section, re.MULTILINE)
    return {name for first in firsts for name in re.findall(r"`([^`]+)`", first)}


def test_every_column_of_the_csv_is_explained_and_no_other() -> None:
    assert explained("Columns") == set(FIELDS)


def test_every_flag_is_explained_and_no_other() -> None:
    assert explained("Flags") == set(FLAGS)


@pytest.mark.parametrize("page", sorted((Path(__file__).parents[2] / "docs").glob("*.md")), ids=lambda page: page.name)
def test_every_link_of_the_docs_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"", text)
    for link in filter(None, (word for pair in links for word in pair)):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        found = page.parent / target if target else page
        assert found.exists(), f"{page.name} links {link}, which is not there"
        if anchor:
            assert anchor in anchors(found.read_text(encoding="utf-8")), f"{page.name} links {link}: no such heading"


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
