"""Comparing a whole output with its golden file."""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def assert_golden(name: str, text: str) -> None:
    """``text`` equals the golden file; KERNELBENCH_UPDATE_GOLDEN=1 rewrites it instead."""
    path = FOLDER / name
    if os.environ.get("KERNELBENCH_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path} differs; KERNELBENCH_UPDATE_GOLDEN=1 rewrites it"
