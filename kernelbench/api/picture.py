"""Measurements on one small roofline: for a notebook, or as a file."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from kernelbench import units
from kernelbench.analysis.roofline import ABOVE_ROOF
from kernelbench.api.measurement import Measurement
from kernelbench.errors import KernelbenchError, UsageError
from kernelbench.model import SCHEMA_VERSION, Result

if TYPE_CHECKING:
    from kernelbench.report.chart_small import Drawn

_CELL = "padding:2px 12px 2px 0;text-align:left;vertical-align:top"
_HEADS = ("name", "best", "GFLOP/s", "GB/s", "of its roof", "bound by", "")


class Roofline:
    """Several measurements under this machine's roofs. A notebook draws it; ``save`` writes it; ``str`` is a table."""

    def __init__(self, measurements: Mapping[str, Measurement]) -> None:
        """Raises UsageError without any."""
        if not measurements:
            raise UsageError("a roofline needs at least one measurement: kb.roofline([kb.measure(…), …])")
        self.measurements = dict(measurements)

    def save(self, path: str | Path) -> Path:
        """Write it to ``path``, by its ending: .svg, .png, or .html with the numbers beside the picture.

        Raises UsageError for another ending, or where nothing can be drawn; StoreError when it cannot be written.
        """
        from kernelbench.report.chart_small import png, svg
        from kernelbench.store.atomic import write_atomic, write_text_atomic

        path = Path(path)
        if path.suffix == ".html":
            write_text_atomic(path, self._document())
            return path
        if path.suffix not in (".svg", ".png"):
            raise UsageError(f"{path} cannot be drawn: give a name that ends in .svg, .png or .html")
        drawn = self._picture
        if isinstance(drawn, UnsetType):
            raise UsageError("none of the measurements has a rate to draw: give flop= or bytes= to kb.measure")
        if path.suffix == ".svg":
            write_text_atomic(path, svg(drawn.spec))
        else:
            write_atomic(path, png(drawn.spec))
        return path

    def __str__(self) -> str:
        from tabulate import tabulate

        return str(tabulate(self._cells(), _HEADS, disable_numparse=True))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """For notebooks. A picture inside an <img> runs nothing, and is shown where a notebook is not trusted."""
        import base64

        from kernelbench.report.chart_small import svg

        shown = ""
        try:
            drawn = self._picture
        except KernelbenchError as error:
            # What a notebook shows is no place to fail in: the numbers stand without their roofs.
            return self._table() + f"<p>No roofline: {html.escape(_safe(str(error)))}</p>"
        if not isinstance(drawn, UnsetType):
            data = base64.b64encode(svg(drawn.spec).encode()).decode()
            alt = html.escape(_safe(f"Roofline of {', '.join(drawn.names)}"), quote=True)
            shown = f'<img alt="{alt}" style="max-width:100%" src="data:image/svg+xml;base64,{data}">'
        return shown + self._table()

    def _document(self) -> str:
        names = html.escape(_safe(", ".join(self.measurements)))
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Roofline of {names}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
            '<body style="font:14px system-ui,sans-serif;margin:24px">'
            f"<h1>Roofline of {names}</h1>{self._repr_html_()}</body></html>\n"
        )

    @cached_property
    def _picture(self) -> Drawn | UnsetType:
        from kernelbench.report.chart_small import picture

        return picture(self._result()) if self._has_rates() else UNSET

    def _has_rates(self) -> bool:
        known = [one for one in self.measurements.values() if not isinstance(one.bytes, UnsetType)]
        return any(
            not isinstance(one.flop, UnsetType) or not isinstance(one.work.working_set_bytes, UnsetType)
            for one in known
        )

    def _result(self) -> Result:
        """The measurements as the result of a run, which every chart is made from."""
        from kernelbench.api.roofs import machine_card, record_of
        from kernelbench.runner.tool import this_tool

        cards = {one.threads: machine_card(one.threads) for one in self.measurements.values()}
        machine = next(iter(cards.values())).machine
        known = {one.id: one for card in cards.values() for one in card.ceilings}
        records = tuple(record_of(one, machine.id, name) for name, one in self.measurements.items())
        return Result(
            schema_version=SCHEMA_VERSION,
            kind="run",
            kernelbench=this_tool(),
            created="",
            config={},
            machines={machine.id: machine},
            ceilings=tuple(known.values()),
            records=records,
        )

    def _table(self) -> str:
        head = "".join(f'<th style="{_CELL}">{text}</th>' for text in _HEADS)
        rows = [
            "<tr>" + "".join(f'<td style="{_CELL}">{html.escape(text)}</td>' for text in cells) + "</tr>"
            for cells in self._cells()
        ]
        return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"

    def _cells(self) -> list[list[str]]:
        return [_cells(name, one) for name, one in self.measurements.items()]


def roofline(results: Mapping[str, Measurement] | Iterable[Measurement] | Measurement) -> Roofline:
    """Measurements on one small roofline: ``{"name": kb.measure(…)}``, or a list of them under their functions' names.

    Each is judged by this machine's card (measured once where there is none) at its number type, working set and
    threads. Raises UsageError when there is none.
    """
    if isinstance(results, Measurement):
        results = [results]
    if not isinstance(results, Mapping):
        results = _named(results)
    for name, one in results.items():
        if not isinstance(one, Measurement):
            raise UsageError(f"kb.roofline takes what kb.measure returns; {name!r} is a {type(one).__name__}")
    return Roofline(results)


def _named(results: Iterable[Measurement]) -> dict[str, Measurement]:
    found: dict[str, Measurement] = {}
    for index, one in enumerate(results):
        name = one.name if isinstance(one, Measurement) else str(index)
        found[name if name not in found else f"{name} ({index + 1})"] = one
    return found


def _safe(text: str) -> str:
    from kernelbench.report.text import safe_text

    return safe_text(text)


def _cells(name: str, one: Measurement) -> list[str]:
    from kernelbench.analysis.roofline import NoRoof

    rates = [_giga(one.flop, one.best_s), _giga(one.bytes, one.best_s)]
    cells = [_safe(name), units.seconds(one.best_s).replace(" ", "\N{NO-BREAK SPACE}"), *rates]
    notes = [
        *(["includes the call from Python"] if one.includes_python_call else []),
        *([f"{one.disturbed_samples} of {len(one.samples_s)} samples disturbed"] if one.disturbed_samples else []),
    ]
    try:
        limit = one.roof
    except KernelbenchError as error:
        return [*cells, "", "", _safe("; ".join([str(error), *notes]))]
    if isinstance(limit, NoRoof):
        return [*cells, "", "", _safe("; ".join([f"no roof: {limit.reason}", *notes]))]
    fraction = limit.seconds / one.best_s
    if fraction > ABOVE_ROOF:
        notes.insert(0, "above its roof: the work or the roof is wrong")
    return [*cells, units.percent(fraction), _safe(f"{limit.bound}: {limit.name}"), "; ".join(notes)]


def _giga(amount: float | UnsetType, seconds: float) -> str:
    return "" if isinstance(amount, UnsetType) else units.giga(amount / seconds)
