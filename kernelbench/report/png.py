"""The roofline as a PNG picture: for a slide."""

from kernelbench.model import Result
from kernelbench.report.chart_static import picture
from kernelbench.report.theme import vega_version

SCALE = 2.0
"""Pixels of the file for each pixel of the chart: sharp on a projector."""


def render(result: Result) -> bytes:
    """The picture's bytes."""
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(
        picture(result).spec, vl_version=vega_version(), scale=SCALE, allowed_base_urls=[]
    )
    return drawn
