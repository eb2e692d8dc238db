"""Does kernelbench's timing loop see what a C program's own loop sees?

One shared library (relu over 4 KiB, built by gcc) is timed by kernelbench's compiled loop and by a C program's
loop around the same function on the same buffer, in turn, in one process; printed is the ratio of each pair.
The empty kernel's cost per call, in kernelbench's loop, is printed first. Needs gcc.

    python benchmarks/loop_against_c.py [PAIRS]
"""

import ctypes
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from kernelbench.timing.arena import Arena
from kernelbench.timing.loops import Calls, empty_kernel

ELEMENTS = 1024  # 4 KiB of f32 in; 4 KiB out
CALLS = 50_000

SOURCE = """
#include <stdint.h>
#include <time.h>
struct block { const float *x; float *y; int64_t n; };

__attribute__((noinline)) void relu(void *block) {
    struct block *b = block;
    const float *x = b->x; float *y = b->y;
    for (int64_t i = 0; i < b->n; i++) y[i] = x[i] > 0 ? x[i] : 0;
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int64_t c_loop(void (*kernel)(void *), void *block, int64_t calls) {
    int64_t start = now();
    for (int64_t i = 0; i < calls; i++) kernel(block);
    return now() - start;
}
"""


def build(folder: Path) -> ctypes.CDLL:
    """Compile the library with gcc -O3 for this machine."""
    source, library = folder / "relu.c", folder / "relu.so"
    source.write_text(SOURCE)
    subprocess.run(["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-o", library, source], check=True)
    return ctypes.CDLL(str(library))


def main(pairs: int) -> None:
    """Print the empty call's cost and the ratio of the two loops."""
    empty = Calls(empty_kernel(), [0])
    print(f"empty kernel: {min(empty(1_000_000) for _ in range(20)) * 1e3:.2f} ns a call")
    with tempfile.TemporaryDirectory() as folder:
        library = build(Path(folder))
        library.c_loop.restype = ctypes.c_int64
        arena = Arena(1 << 16, (0,))
        x = arena.copy(np.random.default_rng(0).standard_normal(ELEMENTS).astype(np.float32))
        y = arena.empty((ELEMENTS,), np.dtype(np.float32))
        block = (ctypes.c_int64 * 3)(x.ctypes.data, y.ctypes.data, ELEMENTS)
        address = ctypes.cast(library.relu, ctypes.c_void_p).value
        at = ctypes.addressof(block)
        ours = Calls(address, [at])
        ratios, best = [], [float("inf")] * 2
        for _ in range(pairs):
            mine = ours(CALLS) / CALLS
            theirs = library.c_loop(library.relu, ctypes.c_void_p(at), ctypes.c_int64(CALLS)) * 1e-9 / CALLS
            ratios.append(mine / theirs)
            best = [min(best[0], mine), min(best[1], theirs)]
        print(
            f"relu 4 KiB: kernelbench {best[0] * 1e9:.2f} ns, C {best[1] * 1e9:.2f} ns,"
            f" best/best {best[0] / best[1]:.4f}"
        )
        print(f"ratio of pairs: median {statistics.median(ratios):.4f} over {pairs} pairs")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
