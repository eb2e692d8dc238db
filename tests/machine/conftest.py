"""Recorded machines, each unpacked and detected once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kernelbench.machine import detect
from kernelbench.model import Machine
from tests.machine import recorded


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Machine]:
    """``machine(name)``: what detection makes of a recorded machine."""
    known: dict[str, Machine] = {}

    def detected(name: str) -> Machine:
        if name not in known:
            known[name] = detect(recorded.write(recorded.files_of(name), tmp_path_factory.mktemp(name)))
        return known[name]

    return detected


@pytest.fixture
def guest_root(tmp_path: Path) -> Path:
    """The files of the smallest recorded machine, a virtual one, to be changed at will."""
    return recorded.write(recorded.files_of(recorded.GUEST), tmp_path / "root")
