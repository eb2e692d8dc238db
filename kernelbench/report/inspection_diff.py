"""Two hot loops beside each other: counts in columns, then the lines that differ."""

import difflib
import re
from collections.abc import Callable, Sequence

from msgspec import UnsetType

from kernelbench.model.inspection import Inspection
from kernelbench.report.inspection import WIDTHS, operations, titles
from kernelbench.report.text import clip, safe_text
from kernelbench.units import percent, ratio, seconds, three_digits

FIRST = 16
"""Columns of the words on the left."""
LEAST = 10
"""Columns that any figure needs."""


def side_by_side(found: Sequence[Inspection], *, width: int = 80) -> str:
    """A table with a column for each inspection: facts, then instructions by kind and width."""
    names = titles(found)
    rows: list[tuple[str, list[str]]] = [("", names)]
    rows += [(label, [read(one) for one in found]) for label, read in _FACTS]
    kinds = dict.fromkeys(kind for one in found for kind in one.mix.counts)
    for kind in kinds:
        for size in WIDTHS:
            cells = [one.mix.counts.get(kind, {}).get(size, 0) for one in found]
            if any(cells):
                rows.append((f"{kind} {size}" if size != "scalar" else kind, [str(n or "-") for n in cells]))
    room = max(LEAST, (width - FIRST) // len(found) - 2)
    column = min(room, max(len(cell) for _, cells in rows for cell in cells))
    return "\n".join(
        f"{label:<{FIRST}}" + "".join(f"  {clip(cell, column):>{column}}" for cell in cells) for label, cells in rows
    )


def loops_diff(one: Inspection, other: Inspection, *, width: int = 80) -> str:
    """A unified diff of the two loops' lines. Labels have no numbers in it: they only tell the order of blocks."""
    before, after = ([_unnumbered(line.text) for line in found.lines] for found in (one, other))
    first, second = titles((one, other))
    lines = list(difflib.unified_diff(before, after, first, second, lineterm=""))
    if not lines:
        return "the loops are the same, line for line"
    return "\n".join(clip(safe_text(line), width) for line in lines)


def _unnumbered(line: str) -> str:
    return re.sub(r"\.?LBB\d+_\d+", ".L", line)


def _iterations(found: Inspection) -> str:
    return "-" if isinstance(found.iterations, UnsetType) else f"{found.iterations:,}"


def _share(found: Inspection) -> str:
    return "-" if isinstance(found.share, UnsetType) else percent(found.share)


def _per_byte(found: Inspection) -> str:
    value = found.mix.per_byte
    return "-" if isinstance(value, UnsetType) else three_digits(value)


def _work(found: Inspection) -> str:
    return f"{three_digits(found.mix.operations)}{'' if operations(found) == 'FLOP' else ' OP'}"


def _time(found: Inspection) -> str:
    return "-" if isinstance(found.call_s, UnsetType) else seconds(found.call_s)


def _cycles(found: Inspection) -> str:
    return "-" if isinstance(found.cycles, UnsetType) else three_digits(found.cycles)


def _foreseen(found: Inspection) -> str:
    if isinstance(found.foreseen, UnsetType):
        return "-"
    return three_digits(found.foreseen.cycles) + (" part" if found.foreseen.unknown else "")


def _per_cycle(found: Inspection) -> str:
    if isinstance(found.cycles, UnsetType) or not found.cycles:
        return "-"
    return three_digits(found.mix.operations / found.cycles)


_FACTS: tuple[tuple[str, Callable[[Inspection], str]], ...] = (
    ("width", lambda one: one.mix.width),
    ("vectorized", lambda one: "yes" if one.vectorized else "no"),
    ("iterations", _iterations),
    ("share of call", _share),
    ("FLOP", _work),
    ("loaded", lambda one: f"{int(one.mix.load_bytes)} B"),
    ("stored", lambda one: f"{int(one.mix.store_bytes)} B"),
    ("FLOP per byte", _per_byte),
    ("a call", _time),
    ("cycles measured", _cycles),
    ("cycles OSACA", _foreseen),
    ("FLOP per cycle", _per_cycle),
    ("instructions", lambda one: str(one.mix.instructions)),
)


def summary(one: Inspection, other: Inspection) -> str:
    """How the second's time stands to the first's, where both were timed on the same work; empty otherwise."""
    same = (one.case.op, one.case.dtype, one.case.settings) == (other.case.op, other.case.dtype, other.case.settings)
    if not same or isinstance(one.call_s, UnsetType) or isinstance(other.call_s, UnsetType):
        return ""
    first, second = titles((one, other))
    quick, slow, times = (second, first, one.call_s / other.call_s)
    if times < 1:
        quick, slow, times = first, second, 1 / times
    return safe_text(f"a call of {quick} was {ratio(times)} as fast as one of {slow} (one look each, no verdict)")
