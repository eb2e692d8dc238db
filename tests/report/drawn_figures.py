"""Figures of a section drawn in a page of their own, as strict as a report's."""

import json
from collections.abc import Sequence
from pathlib import Path

from kernelbench.report.page import chart_scripts
from kernelbench.report.section import Figure


def page_with(figures: Sequence[Figure], folder: Path) -> str:
    """The address of a page that holds ``figures`` and nothing else; no expression may be compiled in it."""
    specs = json.dumps({figure.id: figure.spec for figure in figures}).replace("<", "\\u003c")
    boxes = "".join(f'<div id="chart-{figure.id}" style="width: 100%"></div>' for figure in figures)
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
    scripts = "".join(f"<script>{script}</script>" for script in chart_scripts("card.js"))
    path = folder / "figures.html"
    path.write_text(
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<link rel="icon" href="data:,"><body>{boxes}'
        f'<script type="application/json" id="chart-specs">{specs}</script>{scripts}',
        encoding="utf-8",
    )
    return path.as_uri()
