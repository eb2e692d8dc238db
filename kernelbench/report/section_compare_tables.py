"""The tables of a comparison page: every cell, the ceilings of both sides, the machines where they differ."""

import math
from collections.abc import Callable, Iterator, Sequence

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from kernelbench.analysis.cell import VERDICTS, Cell
from kernelbench.analysis.host import CLEARLY
from kernelbench.analysis.ladder import usable, value_of
from kernelbench.model import Ceiling, Result
from kernelbench.report.columns import show
from kernelbench.report.comparison_pair import Pair, gravest, headings
from kernelbench.report.comparison_words import interval_text, listed, natural, number_form, ratio_text
from kernelbench.report.facts import Fact, ceiling_lines, machine_facts
from kernelbench.report.section import Head
from kernelbench.report.text import safe_text
from kernelbench.units import percent

MOST_ROWS = 1000
"""Rows of all tables of one kind: a page that lists more is slow to open, and nobody reads them."""


class Entry(Struct, frozen=True):
    """One cell of a table."""

    text: str
    number: float | UnsetType = UNSET
    """What it is sorted by; absent to sort by the text."""
    verdict: str = ""
    """Given where the cell is a verdict: drawn with its mark."""
    rank: int | UnsetType = UNSET
    """Its place in the order of its column; absent where it is empty, which sorts last."""


class Line(Struct, frozen=True):
    """One row."""

    entries: tuple[Entry, ...]
    differs: bool = False
    """True where the sides are not alike: drawn marked."""


class Sheet(Struct, frozen=True):
    """A table that can be sorted."""

    id: str
    title: str
    """What it is about beside the section's title; empty for one that stands alone."""
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    note: str = ""
    """What was left out, in a sentence."""


CELLS = (
    Head("case", "One combination of variant, number type, shape, threads.", numeric=False),
    Head("verdict", "What is proved, for all cells at once.", numeric=False),
    Head("ratio", "Time of NEW over time of BASE: above 1 is slower."),
    Head("95% interval", "Of the ratio, for this cell alone; empty below 6 rounds a side."),
    Head("BASE", "Median time per call, or share of the roof."),
    Head("NEW", "Median time per call, or share of the roof."),
    Head("threshold", "Effects up to this share do not count."),
    Head("could see", "The smallest slowdown of this cell alone that these rounds would have shown."),
    Head("rounds", "Process rounds in BASE and in NEW."),
    Head("why", "The reason of the verdict.", numeric=False),
)

CEILINGS = (
    Head("ceiling", "A measured limit of the machine.", numeric=False),
    Head("BASE", "Its value in BASE's run."),
    Head("NEW", "Its value in NEW's run."),
    Head("NEW/BASE", "Below 1: the machine was slower in NEW, whatever the code does."),
    Head("spread", "How far the median probe lies below the best, in BASE and in NEW."),
    Head("moved", "Whether it moved by more than its probes scatter.", numeric=False),
)


def cells(pairs: Sequence[Pair]) -> tuple[Sheet, ...]:
    """Every cell of every comparison, the gravest first; of too many those that fail a gate, then the others."""
    most = MOST_ROWS // max(1, len(pairs))
    return tuple(_cells(f"cells-{i}", name, pair, most) for i, (name, pair) in enumerate(_titled(pairs), 1))


def ceilings(pairs: Sequence[Pair]) -> tuple[Sheet, ...]:
    """The ceilings that both files of a pair measured, those that moved first."""
    sheets = (_ceilings(f"ceilings-{i}", name, pair) for i, (name, pair) in enumerate(_titled(pairs), 1))
    return tuple(sheet for sheet in sheets if sheet.lines)


def machines(pairs: Sequence[Pair]) -> tuple[Sheet, ...]:
    """The machines side by side, the lines that differ first; none where all are alike or none is known."""
    columns = _machine_columns(pairs)
    if len({facts for _, facts in columns}) < 2:
        return ()
    labels = [fact.label for fact in columns[0][1]]
    lines = [_machine_line(label, [facts[i].text for _, facts in columns]) for i, label in enumerate(labels)]
    heads = (Head("fact", numeric=False), *(Head(name, numeric=False) for name, _ in columns))
    return (Sheet("machines-1", "", heads, tuple(sorted(lines, key=lambda line: not line.differs))),)


def one_machine(pairs: Sequence[Pair]) -> str:
    """The machine in one line where all sides are alike; empty where they differ or none is known."""
    columns = _machine_columns(pairs)
    if len({facts for _, facts in columns}) != 1:
        return ""
    known = [fact.text for fact in columns[0][1] if fact.known]
    labels = {fact.label: fact.text for fact in columns[0][1] if fact.known}
    words = [labels[name] for name in ("CPU", "Microarchitecture", "Cores, threads", "System") if name in labels]
    return ", ".join(words or known)


def _titled(pairs: Sequence[Pair]) -> Iterator[tuple[str, Pair]]:
    return zip(headings(pairs) if len(pairs) > 1 else [""], pairs, strict=True)


def _cells(id: str, title: str, pair: Pair, most: int) -> Sheet:
    everything = gravest(pair.comparison.cells)
    shown = listed(everything, most)[:most]
    form = number_form(pair.comparison.basis)
    left = len(everything) - len(shown)
    note = f"{left} more cells are not listed, those that fail a gate before all others; --format json has all."
    lines = tuple(_cell(cell, form) for cell in shown)
    kept = _filled(CELLS, lines)
    return Sheet(id, title, *kept, note if left else "")


def _cell(cell: Cell, form: Callable[[float], str]) -> Line:
    rounds = f"{cell.base_rounds} / {cell.new_rounds}" if cell.base_rounds or cell.new_rounds else ""
    return Line(
        (
            Entry(safe_text(cell.case_id)),
            Entry(cell.verdict, VERDICTS.index(cell.verdict), cell.verdict),
            Entry(show(cell.ratio, ratio_text), cell.ratio),
            Entry(interval_text(cell), cell.ci_low),
            Entry(show(cell.base, form), cell.base),
            Entry(show(cell.new, form), cell.new),
            Entry(show(cell.threshold, percent), cell.threshold),
            Entry(show(cell.detectable, percent), cell.detectable),
            Entry(rounds, min(cell.base_rounds, cell.new_rounds)),
            Entry(safe_text(cell.reason)),
        )
    )


def _ceilings(id: str, title: str, pair: Pair) -> Sheet:
    if pair.in_turns or isinstance(pair.base, UnsetType) or isinstance(pair.new, UnsetType):
        return Sheet(id, title, CEILINGS, ())
    before, after = _measured(pair.base, pair.across), _measured(pair.new, pair.across)
    lines = [_ceiling(before[key], after[key]) for key in before if key in after]
    lines.sort(key=lambda line: not line.differs)
    one_sided = len(before.keys() ^ after.keys())
    note = f"{one_sided} ceilings that only one side measured are not listed." if one_sided else ""
    left = len(lines) - MOST_ROWS
    if left > 0:
        note = f"{left} more ceilings, which moved less, are not listed. {note}".strip()
    return Sheet(id, title, *_filled(CEILINGS, tuple(lines[:MOST_ROWS])), note)


def _measured(result: Result, across: bool) -> dict[tuple[str, ...], Ceiling]:
    """The ceilings with a value and a name, by what they are of: points of a ladder between levels have none."""
    kinds = [c for kind in ("compute", "memory") for c in usable(result.ceilings, kind)]
    return {("" if across else c.machine, c.device, c.id): c for c in kinds if ceiling_lines([c])}


def _ceiling(base: Ceiling, new: Ceiling) -> Line:
    (before,), (after,) = ceiling_lines([base]), ceiling_lines([new])
    old, now = value_of(base), value_of(new)
    scatter = [0.0 if isinstance(c.spread, UnsetType) else c.spread for c in (base, new)]
    moved = abs(math.log(now / old)) > max(CLEARLY, *scatter)
    word = ("up" if now > old else "down") if moved else ""
    return Line(
        (
            Entry(before.name),
            Entry(before.value, old),
            Entry(after.value, now),
            Entry(ratio_text(now / old), now / old),
            Entry(" / ".join(filter(None, [before.spread, after.spread])), max(scatter)),
            Entry(word),
        ),
        moved,
    )


def _machine_columns(pairs: Sequence[Pair]) -> list[tuple[str, tuple[Fact, ...]]]:
    """A column a side and machine: its heading and facts. A BASE that several results are set against comes once."""
    found: dict[str, tuple[Fact, ...]] = {}
    for name, pair in zip(headings(pairs), pairs, strict=True):
        for side, result in ((f"BASE {safe_text(pair.named.base)}", pair.base), (f"NEW {name}", pair.new)):
            known = {} if isinstance(result, UnsetType) else result.machines
            for id, machine in known.items():
                found[side if len(known) == 1 else f"{side}, {safe_text(id)}"] = machine_facts(machine)
    return list(found.items())


def _machine_line(label: str, texts: Sequence[str]) -> Line:
    return Line((Entry(label), *map(Entry, texts)), len(set(texts)) > 1)


def _filled(heads: Sequence[Head], lines: Sequence[Line]) -> tuple[tuple[Head, ...], tuple[Line, ...]]:
    """The columns that say anything, each entry with its place in the order of its column."""
    columns = list(zip(*(line.entries for line in lines), strict=True))
    kept = [i for i, column in enumerate(columns) if any(entry.text for entry in column)]
    ranked = [_ranked(columns[i]) for i in kept]
    made = (replace(line, entries=entries) for line, entries in zip(lines, zip(*ranked, strict=True), strict=True))
    return tuple(heads[i] for i in kept), tuple(made)


def _ranked(column: Sequence[Entry]) -> list[Entry]:
    known = sorted({_order(entry) for entry in column if entry.text})
    places = {order: place for place, order in enumerate(known)}
    return [replace(entry, rank=places[_order(entry)]) if entry.text else entry for entry in column]


def _order(entry: Entry) -> tuple[float, object]:
    return (0.0, natural(entry.text)) if isinstance(entry.number, UnsetType) else (entry.number, ())
