"""What a page is made of: sections, each with figures, each figure with the table of the numbers it draws.

A section is data. The modules ``section_*`` make one each from the rows of a result; the template shows any of them.
Every text in a section is safe to show in a terminal (``safe_text``); the template escapes it once more for HTML.
"""

from typing import Any

from msgspec import UNSET, Struct, UnsetType


class Head(Struct, frozen=True):
    """One column of a table."""

    title: str
    meaning: str = ""
    """One sentence for the reader, shown on hover and read out; empty where the title says it all."""
    numeric: bool = True


class Table(Struct, frozen=True):
    """The numbers behind a figure, as text in their final digits."""

    heads: tuple[Head, ...]
    """The first column names its row."""
    rows: tuple[tuple[str, ...], ...]


class Figure(Struct, frozen=True):
    """One chart and what stands for it where it cannot be seen."""

    id: str
    """Unique on the page: letters, digits and hyphens."""
    title: str
    spec: dict[str, Any]
    """A complete Vega-Lite specification, themed (``report.theme``), as wide as its container."""
    alt: str
    """What the chart shows, in a sentence, for who cannot see it."""
    table: Table | UnsetType = UNSET
    """The same numbers, folded away below the chart."""


class Section(Struct, frozen=True):
    """One question that the page answers."""

    id: str
    """Its anchor: letters, digits and hyphens."""
    title: str
    about: str
    """How to read it, in a sentence or two."""
    figures: tuple[Figure, ...] = ()
    paragraphs: tuple[str, ...] = ()
    """What was found, or why there is nothing to draw."""
