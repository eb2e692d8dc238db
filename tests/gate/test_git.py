"""git as a process: it may hang, or not be there."""

import os
from pathlib import Path

import pytest

from kernelbench.errors import UsageError
from kernelbench.gate.git import git as ask_git
from tests.gate.repositories import executable


def test_a_git_that_hangs_is_ended_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable(tmp_path / "bin" / "git", f"#!/bin/sh\necho $$ >{tmp_path}/pid\nexec sleep 600\n")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    with pytest.raises(UsageError, match=r"git did not answer within 2 s \(git status --short"):
        ask_git(tmp_path, "-c", "a=b", "status", "--short", timeout_s=2.0)
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_a_machine_without_git_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"git cannot be started .*install it, or give folders"):
        ask_git(tmp_path, "status")
