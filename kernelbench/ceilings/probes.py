"""One pass over all ceilings at one thread count: what a worker does for ``ProbeCeilings``."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence

import llvmlite.binding as llvm
import numpy as np
from msgspec import UNSET

from kernelbench.ceilings import compute, memory
from kernelbench.model import Ceiling, Probe
from kernelbench.protocol import ProbeCeilings
from kernelbench.simd.jit import Code
from kernelbench.timing import clock
from kernelbench.timing.arena import PAGE, STAGGER, Arena
from kernelbench.timing.loops import run_team
from kernelbench.timing.sampling import SHARED_CORE

COMPUTE = (("f64", "fma"), ("f32", "fma"), ("i8", "dot"))
"""(number type, instruction mix) measured in this version."""
PATIENCE_S = 0.3
"""Longest wait of one pass for moments in which no neighbour uses the core: a roof is what the machine can do."""
POLL_S = 0.0003
"""Between two looks at whether the core is free; a quiet stretch often lasts 2 ms only."""
PLACES = 8
"""Places in the buffer where a working set that fits is tried: the address decides a fifth of the speed in the first
level (a copy of 16 KiB: 180 to 236 GB/s on Zen 4, whose L1 predicts its way by a hash of the address)."""


def host_features() -> frozenset[str]:
    """What LLVM may emit here, in its own names."""
    return frozenset(name for name, on in llvm.get_host_cpu_features().items() if on)


class _Pass:
    """The request and the CPUs of one pass."""

    def __init__(self, request: ProbeCeilings, cpus: Sequence[int]) -> None:
        self.request, self.cpus = request, tuple(cpus)
        self._patience_s = PATIENCE_S if clock.available() else 0.0
        self._best_adds = max(clock.adds_per_s() for _ in range(500)) if clock.available() else 0.0

    def wait_until_quiet(self) -> None:
        """Wait for a moment in which no neighbour uses this core, within the patience of the pass."""
        begun = time.perf_counter()
        while self._patience_s > 0 and (adds := clock.adds_per_s()) < SHARED_CORE * self._best_adds:
            self._best_adds = max(self._best_adds, adds)
            time.sleep(POLL_S)
            self._patience_s -= time.perf_counter() - begun
            begun = time.perf_counter()

    @property
    def threads(self) -> int:
        return len(self.cpus)

    def best_rate(self, runs: Sequence[Callable[[int], float]], work_per_call: float, guess_s: float) -> Probe:
        """The best of several runs that together last ``probe_s``, each an equal part of it, one at least.

        ``runs`` are tried in turn: the same work at different addresses.
        """
        shortest = self.request.probe_s / len(runs)
        calls, best, spent, turn = max(1, int(shortest / guess_s)), 0.0, 0.0, 0
        while not best or spent < self.request.probe_s * self.request.repeats:
            self.wait_until_quiet()
            took = runs[turn % len(runs)](calls)
            spent += took
            if took < shortest / 2:
                calls = max(calls + 1, int(calls * min(10.0, 1.1 * shortest / max(took, 1e-9))))
                continue
            best = max(best, work_per_call * calls / took)
            turn += 1
        hertz = clock.clock_hz() if clock.available() else UNSET
        at = time.monotonic() - self.request.started_at
        return Probe(at_s=at, value=best, clock_hz=hertz)


def probe(request: ProbeCeilings, cpus: Sequence[int]) -> tuple[Ceiling, ...]:
    """Every ceiling of this version at ``len(cpus)`` threads, one probe each."""
    this = _Pass(request, cpus)
    return (*_compute(this), *_memory(this))


def _compute(this: _Pass) -> list[Ceiling]:
    found = []
    features = host_features()
    for dtype, mix in COMPUTE:
        kind = compute.best_kind(dtype, mix, features)
        if isinstance(kind, str):
            found.append(_skipped(this, dtype, mix, kind))
        else:
            found.append(_peak(this, kind))
    return found


def _skipped(this: _Pass, dtype: str, mix: str, reason: str) -> Ceiling:
    return Ceiling(
        id=f"compute/{dtype}/none/{mix}/t={this.threads}",
        kind="compute",
        machine=this.request.machine,
        threads=this.threads,
        unit="OP/s" if mix == "dot" else "FLOP/s",
        dtype=dtype,
        mix=mix,
        skipped=reason,
    )


def _peak(this: _Pass, kind: compute.Kind) -> Ceiling:
    best: Probe | None = None
    best_chains, reason = 0, ""
    trips = 2000
    for chains in compute.CHAINS:
        code = compute.compiled(kind, chains)
        if isinstance(code, str):
            reason = code
            continue
        blocks = [(ctypes.c_int64 * 16)(trips, compute.SEEDS[kind.dtype]) for _ in this.cpus]
        run = _team(code, "peak", blocks, this.cpus)
        work = compute.work(kind, chains, trips) * this.threads
        found = this.best_rate([run], work, guess_s=trips * max(chains, 4) * 2.5e-10)
        if best is None or found.value > best.value:
            best, best_chains = found, chains
    if best is None:
        return _skipped(this, kind.dtype, kind.mix, reason)
    return Ceiling(
        id=f"compute/{kind.dtype}/{kind.isa}/{kind.mix}/t={this.threads}",
        kind="compute",
        machine=this.request.machine,
        threads=this.threads,
        unit=kind.unit,
        value=best.value,
        dtype=kind.dtype,
        isa=kind.isa,
        mix=kind.mix,
        probes=(best,),
        provenance=f"explicit vectors of {kind.lanes} lanes, {best_chains} independent chains, "
        f"instruction seen in the emitted code: {kind.instruction}",
    )


Block = ctypes.Array[ctypes.c_int64]


def _team(code: Code, name: str, blocks: Sequence[Block], cpus: Sequence[int]) -> Callable[[int], float]:
    """``calls`` -> seconds, one block a thread."""
    address = code.address(name)
    addresses = [ctypes.addressof(block) for block in blocks]

    def run(calls: int) -> float:
        assert len(blocks) == len(addresses), "the blocks live as long as the function"
        return run_team(address, addresses, calls, cpus)

    return run


def _memory(this: _Pass) -> list[Ceiling]:
    points = memory.ladder(this.request.levels)
    largest = max(size for size, _ in points)
    buffers = [_buffer(largest + 8 * PAGE, this.cpus[t]) for t in range(this.threads)]
    found = []
    for mix in memory.MIXES:
        seconds_per_byte = 1e-11
        for size, level in points:
            each = memory.array_bytes(mix, size)
            moved = each * memory.ARRAYS[mix]
            code = memory.compiled(mix)
            span = moved + 4 * PAGE
            runs = []
            for place in range(max(1, min(PLACES, largest // span))):
                blocks = [_block(buffer, place * span, each, memory.ARRAYS[mix]) for buffer in buffers]
                runs.append(_team(code, "move", blocks, this.cpus))
            runs[0](1)
            best = this.best_rate(runs, moved * this.threads, guess_s=moved * seconds_per_byte)
            seconds_per_byte = this.threads / best.value
            found.append(_bandwidth(this, mix, size, level, moved, best))
    return found


def _bandwidth(this: _Pass, mix: str, size: int, level: str, moved: int, best: Probe) -> Ceiling:
    return Ceiling(
        id=f"memory/{mix}/{size}/t={this.threads}",
        kind="memory",
        machine=this.request.machine,
        threads=this.threads,
        unit="B/s",
        value=best.value,
        level=level or UNSET,
        mix=mix,
        working_set_bytes=moved,
        probes=(best,),
        provenance="64-byte vectors, 8 a trip; bytes of the source, without read-for-ownership",
    )


def _buffer(size: int, cpu: int) -> np.ndarray:
    """``size`` bytes of 0.5, on huge pages where granted, first touched on ``cpu``."""
    arena = Arena(size + 2 * PAGE, (cpu,))
    made = arena.empty((size // 4,), np.dtype(np.float32))
    made.fill(0.5)
    return made


def _block(buffer: np.ndarray, offset: int, each: int, arrays: int) -> Block:
    """{a, b, c, bytes, ...result}: arrays one after another from ``offset``, a page and a bit apart."""
    start = buffer.ctypes.data + -(-offset // PAGE) * PAGE
    apart = each if arrays == 1 else -(-each // PAGE) * PAGE + STAGGER
    addresses = [start + apart * min(i, arrays - 1) for i in range(3)]
    return (ctypes.c_int64 * 16)(*addresses, each)
