"""A journal has one writer, and a polite kill is an interrupt."""

import os
import signal
from pathlib import Path

import pytest

from kernelbench.errors import UsageError
from kernelbench.runner.guards import claimed, sigterm_as_interrupt


def test_a_journal_cannot_be_claimed_twice(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    path.touch()
    with claimed(path), pytest.raises(UsageError, match="still going on"), claimed(path):
        pass


def test_a_journal_is_free_again_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    path.touch()
    with claimed(path):
        pass
    with claimed(path):
        pass


def test_a_journal_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.journal"), claimed(tmp_path / "none.journal"):
        pass


def test_sigterm_interrupts_inside_and_only_there() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), sigterm_as_interrupt():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
