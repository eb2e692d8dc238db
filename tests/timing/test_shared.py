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
from kernelbench.protocol import RESERVED_BYTES, STACK_BYTES, SharedMemory
from kernelbench.timing.shared import attach

SIZE = RESERVED_BYTES + (4 << 20)
ROOT = Path(kernelbench.__file__).resolve().parents[1]
OTHER = """
import sys
from kernelbench.protocol import SharedMemory
from kernelbench.timing.shared import attach
shared = attach(SharedMemory(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
seen = shared.operands
print(shared.stack, shared.arguments.ctypes.data, seen.ctypes.data)
print(seen[1000], end="")
seen[2000] = 99
"""


@pytest.fixture
def fd() -> Iterator[int]:
    """Memory that can be mapped more than once."""
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
    shared = attach(SharedMemory(fd, address, SIZE))
    mine = shared.operands
    mine[1000] = 42
    words = [sys.executable, "-c", OTHER, str(fd), str(address), str(SIZE)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    other = subprocess.run(words, pass_fds=(fd,), env=environment, capture_output=True, text=True, check=True)
    assert other.stdout == f"{shared.stack} {shared.arguments.ctypes.data} {mine.ctypes.data}\n42"
    assert mine[2000] == 99


def test_it_is_zeroed_and_can_all_be_written(fd: int, address: int) -> None:
    mine = attach(SharedMemory(fd, address, SIZE)).operands
    assert mine.nbytes == SIZE - RESERVED_BYTES
    assert not mine.any()
    mine.fill(1)
    assert np.count_nonzero(mine) == mine.nbytes


def test_an_address_that_is_taken_is_refused_and_nothing_there_is_lost(fd: int) -> None:
    taken = mmap.mmap(-1, SIZE)
    taken[0] = 7
    there = np.frombuffer(taken, np.uint8)
    with pytest.raises(OSError, match=f"cannot map {SIZE} bytes at 0x"):
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


def test_the_stack_comes_first_then_the_arguments_then_the_operands(fd: int, address: int) -> None:
    shared = attach(SharedMemory(fd, address, SIZE))
    assert shared.stack == address + STACK_BYTES == shared.arguments.ctypes.data
    assert shared.operands.ctypes.data == address + RESERVED_BYTES
    assert shared.operands.ctypes.data % (2 << 20) == 0


def test_the_stack_begins_as_far_down_as_asked_for(fd: int, address: int) -> None:
    shared = attach(SharedMemory(fd, address, SIZE, stack_skips_bytes=3 * mmap.PAGESIZE))
    assert shared.stack == address + STACK_BYTES - 3 * mmap.PAGESIZE
