"""A machine card for a terminal: what `kernelbench ceilings` prints, in 80 columns."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import UnsetType

from kernelbench.analysis.roofline import threads_text
from kernelbench.model import Ceiling
from kernelbench.report import card_curve
from kernelbench.report.card import (
    RFO,
    Table,
    amx,
    cautions,
    clock_hz,
    compute_table,
    ends,
    footprints,
    latency_table,
    memory_table,
    missing,
    scaling_tables,
    thread_counts,
)
from kernelbench.report.card_knees import Knees, boundaries, knees_at
from kernelbench.report.text import clip, safe_text
from kernelbench.units import hertz

if TYPE_CHECKING:
    from kernelbench.store.card import Card

MIN_WIDTH = 80
"""Narrower terminals get lines of this width: the tables have no column to spare."""

_CHART_WIDTH = 110
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def render(card: "Card", *, width: int, colour: bool) -> str:
    """The whole card as text of at most ``width`` columns, ending in a newline."""
    width = max(width, MIN_WIDTH)
    blocks = [
        _head(card, width, colour),
        *_compute(card.ceilings, width, colour),
        *_memory(card.ceilings, width, colour),
        *_latency(card.ceilings, width, colour),
        *_knees(card, width, colour),
        *_curves(card, width, colour),
    ]
    return "\n\n".join(blocks) + "\n"


def head_lines(card: "Card") -> tuple[str, ...]:
    """The machine, its clock, and when it was measured: one fact a line."""
    machine = card.machine
    hz = clock_hz(card.ceilings)
    clock = (
        "unknown (not probed)" if isinstance(hz, UnsetType) else f"{hertz(hz)}, the median beside the compute probes"
    )
    facts = f"{machine.topology.cores} cores, {threads_text(machine.topology.threads)}"
    hurried = ", quick: fewer probes and points" if card.quick else ""
    return tuple(
        safe_text(line)
        for line in (
            f"Machine {machine.id}: {machine.cpu.model} ({machine.cpu.microarchitecture}), {facts}, "
            f"virtualisation {machine.virtualisation}",
            f"Clock {clock}",
            f"Measured {card.created}{hurried}",
            *cautions(machine, card.ceilings),
        )
    )


def _head(card: "Card", width: int, colour: bool) -> str:
    first, *rest = (_wrap(line, width) for line in head_lines(card))
    return "\n".join([_heading(first, colour), *rest])


def _compute(ceilings: Sequence[Ceiling], width: int, colour: bool) -> Iterator[str]:
    counts = thread_counts(ceilings, "compute")
    if counts:
        yield _table(compute_table(ceilings, counts[0]), width, colour)
    for table in scaling_tables(ceilings):
        yield _table(table, width, colour)
    notes = [_wrap(f"{one.what}: {one.reason}", width, "  ") for one in missing(ceilings)]
    if notes:
        yield "\n".join([_heading("Not measured", colour), *notes])
    tiles = amx(ceilings)
    if tiles:
        yield _wrap(tiles, width)


def _memory(ceilings: Sequence[Ceiling], width: int, colour: bool) -> Iterator[str]:
    counts = ends(thread_counts(ceilings, "memory"))
    for count in counts:
        where = f"Working set of one thread: {footprints(ceilings, count)}."
        yield _table(memory_table(ceilings, count), width, colour) + "\n" + _dim(_wrap(where, width), colour)
    if counts:
        yield _dim(_wrap(f"{RFO} Spread: how far the median probe lies from the best.", width), colour)


def _latency(ceilings: Sequence[Ceiling], width: int, colour: bool) -> Iterator[str]:
    table = latency_table(ceilings)
    if table.rows:
        yield _table(table, width, colour)


def _knees(card: "Card", width: int, colour: bool) -> Iterator[str]:
    for count in ends(thread_counts(card.ceilings, "memory")):
        found = knees_at(card.ceilings, card.machine, count)
        lines = [_table(found.table, width, colour)] if found.table.rows else [_heading(found.table.title, colour)]
        lines += [_wrap(text, width, "  ") for text in _remarks(found)]
        yield "\n".join(lines)


def _remarks(found: Knees) -> tuple[str, ...]:
    if not found.table.rows:
        return ("neither a knee in the read curve nor a cache size from the OS",)
    return (*found.notes, *(f"warning: {text}" for text in found.warnings))


def _curves(card: "Card", width: int, colour: bool) -> Iterator[str]:
    """At the fewest and at the most threads, as the tables."""
    for count in ends(thread_counts(card.ceilings, "memory")):
        walls = boundaries(card.ceilings, card.machine, count)
        drawn = card_curve.draw(card.ceilings, count, walls, width=min(width, _CHART_WIDTH), colour=colour)
        if drawn:
            title = f"Bandwidth over the working set, {threads_text(count)}; lines: where a level ends"
            yield _heading(title, colour) + "\n" + drawn


def _table(table: Table, width: int, colour: bool) -> str:
    """Columns as wide as their widest cell, the first on the left, numbers on the right."""
    widths = [max(len(row[i]) for row in (table.headers, *table.rows)) for i in range(len(table.headers))]
    # A name from a foreign card may be of any length; the numbers have to stay on the line.
    widths[0] = max(4, min(widths[0], width - sum(widths[1:]) - 2 * (len(widths) - 1)))
    lines = [_line(table.headers, widths), *(_line(row, widths) for row in table.rows)]
    return "\n".join([_heading(_wrap(table.title, width), colour), *(clip(line.rstrip(), width) for line in lines)])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    numbers = (cell.rjust(wide) for cell, wide in zip(cells[1:], widths[1:], strict=True))
    return "  ".join([clip(cells[0], widths[0]).ljust(widths[0]), *numbers])


def _heading(text: str, colour: bool) -> str:
    return f"{_BOLD}{text}{_RESET}" if colour else text


def _dim(text: str, colour: bool) -> str:
    return f"{_DIM}{text}{_RESET}" if colour else text


def _wrap(text: str, width: int, indent: str = "") -> str:
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent + "  " if indent else "")
