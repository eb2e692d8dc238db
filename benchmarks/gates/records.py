"""What one comparison by one gate said, kept as a line of JSON so that an interrupted experiment can be continued."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

OURS = "kernelbench ab"
SCATTER = "scatter"
"""The ``tool`` of A/A runs whose rounds count rather than their verdicts."""


class Seen(Struct, frozen=True, omit_defaults=True):
    """One cell in one comparison."""

    id: str
    verdict: str
    """As the gate says it; of gates without words "regressed" or "passed"."""
    cached: bool = True
    """True when its operands fit into the last-level cache."""
    slowed: float = 0.0
    """Share of a call that was put into HEAD on purpose, as asked."""
    reached: float = 0.0
    """That share as it was measured when it was put in; 0 where nothing was."""
    log_ratios: tuple[float, ...] = ()
    """HEAD over BASE of each screening round; empty for gates without rounds."""
    confirming: tuple[float, ...] = ()
    """The same of the rounds that were to confirm it; empty where it was not flagged."""
    quiet: float = 0.0
    """Share of its pairs of turns that met a quiet core, in all rounds."""


class Trial(Struct, frozen=True, omit_defaults=True):
    """One comparison of BASE and HEAD, judged by one rule."""

    tool: str
    rule: str
    """When it fails a cell: "median:5%"."""
    number: int
    """Which repetition, from 0."""
    wall_s: float
    """Of both sides together, with starting processes and reading results; seconds."""
    cells: tuple[Seen, ...] = ()
    slowed: float = 0.0
    """The slowdown of this experiment; 0: an A/A."""
    busy: str = ""
    """What another process did meanwhile: "spin", "stream" or nothing."""
    private: bool = False
    """True when each side worked in memory of its own."""
    problem: str = ""
    """Why it has no verdicts; empty where it has."""
    selection: str = ""
    """Which cells were asked for, beyond the usual ones: trials of different cells are not counted together."""
    at_once: int = 1
    """How many cells are slowed in one comparison; they share its error, so that each is harder to find."""

    @property
    def experiment(self) -> tuple[str, str, float, str, bool, str, int]:
        """Trials alike in this are repetitions of each other."""
        return self.tool, self.rule, self.slowed, self.busy, self.private, self.selection, self.at_once


def read(path: Path) -> list[Trial]:
    """The trials in ``path``; none when there is no such file. A last line cut off by a kill is dropped.

    Raises ValueError naming the line that is no trial.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(msgspec.json.decode(line, type=Trial))
        except msgspec.MsgspecError as error:
            if number == len(lines):
                break
            raise ValueError(f"{path}, line {number}: this is no trial: {error}") from error
    return found


def append(path: Path, trials: Iterable[Trial]) -> None:
    """Add trials to ``path``, on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = b"".join(msgspec.json.encode(trial) + b"\n" for trial in trials)
    with path.open("ab+") as file:
        file.truncate(_whole_lines(path))
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _whole_lines(path: Path) -> int:
    """Bytes of ``path`` up to its last line's end: what a kill left half-written would spoil the next line."""
    return path.read_bytes().rfind(b"\n") + 1


def done(trials: Iterable[Trial], like: Trial) -> int:
    """How many repetitions of ``like`` have verdicts. An empty rule: of its gate, by any rule."""
    return len({trial.number for trial in trials if _alike(trial, like) and not trial.problem})


def next_number(trials: Iterable[Trial], like: Trial) -> int:
    """The number of the next repetition of ``like``: those without verdicts have had one too."""
    return max((trial.number + 1 for trial in trials if _alike(trial, like)), default=0)


def _alike(trial: Trial, like: Trial) -> bool:
    if like.rule:
        return trial.experiment == like.experiment
    return (trial.tool, trial.busy, trial.selection) == (like.tool, like.busy, like.selection)
