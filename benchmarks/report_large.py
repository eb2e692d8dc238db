"""How long does a report of a large result take, stage by stage?

Results of 500, 10^4 and 10^5 records are made, on the machine and ceilings of the example in results/ (or of FILE). The
records lie over so many problems (an op at one size), some of them above their roofs, noisy, without FLOP or cold. What
each stage takes within one process is printed in seconds of CPU, without collecting garbage.

    python benchmarks/report_large.py [FILE] [--records 500,10000,100000] [--problems 500] [--page]
"""

import argparse
import gc
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.model import Accuracy, Case, Measured, Record, Result, Round, Skipped, Work, case_id
from kernelbench.report import advice, csv, json, md, terminal
from kernelbench.report.rows import Row, rows
from kernelbench.store.files import read_result

EXAMPLE = Path(__file__).resolve().parents[1] / "results" / "example.json"
KINDS = [
    (style, dtype, threads, isa)
    for isa in ("native", "avx2")
    for style in ("naive", "vectorized", "tiled", "parallel", "quantized", "library")
    for dtype in (("i8",) if style == "quantized" else ("f32", "f64"))
    for threads in ((2,) if style == "parallel" else (1, 2) if style == "library" else (1,))
]
"""(style, number type, threads, instruction set) of the cases of one problem, again with another parameter after."""
SPEED = {"naive": 1e9, "vectorized": 2e10, "tiled": 5e10, "parallel": 8e10, "quantized": 1.5e11, "library": 9e10}
"""FLOP/s that a style is given."""


def main() -> int:
    """Make the results, run the stages, print the seconds."""
    given = arguments()
    base = read_result(given.file)
    for count in map(int, given.records.split(",")):
        result = made(base, count, min(given.problems, count))
        print(f"{count} records over {min(given.problems, count)} problems, {len(base.ceilings)} ceilings")
        for name, seconds in stages(result, page=given.page):
            print(f"  {name:9} {seconds:7.2f} s", flush=True)
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", default=EXAMPLE, help="a result whose machine and ceilings count")
    parser.add_argument("--records", default="500,10000,100000", help="how many, separated by commas")
    parser.add_argument("--problems", type=int, default=500, help="over how many problems they lie")
    parser.add_argument("--page", action="store_true", help="make the HTML page as well")
    return parser.parse_args()


def stages(result: Result, *, page: bool) -> Iterator[tuple[str, float]]:
    """Every stage with its seconds; a format's are those of the whole document, rows included."""
    gc.disable()
    table: list[tuple[Row, ...]] = []
    yield "rows", taken(lambda: table.append(rows(result)))
    made_rows = table[0]
    work: dict[str, Callable[[], object]] = {
        "advice": lambda: advice.advice(made_rows, result),
        "finding": lambda: advice.finding(made_rows, result),
        "csv": lambda: csv.render(result),
        "json": lambda: json.render(result),
        "md": lambda: md.render(result),
        "terminal": lambda: terminal.render(result, width=120, colour=False),
    }
    if page:
        from kernelbench.report import html

        work["html"] = lambda: html.render(result)
    for name, one in work.items():
        yield name, taken(one)
        gc.collect()
    gc.enable()


def made(base: Result, count: int, problems: int) -> Result:
    """A result of so many records over so many problems, with the machine and the ceilings of ``base``."""
    chooser = random.Random(1)
    machine = next(iter(base.machines))
    records = tuple(record(chooser, machine, number % problems, number // problems) for number in range(count))
    return replace(base, records=records, config={})


def record(chooser: random.Random, machine: str, problem: int, kind: int) -> Record:
    """One record: the problem says op, size and cache state, the kind the variant and its parameter."""
    style, dtype, threads, isa = KINDS[kind % len(KINDS)]
    op, n = f"op{problem % 25}", 32 * (1 + problem // 25)
    params = {"group": 32 * (kind // len(KINDS))} if kind >= len(KINDS) else {}
    cache = "cold" if problem % 25 == 24 else "warm"
    shape = {"m": n, "n": n, "k": n}
    variant = f"{op}/{style}"
    case = Case(
        case_id(variant, dtype, shape, threads, isa=isa, cache=cache, params=params),
        op, variant, style, dtype, shape, threads, isa=isa, cache=cache, params=params,
    )  # fmt: skip
    if chooser.random() < 0.02:
        return Record(case, machine, Skipped("it would need more memory than there is"))
    seconds = 2.0 * n**3 / SPEED[style] * chooser.choice((0.5, 1.0, 1.0, 1.5))
    found = Accuracy("max |error| / (|A| |B|)", 3.1e-7, "float64 reference", 1e-5, 130.2)
    return Record(case, machine, measured(chooser, seconds), work=work(problem, n, dtype), accuracy=found)


def work(problem: int, n: int, dtype: str) -> Work:
    """Matrix products, and for each fifth op a transposition, which has no FLOP."""
    square = float({"f64": 8, "i8": 1}.get(dtype, 4) * n * n)
    if problem % 5 == 4:
        return Work("modelled", 0.0, UNSET, square, square, square, 2 * square)
    return Work("modelled", 2.0 * n**3, "dot" if dtype == "i8" else "fma", 2 * square, square, square, 3 * square)


def measured(chooser: random.Random, seconds: float) -> Measured:
    """Six rounds of eight samples, each round at its own level; one case in twenty scatters."""
    scatter = 0.1 if chooser.random() < 0.05 else 0.01
    levels = [seconds * abs(chooser.gauss(1.0, scatter)) for _ in range(6)]
    taken = [tuple(level * (1 + abs(chooser.gauss(0, 0.005))) for _ in range(8)) for level in levels]
    return Measured("compiled loop", False, tuple(Round(i, 10.0 * i, s, 1000, i, 3.65e9) for i, s in enumerate(taken)))


def taken(called: Callable[[], object]) -> float:
    """Seconds of CPU that it takes: a busy host does not lengthen them."""
    began = time.process_time()
    called()
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
