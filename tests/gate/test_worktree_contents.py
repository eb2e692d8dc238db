"""What a checkout leaves out and leaves alone: hooks, submodules, large files."""

from pathlib import Path

import pytest

from kernelbench.gate.worktree import checkouts
from tests.gate.repositories import Repo, executable, known, sealed

SOURCE = "kernelbench/kernels/relu.py"


@pytest.fixture(autouse=True)
def _sealed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sealed(monkeypatch, tmp_path)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Two commits: relu.py is "one", then "two"."""
    made = Repo(tmp_path / "repo", {SOURCE: "one\n"})
    made.commit({SOURCE: "two\n"})
    return made


def test_the_users_hook_is_not_run_by_a_checkout(repo: Repo, tmp_path: Path) -> None:
    executable(repo.folder / ".git" / "hooks" / "post-checkout", f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    with checkouts() as made:
        made.check_out(known(repo.folder), repo.first, "HEAD~1")
    assert not (tmp_path / "ran").exists()


def test_the_repository_that_a_calling_hook_means_does_not_leak_in(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repo(tmp_path / "other")
    before = other.state()
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.folder / ".git" / "index"))
    with checkouts() as made:
        assert (made.check_out(known(repo.folder), repo.first, "HEAD~1").path / SOURCE).read_text() == "one\n"
    monkeypatch.undo()
    assert other.state() == before


def test_submodules_are_left_out_and_said(repo: Repo, tmp_path: Path) -> None:
    Repo(tmp_path / "part")
    repo.git("submodule", "add", str(tmp_path / "part"), "parts/one")
    commit = repo.commit({})
    with checkouts() as made:
        checkout = made.check_out(known(repo.folder), commit, "HEAD")
        assert checkout.left_out == ("lacks its submodules: parts/one",)
        assert list((checkout.path / "parts" / "one").iterdir()) == []
    assert repo.working_trees() == [str(repo.folder)]


def test_large_files_stay_pointers_whatever_their_filter_does(repo: Repo) -> None:
    commit = repo.commit({".gitattributes": "*.bin filter=lfs\n", "weights.bin": "version https://git-lfs\n"})
    for key, value in (("smudge", "false"), ("process", "false"), ("required", "true")):
        repo.git("config", f"filter.lfs.{key}", value)
    with checkouts() as made:
        checkout = made.check_out(known(repo.folder), commit, "HEAD")
        assert checkout.left_out == ("has only pointers to the files kept by Git LFS: weights.bin",)
        assert (checkout.path / "weights.bin").read_text() == "version https://git-lfs\n"
