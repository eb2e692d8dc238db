"""Memory that two processes map at one address: what they work on is then the very same bytes.

Physical page colours and the address hashes of a cache are part of an operand's speed; with each process on pages
of its own, identical code differs by 4 to 19% between two processes.
"""

from __future__ import annotations

import ctypes
import errno
import os

import numpy as np
from msgspec import Struct, UnsetType

from kernelbench.protocol import CODE_BYTES, RESERVED_BYTES, STACK_BYTES, SharedMemory
from kernelbench.timing.codepages import CodeRoom

_PROT_READ_WRITE, _MAP_SHARED, _MAP_FIXED_NOREPLACE = 3, 0x01, 0x100000


class Attached(Struct, frozen=True):
    """A shared memory, mapped at its address for the rest of this process's life."""

    stack: int
    """Top of a stack. It comes first in the memory: what runs over its end meets nothing, and crashes."""
    arguments: np.ndarray
    """Bytes for what a kernel reads besides its operands."""
    code: CodeRoom
    """Room for the code of kernels."""
    operands: np.ndarray
    """The rest, from a 2 MiB boundary on."""


def attach(memory: SharedMemory) -> Attached:
    """Map the shared memory. What one side has written into it the other may have changed by its next turn.

    Raises OSError when the address is taken or the system refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    flags = _MAP_SHARED | _MAP_FIXED_NOREPLACE
    at = libc.mmap(memory.address, memory.size_bytes, _PROT_READ_WRITE, flags, memory.fd, 0)
    if at != memory.address:
        # Linux before 4.17 takes the flag for a hint and maps elsewhere, without an error.
        number = ctypes.get_errno() or errno.EEXIST
        raise OSError(number, f"cannot map {memory.size_bytes} bytes at {memory.address:#x}: {os.strerror(number)}")
    mapped = np.ctypeslib.as_array((ctypes.c_uint8 * memory.size_bytes).from_address(at))
    code = RESERVED_BYTES - CODE_BYTES
    return Attached(
        stack=memory.address + STACK_BYTES - memory.stack_skips_bytes,
        arguments=mapped[STACK_BYTES:code],
        code=CodeRoom(memory.fd, code, mapped[code:RESERVED_BYTES]),
        operands=mapped[RESERVED_BYTES:],
    )


def attached(memory: SharedMemory | UnsetType) -> tuple[Attached | None, str]:
    """The memory shared by a pair of workers; why there is none, empty where that is right."""
    if isinstance(memory, UnsetType):
        return None, ""
    try:
        return attach(memory), ""
    except OSError as error:
        return None, error.strerror or str(error)
