"""How every chart on a page looks: drawn in the page's own ink, so that it follows light and dark."""

import functools
from typing import Any


def themed(chart: Any) -> Any:
    """The Altair ``chart`` with transparent ground and ``currentColor`` for all text and lines."""
    ink = {"labelColor": "currentColor", "titleColor": "currentColor", "labelFontSize": 11, "titleFontSize": 12}
    lines = {"gridColor": "currentColor", "gridOpacity": 0.08, "domainColor": "currentColor", "domainOpacity": 0.4}
    return (
        chart.configure(background="transparent", font="system-ui, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(**ink, **lines, tickColor="currentColor", tickOpacity=0.4, titleFontWeight="normal")
        .configure_legend(**ink, orient="bottom", titleFontWeight="normal", symbolSize=80)
    )


@functools.cache
def vega_version() -> str:
    """The Vega-Lite of Altair, as vl-convert names it: "6.4"."""
    import altair

    return ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
