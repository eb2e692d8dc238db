"""Memory that two processes map at one address."""

import mmap
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import kernelbench
from kernelbench.gate.memory import ADDRESS, create
from kernelbench.protocol import SharedMemory
from kernelbench.timing.shared import attach, beside

SIZE = 4 << 20
ROOT = Path(kernelbench.__file__).resolve().parents[1]
OTHER = """
import sys
from kernelbench.protocol import SharedMemory
from kernelbench.timing.shared import attach
seen = attach(SharedMemory(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
assert seen.ctypes.data == int(sys.argv[2])
print(seen[1000], end="")
seen[2000] = 99
"""


@pytest.fixture
def fd() -> Iterator[int]:
    """4 MiB of memory that can be mapped more than once."""
    made = create(SIZE)
    yield made
    os.close(made)


@pytest.fixture
def address() -> Iterator[int]:
    """An address that nothing else in this process uses, given back afterwards."""
    found = ADDRESS + (1 << 40)
    yield found
    unmap(found, SIZE)


def unmap(address: int, size: int) -> None:
    """Give back what a test has mapped for the rest of this process's life."""
    import ctypes

    ctypes.CDLL(None).munmap(ctypes.c_void_p(address), ctypes.c_size_t(size))


def test_two_processes_see_the_very_same_bytes_at_the_same_address(fd: int, address: int) -> None:
    mine = attach(SharedMemory(fd, address, SIZE))
    mine[1000] = 42
    words = [sys.executable, "-c", OTHER, str(fd), str(address), str(SIZE)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    other = subprocess.run(words, pass_fds=(fd,), env=environment, capture_output=True, text=True, check=True)
    assert other.stdout == "42"
    assert mine[2000] == 99
    assert mine.ctypes.data == address


def test_it_is_zeroed_and_can_all_be_written(fd: int, address: int) -> None:
    mine = attach(SharedMemory(fd, address, SIZE))
    assert mine.nbytes == SIZE
    assert not mine.any()
    mine.fill(1)
    assert np.count_nonzero(mine) == SIZE


def test_an_address_that_is_taken_is_refused_and_nothing_there_is_lost(fd: int) -> None:
    taken = mmap.mmap(-1, SIZE)
    taken[0] = 7
    there = np.frombuffer(taken, np.uint8)
    with pytest.raises(OSError, match="cannot map 4194304 bytes at 0x"):
        attach(SharedMemory(fd, there.ctypes.data, SIZE))
    assert taken[0] == 7


def test_the_memory_is_really_there_and_not_inherited_by_accident(fd: int) -> None:
    state = os.fstat(fd)
    assert state.st_size == SIZE
    assert state.st_blocks * 512 >= SIZE
    assert not os.get_inheritable(fd)


def test_too_little_memory_leaves_no_file_open(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []
    close = os.close

    def refuse(fd: int, offset: int, length: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    monkeypatch.setattr(os, "close", lambda fd: (closed.append(fd), close(fd))[1])
    with pytest.raises(OSError, match="No space left"):
        create(SIZE)
    assert len(closed) == 1


def test_the_page_beside_it_is_this_process_s_own(fd: int, address: int) -> None:
    memory = SharedMemory(fd, address, SIZE)
    attach(memory)
    page = beside(memory)
    assert page.ctypes.data == address + SIZE
    page[:] = 7
    assert os.pread(fd, 1, 0) == b"\0"
    unmap(address + SIZE, mmap.PAGESIZE)
