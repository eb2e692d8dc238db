"""One run that holds some of everything: for golden files and for what must be the same in every format."""

from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.model import Failed, Interference, Measured, Record, Result, Round, Skipped, Work
from tests.builders import MACHINE_ID, case, ceilings, compute, machine, matmul_work, record, result

OTHER = "ba9876543210"
"""The second machine."""
STEADY = (1.0, 1.002, 0.998, 1.004, 1.001, 0.997)
NOISY = (1.0, 1.3, 0.9, 1.25, 1.1, 0.95)


def everything() -> Result:
    """Two machines; every status, cause of a flag, number type and cache state; ops with and without FLOP; notes."""
    own = (*ceilings(), replace(compute(236e9, "bf16", "dot"), unit="FLOP/s"), compute(59e9, isa="avx2"))
    theirs = tuple(replace(c, machine=OTHER) for c in own if c.threads == 1)
    return result(
        (*_matmuls(), *_transposes(), *_triads(), *_elsewhere()),
        machines={MACHINE_ID: machine(), OTHER: machine(OTHER, "Another CPU 77")},
        ceilings=(*own, *theirs),
        notes=("the host was busy: 12% of its time was stolen",),
    )


def _matmuls() -> list[Record]:
    shape = {"m": 256, "n": 256, "k": 256}
    ladder = [
        ("naive", "f32", 1, 3.35e-2, STEADY, {}),
        ("tiled", "f32", 1, 5.1e-4, STEADY, {}),
        ("tiled", "f32", 1, 9.2e-4, STEADY, {"isa": "avx2"}),
        ("parallel", "f32", 2, 2.4e-4, NOISY, {}),
        ("packed", "bf16", 1, 1.9e-4, STEADY, {}),
        ("quantized", "i8", 1, 1.6e-4, STEADY, {"params": {"group": 32}}),
        ("library", "f32", 1, 3.2e-4, STEADY, {}),
        ("library", "f64", 1, 6.5e-4, STEADY, {}),
    ]
    made = []
    for style, dtype, threads, seconds, pattern, more in ladder:
        work = matmul_work(
            256, {"f64": 8, "bf16": 2, "i8": 1}.get(dtype, 4), "dot" if dtype in ("i8", "bf16") else "fma"
        )
        medians = [seconds * p for p in pattern]
        one = record(case(f"matmul/{style}", dtype, shape, threads, **more), medians, work=work, compile_s=1.2)
        made.append(replace(one, fastmath=style == "tiled", flags=("rounds-dropped",) if style == "packed" else ()))
    skipped = Skipped("would take about 17 s a call: 2*256^3 FLOP at 2 MFLOP/s; the cap is 1 s")
    failed = Failed("verify", "3 of 9 elements differ: \x1b[31m<b>C[0,1]</b> @you #1 http://example.org")
    too_fast = record(case("matmul/fused", "f32", shape), [2.0e-4] * 6, work=matmul_work(256))
    return [
        *made,
        too_fast,
        record(case("matmul/python", "f32", shape), skipped),
        record(case("matmul/gpu_style", "f32", shape), failed),
    ]


def _transposes() -> list[Record]:
    made = []
    for n in (256, 4096):
        size = 4.0 * n * n
        for style, speed in (("naive", 6e9), ("tiled", 18e9), ("library", 15e9)):
            work = Work("modelled", 0.0, UNSET, size, size, size, 2 * size)
            of = case(f"transpose/{style}", "f32", {"m": n, "n": n})
            made.append(record(of, [2 * size / speed] * 6, work=work))
    return made


def _triads() -> list[Record]:
    n = 65536
    work = Work("modelled", 2.0 * n, "fma", 8.0 * n, 4.0 * n, 4.0 * n, 12.0 * n)
    warm = record(case("triad/vectorized", "f32", {"n": n}), [1.36e-5] * 6, work=work)
    cold = record(case("triad/vectorized", "f32", {"n": n}, cache="cold"), [4.4e-5] * 6, work=work)
    called = record(case("triad/library", "f32", {"n": n}), [2.1e-5] * 6, work=work, includes_python_call=True)
    few = record(case("triad/naive", "f32", {"n": n}), [2.3e-5] * 3, work=work)
    marks = Interference(disturbed=(True, True, True))
    rounds = tuple(Round(i, float(i), (2e-5, 2.1e-5, 2.2e-5), 100, i, interference=marks) for i in range(6))
    disturbed = record(case("triad/parallel", "f32", {"n": n}, 2), Measured("compiled loop", False, rounds), work=work)
    return [warm, cold, called, few, disturbed]


def _elsewhere() -> list[Record]:
    shape = {"m": 256, "n": 256, "k": 256}
    ladder = (("naive", 2.9e-2), ("tiled", 4.4e-4))
    return [
        record(case(f"matmul/{style}", "f32", shape), [s * p for p in STEADY], work=matmul_work(256), machine=OTHER)
        for style, s in ladder
    ]
