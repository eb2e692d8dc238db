"""Is our best variant of every op as fast as the best library's?

For each op, number type, size and parameters all variants that can run here take turns on operands of the same values
in one process, verified first, then in slices of 0.1 ms or one call. Printed are the us of our fastest variant and of
the fastest library, and the ratios of best and median slices, theirs to ours: above 1 we are faster. Then the
geometric mean for each op and over all, and every cell below 0.9. Variants compete only with equals: the same number
types of operands and weights, so that nothing wins by being less exact. Interpreted and naive rungs stay out.
A library that can only be called from Python pays for the call: cells where it takes less than 50 times what a call
costs are marked *, and there is a mean without them.

    python benchmarks/catalogue_against_libraries.py [--threads 2] [--seconds 0.5] [--json OUT] [OP ...]
"""

import argparse
import contextlib
import itertools
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

SWEEP = {
    "matmul": ("64", "96", "128", "192", "256", "384", "512", "768", "1000", "1024", "1536", "2048"),
    "gemv": ("256", "1024", "4096x4096"),
    "transpose": ("100", "256", "1000", "1024", "2048"),
    "bias_relu": ("64x1024", "512x1024", "4096x1024"),
}
VECTORS = ("2048", "16384", "131072", "1048576", "16777216")
"""f32 operands of 8 KiB to 64 MiB: L1, L2, L3 and beyond."""
LOSS = 0.9
SLICE_S = 1e-4
SLICES = 5
"""Slices of one contestant before the next has its turn."""
SLOWEST_S = 2.0
"""A call that takes longer has no turn: it could not win."""
CALL_S = 2e-6
"""What a call from Python costs: checking arguments and finding the kernel, 0.5 us in NumPy to 5 us in torch."""
LADDER_FOOT = ("python", "naive")
HEADERS = ("op", "cells", "best", "median", "without *", "best", "median")


def cells(patterns: list[str]) -> Iterator[tuple[Any, str, str, dict[str, int], dict[str, Any], list[Any]]]:
    """(op, dtype, types of the weights, shape, params, the variants that compete), every one of ``patterns``."""
    from kernelbench import sizes
    from kernelbench.kernels import _registry as registry

    for name, op in registry.ops().items():
        if patterns and not any(fnmatchcase(name, pattern) for pattern in patterns):
            continue
        texts = SWEEP.get(name) or op.sizes or (VECTORS if len(op.dims) == 1 else ("256", "1024"))
        parsed = tuple(size for text in texts for size in sizes.parse(f"{name}:{text}"))
        rivals: dict[tuple[str, str], list[Any]] = {}
        for variant in registry.variants().values():
            if variant.op.name == name and variant.style not in LADDER_FOOT and not variant.unavailable():
                for dtype in variant.dtypes:
                    weights = getattr(variant.types, "weights", "")
                    rivals.setdefault((dtype, str(weights or "")), []).append(variant)
        for shape in sizes.shapes(parsed, op.info).fits:
            for (dtype, weights), variants in rivals.items():
                names = {key: values for variant in variants for key, values in variant.info.params.items()}
                for chosen in itertools.product(*names.values()):
                    yield op, dtype, weights, shape, dict(zip(names, chosen, strict=True)), variants


class Contestant:
    """One variant ready to run, and what its slices took."""

    def __init__(self, variant: Any, case: Any, problem: Any) -> None:
        from kernelbench.timing.warmup import calibrate
        from kernelbench.worker.bench import Bench

        self.name = variant.name.split("/")[1]
        self.library = variant.style == "library"
        self.from_python = not variant.compiled
        self._bench = Bench(variant, case, problem, (), 1)
        self._bench.compile()
        self._bench.fill_outputs()
        first_s = self._bench.call_once("verify")
        self._bench.verify("verify")
        self.too_slow = first_s > SLOWEST_S
        self._calls, _ = (1, first_s) if self.too_slow else calibrate(self._bench.run, SLICE_S, first_s)
        self.found: list[float] = []

    def turn(self) -> None:
        """A few slices."""
        self.found += [self._bench.run(self._calls) / self._calls for _ in range(SLICES)]


def contest(op: Any, dtype: str, shape: dict[str, int], params: dict[str, Any], variants: list[Any], seconds: float):
    """The contestants after their turns; who cannot run at this size stays out, said on stderr."""
    from kernelbench.model import Case, case_id
    from kernelbench.worker import threads
    from kernelbench.worker.bench import CaseError
    from kernelbench.worker.problems import Problems

    problems, ready = Problems(), []
    for variant in variants:
        own = {key: value for key, value in params.items() if key in variant.info.params}
        name = case_id(variant.name, dtype, shape, 1, params=own)
        case = Case(name, op.name, variant.name, variant.style, dtype, shape, 1, params=own)
        try:
            contestant = Contestant(variant, case, problems.get(op, case, 0))
        except (CaseError, ValueError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        if not contestant.too_slow:
            ready.append(contestant)
    end = time.perf_counter() + seconds * len(ready)
    while ready and (time.perf_counter() < end or not ready[0].found):
        for contestant in ready:
            if os.environ["NUMBA_NUM_THREADS"] != "1":
                threads.wait_until_idle()  # the pool of the contestant before spins for a while
            contestant.turn()
    return ready


def compared(label: str, ready: list[Contestant]) -> dict[str, Any] | None:
    """Our fastest and the fastest library of one cell; None where either is missing."""
    sides = [[c for c in ready if c.library == library] for library in (False, True)]
    if not all(sides):
        return None
    ours, theirs = (min(side, key=lambda c: min(c.found)) for side in sides)
    median = [min(statistics.median(c.found) for c in side) for side in sides]
    return {
        "cell": label,
        "ours": ours.name,
        "ours_s": min(ours.found),
        "library": theirs.name,
        "library_s": min(theirs.found),
        "best": min(theirs.found) / min(ours.found),
        "median": median[1] / median[0],
        "call": theirs.from_python and min(theirs.found) < 50 * CALL_S,
        "all_s": {c.name: min(c.found) for c in ready},
    }


def mean(ratios: list[float]) -> float:
    """The geometric mean."""
    return math.exp(statistics.fmean(map(math.log, ratios)))


def summary(op: str, rows: list[dict[str, Any]]) -> list[str]:
    """A line of the table of means."""
    longer = [row for row in rows if not row["call"]]
    return [
        op,
        str(len(rows)),
        *(f"{mean([row[key] for row in rows]):.2f}" if rows else "" for key in ("best", "median")),
        str(len(longer)),
        *(f"{mean([row[key] for row in longer]):.2f}" if longer else "" for key in ("best", "median")),
    ]


def main(patterns: list[str], seconds: float, output: str, threads: int) -> None:
    """Print the tables."""
    from tabulate import tabulate
    from threadpoolctl import threadpool_limits

    from kernelbench.kernels import _registry as registry
    from kernelbench.worker.jitcache import JitCache, source_hash

    registry.load_catalogue()
    cache = JitCache(source_hash(), "native")
    for variant in registry.variants().values():
        if variant.compiled:
            cache.enable(variant.function)
    if threads == 1:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rows: list[dict[str, Any]] = []
    with threadpool_limits(threads):
        for op, dtype, weights, shape, params, variants in cells(patterns):
            sizes = ",".join(f"{key}={value}" for key, value in {**shape, **params}.items())
            label = f"{op.name}/{dtype}{'(' + weights + ')' if weights else ''}/{sizes}"
            row = compared(label, contest(op, dtype, shape, params, variants, seconds))
            if row is None:
                continue
            rows.append({**row, "op": op.name})
            print(
                f"{label:50} {row['ours']:>18} {row['library']:>12} {row['best']:6.2f} {row['median']:6.2f}", flush=True
            )
    table = [
        [op, len(mine), f"{mean([r['best'] for r in mine]):.2f}", f"{mean([r['median'] for r in mine]):.2f}"]
        for op in dict.fromkeys(r["op"] for r in rows)
        for mine in [[r for r in rows if r["op"] == op]]
    ]
    if rows:
        table.append(["all", len(rows), *(f"{mean([r[k] for r in rows]):.2f}" for k in ("best", "median"))])
    print(f"\n{threads} threads: how many times as fast as the best library, geometric means")
    print(tabulate(table, ("op", "cells", "best", "median"), disable_numparse=True, stralign="right"))
    print(f"\nbelow {LOSS}:")
    for row in sorted((r for r in rows if r["best"] < LOSS), key=lambda r: r["best"]):
        print(f"  {row['best']:.2f}  {row['cell']}: {row['ours']} against {row['library']}")
    if output:
        Path(output).write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ops", metavar="OP", nargs="*", help="globs; every op when none is given")
    parser.add_argument("--seconds", type=float, default=0.3, help="for each variant of a cell")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", default="", help="also write the rows to this file")
    given = parser.parse_args()
    if os.environ.get("NUMBA_NUM_THREADS") != str(given.threads):
        # Pools read their size when they are imported.
        for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[name] = str(given.threads)
        os.execv(sys.executable, [sys.executable, *sys.argv])
    with contextlib.suppress(KeyboardInterrupt):
        main(given.ops, given.seconds, given.json, given.threads)
