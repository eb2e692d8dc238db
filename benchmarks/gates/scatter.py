"""How much identical code scatters from one pair of processes to the next: shared memory against private. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median

from msgspec import Struct
from tabulate import tabulate

from gates.records import SCATTER, Trial

TO_SIGMA = 1.4826
"""A normal distribution's standard deviation by its median absolute deviation."""


class Spread(Struct, frozen=True):
    """The scatter of an A/A's log-ratios about 0, where its truth lies; shares of the time."""

    sd: float
    """Root of their mean square."""
    robust: float
    """1.4826 x the median of their sizes: what a few disturbed rounds hardly move."""
    rounds: int


def spread(log_ratios: Sequence[float]) -> Spread:
    """The scatter of at least one log-ratio."""
    sd = math.sqrt(math.fsum(x * x for x in log_ratios) / len(log_ratios))
    return Spread(sd, TO_SIGMA * median(map(abs, log_ratios)), len(log_ratios))


def by_cell(trials: Iterable[Trial], *, private: bool) -> dict[str, list[float]]:
    """Every round's log-ratio of each cell, over all scatter trials with that kind of memory."""
    found: dict[str, list[float]] = {}
    for trial in trials:
        if trial.tool == SCATTER and trial.private == private and not trial.problem:
            for cell in trial.cells:
                found.setdefault(cell.id, []).extend(cell.log_ratios)
    return {name: logs for name, logs in found.items() if logs}


def table(trials: Sequence[Trial]) -> str:
    """A Markdown table: each cell's scatter in both kinds of memory and their ratio, all of them pooled last."""
    shared, private = by_cell(trials, private=False), by_cell(trials, private=True)
    both = [name for name in shared if name in private]
    if not both:
        return ""
    rows = [_row(name, spread(shared[name]), spread(private[name])) for name in both]
    pooled = [spread([x for name in both for x in logs[name]]) for logs in (shared, private)]
    rows.append(_row("**all**", *pooled))
    heads = ["cell", "rounds", "shared sd", "private sd", "ratio", "shared robust", "private robust", "ratio"]
    return tabulate(rows, heads, tablefmt="github", disable_numparse=True)


def _row(name: str, shared: Spread, private: Spread) -> list[str]:
    rounds = f"{shared.rounds}+{private.rounds}"
    return [
        name,
        rounds,
        _share(shared.sd),
        _share(private.sd),
        _ratio(shared.sd, private.sd),
        _share(shared.robust),
        _share(private.robust),
        _ratio(shared.robust, private.robust),
    ]


def _share(value: float) -> str:
    return f"{100 * value:.2f}%"


def _ratio(one: float, other: float) -> str:
    return f"{one / other:.2f}" if other else "-"
