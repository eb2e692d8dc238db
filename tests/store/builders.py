"""Journals and measurements in memory."""

from kernelbench.model import METHOD_VERSION, SCHEMA_VERSION, Accuracy, Interference, Round, Tool
from kernelbench.protocol import CaseMeasured
from kernelbench.store.journal import Header, PlannedCase, RoundDone
from tests import builders

CASES = tuple(builders.case(f"matmul/{style}") for style in ("naive", "tiled", "parallel"))
SKIPPED = ((builders.case("matmul/python"), "interpreted: too slow"),)


def header(rounds: int = 2) -> Header:
    return Header(
        schema_version=SCHEMA_VERSION,
        created="2026-01-02T03:04:05Z",
        tool=Tool("0.1.0", METHOD_VERSION),
        config={"seed": 1, "modules": ["/home/ada/mine.py"]},
        machine=builders.machine(),
        cases=tuple(PlannedCase(case, builders.matmul_work(512)) for case in CASES),
        skipped=SKIPPED,
        rounds=rounds,
        modules=("/home/ada/mine.py",),
        source_hash="cafe",
    )


def measured(index: int, *, start_s: float = 0.0, error: float = 1e-7, **more: object) -> CaseMeasured:
    facts: dict[str, object] = {
        "timer": "compiled loop",
        "includes_python_call": False,
        "placement": (0,),
        "round": Round(index, start_s, (1e-3, 1.1e-3), 10, index, interference=Interference((0, 1), (0, 0))),
        **more,
    }
    accuracy = Accuracy("max |error|", error, "float64 reference", 1e-5, snr_db=130 - 1e7 * error)
    return CaseMeasured(accuracy, **facts)  # type: ignore[arg-type]


def done(case: int, index: int, **more: object) -> RoundDone:
    return RoundDone(index, CASES[case].id, measured(index, **more))  # type: ignore[arg-type]
