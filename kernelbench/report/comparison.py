"""A comparison for a terminal and as JSON."""

import textwrap
from collections.abc import Sequence

import msgspec
from msgspec import Struct, UnsetType

from kernelbench.analysis.compare import VERDICTS, Cell, Comparison
from kernelbench.report.columns import show
from kernelbench.report.text import clip, safe_text
from kernelbench.units import percent, seconds


class Named(Struct, frozen=True):
    """One result compared with BASE."""

    base: str
    new: str
    """File names as given."""
    comparison: Comparison


class Export(Struct, frozen=True):
    """What ``compare --json`` prints."""

    comparisons: tuple[Named, ...]


_MIN_NAME = 36
"""A table that cannot give case ids this width drops BASE's and NEW's columns first."""


def to_json(comparisons: Sequence[Named]) -> str:
    """The comparisons as indented JSON, full precision, ending in a newline."""
    return msgspec.json.format(msgspec.json.encode(Export(tuple(comparisons))), indent=2).decode() + "\n"


def render(named: Named, *, width: int) -> str:
    """One comparison: counts, table, and the reason for every verdict but "unchanged"; ends in a newline."""
    comparison = named.comparison
    cells = sorted(comparison.cells, key=lambda c: (VERDICTS.index(c.verdict), c.case_id))
    counts = ", ".join(f"{comparison.count(v)} {v}" for v in VERDICTS if comparison.count(v)) or "no cells"
    basis = "times" if comparison.basis == "time" else "distances from each machine's own roof, not times,"
    about = f"{basis} compared, threshold {percent(comparison.threshold)}, ratio NEW/BASE, above 1 is worse"
    head = [f"BASE {safe_text(named.base)}", f"NEW  {safe_text(named.new)}", textwrap.fill(f"{counts}; {about}", width)]
    timed = [c for c in cells if not isinstance(c.base, UnsetType) or not isinstance(c.new, UnsetType)]
    blocks = ["\n".join(head)]
    if timed:
        blocks.append(_table(timed, comparison.basis, width))
    reasons = [_reason(c, width) for c in cells if c.verdict != "unchanged"]
    if reasons:
        blocks.append("\n".join(reasons))
    return "\n\n".join(blocks) + "\n"


def _table(cells: Sequence[Cell], basis: str, width: int) -> str:
    import tabulate

    # Its two spare columns per heading would push the table over 80 characters.
    tabulate.MIN_PADDING = 0
    form = seconds if basis == "time" else percent
    columns = {
        "verdict": [c.verdict for c in cells],
        "ratio": [show(c.ratio, _ratio) for c in cells],
        "95% interval": [_interval(c) for c in cells],
        "BASE": [show(c.base, form) for c in cells],
        "NEW": [show(c.new, form) for c in cells],
    }
    for dropped in ("BASE", "NEW"):
        if width - _taken(columns) >= min(_MIN_NAME, max(len(c.case_id) for c in cells)):
            break
        del columns[dropped]
    names = [clip(safe_text(c.case_id), max(8, width - _taken(columns))) for c in cells]
    body = list(zip(names, *columns.values(), strict=True))
    align = ["left", *("left" if name == "verdict" else "right" for name in columns)]
    return tabulate.tabulate(body, headers=["case", *columns], tablefmt="simple", disable_numparse=True, colalign=align)


def _taken(columns: dict[str, list[str]]) -> int:
    return sum(2 + max(len(name), *map(len, texts)) for name, texts in columns.items())


def _reason(cell: Cell, width: int) -> str:
    text = f"{cell.verdict}: {safe_text(cell.case_id)}: {safe_text(cell.reason)}"
    return textwrap.fill(text, width, subsequent_indent="    ")


def _interval(cell: Cell) -> str:
    low, high = show(cell.ci_low, _ratio), show(cell.ci_high, _ratio)
    return f"{low}..{high}" if low and high else ""


def _ratio(value: float) -> str:
    """A ratio near 1 with three decimals: there, three significant digits would hide 0.4%."""
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"
