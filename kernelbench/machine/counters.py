"""Do hardware performance counters work here? Asked by counting instructions with perf_event_open(2)."""

import ctypes
import errno
import os
import platform
import struct

from kernelbench.machine.tree import RECORDED, Tree
from kernelbench.machine.virtualisation import guest_name, hypervisor_of
from kernelbench.model import Unknown

#: System call numbers (Linux include/uapi/asm-generic/unistd.h and arch/x86/entry/syscalls/syscall_64.tbl).
SYSCALL = {"x86_64": 298, "aarch64": 241, "riscv64": 241, "ppc64le": 319, "s390x": 331}

PARANOID = "proc/sys/kernel/perf_event_paranoid"

#: struct perf_event_attr of 64 bytes (PERF_ATTR_SIZE_VER0): type PERF_TYPE_HARDWARE, its size, config
#: PERF_COUNT_HW_INSTRUCTIONS, three zero words, the flag word, two zero words. Flag bits 5 and 6 exclude
#: kernel and hypervisor, which an unprivileged process may not count.
ATTRIBUTES = struct.pack("=IIQQQQQQQ", 0, 64, 1, 0, 0, 0, 1 << 5 | 1 << 6, 0, 0)


def read(tree: Tree, virtualisation: str | Unknown) -> str | Unknown:
    """ "perf_event" when instructions can be counted, else why not."""
    if not tree.live:
        return RECORDED
    machine = platform.machine()
    if machine not in SYSCALL:
        return Unknown(f"the number of perf_event_open is not known for {machine}")
    libc = ctypes.CDLL(None, use_errno=True)
    this_process, any_cpu, no_group, close_on_exec = 0, -1, -1, 8
    attributes = ctypes.create_string_buffer(ATTRIBUTES, len(ATTRIBUTES))
    numbers = (this_process, any_cpu, no_group, close_on_exec)
    handle = libc.syscall(ctypes.c_long(SYSCALL[machine]), attributes, *map(ctypes.c_long, numbers))
    if handle < 0:
        return Unknown(explain(ctypes.get_errno(), tree.text(PARANOID), virtualisation))
    return _count(handle)


def explain(code: int, paranoid: str | Unknown, virtualisation: str | Unknown) -> str:
    """What errno ``code`` of perf_event_open means for the user."""
    if code in (errno.EACCES, errno.EPERM):
        level = "its level is not shown" if isinstance(paranoid, Unknown) else f"it is {paranoid}"
        return f"not allowed: kernel.perf_event_paranoid must be 2 or less without root, {level}; or seccomp forbids it"
    if code in (errno.ENOENT, errno.EOPNOTSUPP, errno.ENODEV):
        guest = hypervisor_of(virtualisation) != "none"
        return f"no PMU: {guest_name(virtualisation)}" if guest else "no PMU that this kernel knows"
    if code == errno.ENOSYS:
        return "kernel without perf_event, or seccomp hides it"
    return f"perf_event_open failed: {os.strerror(code)}"


def _count(handle: int) -> str | Unknown:
    try:
        counted = int.from_bytes(os.read(handle, 8), "little")
    except OSError as error:
        return Unknown(f"the counter opens but cannot be read: {error.strerror}")
    finally:
        os.close(handle)
    return "perf_event" if counted else Unknown("the counter opens but counts nothing")
