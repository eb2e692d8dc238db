"""The roofline as one picture: the page's own description (``chart_html``) in a frame of fixed size.

On white, because the page that a picture is put on does not pass its colours on.
"""

import textwrap
from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.roofline import threads_text
from kernelbench.model import Machine, Result
from kernelbench.report.advice import finding
from kernelbench.report.chart import Chart, charts
from kernelbench.report.facts import machine_facts
from kernelbench.report.rows import Row, rows
from kernelbench.report.text import clip, safe_text
from kernelbench.report.thinning import ON_CANVAS, thinned

WIDTH, HEIGHT = 980, 460
"""Pixels of the plot: the labels along the lines are laid out for this height."""

INK, PAPER = "#1c2026", "#ffffff"

_TITLE_CHARACTERS = 136
_TITLE_LINES = 4
_LEGENDS = {"bottom": {"anchor": "start", "direction": "horizontal", "margin": 28}}


class Picture(Struct, frozen=True):
    """What a picture shows, whatever its format."""

    spec: dict[str, Any]
    """A complete Vega-Lite specification without anything to interact with."""
    alt: str
    """What it shows, in a sentence, safe to show."""


def picture(result: Result) -> Picture:
    """The roofline with most dots; the bandwidths where no case has FLOP; where nothing can be drawn, the finding."""
    everything = rows(result)
    drawn = charts(everything, result.ceilings)
    if drawn:
        chart = max(drawn, key=lambda one: (len(one.dots), -one.threads))
        spec = _roofline(chart, everything)
        what = _what(chart, drawn, len(spec["datasets"]["dots"]))
        machine = result.machines.get(chart.machine, UNSET)
    else:
        spec, what = _bandwidths(everything, result)
        machine = next(iter(result.machines.values()), UNSET)
    said = finding(everything, result)
    title = {
        "text": _lines(said),
        "subtitle": [line for line in (_machine_line(machine, result), what) if line],
        "anchor": "start",
        "frame": "bounds",
        "fontSize": 14,
        "fontWeight": 600,
        "lineHeight": 19,
        "subtitleFontSize": 12,
        "subtitleLineHeight": 17,
        "subtitlePadding": 8,
        "offset": 16,
        "color": INK,
        "subtitleColor": "#4b5563",
    }
    return Picture(_inked({**spec, "title": title, "background": PAPER, "padding": 22}), f"{said} {what}".strip())


def _roofline(chart: Chart, everything: Sequence[Row]) -> dict[str, Any]:
    from kernelbench.report.chart_html import spec

    places = {place: everything[place] for place in thinned(everything, ON_CANVAS)}
    made = spec([chart], {(row.machine, row.case_id): place for place, row in places.items()})
    return _framed(made)


def _bandwidths(everything: Sequence[Row], result: Result) -> tuple[dict[str, Any], str]:
    """The specification and what it shows: cases without FLOP stand under the bandwidth at their working set."""
    from kernelbench.report import chart_bandwidth

    dots = chart_bandwidth.placed(everything, thinned(everything, ON_CANVAS), result)
    curves = chart_bandwidth.curves(result)
    if not dots:
        return _nothing(), "No case with a rate was measured: there is no roofline to draw."
    spec = _framed(chart_bandwidth.spec(dots, curves, result))
    view = next(param["value"] for param in spec["params"] if param["name"] == "view")
    shown = sum(value["view"] == view for value in spec["datasets"]["dots"])
    text = f"Bandwidth over the working set, {view}: {_cases(shown)}, the larger the longer a call takes"
    return spec, _others(text, len(dots) - shown)


def _nothing() -> dict[str, Any]:
    """A title without a chart."""
    hidden = {"type": "point", "opacity": 0}
    return {
        "data": {"values": [{}]},
        "mark": hidden,
        "width": WIDTH,
        "height": 20,
        "config": {"view": {"stroke": None}},
    }


def _framed(spec: dict[str, Any]) -> dict[str, Any]:
    """``spec`` at a fixed size, its dots with legends: on the page these are text beside the chart."""
    dots = [_with_legends(layer) for layer in spec["layer"] if layer["mark"]["type"] != "text"]
    # Nobody can point at a dot here to see what lies under it: labels stand on top, on their own ground.
    words = [made for layer in spec["layer"] if layer["mark"]["type"] == "text" for made in (_halo(layer), layer)]
    kept = {key: value for key, value in spec.items() if key not in ("autosize", "usermeta")}
    config = {**spec["config"], "legend": {**spec["config"]["legend"], "layout": _LEGENDS}}
    return {**kept, "layer": [*dots, *words], "width": WIDTH, "height": HEIGHT, "config": config}


def _halo(layer: dict[str, Any]) -> dict[str, Any]:
    paper = {"color": PAPER, "stroke": PAPER, "strokeWidth": 3, "strokeJoin": "round", "opacity": 0.8}
    return {**layer, "mark": {**layer["mark"], **paper}}


def _with_legends(layer: dict[str, Any]) -> dict[str, Any]:
    """The layer with a legend for the colours and shapes of its dots."""
    encoding = layer.get("encoding", {})
    if "color" not in encoding or "shape" not in encoding:
        return layer
    colour = {"title": "style", "symbolType": "circle", "symbolStrokeWidth": 0}
    shape = {"title": "type", "symbolFillColor": INK, "symbolStrokeColor": INK}
    shown = {"color": {**encoding["color"], "legend": colour}, "shape": {**encoding["shape"], "legend": shape}}
    return {**layer, "encoding": {**encoding, **shown}}


def _inked(spec: Any) -> Any:
    """``spec`` in a colour of its own: outside a page there is no current one."""
    if isinstance(spec, dict):
        return {key: _inked(value) for key, value in spec.items()}
    if isinstance(spec, list):
        return [_inked(value) for value in spec]
    return INK if spec == "currentColor" else spec


def _lines(text: str) -> list[str]:
    wrapped = textwrap.wrap(text, _TITLE_CHARACTERS)
    if len(wrapped) <= _TITLE_LINES:
        return wrapped
    return [*wrapped[: _TITLE_LINES - 1], clip(" ".join(wrapped[_TITLE_LINES - 1 :]), _TITLE_CHARACTERS)]


def _machine_line(machine: Machine | UnsetType, result: Result) -> str:
    """The machine and the tool in one line."""
    facts = () if isinstance(machine, UnsetType) else machine_facts(machine)
    words = [fact.text for fact in facts if fact.known and fact.label in ("CPU", "Cores, threads", "Caches")]
    words.append(f"kernelbench {result.kernelbench.version}, {result.created[:10]}")
    return clip(safe_text(" · ".join(words)), _TITLE_CHARACTERS + 20)


def _what(chart: Chart, drawn: Sequence[Chart], dots: int) -> str:
    """What the picture shows, and what it leaves out."""
    shown = _cases(dots) if dots == len(chart.dots) else f"{dots} of {_cases(len(chart.dots))}"
    text = f"Roofline at {threads_text(chart.threads)}: {shown}, the larger the longer a call takes"
    return _others(text, sum(len(other.dots) for other in drawn if other is not chart))


def _others(text: str, left: int) -> str:
    return f"{text}; {_cases(left)} at other thread counts or machines not shown." if left else f"{text}."


def _cases(count: int) -> str:
    return f"{count} case" + ("" if count == 1 else "s")
