"""Every ceiling of a card as a table row, for the page: what the terminal has no room for."""

from collections.abc import Iterable, Sequence

from msgspec import Struct, UnsetType

from kernelbench.analysis.ladder import usable, value_of
from kernelbench.analysis.roofline import compute_name, threads_text
from kernelbench.model import Ceiling
from kernelbench.report.card import MIXES, best_clock_hz, cycles_text, footprint, spread_text
from kernelbench.report.text import safe_text
from kernelbench.units import giga, hertz, percent, seconds, size_bytes

SAME_POINT = 1.09
"""Working sets within half of a quarter octave (2^(1/8)) are one point of the ladder: arrays are cut to whole vectors,
so that three of them together are a little smaller than two."""


class Cell(Struct, frozen=True):
    """A text, and what a reader who asks for more may see."""

    text: str
    title: str = ""


class Details(Struct, frozen=True):
    """A table whose first column names the row."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class How(Struct, frozen=True):
    """The ceilings that were measured in one way."""

    what: str
    provenance: str


def compute_details(ceilings: Iterable[Ceiling]) -> Details:
    """Every measured arithmetic ceiling."""
    rows = tuple(
        tuple(
            map(
                Cell,
                (
                    safe_text(compute_name(c)),
                    f"{giga(value_of(c))} G{safe_text(c.unit)}",
                    cycles_text(c),
                    _clock(c),
                    _spread(c),
                    str(len(c.probes)),
                    safe_text(c.provenance),
                ),
            )
        )
        for c in usable(ceilings, "compute")
    )
    headers = ("ceiling", "rate", "per cycle of a core", "clock", "spread", "probes", "how")
    return Details("Every arithmetic ceiling", headers, rows)


def ladder_details(ceilings: Iterable[Ceiling], threads: int) -> Details:
    """Working set by access mix: GB/s of all threads; how each number was made stands in its title."""
    own = [c for c in usable(ceilings, "memory") if c.threads == threads]
    mixes = [mix for mix in MIXES if any(c.mix == mix for c in own)]
    rows = []
    for point in _points(own):
        by_mix = {c.mix: c for c in point}
        level = next((safe_text(c.level) for c in point if not isinstance(c.level, UnsetType)), "")
        cells = [_rate(by_mix[mix]) if mix in by_mix else Cell("") for mix in mixes]
        rows.append((Cell(size_bytes(max(map(_size, point)))), *cells, Cell(level)))
    title = f"Every point, {threads_text(threads)}: GB/s of algorithmic bytes"
    return Details(title, ("working set of one thread", *mixes, "stands for"), tuple(rows))


def latency_details(ceilings: Iterable[Ceiling]) -> Details:
    """Every point of the latency curve."""
    rows = tuple(
        (
            Cell(footprint(c)),
            Cell(seconds(value_of(c)), _title(c)),
            Cell(cycles_text(c)),
            Cell(_spread(c)),
            Cell("" if isinstance(c.level, UnsetType) else safe_text(c.level)),
        )
        for c in sorted(usable(ceilings, "latency"), key=_size)
    )
    return Details("Every point", ("working set", "time", "cycles", "spread", "stands for"), rows)


def how(ceilings: Iterable[Ceiling], kind: str) -> tuple[How, ...]:
    """The ways in which the ceilings of one kind were measured, and which was measured how."""
    grouped: dict[str, dict[str, None]] = {}
    for c in usable(ceilings, kind):
        mix = "" if isinstance(c.mix, UnsetType) else f"{c.mix}, "
        grouped.setdefault(c.provenance, {})[f"{mix}{threads_text(c.threads)}"] = None
    return tuple(How(safe_text("; ".join(names)), safe_text(text)) for text, names in grouped.items() if text)


def _points(ceilings: Sequence[Ceiling]) -> list[list[Ceiling]]:
    """The ceilings of each point of the ladder, smallest first, no mix twice."""
    points: list[list[Ceiling]] = []
    for c in sorted(ceilings, key=_size, reverse=True):
        near = points and _size(points[-1][0]) <= SAME_POINT * _size(c)
        if near and all(c.mix != other.mix for other in points[-1]):
            points[-1].append(c)
        else:
            points.append([c])
    return points[::-1]


def _size(ceiling: Ceiling) -> int:
    return 1 if isinstance(ceiling.working_set_bytes, UnsetType) else ceiling.working_set_bytes


def _rate(ceiling: Ceiling) -> Cell:
    return Cell(giga(value_of(ceiling)), _title(ceiling))


def _title(ceiling: Ceiling) -> str:
    spread = f", spread {spread_text(ceiling)}" if spread_text(ceiling) else ""
    exact = f"{footprint(ceiling)}, {len(ceiling.probes)} probes{spread}"
    return safe_text(f"{exact}; {ceiling.provenance}" if ceiling.provenance else exact)


def _clock(ceiling: Ceiling) -> str:
    hz = best_clock_hz(ceiling)
    return "" if isinstance(hz, UnsetType) else hertz(hz)


def _spread(ceiling: Ceiling) -> str:
    return "" if isinstance(ceiling.spread, UnsetType) else percent(ceiling.spread)
