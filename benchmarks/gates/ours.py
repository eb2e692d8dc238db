"""One comparison by `kernelbench ab`, in a process of its own: the command for an A/A, its library with a slowdown."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean

import msgspec
from msgspec import UNSET, Struct, structs

from gates.cells import Experiment
from gates.records import OURS, SCATTER, Seen, Trial
from kernelbench.errors import KernelbenchError
from kernelbench.model import Result
from kernelbench.store.files import read_result

ROOT = Path(__file__).resolve().parents[2]
SLOWED = Path(__file__).resolve().parent / "slowed_ab.py"
FINE = (0, 1, 4)
"""Exit codes of a comparison that was made: no regression, one, a failed cell."""
SETTLED_AT_ONCE = 0.9
"""A threshold that no cell passes: each is settled at the first look, after the same number of rounds."""


class Wanted(Struct, frozen=True):
    """One comparison."""

    config: str
    out: str
    """The result file."""
    threshold: float
    seed: int
    cases: tuple[str, ...] = ()
    """Globs on case ids; all of the configuration without any."""
    slowdowns: dict[str, float] = {}
    """Share of extra work in HEAD, by case id."""
    private: bool = False
    time_budget_s: float = 0.0
    """0: as usual."""


def gate_trial(
    wanted: Experiment,
    threshold: float,
    *,
    slowed: float = 0.0,
    busy: str = "",
    private: bool = False,
    at_once: int = 1,
) -> Trial:
    """What an experiment is known by: a trial without anything measured."""
    rule = f"beyond {100 * threshold:g}%"
    selection = " ".join(wanted.globs)
    return Trial(OURS, rule, 0, 0.0, slowed=slowed, busy=busy, private=private, selection=selection, at_once=at_once)


def run_gate(
    wanted: Experiment, like: Trial, threshold: float, number: int, slow: tuple[str, ...] = (), budget_s: float = 0.0
) -> Trial:
    """One comparison like ``like``, with the cells ``slow`` slowed by its share."""
    return _run(wanted, like, threshold, number, dict.fromkeys(slow, like.slowed), budget_s)


def scatter_trial(wanted: Experiment, busy: str, *, private: bool) -> Trial:
    """What an A/A is known by whose rounds are wanted rather than its verdicts."""
    selection = " ".join(wanted.globs)
    return Trial(SCATTER, "rounds of an A/A", 0, 0.0, busy=busy, private=private, selection=selection)


def run_scatter(wanted: Experiment, like: Trial, number: int) -> Trial:
    """One A/A of the fewest rounds."""
    return _run(wanted, like, SETTLED_AT_ONCE, number, {}, 0.0)


def _run(
    wanted: Experiment, like: Trial, threshold: float, number: int, slowdowns: dict[str, float], budget_s: float
) -> Trial:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "ab.json"
        config = str(wanted.config_path.resolve())
        one = Wanted(config, str(out), threshold, number, wanted.globs, slowdowns, like.private, budget_s)
        began = time.perf_counter()
        done = subprocess.run(command(one), cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        wall_s = time.perf_counter() - began
        trial = structs.replace(like, number=number, wall_s=wall_s)
        for warning in [text for text in done.stderr.splitlines() if text.startswith("warning:")]:
            # That another run was going on, for instance: the trial may not be worth keeping.
            print(warning, file=sys.stderr)
        if done.returncode not in FINE or not out.exists():
            said = done.stderr.strip().splitlines() or ["no word"]
            return structs.replace(trial, problem=f"exit {done.returncode}: {said[-1]}")
        try:
            result = read_result(out)
        except KernelbenchError as error:
            return structs.replace(trial, problem=str(error))
    return structs.replace(trial, cells=seen(result, set(wanted.cached), slowdowns))


def command(wanted: Wanted) -> list[str]:
    """The command line of one comparison."""
    if wanted.slowdowns:
        return [sys.executable, str(SLOWED), msgspec.json.encode(wanted).decode()]
    given = ["-c", wanted.config, "-o", wanted.out, "--seed", str(wanted.seed)]
    # No waiting for a quiet host: where it is kept busy on purpose that would only take time.
    given += ["--threshold", repr(wanted.threshold), "--format", "json", "--quiet", "--wait-quiet", "0"]
    given += [word for glob in wanted.cases for word in ("--case", glob)]
    given += ["--private"] if wanted.private else []
    given += ["--time-budget", repr(wanted.time_budget_s)] if wanted.time_budget_s else []
    return [sys.executable, "-m", "kernelbench", "ab", ".", ".", *given]


def environment() -> dict[str, str]:
    """Ours, without what would change the experiment: options given as variables, and a CI's summary page."""
    dropped = ("KERNELBENCH_", "GITHUB_STEP_SUMMARY")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


def seen(result: Result, cached: set[str], slowdowns: dict[str, float]) -> tuple[Seen, ...]:
    """The cells of a paired comparison's file."""
    return tuple(
        Seen(
            id=cell.case.id,
            verdict=cell.verdict,
            cached=cell.case.id in cached,
            slowed=slowdowns.get(cell.case.id, 0.0),
            reached=0.0 if cell.slowed is UNSET else cell.slowed,
            log_ratios=tuple(round(one.log_ratio, 6) for one in cell.screen),
            confirming=tuple(round(one.log_ratio, 6) for one in cell.confirm),
            quiet=round(mean([one.quiet_share for one in (*cell.screen, *cell.confirm)] or [0.0]), 3),
        )
        for cell in result.paired
    )
