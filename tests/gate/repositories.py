"""Git repositories made for a test, and what sides they give."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from kernelbench.errors import UsageError
from kernelbench.gate.repository import Repository, find
from kernelbench.gate.sides import Side, opened

KERNEL = "# a kernel file\n"
ROOMS = {"kernelbench/kernels/__init__.py": "", "kernelbench/simd/__init__.py": ""}
"""As little as makes a tree a kernelbench under test."""

RELU = "kernelbench/kernels/relu.py"


class Repo:
    """A repository in ``folder``, on a branch called main."""

    def __init__(self, folder: Path, files: Mapping[str, str] = ROOMS) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--initial-branch=main")
        self.first = self.commit(files)

    def git(self, *words: str) -> str:
        """What git prints. Fails the test when git does."""
        return git(self.folder, *words)

    def write(self, files: Mapping[str, str]) -> None:
        """Write files of the working tree."""
        for name, text in files.items():
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def commit(self, files: Mapping[str, str], message: str = "a change") -> str:
        """Write and commit; the commit's digits."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def working_trees(self) -> list[str]:
        """All working trees that git knows of."""
        lines = self.git("worktree", "list", "--porcelain").splitlines()
        return [line.removeprefix("worktree ") for line in lines if line.startswith("worktree ")]

    def state(self) -> tuple[bytes, str, dict[str, bytes]]:
        """Index, references and files, to be the same before and after."""
        files = {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and ".git" not in path.relative_to(self.folder).parts
        }
        return (self.folder / ".git" / "index").read_bytes(), self.git("show-ref"), files


def git(folder: Path, *words: str) -> str:
    """`git WORDS` in ``folder`` as somebody."""
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "protocol.file.allow=always")
    done = subprocess.run(
        ["git", *identity, "-C", str(folder), *words], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


def sealed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """No configuration of whoever runs the tests, no repository of a calling hook, caches below ``folder``."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))


def known(folder: Path) -> Repository:
    """The repository that ``folder`` lies in."""
    found = find(folder)
    assert isinstance(found, Repository)
    return found


def executable(file: Path, text: str) -> Path:
    """A script at ``file``."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def sides(cwd: Path, base: str, head: str, *modules: str) -> tuple[Side, Side]:
    """Both sides; refs are gone again."""
    with opened(base, head, modules, cwd) as both:
        return both


def refusal(cwd: Path, base: str, head: str = ".", *modules: str) -> str:
    """The one line that refuses them."""
    with pytest.raises(UsageError) as caught, opened(base, head, modules, cwd):
        pass
    text = str(caught.value)
    assert "\n" not in text
    assert text.isprintable()
    return text
