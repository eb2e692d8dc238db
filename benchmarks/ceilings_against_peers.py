"""Are our ceilings as high as those of other tools, on this machine, now?

Our probes, likwid-bench and a few lines of C (`stream_triad.c`) take turns on one CPU; of each the best repeat counts.
"ours" is what `kernelbench ceilings` reports: the best slice of some 50 us (in DRAM: one sweep). A peer gives the mean
of a run of 10 ms, so "as long" shows our best mean over as long a run: where "ours" is higher and "as long" is not,
the difference is what interrupts a run; where both are, it is the loop or the pages (ours and C's are huge ones).

    python benchmarks/ceilings_against_peers.py [--repeats N] [--dram-bytes N] [--cpu N]

Needs gcc, and likwid-bench for its lines (Debian: `apt-get install likwid`). Exits with 1 when a ceiling of ours is
lower than a peer's by more than the limit.
"""

import argparse
import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tabulate import tabulate

from kernelbench.ceilings import compute, memory
from kernelbench.native.host import llvm_host
from kernelbench.timing.arena import PAGE, STAGGER, Arena
from kernelbench.timing.loops import Calls

SLICE_S = 5e-5
RUN_S = 0.01
"""A run of a peer (a sweep of DRAM takes longer), and the slices of one loop of ours in a repeat."""
PLACES = 4
"""Addresses at which a small working set of ours is tried."""
TRIPS = 500
CALL_BYTES = 64 << 10
"""A call of ours moves at least this much, so that entering and leaving it are little of it."""
C_FLAGS = ("-O3", "-march=native", "-shared", "-fPIC")
LOWEST_DRAM = 10**9
HEADERS = ("ceiling", "ours", "as long", "peer's", "peer", "ratio", "limit", "")

Runs = Callable[[], tuple[float, float]]
"""One repeat of ours: (rate of the best slice, best mean over a run), a second."""
Peer = Callable[[], float]
"""One repeat of a peer: its rate, a second."""


class Line(NamedTuple):
    """One ceiling and whom it is compared with."""

    name: str
    limit: float
    """How much lower than a peer it may be, as a share."""
    ours: Runs
    peers: dict[str, Peer]


class Ours(NamedTuple):
    """A loop of ours on one set of operands."""

    run: Calls
    work: float
    """Operations or bytes of one call."""
    keep: object
    """What must stay alive meanwhile."""


def best_of(candidates: list[Ours]) -> Runs:
    """All candidates in turn: numbers of chains, widths, addresses."""
    planned: list[tuple[Ours, int, int]] = []
    for one in candidates:
        calls = 1
        while (took := one.run(calls)) < SLICE_S:
            calls = max(calls + 1, min(10 * calls, int(1.2 * calls * SLICE_S / max(took, 1e-9))))
        planned.append((one, calls, max(2, int(RUN_S / took))))

    def repeat() -> tuple[float, float]:
        rates, means = [], []
        for one, calls, count in planned:
            seconds = one.run.slices(calls, count).seconds
            rates.append(one.work * calls / min(seconds))
            means.append(one.work * calls * count / sum(seconds))
        return max(rates), max(means)

    return repeat


def arithmetic(dtype: str, isa: str) -> Runs:
    """Our fused multiply-add ceiling of ``dtype`` at ``isa``."""
    found = (kind for kind in compute.kinds([isa], llvm_host()[1]) if isinstance(kind, compute.Kind))
    kind = next(kind for kind in found if (kind.dtype, kind.mix) == (dtype, "fma"))
    candidates = []
    for chains in compute.CHAINS:
        code = compute.compiled(kind, chains)
        if not isinstance(code, str):
            block = (ctypes.c_int64 * 32)(TRIPS, compute.seed(kind))
            run = Calls(code.address("peak"), [ctypes.addressof(block)])
            candidates.append(Ours(run, compute.work(kind, chains, TRIPS), (code, block)))
    return best_of(candidates)


def addresses(buffer: np.ndarray, offset: int, each: int) -> list[int]:
    """Three arrays of ``each`` bytes from ``offset`` on, a page and a bit apart; what lies outside is not used."""
    apart = -(-each // PAGE) * PAGE + STAGGER
    first = -(-(buffer.ctypes.data + offset) // PAGE) * PAGE
    return [first + i * apart for i in range(3)]


def bandwidth(buffer: np.ndarray, mix: str, size: int) -> Runs:
    """Our bandwidth of ``mix`` over ``size`` bytes in all, in every width and at several addresses."""
    each = memory.array_bytes(mix, size)
    moved = memory.moved_bytes(mix, each)
    repeats = max(1, CALL_BYTES // moved)
    candidates = []
    for width in memory.widths():
        code = memory.compiled(mix, width)
        for place in range(PLACES if size * PLACES * 2 < buffer.nbytes else 1):
            block = (ctypes.c_int64 * 32)(*addresses(buffer, place * 2 * size, each), each, repeats)
            run = Calls(code.address("move"), [ctypes.addressof(block)])
            candidates.append(Ours(run, moved * repeats, (code, block)))
    return best_of(candidates)


def in_c(library: ctypes.CDLL, buffer: np.ndarray, mix: str, size: int) -> Peer:
    """The same sweep in C, on the same operands, timed by itself."""
    each = memory.array_bytes(mix, size)
    moved = memory.moved_bytes(mix, each)
    sweep = getattr(library, f"sweep_{mix}")
    sweep.argtypes, sweep.restype = [ctypes.c_void_p] * 3 + [ctypes.c_int64] * 2, ctypes.c_double
    operands = addresses(buffer, 0, each)
    once = sweep(*operands, each // 4, 1)
    repeats = max(1, int(RUN_S / max(once, 1e-9)))
    return lambda: moved * repeats / sweep(*operands, each // 4, repeats)


def likwid(kernel: str, size: int) -> Peer:
    """likwid-bench's own figure for ``kernel`` over ``size`` bytes in all, on the one CPU we are pinned to."""

    def run(iterations: int) -> str:
        command = ["likwid-bench", "-t", kernel, "-w", f"N:{size}B:1", "-i", str(iterations)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode or "MByte/s" not in ended.stdout:
            sys.exit(f"{' '.join(command)} gave no result: {(ended.stderr or ended.stdout).strip()[-300:]}")
        return ended.stdout

    def number(name: str, text: str) -> float:
        return float(re.findall(rf"^{name}:\s+([\d.e+-]+)", text, re.MULTILINE)[0])

    # At 20 GB/s a tenth of a run; then ten times as many until they last that long.
    iterations = max(1, int(20e9 * RUN_S / 10 / size))
    while (took := number("Time", run(iterations))) < RUN_S / 10:
        iterations *= 10
    iterations = max(1, int(iterations * RUN_S / took))
    rate = "MFlops/s" if kernel.startswith("peakflops") else "MByte/s"
    return lambda: 1e6 * number(rate, run(iterations))


def peers(kernels: dict[str, str], size: int, level: str) -> dict[str, Peer]:
    """likwid's kernels by instruction-set level, as far as both are here."""
    if not shutil.which("likwid-bench"):
        return {}
    have = llvm_host()[1]
    usable = {"avx512": "avx512f" in have, "avx2": {"avx2", "fma"} <= have}
    return {f"likwid {name}": likwid(name, size) for isa, name in kernels.items() if usable[isa] and level in ("", isa)}


def lines(buffer: np.ndarray, library: ctypes.CDLL, dram: int) -> Iterator[Line]:
    """Every line of the table."""
    have = llvm_host()[1]
    for dtype, sp in (("f32", "sp_"), ("f64", "")):
        kernels = {"avx512": f"peakflops_{sp}avx512_fma", "avx2": f"peakflops_{sp}avx_fma"}
        for isa, feature in (("avx512", "avx512f"), ("avx2", "fma")):
            if feature in have:
                yield Line(f"{dtype} {isa} FMA", 0.03, arithmetic(dtype, isa), peers(kernels, 16_000, isa))
    loads = {"avx512": "load_avx512", "avx2": "load_avx"}
    for name, size in (("L1", 16 << 10), ("L2", 512 << 10)):
        yield Line(f"{name} read", 0.07, bandwidth(buffer, "read", size), peers(loads, size, ""))
    # likwid's stream_mem is A = B c + C with streaming stores, as ours; its triad_mem reads a third array.
    plain = {"avx512": "stream_avx512_fma", "avx2": "stream_avx_fma"}
    streaming = {"avx512": "stream_mem_avx512", "avx2": "stream_mem_avx_fma"}
    for mix, kernels in (("read", loads), ("triad", plain), ("triad_nt", streaming)):
        found = {**peers(kernels, dram, ""), "C, gcc -O3": in_c(library, buffer, mix, dram)}
        yield Line(f"DRAM {mix}", 0.10, bandwidth(buffer, mix, dram), found)


def rows(line: Line, repeats: int) -> Iterator[list[str]]:
    """Take turns, then a row for each peer."""
    best, mean = 0.0, 0.0
    theirs = dict.fromkeys(line.peers, 0.0)
    for _ in range(repeats):
        slice_rate, run_rate = line.ours()
        best, mean = max(best, slice_rate), max(mean, run_rate)
        for name, peer in line.peers.items():
            theirs[name] = max(theirs[name], peer())
    for name, rate in theirs.items() or [("", 0.0)]:
        shown = [line.name, f"{best / 1e9:.1f}", f"{mean / 1e9:.1f}"]
        if not name:
            yield [*shown, "", "no peer here", "", "", ""]
            continue
        ratio = best / rate
        verdict = "FELL SHORT" if ratio < 1 - line.limit else "higher" if ratio > 1 + line.limit else "ok"
        yield [*shown, f"{rate / 1e9:.1f}", name, f"{ratio:.3f}", f"{100 * line.limit:.0f}%", verdict]


def dram_bytes() -> int:
    """Four times the last level, 1 GB at least. The level's size is read from Linux; where it is unknown, 1 GB."""
    sizes = [path.read_text().strip() for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")]
    last = max((int(size[:-1]) << {"K": 10, "M": 20, "G": 30}[size[-1]] for size in sizes), default=0)
    return max(LOWEST_DRAM, 4 * last) // 4096 * 4096


def main() -> int:
    """Print the table; 1 when a ceiling fell short."""
    parser = argparse.ArgumentParser(description="Our ceilings beside likwid-bench's and C's, in turn, on one CPU.")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--dram-bytes", type=int, default=dram_bytes())
    parser.add_argument("--cpu", type=int, default=min(os.sched_getaffinity(0)))
    options = parser.parse_args()
    # likwid-bench inherits it, and then knows of no other CPU.
    os.sched_setaffinity(0, {options.cpu})
    if not shutil.which("likwid-bench"):
        print("likwid-bench not installed: apt-get install likwid")
    arena = Arena(options.dram_bytes + 16 * PAGE, (options.cpu,))
    buffer = arena.empty(((options.dram_bytes + 12 * PAGE) // 4,), np.dtype(np.float32))
    buffer.fill(0.5)
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "stream_triad.so"
        subprocess.run(["gcc", *C_FLAGS, "-o", built, Path(__file__).with_name("stream_triad.c")], check=True)
        library = ctypes.CDLL(str(built))
        table = [row for line in lines(buffer, library, options.dram_bytes) for row in rows(line, options.repeats)]
    print(f"CPU {options.cpu}, best of {options.repeats}, DRAM lines over {options.dram_bytes} bytes; GFLOP/s or GB/s")
    print(tabulate(table, HEADERS, disable_numparse=True))
    return int(any(row[-1] == "FELL SHORT" for row in table))


if __name__ == "__main__":
    sys.exit(main())
