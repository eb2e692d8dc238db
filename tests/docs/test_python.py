"""docs/PYTHON.md is run as it stands."""

import re
from pathlib import Path

import numba
import pytest

from kernelbench.api import roofs
from kernelbench.timing import loops
from kernelbench.worker import cost, entry
from tests.api_data import CARD
from tests.pytest_plugin.test_fixture import LOAD

pytest_plugins = ["pytester"]

#: An inner pytest forgets what it loaded, and a compiled module cannot be loaded twice: here it is loaded already.
LOADED = (numba, loops, cost, entry)
PAGE = (Path(__file__).parents[2] / "docs" / "PYTHON.md").read_text(encoding="utf-8")
TESTED = re.compile(r"<!-- tested: test_relu.py -->\n```python\n(.*?)```", re.DOTALL)


@pytest.fixture(autouse=True)
def _card(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test measures a machine's ceilings."""
    monkeypatch.setattr(roofs, "machine_card", lambda threads=1: CARD)


def test_every_block_runs_one_after_the_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kernelbench.machine_card", lambda: CARD, raising=False)
    blocks = re.findall(r"```python\n(.*?)```", TESTED.sub("", PAGE), re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/PYTHON.md", "exec"), names)  # noqa: S102
    assert len(blocks) >= 6
    assert (tmp_path / "relu.svg").read_text().startswith("<svg")


def test_the_test_of_the_page_passes_fails_or_is_not_decidable_but_is_no_error(pytester: pytest.Pytester) -> None:
    (code,) = TESTED.findall(PAGE)
    pytester.makepyfile(code)
    found = pytester.runpytest_inprocess(*LOAD, "-p", "no:cacheprovider")
    ended = found.parseoutcomes()
    assert sum(ended.get(kind, 0) for kind in ("passed", "failed", "skipped")) == 1
    assert "Error" not in found.stdout.str().replace("AssertionError", "")
