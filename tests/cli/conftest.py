"""`kernelbench run` in a folder of its own, with workers that are not processes."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kernelbench import cli
from kernelbench.runner import library, session
from tests.builders import machine
from tests.runner.fakes import FakeWorkers, RealTime

CONFIG = """
rounds = 2
ceilings = false
[[matrix]]
kernels = ["op/*"]
sizes = [64]
threads = [1]
"""


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> FakeWorkers:
    made = FakeWorkers(RealTime(), step_s=0.0)
    for module in (session, library):
        monkeypatch.setattr(module, "process_factory", lambda memory_bytes, *_: made)
    monkeypatch.setattr(session, "detect", machine)
    return made


@pytest.fixture
def kernelbench(workers: FakeWorkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.chdir(tmp_path)
    # The lock of this host belongs to real runs.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "c.toml").write_text(CONFIG)

    def call(*words: str) -> int:
        return cli._exit_code(["run", *words])

    return call
