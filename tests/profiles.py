"""Profiles built in memory, for tests of what is shown of them."""

from typing import Any

from msgspec.structs import replace

from kernelbench.model import (
    METHOD_VERSION,
    SCHEMA_VERSION,
    Bound,
    CacheStates,
    Case,
    Cause,
    Counterfactual,
    IsaPoint,
    MemoryUse,
    Profile,
    Record,
    Result,
    SizePoint,
    ThreadPoint,
    TimeSplit,
    Tool,
    Unknown,
)
from tests.builders import KIB, MACHINE_ID, MIB, case, ceilings, machine, matmul_work, record

SIZES = ((32, 1.5e-6), (64, 1.1e-5), (128, 9e-5), (256, 8e-4), (512, 7.2e-3), (1024, 6.4e-2))
"""n, seconds per call."""

L2 = Cause(
    "bandwidth",
    "L2 bandwidth",
    ("1.90x faster per FLOP at n=64, whose 48 KiB are inside L1",),
    "inside L1",
    0.474,
    "L2",
)
DISPATCH = Cause("dispatch", "dispatch overhead", ("0.1 us remain at the smallest size",), "smallest size", 0.04)

TRIED = (
    Counterfactual("inside L1", "n=64: 48.0 KiB", "FLOP", 2.7e-11, 1.42e-11, level="L1"),
    Counterfactual("no arithmetic", "loads and stores alone", "call", 7.2e-3, 7.1e-3),
    Counterfactual("smallest size", "n=8", "call", 7.2e-3, 1e-7, "matmul/tiled/f32/n=8/t=1"),
    Counterfactual("sorted indices", "", "call", skipped="no operand holds indices"),
)


def of_size(n: int, threads: int = 1, isa: str = "native") -> Case:
    """One case of the sweeps."""
    return case("matmul/tiled", "f32", {"m": n, "n": n, "k": n}, threads, isa=isa)


def measured(of: Case, best_s: float) -> Record:
    """Its record, the best sample of ``best_s`` seconds."""
    return record(of, (best_s / 0.99,) * 3, work=matmul_work(of.shape["n"]))


def profile(**more: Any) -> Profile:
    """matmul/tiled f32 n=512 on one thread, held back by the bandwidth of L2; ``more`` replaces fields."""
    threads = (ThreadPoint(of_size(512).id, 1, 7.2e-3, 1.0), ThreadPoint(of_size(512, 2).id, 2, 3.9e-3, 1.85))
    made = Profile(
        case=of_size(512).id,
        unit="FLOP",
        split=TimeSplit(7.2e-3, 1e-7, 7.1999e-3, 4e-9, "what remains of a call at n=8", "matmul/tiled/f32/n=8/t=1"),
        states=CacheStates(7.2e-3, 8.1e-3, 9.5e-3),
        bound=Bound("L2 bandwidth", (L2,), (DISPATCH,)),
        counterfactuals=TRIED,
        memory=MemoryUse(3.0 * MIB, "L3", 16 * MIB, 0, Unknown("VmHWM cannot be reset here"), 0),
        sizes=tuple(
            SizePoint(of_size(n).id, of_size(n).shape, 12.0 * n * n, "L1" if n < 64 else "L2", s, s / (2 * n**3))
            for n, s in SIZES
        ),
        threads=threads,
        isa=(
            IsaPoint(of_size(512, isa="sse2").id, "sse2", 2.1e-2, "sse2"),
            IsaPoint(of_size(512, isa="avx2").id, "avx2", 9e-3, "avx2"),
            IsaPoint(of_size(512).id, "native", 7.2e-3, "avx512"),
        ),
        levels=(("L1", 32 * KIB), ("L2", MIB), ("L3", 16 * MIB)),
        compile_s=1.23,
        no_counters="no PMU: KVM guest",
        advice=("Keep a block of b inside L2.", "Two threads are 1.85x faster."),
        notes=("sorted indices: no operand holds indices",),
    )
    return replace(made, **more)


def profiled(of: Profile | None = None, **more: Any) -> Result:
    """The file of a profile with the records of its sweeps; ``more`` replaces fields of the result."""
    records = [measured(of_size(n), s) for n, s in SIZES]
    records += [measured(of_size(512, 2), 3.9e-3), measured(of_size(512, isa="sse2"), 2.1e-2)]
    made = Result(
        schema_version=SCHEMA_VERSION,
        kind="profile",
        kernelbench=Tool("0.1.0", METHOD_VERSION, "abc1234", False),
        created="2026-01-02T03:04:05Z",
        config={"seed": 1},
        machines={MACHINE_ID: machine()},
        ceilings=ceilings(),
        records=tuple(records),
        profile=of or profile(),
    )
    return replace(made, **more)
