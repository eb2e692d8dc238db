"""The landscape of a search as an SVG picture: the heat map of ``tuning_map``, drawn by Vega-Lite."""

import textwrap
from typing import Any
from xml.sax.saxutils import quoteattr

from msgspec import UnsetType

from kernelbench.model import Tuning
from kernelbench.report.text import safe_text
from kernelbench.report.theme import vega_version
from kernelbench.report.tuning import cell_text, verdict
from kernelbench.report.tuning_map import Grid, grid

STEP = 64
"""Pixels of a cell's side."""
WORST = 1.3
"""Ratios above share one colour: candidates twice as slow would leave none for those that compete."""
BESIDE, CHARACTER = 150, 6.7
"""Pixels of axis and legend beside the cells, and of a character: Vega cuts off what is wider than the picture."""
INK, PAPER = "#1c2026", "#ffffff"


def svg(found: Tuning) -> str:
    """The picture, with its finding for screen readers; it refers to nothing outside itself."""
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(spec(found), vl_version=vega_version(), allowed_base_urls=[])
    return drawn.replace("<svg ", f'<svg role="img" aria-label={quoteattr(" ".join(verdict(found)))} ', 1)


def spec(found: Tuning) -> dict[str, Any]:
    """A complete Vega-Lite specification."""
    shown = grid(found)
    place = {"x": _axis("x", shown.across, shown.columns), "y": _axis("y", shown.down, shown.rows)}
    if not shown.across:
        del place["x"]
    characters = int((STEP * len(shown.columns) + BESIDE) / CHARACTER)
    shade = {
        "field": "ratio",
        "type": "quantitative",
        "title": "time / default",
        "scale": {"domain": [2 - WORST, 1, WORST], "range": ["#2f9e5b", "#f2f2f2", "#d64550"], "clamp": True},
        "legend": {"format": ".0%"},
    }
    return {
        "$schema": f"https://vega.github.io/schema/vega-lite/v{vega_version()}.json",
        "background": PAPER,
        "padding": 16,
        "title": {
            "text": textwrap.wrap(safe_text(found.case.id), int(0.85 * characters)),
            "subtitle": [line for text in _said(found, shown) for line in textwrap.wrap(text, characters)],
            "anchor": "start",
            "offset": 12,
            "color": INK,
            "subtitleColor": INK,
        },
        "width": STEP * len(shown.columns),
        "height": STEP / 2 * len(shown.rows),
        "data": {"values": _values(shown)},
        "layer": [
            {"mark": "rect", "encoding": {**place, "color": shade}},
            {"mark": {"type": "text", "color": INK}, "encoding": {**place, "text": {"field": "text"}}},
        ],
        "config": {"font": "system-ui, sans-serif"},
    }


def _said(found: Tuning, shown: Grid) -> list[str]:
    others = [f"in each cell the best {safe_text(', '.join(shown.others))}"] if shown.others else []
    return [*verdict(found), *others]


def _axis(channel: str, name: str, values: tuple[int, ...]) -> dict[str, Any]:
    return {
        "field": channel,
        "type": "ordinal",
        "title": safe_text(name),
        "sort": [str(value) for value in values],
        "axis": {"labelAngle": 0},
    }


def _values(shown: Grid) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for row, cells in zip(shown.rows, shown.cells, strict=True):
        for column, cell in zip(shown.columns, cells, strict=True):
            ratio = {} if isinstance(cell.ratio, UnsetType) else {"ratio": cell.ratio}
            made.append({"x": str(column), "y": str(row), "text": cell_text(cell), **ratio})
    return made
