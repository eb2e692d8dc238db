"""From which sparsity on is leaving out zeros faster than multiplying them?

Every variant of spmv, spmm, block_sparse and structured_sparse (2:4) takes turns with BLAS's dense product of the
same matrix, zeros and all, on one core: compiled ones and BLAS in the same compiled loop. Printed is the time of the
best slice of BLAS by that of the variant (above 1 the variant is faster), for a sweep of sparsities; then for each op
and size the break-even sparsity, where the ratio of our fastest variant passes 1, and our fastest by the fastest
sparse library. 2:4 has one sparsity, a half; its ratios stand alone.

    python benchmarks/break_even.py [--dtype f64] [--seconds 0.5] [--op spmm] [SIZE ...]
"""

import argparse
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tabulate import tabulate
from threadpoolctl import threadpool_limits

from kernelbench.kernels import _registry as registry
from kernelbench.timing.arena import Arena
from kernelbench.timing.loops import Calls
from kernelbench.worker.entry import Block, Entry, PythonCalls, compile_entry

OPS = ("spmv", "spmm", "block_sparse", "structured_sparse")
SIZES = (256, 512, 1024, 2048)
SPARSITIES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.95)
DENSE = "dense"
SLICE_S = 1e-4
"""How long a slice lasts at least: a shared host is quiet for as long now and then."""
SLOWEST = ("naive",)
"""Variants that are no contestants: nobody's break-even."""

_ENTRIES: dict[tuple[str, str], Entry] = {}
Best = dict[str, float]
"""Seconds per call of the best slice of each variant, by its short name."""


@dataclass(frozen=True)
class Sweep:
    """What was found for one op and size."""

    op: str
    size: int
    best: dict[float, Best]
    """By sparsity."""

    def ratio(self, sparsity: float, names: Sequence[str]) -> float:
        """BLAS's time by that of the fastest of ``names``."""
        return self.best[sparsity][DENSE] / min(self.best[sparsity][name] for name in names)


def contestants(op: str, dtype: str) -> list[str]:
    """Variants of one thread that can run here and are not the slowest; DENSE among them."""
    found = [v for v in registry.variants().values() if v.op.name == op and dtype in v.dtypes and not v.unavailable()]
    threaded = [v for v in found if v.parallel and v.style != "library"]
    names = [v.name.split("/")[1] for v in found if v not in threaded]
    return [name for name in names if name not in SLOWEST]


def is_ours(op: str, name: str) -> bool:
    """True for a kernel of this project, false for a library's."""
    return registry.variants()[f"{op}/{name}"].style != "library"


def in_arena(operands: Sequence[Any]) -> tuple[Any, ...]:
    """``operands`` with every array on pages and lines of its own."""
    arrays = [x for x in operands if isinstance(x, np.ndarray)]
    arena = Arena(Arena.room([x.nbytes for x in arrays]) + 4096, ())
    return tuple(arena.copy(x) if isinstance(x, np.ndarray) else x for x in operands)


def runner(name: str, dtype: str, shape: dict[str, Any], inputs: tuple[Any, ...]) -> Callable[[int], float]:
    """Something that calls variant ``name`` so many times and says how many seconds that took."""
    variant = registry.variants()[name]
    made = [np.zeros(size, registry.NUMPY[kind]) for size, kind in variant.outputs(shape, dtype)]
    arguments = in_arena((*variant.prepare(inputs, variant.whole(shape)), *made))
    if not variant.compiled:
        return PythonCalls(variant.function, [arguments])
    if (name, dtype) not in _ENTRIES:
        _ENTRIES[name, dtype] = compile_entry(variant.function, arguments)
    block = Block(arguments)  # keeps the arguments alive; the closure below keeps the block
    calls = Calls(_ENTRIES[name, dtype].address, [block.address])

    def run(count: int) -> float:
        seconds = calls(count)
        assert block.status == 0, f"{name} raised"
        return seconds

    return run


def compare(op: str, size: int, sparsity: float, dtype: str, seconds: float) -> Best:
    """The best slices of all contestants, in turn for ``seconds``."""
    shape: dict[str, Any] = {**dict.fromkeys(registry.ops()[op].dims, size), "sparsity": sparsity}
    inputs = registry.ops()[op].inputs(shape, dtype, np.random.default_rng(size))
    runs = {name: runner(f"{op}/{name}", dtype, shape, inputs) for name in contestants(op, dtype)}
    counts = {name: max(1, math.ceil(SLICE_S / min(run(1), run(1)))) for name, run in runs.items()}
    best = dict.fromkeys(runs, math.inf)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or math.inf in best.values():
        for name, run in runs.items():
            best[name] = min(best[name], run(counts[name]) / counts[name])
    return best


def break_even(sweep: Sweep, names: Sequence[str]) -> str:
    """The sparsity at which the fastest of ``names`` passes BLAS for good, between measured ones by the ratio's log."""
    points = [(s, math.log(sweep.ratio(s, names))) for s in sorted(sweep.best)]
    slower = [i for i, (_, ratio) in enumerate(points) if ratio < 0]
    if not slower:
        return f"below {points[0][0]:g}"
    if slower[-1] == len(points) - 1:
        return f"above {points[-1][0]:g}"
    (left, low), (right, high) = points[slower[-1]], points[slower[-1] + 1]
    return f"{left + (right - left) * -low / (high - low):.2f}"


def show(sweep: Sweep) -> None:
    """Print one op's and size's ratios to BLAS."""
    sparsities = sorted(sweep.best)
    names = [name for name in sweep.best[sparsities[0]] if name != DENSE]
    rows = [[name, *(f"{sweep.ratio(s, [name]):.2f}" for s in sparsities)] for name in names]
    print(f"\n{sweep.op}, n = {sweep.size}: dense BLAS's time by the variant's")
    heads = ["", *("2:4" if sweep.op == "structured_sparse" else f"{s:g}" for s in sparsities)]
    print(tabulate(rows, heads, disable_numparse=True, stralign="right"), flush=True)


def summary(sweeps: Sequence[Sweep]) -> None:
    """Print the break-even of each op and size, and what is gained over the sparse libraries."""
    rows = []
    for sweep in sweeps:
        names = [n for n in next(iter(sweep.best.values())) if n != DENSE]
        ours = [n for n in names if is_ours(sweep.op, n)]
        peers = [n for n in names if n not in ours]
        gains = [sweep.ratio(s, ours) / sweep.ratio(s, peers) for s in sweep.best] if peers else []
        gain = f"{math.exp(sum(map(math.log, gains)) / len(gains)):.2f}" if gains else ""
        only = len(sweep.best) == 1
        even = "only 0.5" if only else break_even(sweep, ours)
        rows.append([sweep.op, sweep.size, even, break_even(sweep, peers) if peers and not only else "", gain])
    print(
        "\nbreak-even sparsity of our fastest and of the fastest sparse library; ours by that library (geometric mean)"
    )
    print(tabulate(rows, ["op", "n", "ours", "library", "gain"], disable_numparse=True, stralign="right"))


def main(sizes: list[int], ops: Sequence[str], dtype: str, seconds: float) -> None:
    """Print the tables."""
    registry.load_catalogue()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    sweeps = []
    with threadpool_limits(1):
        for op in ops:
            for size in sizes:
                levels = SPARSITIES if "sparsity" in registry.ops()[op].params else (0.5,)
                sweeps.append(Sweep(op, size, {s: compare(op, size, s, dtype, seconds) for s in levels}))
                show(sweeps[-1])
    print(f"\n{dtype}, one thread")
    summary(sweeps)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", metavar="SIZE", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--op", choices=OPS, action="append", help="repeatable; default all")
    parser.add_argument("--dtype", choices=("f32", "f64"), default="f32")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each op, size and sparsity")
    given = parser.parse_args()
    main(given.sizes, given.op or OPS, given.dtype, given.seconds)
