"""Does `kernelbench ab` cry wolf, and does it find what it should? Many whole runs, counted.

Each run compares the working tree with itself, in a process of its own: an A/A, or with a slowdown (extra work inside
the compiled kernel) put into one cell of HEAD. Runs are appended to a file as they end; started again, the script goes
on until that file holds as many as asked for. Nothing else should run beside it.

    python benchmarks/gate_trials.py --trials 30                              # A/A at 5%
    python benchmarks/gate_trials.py --trials 15 --busy                       # while the other cores are busy
    python benchmarks/gate_trials.py --trials 100 --slowdown '*=10%'          # one cached cell after the other
    python benchmarks/gate_trials.py --trials 25 --slowdown '*=5%' --threshold 3% --at-once 4
    python benchmarks/gate_trials.py --summary results/gate_trials.jsonl      # the table of what is there
"""

import argparse
import sys
from pathlib import Path

from gates import records, tally
from gates.busy import KINDS, busy
from gates.records import Trial

from kernelbench.errors import KernelbenchError
from kernelbench.thresholds import parse

HERE = Path(__file__).resolve().parent
CELLS = HERE / "gate_cells.toml"
DEFAULT_FILE = Path("results") / "gate_trials.jsonl"


def main() -> int:
    """Run what is missing, then print the table."""
    given = arguments()
    try:
        if given.summary is None:
            run(given)
        summarise(given.summary or given.file)
    except (KernelbenchError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\ninterrupted; {given.file} keeps what was done, and the same command goes on", file=sys.stderr)
        return 130
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=30, metavar="N", help="runs that the file is to hold [30]")
    parser.add_argument("--threshold", default="5%", metavar="SHARE", help="as of `kernelbench ab` [5%%]")
    parser.add_argument("--slowdown", metavar="GLOB=SHARE", help="slow one cached cell of these in each run, in turn")
    parser.add_argument("--at-once", type=int, default=1, metavar="N", help="slow so many cells in each run [1]")
    parser.add_argument("--busy", nargs="?", const=KINDS[0], default="", choices=KINDS, help="occupy other cores")
    parser.add_argument("--private", action="store_true", help="each side in memory of its own")
    parser.add_argument("--case", action="append", default=[], metavar="GLOB", help="only these cells; repeatable")
    parser.add_argument("-c", "--config", type=Path, default=CELLS, metavar="FILE", help=f"[{CELLS.name}]")
    parser.add_argument("--time-budget", type=float, default=0.0, metavar="S", help="of each run  [4 s a cell]")
    parser.add_argument("--file", type=Path, default=DEFAULT_FILE, metavar="JSONL", help=f"[{DEFAULT_FILE}]")
    parser.add_argument("--summary", type=Path, metavar="JSONL", help="measure nothing, print this file's table")
    return parser.parse_args()


def run(given: argparse.Namespace) -> None:
    """Comparisons until the file holds as many of this kind as asked for, or that many were tried now."""
    from gates.cells import experiment
    from gates.ours import gate_trial, run_gate

    threshold = parse([given.threshold]).default
    wanted = experiment(given.config, given.case)
    glob, share = slowdown(given.slowdown) if given.slowdown else ("", 0.0)
    slow = wanted.matching(glob) if glob else ()
    if glob and not slow:
        raise ValueError(
            f"--slowdown {glob!r} names no cell that lives in a cache; these do: {', '.join(wanted.cached)}"
        )
    if given.at_once < 1:
        raise ValueError(f"--at-once {given.at_once} slows no cell; give 1 or more")
    at_once = min(given.at_once, len(slow)) if slow else 1
    like = gate_trial(wanted, threshold, slowed=share, busy=given.busy, private=given.private, at_once=at_once)
    known = records.read(given.file)
    with busy(given.busy, wanted.cpu):
        for _ in range(max(0, given.trials - records.done(known, like))):
            number = records.next_number(known, like)
            chosen = tuple(slow[(number * at_once + i) % len(slow)] for i in range(at_once)) if slow else ()
            trial = run_gate(wanted, like, threshold, number, chosen, given.time_budget)
            records.append(given.file, [trial])
            known.append(trial)
            print(line(trial, records.done(known, like), given.trials), file=sys.stderr)


def slowdown(text: str) -> tuple[str, float]:
    """ "GLOB=10%" as (glob, 0.1). Raises ValueError for anything else."""
    rules = parse([text]).rules
    if not rules:
        raise ValueError(f"--slowdown {text!r} names no cells; give a glob on case ids and a share, such as '*=10%'")
    return rules[0]


def line(trial: Trial, done: int, wanted: int) -> str:
    """One run in one line."""
    if trial.problem:
        return f"{done}/{wanted}: {trial.problem}"
    verdicts = [cell.verdict for cell in trial.cells]
    counted = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))
    slowed = [f"; {cell.id} +{100 * cell.reached:.1f}%: {cell.verdict}" for cell in trial.cells if cell.slowed]
    wrong = [f"; FALSE ALARM {cell.id}" for cell in trial.cells if not cell.slowed and cell.verdict == "regressed"]
    return f"{done}/{wanted}: {counted} in {trial.wall_s:.0f} s{''.join(slowed + wrong)}"


def summarise(file: Path) -> None:
    """Print the table of a file, and below it what did not work."""
    if not file.exists():
        raise ValueError(f"{file}: no such file; the runs go to {DEFAULT_FILE} unless --file says otherwise")
    trials = [trial for trial in records.read(file) if trial.tool == records.OURS]
    print(tally.ours(trials))
    print("\nBounds in parentheses hold with a confidence of 95% (Clopper-Pearson).")
    for text in tally.problems(trials):
        print(text)


if __name__ == "__main__":
    sys.exit(main())
