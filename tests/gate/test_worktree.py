"""Checkouts of commits: as committed, nobody's tree touched, gone at the end whatever happens."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import kernelbench
from kernelbench.errors import StoreError
from kernelbench.gate import worktree
from kernelbench.gate.repository import Repository
from kernelbench.gate.worktree import checkouts, undisturbed
from tests.gate.repositories import Repo, git, known, sealed

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


def test_a_checkout_holds_the_files_as_committed(repo: Repo) -> None:
    repo.write({SOURCE: "not committed\n"})
    with checkouts() as made:
        assert (made.check_out(known(repo.folder), repo.first, "HEAD~1").path / SOURCE).read_text() == "one\n"


def test_the_users_tree_index_and_refs_stay_as_they_are(repo: Repo) -> None:
    repo.write({SOURCE: "not committed\n", "new.py": ""})
    os.utime(repo.folder / SOURCE, (1, 1))
    before = repo.state()
    with checkouts() as made:
        made.check_out(known(repo.folder), repo.first, "HEAD~1")
        assert repo.state() == before
    assert repo.state() == before


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_checkouts_are_gone_after_the_block_however_it_ends(repo: Repo, error: type[BaseException]) -> None:
    paths = []

    def work() -> None:
        with checkouts() as made:
            paths.append(made.check_out(known(repo.folder), repo.first, "HEAD~1").path)
            assert paths[0].is_dir()
            raise error

    with pytest.raises(error):
        work()
    assert not paths[0].exists()
    assert repo.working_trees() == [str(repo.folder)]


def test_nothing_is_left_of_the_places_but_their_folder(repo: Repo, tmp_path: Path) -> None:
    with checkouts() as made:
        made.check_out(known(repo.folder), repo.first, "HEAD~1")
    assert list((tmp_path / "cache" / "kernelbench" / "worktrees").iterdir()) == []


def test_one_commit_twice_at_a_time_lies_in_two_places(repo: Repo) -> None:
    with checkouts() as made, checkouts() as other:
        places = {made.check_out(known(repo.folder), repo.first, "x").path for made in (made, made, other)}
        assert len(places) == 3
    assert repo.working_trees() == [str(repo.folder)]


def test_a_commit_lies_in_the_same_place_every_time(repo: Repo) -> None:
    seen = set()
    for _ in range(2):
        with checkouts() as made:
            seen.add(made.check_out(known(repo.folder), repo.first, "HEAD~1").path)
    assert len(seen) == 1


def test_the_place_is_outside_the_tree_even_when_the_cache_folder_is_not(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(repo.folder / ".cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with checkouts() as made:
        path = made.check_out(known(repo.folder), repo.first, "HEAD~1").path
        assert path.is_relative_to(tmp_path / "temporary")
    assert not (repo.folder / ".cache").exists()


def test_a_folder_that_others_may_write_into_is_not_used(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    open_to_all = tmp_path / "cache" / "kernelbench" / "worktrees"
    open_to_all.mkdir(parents=True)
    open_to_all.chmod(0o777)
    with checkouts() as made:
        assert made.check_out(known(repo.folder), repo.first, "HEAD~1").path.is_relative_to(tmp_path / "temporary")


def test_what_a_killed_comparison_left_is_removed_by_the_next(repo: Repo) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from kernelbench.gate.repository import find; from kernelbench.gate.worktree import checkouts\n"
        "with checkouts() as made:\n"
        "    print(made.check_out(find(Path(sys.argv[1])), sys.argv[2], 'x').path, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = str(Path(kernelbench.__file__).parents[1])
    killed = subprocess.run(
        [sys.executable, "-P", "-c", program, str(repo.folder), repo.first],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
        timeout=60,
        check=False,
    )
    left = Path(killed.stdout.strip())
    assert left.is_dir(), killed.stderr
    with checkouts() as made:
        made.check_out(known(repo.folder), repo.git("rev-parse", "HEAD"), "HEAD")
        assert not left.exists()
        assert str(left) not in repo.working_trees()


def test_a_checkout_whose_files_vanished_is_forgotten_by_git_too(repo: Repo) -> None:
    with checkouts() as made:
        shutil.rmtree(made.check_out(known(repo.folder), repo.first, "HEAD~1").path)
    assert repo.working_trees() == [str(repo.folder)]


def test_a_working_tree_of_the_user_that_is_not_mounted_now_is_not_forgotten(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "--detach", str(tmp_path / "stick"))
    shutil.rmtree(tmp_path / "stick")
    with checkouts() as made:
        made.check_out(known(repo.folder), repo.first, "HEAD~1")
    assert str(tmp_path / "stick") in repo.working_trees()


def test_a_damaged_repository_is_one_line_and_leaves_nothing(repo: Repo) -> None:
    blob = repo.git("rev-parse", f"HEAD~1:{SOURCE}")
    (repo.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with (
        pytest.raises(StoreError, match=r"'HEAD~1' \([0-9a-f]{12}\) cannot be checked out") as caught,
        checkouts() as made,
    ):
        made.check_out(known(repo.folder), repo.first, "HEAD~1")
    assert "\n" not in str(caught.value)
    assert repo.working_trees() == [str(repo.folder)]


def test_a_bare_repository_can_be_checked_out_from(repo: Repo, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--bare", str(repo.folder), "bare.git")
    bare = known(tmp_path / "bare.git")
    with checkouts() as made:
        assert (made.check_out(bare, repo.first, "x").path / SOURCE).read_text() == "one\n"


def test_a_checkout_that_cannot_be_removed_is_an_error(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match="busy"):
        fail_to_remove(repo, monkeypatch, lambda: None)


def test_a_checkout_that_cannot_be_removed_does_not_hide_the_error_before_it(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="'first'") as caught:
        fail_to_remove(repo, monkeypatch, lambda: int("first"))
    assert caught.value.__notes__ == ["it is busy"]


def fail_to_remove(repo: Repo, monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> None:
    """Work on a checkout that then resists."""

    def busy(repository: Repository, path: Path) -> None:
        raise StoreError("it is busy")

    with checkouts() as made:
        made.check_out(known(repo.folder), repo.first, "HEAD~1")
        monkeypatch.setattr(worktree, "remove", busy)
        work()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C is an interrupt, also where the tests were started in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_waits_until_the_checkouts_are_removed() -> None:
    done = []

    def work() -> None:
        with undisturbed():
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == [True]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_signals_are_left_alone_outside_the_main_thread() -> None:
    done = []

    def work() -> None:
        with undisturbed():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
