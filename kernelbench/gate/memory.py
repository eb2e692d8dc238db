"""Memory that two workers will both map, so that they work on the same bytes at the same address."""

import os

ADDRESS = 0x6000_0000_0000
"""Far from where Linux puts programs, heaps and libraries; a 2 MiB boundary."""


def create(size_bytes: int) -> int:
    """A file descriptor of ``size_bytes`` of memory, really there. Raises OSError when the system has too little."""
    fd = os.memfd_create("kernelbench", os.MFD_CLOEXEC)
    try:
        # Memory that is only promised ends a process with SIGBUS when it is touched and there is none.
        os.posix_fallocate(fd, 0, size_bytes)
    except OSError:
        os.close(fd)
        raise
    return fd
