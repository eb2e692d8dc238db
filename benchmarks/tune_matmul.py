"""Does `tune` find what an exhaustive search finds, and is it ever slower than the default?

For each size: `tune` with its budget; then every candidate against the default in turns, in as many fresh pairs of
processes as asked for, which takes as long as it takes. The best of these medians is the exhaustive best. At last the
exhaustive best, the tuned parameters and the default meet once more in pairs of their own (the best of many is always
better in the rounds that made it the best), and the medians of these are what is printed:
found/best, the time of the tuned parameters over that of the exhaustive best, and found/default.

    python benchmarks/tune_matmul.py [--kernel matmul/packed] [--budget 60] [--rounds 8] [SIZE ...]
"""

import argparse
import math
import random
import statistics
import sys
import time
from collections.abc import Sequence
from itertools import product

from tabulate import tabulate

from kernelbench.config import Config, Flags, Matrix, override
from kernelbench.model import Values
from kernelbench.runner.job import Position
from kernelbench.tuning.duel import Seen
from kernelbench.tuning.session import Session, Target, compile_all, prepare, starter, tune

SIZES = ("96", "256", "512", "1000")
HEADERS = ("n", "default", "found", "exhaustive best", "found/best", "found/default", "tune took")


class Lines:
    """Warnings, and where a search is, on stderr."""

    def show(self, position: Position) -> None:
        """Where it is."""
        print(f"\r{position.phase} {position.done}/{position.total} {position.label:60.60}", end="", file=sys.stderr)

    def warn(self, text: str) -> None:
        """A line."""
        print(f"\nwarning: {text}", file=sys.stderr)


def meetings(session: Session, target: Target, candidates: Sequence[Values], rounds: int) -> dict[Values, list[float]]:
    """Log-ratios to the default of every candidate, one of each fresh pair of processes, in random order."""
    rng, seen = random.Random(1), Seen()
    start = starter(session, target, seen, rng, time.monotonic)
    default = tuple(values[0] for values in target.tunable.values())
    logs: dict[Values, list[float]] = {values: [] for values in candidates}
    for number in range(rounds):
        print(f"\r{target.case.id}: round {number + 1} of {rounds}{'':40}", end="", file=sys.stderr)
        match = start(default)
        try:
            for values in rng.sample(list(candidates), len(candidates)):
                logs[values].append(match.against(values).log_ratio)
        finally:
            match.close()
    return logs


def row(session: Session, target: Target, budget_s: float, rounds: int) -> list[str]:
    """One size."""
    found = tune(session, target, Lines(), budget_s=budget_s)
    candidates = list(product(*target.tunable.values()))
    medians = {
        values: statistics.median(logs) for values, logs in meetings(session, target, candidates, rounds).items()
    }
    best = min(medians, key=medians.__getitem__)
    default = candidates[0]
    finals = meetings(session, target, list({default, found.winner, best}), rounds)
    log = {values: statistics.median(logs) for values, logs in finals.items()}
    return [
        str(target.case.shape["n"]),
        *(" ".join(map(str, values)) for values in (default, found.winner, best)),
        f"{math.exp(log[found.winner] - log[best]):.3f}",
        f"{math.exp(log[found.winner] - log[default]):.3f}",
        f"{found.spent_s:.0f} s",
    ]


def main() -> None:
    """Print the table, line by line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", default=SIZES)
    parser.add_argument("--kernel", default="matmul/packed")
    parser.add_argument("--dtype", default="f32")
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=8)
    given = parser.parse_args()
    flags = Flags(kernels=(given.kernel,), sizes=tuple(given.sizes), dtypes=(given.dtype,))
    config = override(Config(matrix=(Matrix(kernels=(given.kernel,)),)), flags)
    session = prepare(config, any_dtype=True, any_threads=False)
    failures = compile_all(session, Lines())
    assert not failures, failures
    rows = [row(session, target, given.budget, given.rounds) for target in session.targets]
    print(f"\n{given.kernel}, {given.dtype}, machine {session.machine.id}: {', '.join(session.targets[0].tunable)}")
    print(tabulate(rows, HEADERS))


if __name__ == "__main__":
    main()
