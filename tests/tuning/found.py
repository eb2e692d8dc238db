"""What a search may have found, as data."""

from typing import Any

from kernelbench.model import Confirmed, Tried, Tuning, Values
from tests import builders
from tests.tuning.made import DEFAULT, TUNABLE

FAST = (128, 256)
RATIOS: dict[Values, float] = {
    (16, 256): 1.9, (32, 256): 1.2, (64, 256): 1.04, FAST: 0.9,
    (16, 512): 12.4, (32, 512): 1.1, (128, 512): 0.96,
    (16, 1024): 1.3, (32, 1024): 1.25, (64, 1024): 1.003,
}  # fmt: skip
CASE = builders.case("matmul/tiled", shape={"m": 600, "n": 600, "k": 600})


def tuning(**changes: Any) -> Tuning:
    """One that found ``FAST``; (128, 1024) was not tried."""
    made: dict[str, Any] = {
        "case": CASE,
        "machine": builders.MACHINE_ID,
        "created": "2026-01-02T03:04:05+00:00",
        "tunable": TUNABLE,
        "candidates": 12,
        "strategy": "all of them",
        "tried": tuple(Tried(values, ratio, 1) for values, ratio in RATIOS.items()),
        "winner": FAST,
        "reason": "10.0% less time than the default in 6 fresh rounds",
        "default_s": 1.23e-3,
        "confirmed": Confirmed(0.9, 6, 0.88, 0.93, 0.9),
        "budget_s": 60.0,
        "spent_s": 41.0,
    }
    return Tuning(**{**made, **changes})


def no_winner(**changes: Any) -> Tuning:
    """One that left the default."""
    return tuning(winner=DEFAULT, reason="every candidate was slower than the default", **changes)
