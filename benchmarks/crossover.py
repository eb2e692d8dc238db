"""From which size on do threads pay?

For relu, sum, gemv and a batch of arrays, the serial form and the parallel one take turns on the same operands,
called from the same compiled loop. The parallel kernels fall back to one thread below a crossover of their own; here
it is switched off first, so that the threads are entered at every size. Printed are the best times of both and
serial / parallel by size, then the crossover found, the least size from which threads win at every larger one too,
beside the one that the kernel has. The batch is also run by a pool of Python threads, one array a task.

    python benchmarks/crossover.py [--threads 2] [--seconds 0.5] [OP ...]
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from tabulate import tabulate

from kernelbench.kernels import _chains, _vectors, batch_relu, gemv, relu
from kernelbench.kernels import _registry as registry
from kernelbench.timing.arena import Arena
from kernelbench.timing.loops import Calls
from kernelbench.worker.entry import Block, PythonCalls, compile_entry

SLICE_S = 2e-4
"""How long a slice lasts at least: a shared host is quiet for as long now and then."""
MOST_ELEMENTS = 1 << 22
HEADERS = ("elements", "serial us", "threads us", "serial / threads")


@dataclass(frozen=True)
class Contest:
    """Two forms of one op, and how its sizes grow."""

    op: str
    serial: str
    threads: str
    own_crossover: int
    """Elements from which the kernel itself uses threads; 0 where it always does."""
    shapes: tuple[tuple[int, ...], ...]
    """Rising; their products are the elements."""


def _lengths(first: int) -> tuple[int, ...]:
    return tuple(1 << k for k in range(first, MOST_ELEMENTS.bit_length()))


_SQUARES = tuple((1 << k, 1 << k) for k in range(5, 12))
_BATCHES = tuple((8, n // 8) for n in _lengths(11))
CONTESTS = {
    "relu": Contest("relu", "vectorized", "parallel", _vectors.PARALLEL_ELEMENTS, tuple((n,) for n in _lengths(11))),
    "sum": Contest("sum", "many_chains", "parallel", _chains.PARALLEL_BYTES // 4, tuple((n,) for n in _lengths(13))),
    "gemv": Contest("gemv", "tiled", "parallel", gemv.SERIAL_BELOW, _SQUARES),
    "batch": Contest("batch_relu", "serial", "parallel", _vectors.PARALLEL_ELEMENTS, _BATCHES),
    "pool": Contest("batch_relu", "serial", "pool", 0, _BATCHES),
}


def enter_threads_always() -> None:
    """Set the kernels' crossovers to nothing. Before anything is compiled: a kernel keeps the values it finds then."""
    for module, name, value in (
        (relu, "PARALLEL_ELEMENTS", 0),
        (batch_relu, "PARALLEL_ELEMENTS", 0),
        (gemv, "SERIAL_BELOW", 0),
        (_chains, "PARALLEL_BYTES", 0),
        # Or a small operand would be a single part.
        (_chains, "PART_BYTES", 1 << 12),
        (batch_relu, "PIECE", 1 << 10),
    ):
        setattr(module, name, value)


def runner(name: str, shape: dict[str, int], inputs: tuple[Any, ...]) -> Callable[[int], float]:
    """Something that calls variant ``name`` so many times and says how many seconds that took."""
    variant = registry.variants()[name]
    prepared, outputs = variant.prepare(inputs, variant.whole(shape)), variant.outputs(shape, "f32")
    sizes = [x.nbytes for x in prepared if isinstance(x, np.ndarray)]
    sizes += [int(np.prod(size)) * registry.NUMPY[kind].itemsize for size, kind in outputs]
    arena = Arena(Arena.room(sizes) + 4096, ())
    placed = [arena.copy(x) if isinstance(x, np.ndarray) else x for x in prepared]
    arguments = (*placed, *(arena.empty(size, registry.NUMPY[kind]) for size, kind in outputs))
    if not variant.compiled:
        return PythonCalls(variant.function, [arguments])
    # Addresses alone keep nothing alive: what they point to must live as long as ``run`` does.
    entry, block, _ = alive = compile_entry(variant.function, arguments), Block(arguments), arena
    calls = Calls(entry.address, [block.address])

    def run(count: int) -> float:
        took = calls(count)
        assert alive[1].status == 0, f"{name} raised"
        return took

    return run


def best_times(contest: Contest, size: Sequence[int], seconds: float) -> tuple[float, float]:
    """Seconds per call of the best slice of (serial, threads), in turn for ``seconds``."""
    op = registry.ops()[contest.op]
    shape = dict(zip(op.dims, size, strict=True))
    inputs = op.inputs(shape, "f32", np.random.default_rng(0))
    runs = [runner(f"{contest.op}/{name}", shape, inputs) for name in (contest.serial, contest.threads)]
    for run in runs:
        run(1)
    counts = [max(1, round(SLICE_S / max(run(3) / 3, 1e-9))) for run in runs]
    best = [float("inf")] * 2
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or best[1] == float("inf"):
        best = [min(b, run(count) / count) for b, run, count in zip(best, runs, counts, strict=True)]
    return best[0], best[1]


def crossover(ratios: Sequence[tuple[int, float]]) -> str:
    """The least size from which every ratio is above 1."""
    lost = [k for k, (_, ratio) in enumerate(ratios) if ratio <= 1]
    first = lost[-1] + 1 if lost else 0
    return f"{ratios[first][0]} elements" if first < len(ratios) else "none up to the largest size"


def main() -> None:
    """Print a table and a crossover for each op asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ops", nargs="*", metavar="OP", help=f"of {', '.join(CONTESTS)}; all by default")
    parser.add_argument("--threads", type=int, default=min(2, len(os.sched_getaffinity(0))))
    parser.add_argument("--seconds", type=float, default=0.5, help="for each size")
    options = parser.parse_args()
    if options.threads < 2:
        sys.exit("threads cannot pay with fewer than 2 of them")
    unknown = [name for name in options.ops if name not in CONTESTS]
    if unknown:
        sys.exit(f"no contest called {unknown[0]!r}; there are {', '.join(CONTESTS)}")
    numba.set_num_threads(options.threads)
    registry.load_catalogue()
    enter_threads_always()
    for name in options.ops or CONTESTS:
        contest, ratios, lines = CONTESTS[name], [], []
        for size in contest.shapes:
            serial, threads = best_times(contest, size, options.seconds)
            elements = int(np.prod(size))
            ratios.append((elements, serial / threads))
            lines.append((" x ".join(map(str, size)), 1e6 * serial, 1e6 * threads, serial / threads))
        print(f"{name}: {contest.op}/{contest.serial} against {contest.threads} on {options.threads} threads, f32")
        print(tabulate(lines, HEADERS, floatfmt=("", ".2f", ".2f", ".2f")))
        own = f"; the kernel's own: {contest.own_crossover}" if contest.own_crossover else ""
        print(f"threads pay from {crossover(ratios)} on{own}\n", flush=True)


if __name__ == "__main__":
    main()
