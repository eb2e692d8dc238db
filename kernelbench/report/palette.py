"""The colour of every style and the shape of every number type: the same in every chart.

Colours keep a contrast of 3:1 at least on the page's white and on its dark ground (WCAG 2.1, 1.4.11). Twelve of
them cannot all be told apart by everybody, so no chart relies on colour alone: names and tables stand beside it.
"""

from kernelbench.model import STYLES

COLOURS = dict(zip(STYLES, (
    "#8a8f98", "#d64550", "#d07d16", "#a08600", "#5f9a1e", "#1f9d6b",
    "#0f9b9b", "#2b94cb", "#9a62dc", "#d05aa8", "#a5714a", "#4a7bea",
), strict=True))  # fmt: skip
"""Style -> hex colour."""

SHAPES = {
    "f32": "circle",
    "f64": "square",
    "i8": "triangle-up",
    "bf16": "diamond",
    "f16": "cross",
    "u8": "triangle-down",
    "i32": "triangle-right",
    "i4": "triangle-left",
}
"""Number type -> Vega's name of a shape."""

OTHER_COLOUR = "#8a8f98"
OTHER_SHAPE = "stroke"
"""What a style or type of a file newer than this program gets."""

GLYPHS = {
    "circle": "●",
    "square": "■",
    "triangle-up": "▲",
    "diamond": "◆",
    "cross": "✚",
    "triangle-down": "▼",
    "triangle-right": "▶",
    "triangle-left": "◀",
    "stroke": "━",
}
"""The same shapes as characters, for legends in text."""
