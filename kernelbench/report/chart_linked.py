"""What the charts of all cases share: their dots, the signals that filter them, and the dot that is chosen.

The page's form sets the signals; a click on a dot and a click on its row of the table find each other by ``id``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, UnsetType

from kernelbench.analysis.roofline import threads_text
from kernelbench.model import STYLES
from kernelbench.report.columns import COLUMNS, interval
from kernelbench.report.page_filters import facets
from kernelbench.report.palette import COLOURS, OTHER_COLOUR, OTHER_SHAPE, SHAPES
from kernelbench.report.rows import Row
from kernelbench.report.text import safe_text
from kernelbench.report.theme import themed

HEIGHT = 460
"""Pixels of the plot."""

FACETS = ("op", "style", "dtype", "size")
"""What the signals ``of_op``, ... filter by; threads and machine choose the view."""

_TIP = ("median", "interval", "gflops", "gbps", "intensity", "roof", "fraction", "bound", "roof_name",
        "naive", "library", "error", "flags")  # fmt: skip

Values = list[dict[str, Any]]


class View(Struct, frozen=True):
    """One machine at one thread count: what a roofline can show at a time."""

    machine: str
    threads: int

    @property
    def key(self) -> str:
        """ "2 threads on 0123456789ab"."""
        return self.title(several=True)

    def title(self, several: bool) -> str:
        """For people: the machine is named where there are ``several``."""
        return threads_text(self.threads) + (f" on {safe_text(self.machine)}" if several else "")


def dot(id: int, row: Row, x: float, y: float) -> dict[str, Any]:
    """One case at a place: what colours, sizes and filters it, and all that its tooltip tells."""
    known = {key: value for key, value in facets(row).items() if key in FACETS}
    time = {} if isinstance(row.best_s, UnsetType) else {"time": row.best_s}
    told = {key: interval(row) if key == "interval" else COLUMNS[key].text(row) for key in _TIP}
    tips = {key: text or "does not apply" for key, text in told.items()}
    view = View(row.machine, row.threads).key
    return {"id": id, "view": view, "x": x, "y": y, "case": safe_text(row.case_id), **known, **time, **tips}


def dot_layers(alt: Any, dots: Values, axes: Mapping[str, Any]) -> list[Any]:
    """The dots, of the data named ``dots``, and a ring around the chosen one."""
    styles = [*(s for s in STYLES if any(v["style"] == s for v in dots))]
    styles += sorted({v["style"] for v in dots} - set(STYLES))
    dtypes = list(dict.fromkeys(v["dtype"] for v in dots))
    colour_scale = alt.Scale(domain=styles, range=[COLOURS.get(s, OTHER_COLOUR) for s in styles])
    shape_scale = alt.Scale(domain=dtypes, range=[SHAPES.get(d, OTHER_SHAPE) for d in dtypes])
    titles = {"interval": "95% interval"}
    tips = [alt.Tooltip("case:N", title="case")]
    tips += [alt.Tooltip(f"{k}:N", title=titles.get(k, COLUMNS[k].title)) for k in _TIP]
    base = alt.Chart(alt.NamedData("dots")).transform_filter(_wanted())
    marks = base.mark_point(filled=True, opacity=0.88, clip=True, cursor="pointer").encode(
        **axes,
        color=alt.Color("style:N", scale=colour_scale, legend=None),
        shape=alt.Shape("dtype:N", scale=shape_scale, legend=None),
        size=_size(alt, dots),
        tooltip=tips,
    )
    ring = base.transform_filter("datum.id == chosen").mark_point(
        shape="circle", size=420, filled=False, stroke="currentColor", strokeWidth=2.5, opacity=1, clip=True
    )
    return [marks.properties(name="dots"), ring.encode(**axes).properties(name="ring")]


def of_view(layer: Any) -> Any:
    """The layer with only the data of the view shown."""
    return layer.transform_filter("datum.view == view")


def shown(layer: Any) -> Any:
    """The layer without the lines that the reader has hidden."""
    return layer.transform_filter("indexof(hidden, datum.key) < 0")


def finished(alt: Any, layers: Sequence[Any], views: Sequence[View], data: Mapping[str, Values]) -> dict[str, Any]:
    """The specification of all layers, with its signals and ``data`` by name.

    The data is put in after Altair has checked the description: to check 10^4 dots takes it seconds.
    """
    signals = {"view": views[0].key, "hidden": [], "chosen": -1} | {f"of_{name}": "" for name in FACETS}
    params = [alt.param(name=name, value=value) for name, value in signals.items()]
    # The wheel scrolls the page, unless ctrl (a pinch on a touchpad) says that the chart is meant.
    zoom = alt.selection_interval(name="zoom", bind="scales", zoom="wheel![event.ctrlKey]", clear="dblclick")
    layers = [*layers[:-1], layers[-1].add_params(zoom)]
    chart = alt.layer(*layers).add_params(*params).properties(width="container", height=HEIGHT)
    chart = chart.properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    described: dict[str, Any] = themed(chart).to_dict()
    several = len({view.machine for view in views}) > 1
    told = [
        {"key": v.key, "title": v.title(several), "threads": str(v.threads), "machine": safe_text(v.machine)}
        for v in views
    ]
    return described | {"datasets": dict(data), "usermeta": {"views": told}}


def _wanted() -> str:
    return " && ".join(["datum.view == view", *(f"(of_{name} == '' || datum.{name} == of_{name})" for name in FACETS)])


def _size(alt: Any, dots: Values) -> Any:
    times = [v["time"] for v in dots if "time" in v]
    if not times or min(times) == max(times):
        return alt.value(90)
    return alt.Size(
        "time:Q", scale=alt.Scale(type="log", domain=[min(times), max(times)], range=[36, 260]), legend=None
    )
