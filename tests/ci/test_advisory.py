"""The project's own comparison with the previous commit: it advises, it never blocks."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.ci.shell import FAKE, ROOT
from tests.gate.repositories import Repo, executable, git, sealed


@pytest.fixture(autouse=True)
def _sealed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sealed(monkeypatch, tmp_path)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Two commits, with the script and a command that notes how it was called."""
    made = Repo(tmp_path / "repo", {".gitignore": ".venv\n"})
    (made.folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "advisory", made.folder / ".ci" / "advisory")
    made.commit({})
    return made


def advise(folder: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    executable(folder / ".venv" / "bin" / "kernelbench", FAKE)
    fake = {"FOLDER": str(folder), "CODE": str(code), "TABLE": "the table", "MARKDOWN": "", "RESULT": "", "JUNIT": ""}
    environment = {**os.environ, **{f"FAKE_{name}": value for name, value in fake.items()}}
    script = folder / ".ci" / "advisory"
    return subprocess.run([script], cwd="/", env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_working_tree_is_compared_with_the_commit_before(repo: Repo) -> None:
    done = advise(repo.folder)
    assert done.returncode == 0, done.stderr
    assert (repo.folder / "arguments").read_text().split("\0")[:3] == ["ab", "HEAD^1", "."]
    assert "the table" in done.stdout
    assert "no kernel was found slower" in done.stdout


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6])
def test_no_verdict_fails_the_build(repo: Repo, code: int) -> None:
    done = advise(repo.folder, code)
    assert done.returncode == 0
    assert "advisory: " in done.stdout


@pytest.mark.parametrize("code", [70, 124, 130])
def test_a_tool_that_does_not_work_fails_the_build(repo: Repo, code: int) -> None:
    assert advise(repo.folder, code).returncode != 0


def test_a_shallow_clone_without_the_parent_is_skipped_with_the_reason(repo: Repo, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--depth=1", f"file://{repo.folder}", "clone")
    done = advise(tmp_path / "clone", 70)
    assert done.returncode == 0
    assert "skipped, the parent of this commit is not here" in done.stdout


def test_the_first_commit_is_skipped(repo: Repo) -> None:
    repo.git("checkout", "--orphan", "alone")
    repo.commit({})
    assert "skipped" in advise(repo.folder, 70).stdout
