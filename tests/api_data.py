"""Measurements and a machine card made in memory, for tests of the Python interface."""

from typing import Any

import kernelbench as kb
from tests import builders

CARD = kb.MachineCard(builders.machine(), builders.ceilings(), "the machine card of today (1 h old)")


def measurement(**fields: Any) -> kb.Measurement:
    """One of f32 on one thread; its best sample is ``best_s``."""
    best = fields.get("best_s", 2e-6)
    made = {"best_s": best, "median_s": best * 1.2, "samples_s": (best, best * 1.2, best * 1.5)}
    rest = {"calls_per_sample": 100, "includes_python_call": False, "disturbed_samples": 0, "dtype": "f32"}
    return kb.Measurement(**{**made, **rest, **fields})
