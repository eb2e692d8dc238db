"""What `inspect` says of the catalogue: the hot loop's width at every ISA level, OSACA's cycles beside measured ones.

    python benchmarks/inspect_catalogue.py [KERNEL ...]

First table: for each kernel and level the width that the hot loop computes in, proven by the instructions that ran
most in a counted call, and their share of it. Second table: cycles per iteration of kernels whose operands stay in L1
or registers, as measured (the whole call shared out over its iterations) and as OSACA foresees them.
"""

import sys

from tabulate import tabulate

from kernelbench.errors import UsageError
from kernelbench.model.inspection import Foreseen, Inspection
from kernelbench.runner.inspecting import Asked, inspect

LEVELS = ("scalar", "sse2", "sse4.2", "avx2", "avx512")
KERNELS = {
    # kernel: dtype
    "relu/vectorized": "f32",
    "triad/vectorized": "f32",
    "sum/vectorized": "f32",
    "dot/vectorized": "f32",
    "max/vectorized": "f64",
    "gelu/vectorized": "f32",
    "softmax/three_pass": "f32",
    "layernorm/vectorized": "f32",
    "gemv/tiled": "f32",
    "dequantize/vectorized": "f32",
    "matmul/naive": "f32",
    "matmul/tiled": "f32",
    "matmul/packed": "f32",
    "matmul/int8": "i8",
    "conv2d/tiled": "f32",
}
FORESEEN = ("sum/naive", "dot/naive", "dot/vectorized", "triad/vectorized", "gelu/vectorized", "matmul/packed")


def widths(kernels: list[str]) -> str:
    """A row a kernel, a column a level: the hot loop's width, and the share of all instructions that it is."""
    rows = []
    for kernel in kernels:
        cells = []
        for level in LEVELS:
            cells.append(_width(kernel, level))
            print(f"{kernel} {level}: {cells[-1]}", file=sys.stderr, flush=True)
        rows.append((kernel, *cells))
    return tabulate(rows, headers=("kernel", *LEVELS))


def _width(kernel: str, level: str) -> str:
    try:
        (found,) = inspect(Asked((kernel,), dtype=KERNELS.get(kernel, ""), isa=(level,), timed=False))
    except UsageError as error:
        return str(error).rsplit(":", 1)[-1].strip()
    if not isinstance(found, Inspection):
        return found.message
    return f"{found.mix.width} {found.share:.0%}" if isinstance(found.share, float) else found.mix.width


def cycles() -> str:
    """A row a kernel: measured cycles per iteration, and OSACA's."""
    rows = []
    for kernel in FORESEEN:
        (found,) = inspect(Asked((kernel,)))
        if not isinstance(found, Inspection) or not isinstance(found.cycles, float):
            rows.append((kernel, "failed"))
            continue
        own = found.cycles * found.share if isinstance(found.share, float) else found.cycles
        seen = found.foreseen.cycles if isinstance(found.foreseen, Foreseen) else "-"
        rows.append((found.case.id, found.cycles, own, seen))
        print(f"{found.case.id}: {found.cycles:.2f}", file=sys.stderr, flush=True)
    return tabulate(rows, headers=("case", "whole call", "by its share", "OSACA"), floatfmt=".2f")


if __name__ == "__main__":
    print(widths(sys.argv[1:] or list(KERNELS)), cycles(), sep="\n\n")
