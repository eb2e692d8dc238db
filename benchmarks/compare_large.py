"""How long does `compare` take for two large results?

Two result files of many cells are written as a run would write them: rounds of samples with their interference, machine
and ceilings of the example in results/. Of the second one's cells 1% are slower by 20%, 1% faster, the rest scatter by
1%. Then the command is called as a user would, and its best wall time of some calls is printed, beside where it goes.

    python benchmarks/compare_large.py [--cells 10000] [--rounds 6] [--samples 8] [--calls 3] [-- COMPARE OPTIONS]
"""

import argparse
import gc
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from kernelbench.analysis.compare import compare
from kernelbench.model import Case, Interference, Measured, Record, Result, Round, Work, case_id
from kernelbench.report.comparison import Named, render
from kernelbench.store.files import read_result, write_result

EXAMPLE = Path(__file__).resolve().parents[1] / "results" / "example.json"
VARIANTS = [f"op{op}/{style}" for op in range(25) for style in ("naive", "vectorized", "tiled", "parallel")]
MOVED = {0: 1.2, 1: 0.8}
"""Cell number modulo 100 -> how many times the time in NEW; other cells stay."""


def main() -> int:
    """Make the files, time the command, say what it did with the time."""
    given = arguments()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("base.json", "new.json")]
        for seed, path in enumerate(paths):
            write_result(path, made(given.cells, given.rounds, given.samples, seed))
        sizes = " and ".join(f"{path.stat().st_size / 1e6:.0f} MB" for path in paths)
        print(f"{given.cells} cells of {given.rounds} rounds of {given.samples} samples: {sizes}")
        command = [sys.executable, "-m", "kernelbench", "compare", *map(str, paths), *given.options]
        walls = [wall(lambda: called(command)) for _ in range(given.calls)]
        print(f"kernelbench compare {' '.join(given.options)}: best of {given.calls} calls {min(walls):.2f} s wall")
        phases(paths)
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("cells", 10_000), ("rounds", 6), ("samples", 8), ("calls", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("options", nargs="*", help="options of compare, after --")
    return parser.parse_args()


def made(cells: int, rounds: int, samples: int, seed: int) -> Result:
    """A result of so many cells; ``seed`` 0 is BASE, 1 NEW."""
    example = read_result(EXAMPLE)
    machine = next(iter(example.machines))
    chooser = random.Random(seed)
    records = []
    for number in range(cells):
        size = 64 + number // len(VARIANTS)
        shape = {"m": size, "n": size, "k": size}
        variant = VARIANTS[number % len(VARIANTS)]
        op, _, style = variant.partition("/")
        case = Case(case_id(variant, "f32", shape, 1), op, variant, style, "f32", shape, 1)
        seconds = 1e-9 * size**2 * (MOVED.get(number % 100, 1.0) if seed else 1.0)
        outcome = Measured("compiled loop", False, tuple(measured(chooser, i, seconds, samples) for i in range(rounds)))
        work = Work("modelled", 2.0 * size**3, "fma", 8.0 * size**2, 4.0 * size**2, 4.0 * size**2, 12.0 * size**2)
        records.append(Record(case, machine, outcome, work=work, isa_used="avx512", source_hash=f"{seed:064d}"))
    return replace(example, records=tuple(records), created=f"2026-01-0{seed + 1}T00:00:00Z")


def measured(chooser: random.Random, index: int, seconds: float, samples: int) -> Round:
    """One round: its own level, scattered by 1%, and samples above it."""
    level = seconds * chooser.gauss(1.0, 0.01)
    taken = tuple(level * (1 + abs(chooser.gauss(0, 0.005))) for _ in range(samples))
    interference = Interference(
        involuntary_switches=(0,) * samples,
        page_faults=(0,) * samples,
        clock_hz=tuple(chooser.gauss(3.65e9, 1e6) for _ in range(samples)),
        adds_per_cycle=tuple(chooser.gauss(3.92, 0.01) for _ in range(samples)),
        disturbed=tuple(chooser.random() < 0.05 for _ in range(samples)),
        quiet_share=0.95,
        steal_s=0.0,
    )
    return Round(index, 10.0 * index, taken, 1000, index, 3.65e9, interference)


def phases(paths: Sequence[Path]) -> None:
    """What reading, judging and printing take within one process, without collecting garbage, as the command does."""
    gc.disable()
    results: list[Result] = []
    print(f"  reading both   {wall(lambda: results.extend(map(read_result, paths))):.2f} s")
    comparisons = []
    print(f"  judging        {wall(lambda: comparisons.append(compare(*results))):.2f} s")
    print(f"  the table      {wall(lambda: render(Named('base', 'new', comparisons[0]), width=120)):.2f} s")
    print("  " + ", ".join(f"{count} {verdict}" for verdict, count in comparisons[0].counts.items()))


def called(command: Sequence[str]) -> None:
    """Run it; 1 is a regression, which there is."""
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1, 3):
        raise SystemExit(f"compare ended with {done.returncode}: {done.stderr}")


def wall(work: Callable[[], object]) -> float:
    """Seconds that ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
