"""Which cases get a dot where there are too many to draw."""

from collections.abc import Sequence

from msgspec import UnsetType

from kernelbench.report.rows import Row

MOST_DOTS = 5000
"""More take a browser seconds to lay out, and hide each other."""
ON_CANVAS = 2000
"""From here on dots are painted, not made elements of the page."""


def thinned(rows: Sequence[Row], most: int = MOST_DOTS) -> tuple[int, ...]:
    """Places of the measured ``rows`` to draw, rising: all when they are at most ``most``.

    Else per op and style the one nearest to its roof (the fastest where none has a roof), and an even sample of
    the others in ladder order.
    """
    measured = [place for place, row in enumerate(rows) if row.status == "measured"]
    if len(measured) <= most:
        return tuple(measured)
    best: dict[tuple[str, str], int] = {}
    for place in measured:
        key = (rows[place].op, rows[place].style)
        if key not in best or _merit(rows[place]) > _merit(rows[best[key]]):
            best[key] = place
    kept = set(sorted(best.values())[:most])
    others = [place for place in measured if place not in kept]
    room = most - len(kept)
    sample = (others[i * len(others) // room] for i in range(room))
    return tuple(sorted(kept.union(sample)))


def _merit(row: Row) -> tuple[float, float]:
    fraction = 0.0 if isinstance(row.roof_fraction, UnsetType) else row.roof_fraction
    return fraction, 0.0 if isinstance(row.best_s, UnsetType) else 1 / row.best_s
