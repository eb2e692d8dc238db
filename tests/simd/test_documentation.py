"""docs/SIMD.md says everything that can be imported, and its example runs."""

import re
from pathlib import Path

import pytest

from kernelbench.simd import lanes

PAGE = (Path(__file__).parents[2] / "docs" / "SIMD.md").read_text()


@pytest.mark.parametrize("name", lanes.__all__)
def test_every_operation_is_in_the_table(name: str) -> None:
    assert re.search(rf"`{name}\(", PAGE), f"docs/SIMD.md does not mention {name}"


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert example
    (tmp_path / "simd_example.py").write_text(example.group(1))
    monkeypatch.syspath_prepend(tmp_path)
    __import__("simd_example")
