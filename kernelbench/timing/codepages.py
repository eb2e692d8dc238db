"""Pages of compiled code, put onto memory that two processes share.

Which physical pages a kernel's code lies on is part of its speed, as with operands: a second-level cache that holds
all that the first-level caches hold (AMD's Zen, Intel's desktop cores before 2019) drops a loop's own instructions
once its operands fill the set that they lie in, and how many sets they share is told by the pages. A matrix-vector
product of as many bytes as that cache differed by 2 to 5% between two processes, and by 0.3% with its code on the
same pages.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import platform
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from msgspec import Struct

from kernelbench.native.jit import Code, compile_ir

_PROT_READ_EXEC, _MAP_SHARED, _MAP_FIXED, _FAILED = 5, 0x01, 0x10, 2**64 - 1

_SERIALISE = """
define void @serialise() {
  call {i32, i32, i32, i32} asm sideeffect "cpuid", "={ax},={bx},={cx},={dx},{ax},{cx},~{memory}"(i32 0, i32 0)
  ret void
}
"""


class CodeRoom(Struct, frozen=True):
    """Part of a shared memory that code may lie in."""

    fd: int
    offset: int
    """Where it begins in the file."""
    bytes: np.ndarray
    """It, mapped for writing."""


@contextlib.contextmanager
def room_of(size_bytes: int) -> Iterator[CodeRoom]:
    """Room for code of this process alone; what is moved in the block stays there. Raises OSError."""
    fd = os.memfd_create("kernelbench-code", os.MFD_CLOEXEC)
    try:
        os.posix_fallocate(fd, 0, max(size_bytes, mmap.PAGESIZE))
        mapped = np.frombuffer(mmap.mmap(fd, max(size_bytes, mmap.PAGESIZE)), np.uint8)
        yield CodeRoom(fd, 0, mapped[:size_bytes])
    finally:
        os.close(fd)


def available() -> bool:
    """True where code may be written as data: on x86-64 the caches of instructions follow, on others they are told."""
    return platform.machine() == "x86_64"


def code_pages() -> set[int]:
    """Addresses of all executable pages that belong to no file, as /proc tells; a millisecond."""
    found: set[int] = set()
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, permissions, *rest = line.split()
        if permissions == "r-xp" and len(rest) == 3:
            start, stop = (int(end, 16) for end in span.split("-"))
            found |= set(range(start, stop, mmap.PAGESIZE))
    return found


def made_since(before: set[int]) -> list[range]:
    """Address ranges of the code on pages that ``before`` lacks."""
    made: list[range] = []
    for page in sorted(code_pages() - before):
        if made and made[-1].stop == page:
            made[-1] = range(made[-1].start, page + mmap.PAGESIZE)
        else:
            made.append(range(page, page + mmap.PAGESIZE))
    return made


class SharedCode:
    """Code at the addresses where it was made, whose pages are those of a room.

    Another process may put its own code into the room; ``write`` before this one's is run again.
    """

    def __init__(self, made: Sequence[range], room: CodeRoom) -> None:
        """Raises OSError when the room is too small, or memory that is shared may not be executed here."""
        self._code = b"".join(ctypes.string_at(one.start, len(one)) for one in made)
        if len(self._code) > room.bytes.nbytes:
            raise OSError(errno.ENOMEM, f"{len(self._code)} bytes of code do not fit into {room.bytes.nbytes}")
        self._room = room
        with mmap.mmap(room.fd, mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_EXEC, offset=room.offset):
            pass  # it may be executed: what follows does not fail halfway
        self.write()
        offset = room.offset
        for one in made:
            _map(one, room.fd, offset)
            offset += len(one)

    def write(self) -> None:
        """Put the code in place."""
        ctypes.memmove(self._room.bytes.ctypes.data, self._code, len(self._code))
        # The code was written by other addresses than it is run by (Intel SDM 3, 9.1.3: serialise in between).
        _serialise()


def _map(pages: range, fd: int, offset: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_size_t
    libc.mmap.argtypes = [ctypes.c_size_t, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    if libc.mmap(pages.start, len(pages), _PROT_READ_EXEC, _MAP_SHARED | _MAP_FIXED, fd, offset) == _FAILED:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot map code at {pages.start:#x}: {os.strerror(number)}")


@cache
def _serialiser() -> Code:
    return compile_ir(_SERIALISE)


def _serialise() -> None:
    ctypes.CFUNCTYPE(None)(_serialiser().address("serialise"))()
