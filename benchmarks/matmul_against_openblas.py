"""Is the packed matmul as fast as OpenBLAS on one core?

kernelbench's matmul/packed, OpenBLAS through its C symbol (matmul/openblas) and np.matmul take turns on the same
operands in one process; the first two are called from the same compiled loop. Printed are GFLOP/s of the best and the
median slice and the ratios of both, ours to theirs, then the geometric mean of each column of ratios.
Set NUMBA_CPU_NAME and NUMBA_CPU_FEATURES for a lower instruction-set level, and OPENBLAS_CORETYPE to match.

    python benchmarks/matmul_against_openblas.py [--dtype f64] [--seconds 2] [SIZE ...]
"""

import argparse
import math
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
from tabulate import tabulate
from threadpoolctl import threadpool_limits

from kernelbench.kernels import _registry as registry
from kernelbench.timing.arena import Arena
from kernelbench.timing.loops import Calls
from kernelbench.worker.entry import Block, Entry, PythonCalls, compile_entry

SIZES = (64, 96, 128, 192, 256, 384, 512, 768, 1000, 1024, 1536, 2048)
OURS, SYMBOL, PYTHON = "matmul/packed", "matmul/openblas", "matmul/numpy"
SLICE_FLOP = 1e7
"""A slice lasts about 0.1 ms at 100 GFLOP/s: a shared host is quiet for as long now and then."""
SLICES = 5
"""Slices of one contestant before the next has its turn."""
HEADERS = ("n", "packed", "OpenBLAS", "np.matmul", "best", "median", "best", "median")

_ENTRIES: dict[tuple[str, str], Entry] = {}


def runner(name: str, dtype: str, operands: tuple[np.ndarray, ...], c: np.ndarray) -> Callable[[int], float]:
    """Something that calls variant ``name`` so many times and says how many seconds that took."""
    variant = registry.variants()[name]
    arguments = (*variant.prepare(operands, variant.whole(len(operands[0]))), c)
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


def compare(n: int, dtype: str, seconds: float) -> dict[str, list[float]]:
    """Seconds per call of every slice of each contestant, in turn for ``seconds``."""
    op, kind = registry.ops()["matmul"], registry.NUMPY[dtype]
    arena = Arena(Arena.room([n * n * kind.itemsize] * 3) + 4096, ())
    made = op.inputs({"m": n, "n": n, "k": n}, dtype, np.random.default_rng(n))
    operands = tuple(arena.copy(x) for x in made)
    c = arena.empty((n, n), kind)
    runs = {name: runner(name, dtype, operands, c) for name in (OURS, SYMBOL, PYTHON)}
    calls = max(1, round(SLICE_FLOP / (2 * n**3)))
    found: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run(calls)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or not found[PYTHON]:
        for name, run in runs.items():
            found[name] += [run(calls) / calls for _ in range(SLICES)]
    return found


def row(n: int, found: dict[str, list[float]]) -> tuple[list[float], list[float]]:
    """(GFLOP/s of the best slices, ratios: best and median to the C symbol, best and median to np.matmul)."""
    best = {name: min(times) for name, times in found.items()}
    middle = {name: statistics.median(times) for name, times in found.items()}
    rates = [2 * n**3 / best[name] * 1e-9 for name in (OURS, SYMBOL, PYTHON)]
    ratios = [times[peer] / times[OURS] for peer in (SYMBOL, PYTHON) for times in (best, middle)]
    return rates, ratios


def main(sizes: list[int], dtype: str, seconds: float) -> None:
    """Print the table."""
    registry.load_catalogue()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    lines, all_ratios = [], []
    with threadpool_limits(1):
        for n in sizes:
            rates, ratios = row(n, compare(n, dtype, seconds))
            lines.append([str(n), *(f"{x:.1f}" for x in rates), *(f"{x:.3f}" for x in ratios)])
            all_ratios.append(ratios)
    means = [math.exp(statistics.fmean(map(math.log, column))) for column in zip(*all_ratios, strict=True)]
    lines.append(["mean", "", "", "", *(f"{x:.3f}" for x in means)])
    print(f"{dtype}, one thread: GFLOP/s of the best slice; ratio to the C symbol, ratio to np.matmul")
    print(tabulate(lines, HEADERS, disable_numparse=True, stralign="right"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", metavar="SIZE", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--dtype", choices=("f32", "f64"), default="f32")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each size")
    given = parser.parse_args()
    main(given.sizes, given.dtype, given.seconds)
