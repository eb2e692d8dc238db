"""Does `profile` name the right bound? Kernels that are each held by one known thing, with random names and sizes.

Each is written to a module of its own and profiled by the real engine ("bounds": what tells which bound holds, no
sweeps). Printed is a line a kernel, then the confusion table: truth down, answer across.

    python benchmarks/profile_synthetic.py [--count 100] [--seed 0] [--only KIND] [--keep FOLDER]
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from synthetic_kernels import KINDS, Synthetic, generate
from tabulate import tabulate

from kernelbench.errors import KernelbenchError
from kernelbench.machine import cache_levels, detect
from kernelbench.model import Bound, Profile
from kernelbench.profiling import Request, profile
from kernelbench.runner.job import Position

EXPECTED = {"one-chain": "latency", "wide-chain": "compute"}
OPEN, FAILED = "not told", "failed"


class Silent:
    """Progress that nobody watches."""

    def show(self, position: Position) -> None:
        """Nothing."""

    def warn(self, text: str) -> None:
        """To stderr: it may explain a wrong answer."""
        print(f"  {text}", file=sys.stderr)


def answer(bound: Bound) -> str:
    """The bound in the words of ``KINDS``."""
    if len(bound.causes) != 1:
        return OPEN
    (cause,) = bound.causes
    if cause.kind == "bandwidth" and isinstance(cause.level, str):
        return cause.level
    return next((kind for kind, other in EXPECTED.items() if other == cause.kind), cause.kind)


def details(found: Profile) -> str:
    """Every counterfactual's factor."""
    known = [(one.name, one.factor) for one in found.counterfactuals]
    return ", ".join(f"{name} {factor:.2f}" for name, factor in known if isinstance(factor, float))


def tried(synthetic: Synthetic, folder: Path, seed: int) -> tuple[str, str]:
    """(answer, its details) of profiling one kernel."""
    module = folder / f"{synthetic.op}.py"
    module.write_text(synthetic.source)
    request = Request(
        kernel=synthetic.variant, size=str(synthetic.size), dtype=synthetic.dtype, threads=synthetic.threads,
        modules=(str(module),), effort="bounds", seed=seed,
    )  # fmt: skip
    try:
        found = profile(request, Silent()).profile
    except KernelbenchError as error:
        return FAILED, str(error)
    if not isinstance(found, Profile):
        return FAILED, "no profile"
    return answer(found.bound), details(found)


def main() -> int:
    """Generate, profile, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--keep", type=Path, help="a folder for the generated modules")
    options = parser.parse_args()
    levels = dict(cache_levels(detect(), 1, (0,)))
    kinds = (options.only,) if options.only else KINDS
    seen: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        for number in range(options.count):
            made = generate(kinds[number % len(kinds)], random.Random(f"{options.seed}/{number}"), levels)
            started = time.monotonic()
            said, why = tried(made, folder, options.seed)
            seen[made.kind, said] += 1
            mark = " " if said == made.kind else "X"
            took = time.monotonic() - started
            print(f"{mark} {made.kind:10} -> {said:10} {made.variant} {made.dtype} n={made.size} {took:.0f} s: {why}")
            sys.stdout.flush()
    answers = sorted({said for _, said in seen}, key=lambda said: (KINDS.index(said) if said in KINDS else 99, said))
    rows = [[kind, *(seen[kind, said] or "" for said in answers)] for kind in kinds]
    print(tabulate(rows, headers=["truth", *answers]))
    right = sum(count for (kind, said), count in seen.items() if kind == said)
    print(f"{right} of {options.count} right")
    return 0 if right >= 0.95 * options.count else 1


if __name__ == "__main__":
    sys.exit(main())
