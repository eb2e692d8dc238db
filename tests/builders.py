"""Model objects built in memory, for tests that need a machine, a ceiling, a record or a whole result."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, UnsetType

from kernelbench.model import (
    METHOD_VERSION,
    SCHEMA_VERSION,
    Accuracy,
    Cache,
    Case,
    Ceiling,
    CoreKind,
    Cpu,
    Failed,
    Frequency,
    HostLoad,
    IsaLevel,
    Limits,
    Machine,
    Measured,
    Memory,
    Outcome,
    Probe,
    Record,
    Result,
    Round,
    Skipped,
    Software,
    Tool,
    Topology,
    Unknown,
    Work,
    case_id,
)

MACHINE_ID = "0123456789ab"
KIB, MIB = 1024, 1024**2
LADDER = (("L1", 16 * KIB, 198), ("L2", 512 * KIB, 107), ("L3", 8 * MIB, 58), ("DRAM", 256 * MIB, 23))
"""Level, bytes per thread and read GB/s of one thread."""


def machine(id: str = MACHINE_ID, model: str = "Example CPU 9000") -> Machine:
    """A two-core machine with 32 KiB L1d, 1 MiB L2 per core and 16 MiB of shared L3."""
    return Machine(
        id=id,
        cpu=Cpu(
            model=model,
            vendor="AuthenticAMD",
            architecture="x86_64",
            microarchitecture="zen4",
            signature="25-17-1",
            features=("sse2", "avx2", "avx512f"),
            isa_levels=(IsaLevel("sse2", True), IsaLevel("avx2", True), IsaLevel("avx512", True)),
            llvm_name="znver4",
        ),
        caches=(
            Cache(1, "data", 32 * KIB, 64, 8, ("0", "1")),
            Cache(1, "instruction", 32 * KIB, 64, 8, ("0", "1")),
            Cache(2, "unified", MIB, 64, 8, ("0", "1")),
            Cache(3, "unified", 16 * MIB, 64, 16, ("0-1",)),
        ),
        topology=Topology(1, 2, 2, ("0", "1"), (CoreKind("core", "0-1", Unknown("no cpufreq folder: KVM guest")),), ()),
        memory=Memory(8 << 30, 7 << 30, 0),
        frequency=Frequency(*[Unknown("no cpufreq folder: KVM guest")] * 5),
        limits=Limits("0-1", 2, Unknown("no limit"), Unknown("no limit"), "madvise", "never"),
        virtualisation="kvm",
        counters=Unknown("no PMU: KVM guest"),
        load=HostLoad(1, 0.1, 0.0),
        software=Software("Linux 6.1.0", "3.11.2", {"numba": "0.63.0", "numpy": "2.2.0"}, (), "omp"),
    )


def compute(value: float, dtype: str = "f32", mix: str = "fma", threads: int = 1, isa: str = "avx512") -> Ceiling:
    """A compute ceiling of ``value`` FLOP/s (OP/s for the dot mix)."""
    return Ceiling(
        id=f"compute/{dtype}/{isa}/{mix}/t={threads}",
        kind="compute",
        machine=MACHINE_ID,
        threads=threads,
        unit="OP/s" if mix == "dot" else "FLOP/s",
        value=value,
        dtype=dtype,
        isa=isa,
        mix=mix,
        probes=(Probe(0.1, value), Probe(5.0, 0.98 * value)),
        spread=0.01,
        provenance="explicit vector loop, vfmadd231ps zmm seen",
    )


def memory(value: float, size: int, mix: str = "read", threads: int = 1, level: str | UnsetType = UNSET) -> Ceiling:
    """A ladder point of ``value`` B/s at ``size`` bytes per thread."""
    return Ceiling(
        id=f"memory/{mix}/{size}/t={threads}",
        kind="memory",
        machine=MACHINE_ID,
        threads=threads,
        unit="B/s",
        value=value,
        level=level,
        mix=mix,
        working_set_bytes=size,
        spread=0.02,
        provenance="explicit vector loop",
    )


def ceilings() -> tuple[Ceiling, ...]:
    """Peaks and a four-level ladder in three mixes, at 1 and 2 threads, and one ceiling that was skipped."""
    made: list[Ceiling] = []
    for threads in (1, 2):
        made += [
            compute(117e9 * threads, threads=threads),
            compute(58.5e9 * threads, "f64", threads=threads),
            compute(467e9 * threads, "i8", "dot", threads=threads),
        ]
        for level, size, speed in LADDER:
            for mix, factor in (("read", 1.0), ("triad", 0.8), ("copy", 0.75)):
                made.append(memory(speed * factor * threads * 1e9, size, mix, threads, level))
    skipped = Ceiling("compute/bf16/avx512/dot/t=1", "compute", MACHINE_ID, 1, "FLOP/s", skipped="no AVX-512 BF16 here")
    return (*made, skipped)


def rounds(medians_s: Sequence[float], samples: int = 3) -> tuple[Round, ...]:
    """One round a median, its samples within 1% of it."""
    spread = [1 + 0.01 * (i - samples // 2) / max(1, samples // 2) for i in range(samples)]
    return tuple(Round(i, float(i), tuple(m * s for s in spread), 1000, i) for i, m in enumerate(medians_s))


def case(
    variant: str = "matmul/tiled",
    dtype: str = "f32",
    shape: dict[str, int] | None = None,
    threads: int = 1,
    **more: Any,
) -> Case:
    """A case whose style is the variant's last word, with its real id."""
    shape = shape or {"m": 512, "n": 512, "k": 512}
    op, _, style = variant.partition("/")
    style = more.pop("style", style)
    return Case(
        case_id(variant, dtype, shape, threads, **more), op, variant, style, dtype, shape, threads,
        isa=more.get("isa", "native"), cache=more.get("cache", "warm"), params=more.get("params") or {},
        tuned=more.get("tuned", False),
    )  # fmt: skip


def matmul_work(n: int, element_bytes: int = 4, mix: str = "fma") -> Work:
    """2 n^3 FLOP, two matrices read and one written."""
    square = float(element_bytes * n * n)
    return Work("modelled", 2.0 * n**3, mix, 2 * square, square, square, 3 * square)


def record(of: Case | None = None, outcome: Outcome | Sequence[float] = (1e-3,) * 6, **more: Any) -> Record:
    """A record; ``outcome`` may be the medians of its rounds in seconds."""
    if not isinstance(outcome, (Measured, Skipped, Failed)):
        python_call = bool(more.pop("includes_python_call", False))
        outcome = Measured("python loop" if python_call else "compiled loop", python_call, rounds(outcome))
    if isinstance(outcome, Measured):
        more.setdefault("accuracy", Accuracy("max |error| / (|A| |B|)", 3.1e-7, "float64 reference", 1e-5, 130.2))
    more.setdefault("work", matmul_work(512))
    return Record(of or case(), more.pop("machine", MACHINE_ID), outcome, **more)


def result(records: Sequence[Record] = (), **more: Any) -> Result:
    """A result of one machine with the standard ceilings."""
    more.setdefault("machines", {MACHINE_ID: machine()})
    more.setdefault("ceilings", ceilings())
    tool = more.pop("kernelbench", Tool("0.1.0", METHOD_VERSION, "abc1234", False))
    more.setdefault("config", {"kernels": ["*"], "seed": 1})
    return Result(SCHEMA_VERSION, "run", tool, "2026-01-02T03:04:05Z", records=tuple(records), **more)


def sample() -> Result:
    """A small complete run: two ops, every kind of outcome, a flag of each kind, both thread counts."""
    return result((*_matmuls(256), *_matmuls(512), *_triads()))


def _matmuls(n: int) -> list[Record]:
    shape, scale = {"m": n, "n": n, "k": n}, (n / 512) ** 3
    steady = (1.0, 1.002, 0.998, 1.004, 1.001, 0.997)
    noisy = (1.0, 1.3, 0.9, 1.25, 1.1, 0.95)
    ladder = [
        ("naive", "f32", 1, 0.268, steady),
        ("vectorized", "f32", 1, 0.0122, steady),
        ("tiled", "f32", 1, 4.1e-3, steady),
        ("parallel", "f32", 2, 1.9e-3, noisy),
        ("quantized", "i8", 1, 1.31e-3, steady),
        ("library", "f32", 1, 2.55e-3, steady),
        ("library", "f32", 2, 1.32e-3, steady),
        ("library", "f64", 1, 5.2e-3, steady),
    ]
    made = []
    for style, dtype, threads, seconds, pattern in ladder:
        work = matmul_work(n, 8 if dtype == "f64" else 4, "dot" if dtype == "i8" else "fma")
        of = case(f"matmul/{style}", dtype, shape, threads)
        medians = [seconds * scale * p for p in pattern]
        made.append(record(of, medians, work=work, compile_s=1.2, isa_used="avx512"))
    skipped = Skipped(f"would take about {scale * 134:.0f} s a call: 2*{n}^3 FLOP at 2 MFLOP/s; the cap is 1 s")
    made.append(record(case("matmul/python", "f32", shape), skipped))
    failed = Failed("verify", "3 of 9 elements differ: \x1b[31m<b>C[0,1]</b>")
    made.append(record(case("matmul/packed", "f32", shape), failed))
    return made


def _triads() -> list[Record]:
    made = []
    n = 65536
    for style, threads, seconds in (
        ("naive", 1, 2.3e-5),
        ("vectorized", 1, 1.36e-5),
        ("library", 1, 2.1e-5),
        ("parallel", 2, 0.9e-5),
    ):
        work = Work("modelled", 2.0 * n, "fma", 8.0 * n, 4.0 * n, 4.0 * n, 12.0 * n)
        of = case(f"triad/{style}", "f32", {"n": n}, threads)
        made.append(record(of, [seconds] * 6, work=work, includes_python_call=style == "library"))
    return made
