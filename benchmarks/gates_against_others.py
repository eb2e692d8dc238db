"""`kernelbench ab` beside other gates: who cries wolf, who finds what, and what the shared memory is worth.

The same kernels, compared with themselves and with copies slowed by 5% and 10% inside the compiled code, by
  - kernelbench ab (one cell slowed in each run),
  - pytest-benchmark with --benchmark-compare-fail, median and mean,
  - pyperf compare_to, by its significance alone and with --min-speed,
  - a Mann-Whitney test on samples of one side and then of the other, alone and with a least change,
  - "scatter": ab's rounds with both sides in one memory and with memory of their own, in turns.
Gates that are not installed are taken from their packages by pip, into an environment that is thrown away.

Results are appended to a file; started again, the script goes on until it holds as many trials as asked for.
Nothing else should run beside it. pyperf takes about 12 minutes for a pass of 20 cells, and a trial has four.

    python benchmarks/gates_against_others.py --quick                # two minutes, to see that it works
    python benchmarks/gates_against_others.py --trials 10
    python benchmarks/gates_against_others.py --trials 5 --only pyperf --case 'relu/*' --case 'softmax/*'
    python benchmarks/gates_against_others.py --summary results/gates.jsonl results/gate_trials.jsonl
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from gates import records, scatter, tally
from gates.busy import KINDS, busy
from gates.records import OURS, SCATTER, Trial

from kernelbench.errors import KernelbenchError

HERE = Path(__file__).resolve().parent
CELLS = HERE / "gate_cells.toml"
DEFAULT_FILE = Path("results") / "gates.jsonl"
SHARES = (0.05, 0.1)
QUICK_CASES = ("relu/vectorized/f32/n=65536/*",)
NAMES = (OURS, "pytest-benchmark", "pyperf", "Mann-Whitney", SCATTER)

say = partial(print, file=sys.stderr, flush=True)


def main() -> int:
    """Run what is missing, then print the tables."""
    given = arguments()
    try:
        if not given.summary:
            run(given)
        if not given.quick:
            summarise(given.summary or [given.json])
    except (KernelbenchError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        say(f"\ninterrupted; {given.json} keeps what was done, and the same command goes on")
        return 130
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--trials", type=int, default=10, metavar="N", help="of each gate that the file is to hold [10]"
    )
    parser.add_argument("--only", action="append", choices=NAMES, metavar="GATE", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--busy", nargs="?", const=KINDS[0], default="", choices=KINDS, help="occupy other cores")
    parser.add_argument("--case", action="append", default=[], metavar="GLOB", help="only these cells; repeatable")
    parser.add_argument("-c", "--config", type=Path, default=CELLS, metavar="FILE", help=f"[{CELLS.name}]")
    parser.add_argument("--quick", action="store_true", help="one cell, one trial, few samples: proves nothing")
    parser.add_argument("--json", type=Path, default=DEFAULT_FILE, metavar="FILE", help=f"[{DEFAULT_FILE}]")
    parser.add_argument("--summary", type=Path, nargs="+", metavar="FILE", help="measure nothing, print the tables")
    return parser.parse_args()


def run(given: argparse.Namespace) -> None:
    """Trials of every gate in turns, so that a change of the host meets all of them."""
    from gates.cells import experiment
    from gates.contenders import entered

    with tempfile.TemporaryDirectory() as folder:
        if given.quick:
            # What proves nothing is kept apart from what counts.
            given.trials, given.case, given.json = 1, given.case or list(QUICK_CASES), Path(folder) / "quick.jsonl"
        wanted = experiment(given.config, given.case)
        names = [name for name in NAMES if not given.only or name in given.only]
        contenders = entered(names, wanted, given.busy, Path(folder) / "tools", quick=given.quick, say=say)
        known = records.read(given.json)
        with busy(given.busy, wanted.cpu):
            for number in range(given.trials):
                for contender, like in [(one, like) for one in contenders for like in one.likes]:
                    if records.done(known, like) <= number:
                        found = contender.take(like, records.next_number(known, like))
                        records.append(given.json, found)
                        known += found
                        say(line(number, like, found))
        if given.quick:
            print_tables(known)


def line(number: int, like: Trial, found: Sequence[Trial]) -> str:
    """One repetition in one line: for each rule how many cells were called regressed, by slowdown."""
    seconds = max((trial.wall_s for trial in found), default=0.0)
    told = [f"{rule} {counts}" for rule, counts in by_rule(found).items()]
    if like.tool == SCATTER:
        told = ["memory of its own" if like.private else "one memory"]
    words = [trial.problem for trial in found if trial.problem] or told
    return f"trial {number + 1}, {like.tool}, {seconds:.0f} s: {'; '.join(words)}"


def by_rule(found: Sequence[Trial]) -> dict[str, str]:
    """Rule -> "0% 1/20, 5% 3/18": cells called regressed of those judged, by slowdown."""
    told: dict[str, list[str]] = {}
    for trial in found:
        count = sum(cell.verdict == "regressed" for cell in trial.cells)
        told.setdefault(trial.rule, []).append(f"+{trial.slowed:.0%} {count}/{len(trial.cells)}")
    return {rule: ", ".join(texts) for rule, texts in told.items()}


def summarise(files: Sequence[Path]) -> None:
    """Print the tables of what the files hold. Raises ValueError where one is not there."""
    for file in files:
        if not file.exists():
            raise ValueError(f"{file}: no such file; trials go to {DEFAULT_FILE} unless --json says otherwise")
    print_tables([trial for file in files for trial in records.read(file)])


def print_tables(trials: Sequence[Trial]) -> None:
    """Markdown, ready to be pasted into docs/GATE.md."""
    judged = [trial for trial in trials if trial.tool != SCATTER and not trial.private]
    print(tally.beside(judged, SHARES))
    print("\nCells of every size count for false alarms, cells that live in a cache for what was found. Bounds in")
    print("parentheses hold with a confidence of 95% (Clopper-Pearson).")
    if text := scatter.table(trials):
        print("\nIdentical code, scatter of the rounds' log-ratios about 0 (robust: 1.4826 x the median size):\n")
        print(text)
    for text in tally.problems(trials):
        print(text)


if __name__ == "__main__":
    sys.exit(main())
