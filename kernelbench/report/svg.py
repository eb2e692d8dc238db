"""The roofline as an SVG picture: for a merge request, a README, a wiki."""

from xml.sax.saxutils import quoteattr

from kernelbench.model import Result
from kernelbench.report.chart_static import picture
from kernelbench.report.theme import vega_version


def render(result: Result) -> str:
    """The picture, with its finding for screen readers; it refers to nothing outside itself."""
    import vl_convert

    shown = picture(result)
    drawn: str = vl_convert.vegalite_to_svg(shown.spec, vl_version=vega_version(), allowed_base_urls=[])
    # Vega marks up the parts of a picture; the whole of it needs a name as well.
    return drawn.replace("<svg ", f'<svg role="img" aria-label={quoteattr(shown.alt)} ', 1)
