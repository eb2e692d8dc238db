"""A comparison in words and in order: what every format of it shares."""

import re
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct, UnsetType

from kernelbench.analysis.cell import VERDICTS, Cell, Comparison, overall
from kernelbench.report.columns import show
from kernelbench.units import near_one, percent, seconds

SORTS = ("verdict", "ratio", "case")
"""The gravest first; the slowest first; by case id."""

MOST_REASONS = 10
MOST_ROWS = 1000
"""Reasons of one harmless verdict, and rows, that are written out for people: nobody reads ten thousand."""

_NUMBERS = re.compile("([0-9]+)")

ALWAYS_EXPLAINED = ("regressed", "failed")
"""Verdicts that fail a gate: every one of them gets its reason."""


class Named(Struct, frozen=True):
    """One result compared with BASE."""

    base: str
    new: str
    """Label, else the file name, as given."""
    comparison: Comparison


class View(Struct, frozen=True):
    """What of a comparison is shown to people, and in which order."""

    sort: str = "verdict"
    """One of ``SORTS``."""
    only_changed: bool = False
    """Leave out cells that were found unchanged."""


PLAIN = View()
"""Every cell, the gravest first."""


def arranged(cells: Iterable[Cell], view: View) -> list[Cell]:
    """The cells that ``view`` shows, in its order."""
    kept = [cell for cell in cells if not (view.only_changed and cell.verdict == "unchanged")]
    return sorted(kept, key=lambda cell: (*rank(cell, view.sort), natural(cell.case_id)))


def rank(cell: Cell, sort: str) -> tuple[float, ...]:
    """Where a cell stands in one of the ``SORTS``, before its name decides."""
    grave = VERDICTS.index(cell.verdict)
    if sort == "case":
        return ()
    if sort == "verdict":
        return (grave,)
    return (1.0, grave) if isinstance(cell.ratio, UnsetType) else (0.0, -cell.ratio)


def natural(text: str) -> tuple[tuple[int, str], ...]:
    """Sorts n=64 before n=512."""
    parts = _NUMBERS.split(text)
    # Numbers stand at the odd places, so that like is compared with like; int() would refuse very long ones.
    return tuple((len(p.lstrip("0")) if i % 2 else 0, p.lstrip("0") if i % 2 else p) for i, p in enumerate(parts))


def counts(comparison: Comparison) -> str:
    """ "1 regressed, 4 unchanged"."""
    return ", ".join(f"{count} {verdict}" for verdict, count in comparison.counts.items()) or "no cells"


def about(comparison: Comparison) -> str:
    """What was compared, by which threshold, and which way is worse."""
    basis = "times" if comparison.basis == "time" else "times in units of each side's own roof"
    own = sum(c.threshold != comparison.threshold for c in comparison.cells if not isinstance(c.threshold, UnsetType))
    apart = f" ({own} {'cell has' if own == 1 else 'cells have'} another)" if own else ""
    return f"{basis} compared, threshold {percent(comparison.threshold)}{apart}, ratio NEW/BASE, above 1 is worse"


def mean_text(cells: Iterable[Cell]) -> str:
    """The geometric mean over the cells that have a ratio, in words; empty without any."""
    found = overall(cells)
    if isinstance(found, UnsetType):
        return ""
    return (
        f"geometric mean {ratio_text(found.ratio)} over {found.cells} matched {'cell' if found.cells == 1 else 'cells'}"
    )


def explained(cells: Sequence[Cell]) -> tuple[list[Cell], dict[str, int]]:
    """The cells whose reason is written out, and how many more of each verdict there are."""
    kept: list[Cell] = []
    met: dict[str, int] = {}
    for cell in cells:
        if cell.verdict == "unchanged":
            continue
        met[cell.verdict] = met.get(cell.verdict, 0) + 1
        if cell.verdict in ALWAYS_EXPLAINED or met[cell.verdict] <= MOST_REASONS:
            kept.append(cell)
    left = {v: n - MOST_REASONS for v, n in met.items() if v not in ALWAYS_EXPLAINED and n > MOST_REASONS}
    return kept, left


def listed(cells: Sequence[Cell], most: int = MOST_ROWS) -> list[Cell]:
    """At most so many cells, in their order; those that fail a gate stay whatever their number."""
    if len(cells) <= most:
        return list(cells)
    spare = most - sum(cell.verdict in ALWAYS_EXPLAINED for cell in cells)
    kept = []
    for cell in cells:
        if cell.verdict not in ALWAYS_EXPLAINED:
            spare -= 1
        if cell.verdict in ALWAYS_EXPLAINED or spare >= 0:
            kept.append(cell)
    return kept


def number_form(basis: str) -> Callable[[float], str]:
    """How BASE's and NEW's numbers read: times, or shares of the roof."""
    return seconds if basis == "time" else percent


def interval_text(cell: Cell) -> str:
    """ "1.012..1.034"; empty without an interval."""
    low, high = show(cell.ci_low, ratio_text), show(cell.ci_high, ratio_text)
    return f"{low}..{high}" if low and high else ""


def ratio_text(value: float) -> str:
    """A ratio near 1 with three decimals: there, three significant digits would hide 0.4%."""
    return near_one(value)
