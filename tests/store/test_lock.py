"""One run at a time on a host."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import filelock
import pytest

from kernelbench.store.lock import HostLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kernelbench.lock"


def silent(_: str) -> None:
    raise AssertionError("nobody has the lock: there is nothing to wait for")


def test_a_free_lock_is_taken_without_a_word(path: Path) -> None:
    with HostLock(path) as lock:
        assert lock.acquire(0, silent)


def test_the_second_run_is_told_who_has_the_lock_and_gives_up_after_the_wait(path: Path) -> None:
    said: list[str] = []
    with HostLock(path) as first, HostLock(path) as second:
        assert first.acquire(0, silent)
        assert not second.acquire(0, said.append)
    assert said == [f"another kernelbench run (process {os.getpid()}) is measuring on this host; waiting up to 0 s"]


def test_a_lock_given_back_while_waiting_is_taken(path: Path) -> None:
    with HostLock(path) as first, HostLock(path) as second:
        assert first.acquire(0, silent)
        assert second.acquire(5, lambda _: first.release())


def test_leaving_the_block_gives_the_lock_back(path: Path) -> None:
    with HostLock(path) as first:
        assert first.acquire(0, silent)
    with HostLock(path) as second:
        assert second.acquire(0, silent)


def test_a_process_that_dies_with_the_lock_gives_it_back(path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from kernelbench.store.lock import HostLock\n"
        "lock = HostLock(Path(sys.argv[1])); assert lock.acquire(0, print); os._exit(7)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 7
    with HostLock(path) as lock:
        assert lock.acquire(0, silent)


def test_any_user_may_open_the_file(path: Path) -> None:
    with HostLock(path) as lock:
        lock.acquire(0, silent)
        assert path.stat().st_mode & 0o777 == 0o666


def test_a_lock_that_cannot_be_had_at_all_is_said_and_does_not_stop_the_run(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(filelock.FileLock, "acquire", denied)
    said: list[str] = []
    with HostLock(path) as lock:
        assert not lock.acquire(1, said.append)
    assert "Permission denied" in said[0]
