"""The legend of the roofline as text beside the chart, and the lines that can be hidden in it."""

from collections.abc import Sequence

from msgspec import Struct

from kernelbench.model import STYLES, Ceiling
from kernelbench.report.chart import charts
from kernelbench.report.palette import COLOURS, GLYPHS, OTHER_COLOUR, OTHER_SHAPE, SHAPES
from kernelbench.report.rows import Row
from kernelbench.report.text import safe_text


class Mark(Struct, frozen=True):
    """One entry: a style in its colour, or a number type in its shape."""

    text: str
    glyph: str
    colour: str = "currentColor"


class Line(Struct, frozen=True):
    """One group of lines that is hidden and shown together: a memory level, or the peaks of a number type."""

    key: str
    """As in the data of the chart."""
    text: str


class Legend(Struct, frozen=True):
    """What stands below the roofline."""

    styles: tuple[Mark, ...]
    dtypes: tuple[Mark, ...]
    lines: tuple[Line, ...]


def legend(rows: Sequence[Row], ceilings: Sequence[Ceiling]) -> Legend:
    """The styles and types that were measured, and the lines that some view draws."""
    measured = [row for row in rows if row.status == "measured"]
    present = {row.style for row in measured}
    styles = [*(s for s in STYLES if s in present), *sorted(present - set(STYLES))]
    dtypes = dict.fromkeys(row.dtype for row in measured)
    drawn = charts(rows, ceilings)
    levels = dict.fromkeys(slope.level for chart in drawn for slope in chart.slopes)
    peaks = dict.fromkeys(peak.dtype for chart in drawn for peak in chart.peaks)
    lines = [Line(level_key(level), safe_text(level)) for level in levels]
    lines += [Line(peak_key(dtype), safe_text(f"{dtype} peak")) for dtype in peaks]
    return Legend(
        tuple(Mark(safe_text(s), GLYPHS["circle"], COLOURS.get(s, OTHER_COLOUR)) for s in styles),
        tuple(Mark(safe_text(d), GLYPHS[SHAPES.get(d, OTHER_SHAPE)]) for d in dtypes),
        tuple(lines),
    )


def level_key(level: str) -> str:
    """The key of a memory level's line."""
    return f"level {safe_text(level)}"


def peak_key(dtype: str) -> str:
    """The key of the peaks of a number type."""
    return f"peak {safe_text(dtype)}"
