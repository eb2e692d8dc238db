"""Trials counted: false alarms, cells decided, slowdowns found. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from msgspec import Struct
from tabulate import tabulate

from gates.records import OURS, Seen, Trial

K = TypeVar("K", bound=Hashable)

SURE = 0.95
"""Confidence of the bounds beside counts."""


class Count(Struct, frozen=True):
    """So many of so many."""

    hits: int
    of: int

    def __str__(self) -> str:
        return f"{self.hits}/{self.of}" if self.of else "-"

    @property
    def at_most(self) -> str:
        """With the upper bound of the true share: "0/30 (<= 9.5%)"."""
        return f"{self} (<= {_percent(upper(self.hits, self.of))})" if self.of else "-"

    @property
    def at_least(self) -> str:
        """With the lower bound of the true share."""
        return f"{self} (>= {_percent(1 - upper(self.of - self.hits, self.of))})" if self.of else "-"


class Tally(Struct, frozen=True):
    """The repetitions of one experiment in numbers."""

    alarmed: Count
    """Comparisons in which a cell was called regressed that was not slowed."""
    false_cells: Count
    """Such cells, of all that were not slowed."""
    decided: Count
    """Cells `unchanged`, of those that were not slowed and live in a cache."""
    found: Count
    """Slowed cells called regressed, of those that live in a cache."""
    cell_s: float
    """Seconds a cell, median of the comparisons; 0 without any."""


def upper(hits: int, of: int, sure: float = SURE) -> float:
    """The largest true share at which no more than ``hits`` of ``of`` would come with a chance of ``1 - sure``.

    The exact one-sided bound of Clopper and Pearson (Biometrika 1934), by bisection; 0.095 for 0 of 30.
    """
    if hits >= of:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        share = (low + high) / 2
        chance = math.fsum(math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(hits + 1))
        low, high = (share, high) if chance > 1 - sure else (low, share)
    return high


def tally(trials: Sequence[Trial]) -> Tally:
    """Count repetitions of one experiment; those with a problem, and cells that failed, count nowhere."""
    good = [trial for trial in trials if not trial.problem]
    plain = [[cell for cell in _alive(trial) if not cell.slowed] for trial in good]
    slowed = [cell for trial in good for cell in _alive(trial) if cell.slowed and cell.cached]
    cells = [cell for one in plain for cell in one]
    cached = [cell for cell in cells if cell.cached]
    pace = sorted(trial.wall_s / len(trial.cells) for trial in good if trial.cells)
    return Tally(
        alarmed=Count(sum(any(map(_alarm, one)) for one in plain), sum(map(bool, plain))),
        false_cells=Count(sum(map(_alarm, cells)), len(cells)),
        decided=Count(sum(cell.verdict == "unchanged" for cell in cached), len(cached)),
        found=Count(sum(map(_alarm, slowed)), len(slowed)),
        cell_s=pace[len(pace) // 2] if pace else 0.0,
    )


def ours(trials: Sequence[Trial]) -> str:
    """A Markdown table of our gate's trials, an experiment a line."""
    rows = []
    for (_, rule, slowed, busy, private, selection, at_once), alike in _grouped(trials, lambda trial: trial.experiment):
        found = tally(alike)
        where = "one kernel" if at_once == 1 else f"{at_once} kernels at once"
        what = f"+{_percent(slowed)} in {where}" if slowed else "A/A"
        extras = [rule, _busy(busy), "private memory" if private else "", _selection(selection, trials)]
        decided = f"{found.decided} ({_percent(found.decided.hits / found.decided.of)})" if found.decided.of else "-"
        name = ", ".join(filter(None, [what, *extras]))
        counts = [found.alarmed.at_most, str(found.false_cells), decided, found.found.at_least]
        rows.append([name, *counts, f"{found.cell_s:.1f}"])
    return _table(rows, ["experiment", "runs with a false alarm", "false cells", "unchanged", "found", "s a cell"])


def beside(trials: Sequence[Trial], shares: Sequence[float]) -> str:
    """A Markdown table of all gates, a rule a line, with what each found of slowdowns of ``shares``."""
    rows = []
    for (tool, rule, busy, selection), alike in _grouped([trial for trial in trials if trial.rule], _rule):
        same = tally([trial for trial in alike if not trial.slowed])
        found = [tally([trial for trial in alike if trial.slowed == share]).found for share in shares]
        name = f"**{tool}**" if tool == OURS else tool
        extras = ", ".join(filter(None, [rule, _busy(busy), _selection(selection, trials)]))
        counts = [same.alarmed.at_most, str(same.false_cells), *map(str, found)]
        rows.append([name, extras, *counts, f"{tally(alike).cell_s:.1f}"])
    heads = [f"+{_percent(share)} found" for share in shares]
    return _table(rows, ["gate", "fails a cell", "runs with a false alarm", "false cells", *heads, "s a cell"])


def problems(trials: Sequence[Trial]) -> list[str]:
    """What did not work, each once with how often, for below the table."""
    said = [f"{trial.tool}: {trial.problem}" for trial in trials if trial.problem]
    said += [f"{trial.tool}: {cell.id} failed" for trial in trials for cell in trial.cells if cell.verdict == "failed"]
    return [f"{said.count(text)} x {text}" for text in dict.fromkeys(said)]


def _table(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    return tabulate(rows, heads, tablefmt="github", disable_numparse=True)


def _busy(kind: str) -> str:
    return f"busy: {kind}" if kind else ""


def _selection(selection: str, trials: Sequence[Trial]) -> str:
    """Which cells, where the table holds trials of different ones."""
    return (selection or "all cells") if len({trial.selection for trial in trials}) > 1 else ""


def _rule(trial: Trial) -> tuple[str, str, str, str]:
    return trial.tool, trial.rule, trial.busy, trial.selection


def _alarm(cell: Seen) -> bool:
    return cell.verdict == "regressed"


def _alive(trial: Trial) -> list[Seen]:
    return [cell for cell in trial.cells if cell.verdict != "failed"]


def _grouped(trials: Sequence[Trial], key: Callable[[Trial], K]) -> list[tuple[K, list[Trial]]]:
    groups: dict[K, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(key(trial), []).append(trial)
    return list(groups.items())


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"
