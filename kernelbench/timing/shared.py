"""Memory that two processes map at one address: what they work on is then the very same bytes.

Physical page colours and the address hashes of a cache are part of an operand's speed; with each process on pages
of its own, identical code differs by 4 to 19% between two processes.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os

import numpy as np

from kernelbench.protocol import SharedMemory

_PROT_READ_WRITE, _MAP_SHARED, _MAP_FIXED_NOREPLACE = 3, 0x01, 0x100000


def attach(memory: SharedMemory) -> np.ndarray:
    """The shared bytes, mapped at their address for the rest of this process's life.

    Raises OSError when the address is taken or the system refuses.
    """
    return _mapped(memory.address, memory.size_bytes, _MAP_SHARED, memory.fd)


def beside(memory: SharedMemory) -> np.ndarray:
    """A page of this process alone, right behind the shared memory: at one address on both sides as well.

    For what a kernel reads besides its operands: the cache's hash of addresses makes lines collide by chance, and
    both sides shall have the same chance. Raises OSError as ``attach``.
    """
    return _mapped(memory.address + memory.size_bytes, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1)


def _mapped(address: int, size_bytes: int, flags: int, fd: int) -> np.ndarray:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    at = libc.mmap(address, size_bytes, _PROT_READ_WRITE, flags | _MAP_FIXED_NOREPLACE, fd, 0)
    if at != address:
        # Linux before 4.17 takes the flag for a hint and maps elsewhere, without an error.
        number = ctypes.get_errno() or errno.EEXIST
        raise OSError(number, f"cannot map {size_bytes} bytes at {address:#x}: {os.strerror(number)}")
    return np.ctypeslib.as_array((ctypes.c_uint8 * size_bytes).from_address(at))
