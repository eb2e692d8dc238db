"""How often does `compare` find a slowdown of one cell among many, by rounds and scatter?

Round medians of BASE and NEW are drawn with a normal scatter; NEW is slower by the effect. Found means called
regressed, for the family of all cells, had that cell moved alone. Beside it: how often a cell of identical code is
called unchanged. docs/COMPARE.md has the table.

    python benchmarks/compare_power.py [--cells 20] [--threshold 0.05] [--trials 2000]
"""

import argparse
import math
import random
import sys

from tabulate import tabulate

from kernelbench.analysis.family import Family, chance_above
from kernelbench.analysis.stats import shift
from kernelbench.analysis.verdict import by_interval

ROUNDS = (6, 10, 16)
SCATTER = (0.01, 0.02, 0.03)
EFFECTS = (0.08, 0.10, 0.15)


def main() -> int:
    """Print the table as Markdown."""
    given = arguments()
    chooser, needed = random.Random(0), Family(given.cells).alone_p
    limit = math.log1p(given.threshold)

    def drawn(effect: float, scatter: float, rounds: int) -> list[float]:
        return [math.log((1 + effect) * chooser.gauss(1, scatter)) for _ in range(rounds)]

    def found(effect: float, scatter: float, rounds: int) -> bool:
        return chance_above(drawn(0, scatter, rounds), drawn(effect, scatter, rounds), limit) <= needed

    def unchanged(scatter: float, rounds: int) -> bool:
        moved = shift(drawn(0, scatter, rounds), drawn(0, scatter, rounds))
        return by_interval(moved.estimate, moved.interval, given.threshold, (rounds, rounds))[0] == "unchanged"

    rows = []
    for rounds in ROUNDS:
        for scatter in SCATTER:
            shares = [sum(found(e, scatter, rounds) for _ in range(given.trials)) / given.trials for e in EFFECTS]
            shares.append(sum(unchanged(scatter, rounds) for _ in range(given.trials)) / given.trials)
            rows.append([rounds, f"{scatter:.0%}", *(f"{share:.0%}" for share in shares)])
    headers = ["rounds a side", "scatter", *(f"+{effect:.0%} found" for effect in EFFECTS), "identical: unchanged"]
    print(tabulate(rows, headers=headers, tablefmt="pipe"))
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=20)
    parser.add_argument("--threshold", type=float, default=0.05)
    parser.add_argument("--trials", type=int, default=2000)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
