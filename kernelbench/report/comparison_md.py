"""A comparison as GitHub-flavoured Markdown: for a step summary, a merge request or a file."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kernelbench.analysis.cell import Cell
from kernelbench.report.columns import show
from kernelbench.report.comparison_words import (
    PLAIN,
    Named,
    View,
    about,
    arranged,
    counts,
    explained,
    interval_text,
    listed,
    mean_text,
    number_form,
    ratio_text,
)
from kernelbench.report.markdown import code, escaped
from kernelbench.report.text import safe_text
from kernelbench.units import percent

if TYPE_CHECKING:
    from kernelbench.analysis.expectations import Judged

MOST_ROWS = 200
"""Rows of one table: GitHub refuses a step summary above 1 MiB, and nobody reads ten thousand rows."""


def render(comparisons: Sequence[Named], judged: Sequence["Judged"] = (), *, view: View = PLAIN) -> str:
    """Every comparison: counts, notes, changed cells, reasons, and the unchanged ones folded away."""
    blocks = [block for named in comparisons for block in _comparison(named, view)]
    return "\n\n".join([*blocks, *_expectations(judged)]) + "\n"


def _comparison(named: Named, view: View) -> Iterator[str]:
    comparison = named.comparison
    yield f"## kernelbench: {counts(comparison)}"
    lines = [f"BASE {code(named.base)}, NEW {code(named.new)}: {about(comparison)}."]
    if mean := mean_text(comparison.cells):
        lines.append(f"{mean[0].upper()}{mean[1:]}.")
    yield "\n".join(lines)
    if comparison.notes:
        yield "\n".join(f"- {escaped(safe_text(note))}" for note in comparison.notes)
    cells = arranged(comparison.cells, view)
    folded = [c for c in cells if c.verdict == "unchanged"]
    changed = [c for c in cells if c.verdict != "unchanged"]
    if changed:
        yield _table(changed, comparison.basis)
        yield "\n".join(_reasons(changed))
    if folded:
        cell = "cell" if len(folded) == 1 else "cells"
        summary = f"<details><summary>{len(folded)} {cell} unchanged</summary>"
        yield f"{summary}\n\n{_table(folded, comparison.basis)}\n\n</details>"


def _table(cells: Sequence[Cell], basis: str) -> str:
    from tabulate import tabulate

    form = number_form(basis)
    headers = ["case", "verdict", "ratio", "95% interval", "BASE", "NEW", "threshold"]
    rows = [
        (
            code(c.case_id),
            f"**{c.verdict}**" if c.verdict in ("regressed", "failed") else c.verdict,
            show(c.ratio, ratio_text),
            interval_text(c),
            show(c.base, form),
            show(c.new, form),
            show(c.threshold, percent),
        )
        # Those that fail a gate first, but even of them no more.
        for c in listed(cells, MOST_ROWS)[:MOST_ROWS]
    ]
    align = ("left", "left", *("right" for _ in headers[2:]))
    made = tabulate(rows, headers=headers, tablefmt="pipe", disable_numparse=True, colalign=align)
    left = len(cells) - len(rows)
    return f"{made}\n\nand {left} more; `--format json` has every cell" if left else made


def _reasons(cells: Sequence[Cell]) -> Iterator[str]:
    kept, left = explained(cells)
    for cell in kept[:MOST_ROWS]:
        yield f"- **{cell.verdict}** {code(cell.case_id)}: {escaped(safe_text(cell.reason))}"
    if len(kept) > MOST_ROWS:
        yield f"- and {len(kept) - MOST_ROWS} more of them"
    for verdict, count in left.items():
        yield f"- **{verdict}**: and {count} more; `--format json` gives every reason"


def _expectations(judged: Sequence["Judged"]) -> Iterator[str]:
    if not judged:
        return
    from kernelbench.report.expectations import LABELS, by_state, heading

    yield f"## {heading(judged)}"
    yield "\n".join(
        f"- **{LABELS.get(one.state, one.state)}** {escaped(safe_text(one.rule))}: {escaped(safe_text(one.reason))}"
        for one in by_state(judged)
    )
