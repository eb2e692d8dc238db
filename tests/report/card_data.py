"""A machine card with a whole ladder, made by formula: for tests of what is shown of it."""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from kernelbench.model import METHOD_VERSION, SCHEMA_VERSION, Ceiling, Probe
from kernelbench.store.card import Card
from tests.builders import KIB, MACHINE_ID, MIB, machine

CLOCK_HZ = 3.65e9
SHARES = {1: (32 * KIB, MIB, 16 * MIB), 2: (32 * KIB, MIB, 8 * MIB)}
"""L1, L2 and L3 bytes of one thread, by threads: those of tests.builders.machine()."""
READ_BYTES_PER_S = (198e9, 107e9, 58e9, 23e9)
"""One thread, per level."""
LOAD_S = (1.1e-9, 3.9e-9, 14e-9, 105e-9)
MIXES = {"read": 1.0, "write": 0.6, "copy": 0.75, "triad": 0.8, "update": 1.4, "copy_nt": 0.3, "triad_nt": 0.35}
"""Share of the read bandwidth."""
DRAM_BYTES = 64 * MIB
FMA = {"scalar": 7.3e9, "sse2": 14.6e9, "sse4.2": 14.6e9, "avx2": 118e9, "avx512": 117e9}
"""f32 FLOP/s of one thread."""


def card(**changes: Any) -> Card:
    """Every kind of ceiling at 1 and 2 threads on the standard machine."""
    made = (*computes(), *bandwidths(), *latencies())
    fields = {
        "schema_version": SCHEMA_VERSION,
        "method_version": METHOD_VERSION,
        "created": "2026-01-02T03:04:05+00:00",
        "source_hash": "abc123",
        "quick": False,
        "machine": machine(),
        "ceilings": made,
    }
    return Card(**(fields | changes))


def computes() -> Iterator[Ceiling]:
    for threads in (1, 2):
        for isa, rate in FMA.items():
            yield compute("f32", isa, "fma", threads, rate)
            yield compute("f64", isa, "fma", threads, rate / 2)
            yield compute("f32", isa, "fma_add", threads, rate * 1.5)
            for dtype in ("bf16", "i8"):
                if isa != "avx512":
                    yield skipped(dtype, isa, threads, f"{isa} has no dot-product instruction")
        yield compute("bf16", "avx512", "dot", threads, 233e9)
        yield compute("i8", "avx512", "dot", threads, 467e9)
        yield skipped("i8", "amx", threads, "present, not measured")


def compute(dtype: str, isa: str, mix: str, threads: int, one_thread: float) -> Ceiling:
    """Two probes: the best at ``CLOCK_HZ``, the other 2% slower at a lower clock."""
    value = one_thread * (1.0 if threads == 1 else 1.98)
    return Ceiling(
        id=f"compute/{dtype}/{isa}/{mix}/t={threads}",
        kind="compute",
        machine=MACHINE_ID,
        threads=threads,
        unit="OP/s" if dtype == "i8" else "FLOP/s",
        value=value,
        dtype=dtype,
        isa=isa,
        mix=mix,
        probes=(Probe(0.1, 0.98 * value, CLOCK_HZ / 1.02), Probe(3.0, value, CLOCK_HZ)),
        spread=0.01,
        provenance=f"12 independent chains, {mix} seen in the emitted code",
    )


def skipped(dtype: str, isa: str, threads: int, reason: str) -> Ceiling:
    unit = "OP/s" if dtype == "i8" else "FLOP/s"
    return Ceiling(f"compute/{dtype}/{isa}/dot/t={threads}", "compute", MACHINE_ID, threads, unit,
                   dtype=dtype, isa=isa, mix="dot", skipped=reason)  # fmt: skip


def bandwidths() -> Iterator[Ceiling]:
    for threads, shares in SHARES.items():
        for mix, factor in MIXES.items():
            for size in sizes():
                yield bandwidth(mix, factor, size, threads, shares)


def bandwidth(mix: str, factor: float, size: int, threads: int, shares: tuple[int, ...]) -> Ceiling:
    per_thread = _at(size, shares, READ_BYTES_PER_S) * factor
    # Memory is shared: two threads do not get twice of it.
    value = per_thread * (1.0 if threads == 1 else 1.5 if size > shares[-1] else 2.0)
    return Ceiling(
        id=f"memory/{mix}/{size}/t={threads}",
        kind="memory",
        machine=MACHINE_ID,
        threads=threads,
        unit="B/s",
        value=value,
        level=level(size, shares) or UNSET,
        mix=mix,
        working_set_bytes=size,
        probes=(Probe(4.0, value, CLOCK_HZ), Probe(5.0, 0.96 * value, CLOCK_HZ)),
        spread=0.02,
        provenance=f"{mix}: 64-byte vectors, vmovups zmm seen in the emitted code",
    )


def latencies() -> Iterator[Ceiling]:
    for size in sizes():
        value = _at(size, SHARES[1], LOAD_S)
        yield Ceiling(
            id=f"latency/{size}/t=1",
            kind="latency",
            machine=MACHINE_ID,
            threads=1,
            unit="s",
            value=value,
            level=level(size, SHARES[1]) or UNSET,
            working_set_bytes=size,
            probes=(Probe(6.0, 1.05 * value, CLOCK_HZ), Probe(7.0, value, CLOCK_HZ)),
            spread=0.02,
            provenance="random cycle through every line of the working set",
        )


def sizes() -> list[int]:
    """Four an octave from 4 KiB to ``DRAM_BYTES``."""
    return [round(4 * KIB * 2 ** (k / 4)) for k in range(57)]


def level(size: int, shares: tuple[int, ...]) -> str:
    """The level that a point at half a share stands for; empty for the others."""
    return {shares[0] // 2: "L1", shares[1] // 2: "L2", shares[2] // 2: "L3", DRAM_BYTES: "DRAM"}.get(size, "")


def _at(size: int, shares: tuple[int, ...], values: tuple[float, ...]) -> float:
    """The value of the level that holds ``size`` bytes."""
    return values[sum(size > share for share in shares)]
