"""The ladder: what each step from naive to best bought, beside the library and the roof."""

from collections.abc import Sequence
from itertools import pairwise

from msgspec import UNSET, UnsetType

from kernelbench.model import Result
from kernelbench.report import ladder_bars
from kernelbench.report.columns import COLUMNS, speedup
from kernelbench.report.ladder_bars import Bar, Line, Problem
from kernelbench.report.ladder_rungs import Ladder, Rung, ladders
from kernelbench.report.rows import Row
from kernelbench.report.scaling_measure import Measure, measure, tips
from kernelbench.report.section import Figure, Head, Section, Table
from kernelbench.report.text import safe_text

MOST_ROWS = 200
"""Rows of the table; the whole result stands in the table of the page."""
MOST_BARS = 1500
"""Bars in the chart: beyond it a page gets slow and large."""
_MOST_OPS = 5
"""Ops that are told about in words."""

_ABOUT = (
    "Variants of one op on one problem, from naive to best; the bar is the rate of the best sample, the mark across "
    "it the roof of that very case, the dashed line the fastest library at the same threads, of the first rung's "
    "number type where there is one. Speedups are of medians: over the rung before of the same number type, and over "
    "naive at 1 thread. On a ladder for several threads, variants that use one thread stand at one. Across number "
    "types compare the speedups: fewer bytes are less work, so a shorter bar may be the faster one. The axis is "
    "logarithmic where numbers differ by more than 20x."
)
_HEADS = (
    Head("case", numeric=False),
    Head("median", COLUMNS["median"].meaning),
    Head("rate", "Rate at the best sample."),
    Head("% roof", COLUMNS["fraction"].meaning),
    Head("x step", "Speedup over the rung before of the same number type, by median."),
    Head("x naive", COLUMNS["naive"].meaning),
    Head("x lib", COLUMNS["library"].meaning),
    Head("flags", COLUMNS["flags"].meaning, numeric=False),
)


def section(rows: Sequence[Row], result: Result) -> Section | UnsetType:
    """The ladders of ``rows``; UNSET when no problem has two variants of our own."""
    found = ladders(rows)
    if not found:
        return UNSET
    first = found[0]
    alt = (
        f"Bars for {first.title}, from {first.rungs[0].name} to {first.rungs[-1].name}; the fastest is "
        f"{first.best.name} at {COLUMNS['median'].text(first.best.row)} a call."
    )
    drawn = _drawn(found)
    table, left = _table(found)
    spec = ladder_bars.spec(drawn, "Problem: ", ("rate", "x step", "x naive"))
    figure = Figure("ladder-bars", "From naive to best", spec, safe_text(alt), table)
    told = [*_stories(found), *_limits(found, drawn, left)]
    return Section("ladder", "Ladder", _ABOUT, (figure,), tuple(told))


def _drawn(found: Sequence[Ladder]) -> list[Problem]:
    drawn = [_problem(found[0])]
    bars = len(found[0].rungs)
    for one in found[1:]:
        bars += len(one.rungs)
        if bars > MOST_BARS:
            break
        drawn.append(_problem(one))
    return drawn


def _problem(ladder: Ladder) -> Problem:
    seen = [rung.row for rung in ladder.rungs]
    library = ladder.library
    unit = measure(seen if isinstance(library, UnsetType) else [*seen, library])
    bars = tuple(bar for rung in ladder.rungs if not isinstance(bar := _bar(rung, unit), UnsetType))
    return Problem(ladder.title, unit.title, bars, _library_line(library, unit))


def _bar(rung: Rung, unit: Measure) -> Bar | UnsetType:
    row, value = rung.row, unit.value(rung.row)
    if isinstance(value, UnsetType):
        return UNSET
    numbers = (unit.text(row), rung.step_text, COLUMNS["naive"].text(row))
    return Bar(rung.name, safe_text(row.style), value, numbers, tips(row, unit, rung.step_text), unit.roof(row))


def _library_line(library: Row | UnsetType, unit: Measure) -> Line | UnsetType:
    if isinstance(library, UnsetType) or isinstance(value := unit.value(library), UnsetType):
        return UNSET
    return Line(f"{COLUMNS['variant'].text(library)} {safe_text(library.dtype)} {unit.text(library)}", value)


def _table(found: Sequence[Ladder]) -> tuple[Table, int]:
    """The first ``MOST_ROWS`` cases, each once, with how many were left out."""
    shown: dict[tuple[str, str], tuple[Row, Measure, str]] = {}
    for ladder in found:
        unit = measure([rung.row for rung in ladder.rungs])
        for rung in ladder.rungs:
            shown.setdefault((rung.row.machine, rung.row.case_id), (rung.row, unit, rung.step_text))
        if not isinstance(ladder.library, UnsetType):
            row = ladder.library
            shown.setdefault((row.machine, row.case_id), (row, measure([row]), ""))
    cells = tuple(_cells(*one) for one in list(shown.values())[:MOST_ROWS])
    return Table(_HEADS, cells), max(0, len(shown) - MOST_ROWS)


def _cells(row: Row, unit: Measure, step: str) -> tuple[str, ...]:
    fraction, *others = (COLUMNS[key].text(row) for key in ("fraction", "naive", "library", "flags"))
    return (safe_text(row.case_id), COLUMNS["median"].text(row), unit.text(row), fraction, step, *others)


def _stories(found: Sequence[Ladder]) -> list[str]:
    """One sentence an op, on its largest problem at the most threads: from where to where, and the largest step."""
    last = {ladder.op: ladder for ladder in (*found[1:], found[0])}
    ordered = [found[0], *(ladder for op, ladder in last.items() if op != found[0].op)]
    told = [text for ladder in ordered if (text := _story(ladder))]
    more = f"Of {len(told)} ops the first {_MOST_OPS} are told about here; the chart has them all."
    return told[:_MOST_OPS] + ([more] if len(told) > _MOST_OPS else [])


def _story(ladder: Ladder) -> str:
    best = ladder.best
    if isinstance(best.row.speedup_vs_naive, UnsetType) or best.row.speedup_vs_naive <= 1:
        return ""
    times = f"{COLUMNS['median'].text(best.row)} a call, {speedup(best.row.speedup_vs_naive)} naive"
    share = _share(best)
    text = f"{ladder.title}: {best.name} is the fastest with {times}" + (f" and {share} of its roof" if share else "")
    steps = {rung.step: (before, rung) for before, rung in pairwise(ladder.rungs)}
    largest = max((step for step in steps if not isinstance(step, UnsetType)), default=0.0)
    if largest <= 1:
        return f"{text}."
    before, after = steps[largest]
    return f"{text}. The largest step: {after.name} over {before.name}, {speedup(largest)}{_shares(before, after)}."


def _shares(before: Rung, after: Rung) -> str:
    low, high = _share(before), _share(after)
    return f" (from {low} to {high} of the roof)" if low and high else ""


def _share(rung: Rung) -> str:
    """Its share of the roof; empty above the roof, where the model or the roof is wrong and nothing is achieved."""
    return "" if "above-roof" in rung.row.flags else COLUMNS["fraction"].text(rung.row)


def _limits(found: Sequence[Ladder], drawn: Sequence[Problem], left: int) -> list[str]:
    told = []
    if len(drawn) < len(found):
        told.append(f"The chart holds the first {len(drawn)} of {len(found)} problems.")
    if left:
        told.append(f"The table under the chart holds the first {MOST_ROWS} cases; {left} more are in the full table.")
    return told
