"""The landscape of a search as a grid: two parameters across and down, of the others the best that was found."""

from collections.abc import Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.model import Tuning, Values

DEFAULT, FASTEST, FAILED = "default", "fastest", "failed"


class Cell(Struct, frozen=True):
    """One place of the grid."""

    ratio: float | UnsetType = UNSET
    """The least time over the default's of any candidate here; absent where none was timed."""
    marks: tuple[str, ...] = ()
    """``DEFAULT`` and ``FASTEST`` where that candidate is here, ``FAILED`` where nothing here is right."""


class Grid(Struct, frozen=True):
    """``cells`` by row, then column."""

    across: str
    """Name of the parameter; empty when there is one only, and it goes down."""
    columns: Values
    """Its values, rising; one 0 where ``across`` is empty."""
    down: str
    rows: Values
    cells: tuple[tuple[Cell, ...], ...]
    others: tuple[str, ...]
    """Parameters of which each cell shows the best value."""


def ratios(found: Tuning) -> dict[Values, float]:
    """Time over the default's of every candidate that was timed, the default among them."""
    timed = {one.values: one.ratio for one in found.tried if not isinstance(one.ratio, UnsetType) and not one.failed}
    return {found.default: 1.0, **timed}


def grid(found: Tuning) -> Grid:
    """The two parameters that matter most, the one with fewer values across."""
    names = list(found.tunable)
    known = ratios(found)
    matter = sorted(range(len(names)), key=lambda index: -_effect(index, known))[:2]
    places = sorted(matter, key=lambda index: -len(found.tunable[names[index]]))
    down, across = places[0], places[1] if len(places) > 1 else -1
    rows = tuple(sorted(found.tunable[names[down]]))
    columns = tuple(sorted(found.tunable[names[across]])) if across >= 0 else (0,)
    cells = tuple(tuple(_cell(found, known, {down: row, across: column}) for column in columns) for row in rows)
    others = tuple(name for index, name in enumerate(names) if index not in places)
    return Grid(names[across] if across >= 0 else "", columns, names[down], rows, cells, others)


def _effect(index: int, known: dict[Values, float]) -> float:
    """How much the best time depends on one parameter."""
    best: dict[int, float] = {}
    for values, ratio in known.items():
        best[values[index]] = min(ratio, best.get(values[index], ratio))
    return max(best.values()) - min(best.values())


def _cell(found: Tuning, known: dict[Values, float], fixed: dict[int, int]) -> Cell:
    def here(values: Sequence[int]) -> bool:
        return all(index < 0 or values[index] == value for index, value in fixed.items())

    timed = [ratio for values, ratio in known.items() if here(values)]
    marks = [DEFAULT] if here(found.default) else []
    marks += [FASTEST] if found.is_faster and here(found.winner) else []
    if not timed:
        return Cell(marks=(FAILED,) if any(here(one.values) and one.failed for one in found.tried) else ())
    return Cell(min(timed), tuple(marks))
