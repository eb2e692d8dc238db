"""The choices that narrow both the roofline and the table."""

import functools
from collections.abc import Callable, Sequence

from msgspec import Struct

from kernelbench.analysis.roofline import threads_text
from kernelbench.model import STYLES
from kernelbench.report.rows import Row
from kernelbench.report.text import safe_text

MOST_CHOICES = 400
"""Values beyond this are no list to choose from; the table's text filter finds them."""


class Choice(Struct, frozen=True):
    """One value of a filter."""

    value: str
    text: str
    ops: tuple[str, ...] = ()
    """For sizes: the ops that have it."""


class Filter(Struct, frozen=True):
    """One list to choose from."""

    name: str
    """The facet: "op", "style", "dtype", "threads", "size" or "machine"."""
    label: str
    choices: tuple[Choice, ...]
    everything: str
    """What the first entry, no choice, says."""


def facets(row: Row) -> dict[str, str]:
    """The values that a row is filtered by, safe to show."""
    return {
        "op": _shown(row.op),
        "style": _shown(row.style),
        "dtype": _shown(row.dtype),
        "threads": str(row.threads),
        "size": _shown(row.shape),
        "machine": _shown(row.machine),
    }


@functools.lru_cache(maxsize=4096)
def _shown(text: str) -> str:
    """``safe_text``, remembered: 10^5 rows share few ops and sizes."""
    return safe_text(text)


def filters(rows: Sequence[Row]) -> tuple[Filter, ...]:
    """One per facet that takes several values in this result."""
    all_facets = [facets(row) for row in rows]
    made = [_filter(name, label, all_facets) for name, label in _LABELS.items()]
    return tuple(one for one in made if 1 < len(one.choices) <= MOST_CHOICES)


_LABELS = {"op": "Op", "style": "Style", "dtype": "Type", "threads": "Threads", "size": "Size", "machine": "Machine"}


def _filter(name: str, label: str, all_facets: Sequence[dict[str, str]]) -> Filter:
    ops: dict[str, dict[str, None]] = {}
    for one in all_facets:
        ops.setdefault(one[name], {})[one["op"]] = None
    values = sorted(ops, key=_ORDERS[name]) if name in _ORDERS else list(ops)
    texts = {value: threads_text(int(value)) if name == "threads" else value for value in values}
    choices = tuple(Choice(v, texts[v], tuple(ops[v]) if name == "size" else ()) for v in values)
    # A roofline holds for one thread count and one machine: with no choice it shows the first.
    one_view = name in ("threads", "machine") and choices
    return Filter(name, label, choices, f"all (roofline: {choices[0].text})" if one_view else "all")


_ORDERS: dict[str, Callable[[str], tuple[int, str]]] = {
    "threads": lambda value: (int(value), ""),
    "style": lambda value: (STYLES.index(value) if value in STYLES else len(STYLES), value),
    "machine": lambda value: (0, value),
}
