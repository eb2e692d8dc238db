"""A result says which kernelbench measured."""

import subprocess
from pathlib import Path

from msgspec import UNSET

from kernelbench import __version__
from kernelbench.model import METHOD_VERSION, Tool
from kernelbench.runner.tool import this_tool


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def checkout(folder: Path) -> Path:
    (folder / "kernelbench").mkdir()
    (folder / "kernelbench" / "a.py").write_text("one\n")
    git(folder, "init")
    git(folder, "add", "kernelbench")
    git(folder, "commit", "--no-verify", "-m", "one")
    return folder


def test_an_installed_one_has_a_version_and_a_method(tmp_path: Path) -> None:
    assert this_tool(tmp_path) == Tool(__version__, METHOD_VERSION)


def test_a_checkout_has_its_commit(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    assert this_tool(root) == Tool(__version__, METHOD_VERSION, commit=git(root, "rev-parse", "HEAD"), dirty=False)


def test_an_edited_checkout_is_dirty(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    (root / "kernelbench" / "a.py").write_text("two\n")
    assert this_tool(root).dirty is True


def test_what_git_cannot_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nonexistent\n")
    assert this_tool(tmp_path).commit is UNSET
