"""Load latency: a pointer chase in random order, so that each load waits for the one before and none is foreseen.

The chain goes through every line of the working set once and comes back to its start. It holds addresses, not
indices: a load from a bare register is the fastest that a core knows. A working set beyond the reach of the TLB
pays for its misses too, as any random access does: they are part of the latency. The buffer lies on huge pages
where the kernel grants them (2 MiB a TLB entry), which makes them rare up to some GiB.
"""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np
import numpy.typing as npt

from kernelbench.ceilings.memory import curve
from kernelbench.errors import WorkerError
from kernelbench.native.jit import Code, compile_ir

LINE_BYTES = 64
POINTER_BYTES = 8
HOPS_A_TRIP = 16
"""Loads a trip of the loop: its counting runs beside them and costs nothing."""


def points(levels: tuple[tuple[str, int], ...]) -> tuple[tuple[int, str], ...]:
    """(working set in bytes, level it stands for or ""): one an octave from 4 KiB, and each level's own.

    ``levels`` as for ``memory.ladder``: (name, bytes of one thread's share), nearest first, the last being
    DRAM, which is measured at all of its bytes. Another level is measured at half its share, or at twice the
    nearer level's share where that is less: a chase asks for a line once in tens of thousands of loads, and
    neighbours on a shared last level have evicted it by then (on a Zen 4 guest with 16 MiB of it: 13 ns at
    2 MiB, 14 to 110 at 4, 130 at 8, while reads at full bandwidth still find 8 MiB there).
    """
    own, before = {}, 0
    for name, share in levels:
        size = share if name == "DRAM" else share // 2
        if size <= before:
            size += before
        elif before and name != "DRAM":
            size = min(size, 2 * before)
        own[size] = name
        before = share
    return curve(own, points_per_octave=1)


def chain(size_bytes: int, line_bytes: int = LINE_BYTES, seed: int = 0) -> npt.NDArray[np.int64]:
    """(lines,) the index of the line that follows each line: one random cycle over all whole lines.

    A random order of the lines, each followed by the next in it and the last by the first, is a uniformly
    random cycle, and made without a loop. Raises WorkerError where there are fewer than two lines, or where a
    line is no whole number of pointers.
    """
    lines = size_bytes // line_bytes
    if lines < 2 or line_bytes % POINTER_BYTES:
        raise WorkerError(
            f"cannot chase through {size_bytes} bytes in lines of {line_bytes}: a line is a multiple of "
            f"{POINTER_BYTES} bytes, and each needs another to go to; give {2 * line_bytes} bytes or more"
        )
    # Half as many bytes to shuffle: the order of 128 MiB of lines is itself larger than a second level.
    order = np.arange(lines, dtype=np.int32 if lines < 1 << 31 else np.int64)
    np.random.default_rng(seed).shuffle(order)
    following = np.empty(lines, np.int64)
    following[order] = np.roll(order, -1)
    return following


def place(following: npt.NDArray[np.int64], buffer: npt.NDArray[np.generic], line_bytes: int = LINE_BYTES) -> int:
    """Write the chain's pointers to the start of each line of ``buffer``; returns the address to start from.

    ``buffer`` is contiguous, starts on a line boundary and outlives every chase. What was written last is
    still in the caches: go round once before timing, a few times where the working set fits a cache. Raises
    WorkerError where the buffer is too small or not so aligned.
    """
    address, needed = buffer.ctypes.data, len(following) * line_bytes
    if buffer.nbytes < needed or address % line_bytes:
        raise WorkerError(
            f"a chain of {len(following)} lines of {line_bytes} bytes needs {needed} bytes from a line boundary on, "
            f"not {buffer.nbytes} bytes {address % line_bytes} behind one: take the buffer from an Arena"
        )
    words = buffer.reshape(-1).view(np.uint8)[:needed].view(np.int64)
    words[:: line_bytes // POINTER_BYTES] = address + following * line_bytes
    return address


def block(start: int, hops: int) -> ctypes.Array[ctypes.c_int64]:
    """The argument of ``chase``: {where to go on, hops, where it stopped}; ``hops`` from ``whole_trips``."""
    return (ctypes.c_int64 * 4)(start, hops)


def whole_trips(hops: int) -> int:
    """``hops`` rounded up to what one call makes: a multiple of ``HOPS_A_TRIP``, one trip at least."""
    return max(1, -(-hops // HOPS_A_TRIP)) * HOPS_A_TRIP


def source() -> str:
    """IR of ``void chase(block)``: block = {where to go on, hops, where it stopped}.

    Each call goes on where the last one stopped (the first word moves along), for otherwise a few hops over
    and over would find a large working set's first lines in the nearest cache. ``hops`` is a multiple of
    ``HOPS_A_TRIP``; any other number is rounded up. What was written last is still in the caches: go round
    once before timing.
    """
    hops = [
        f"  %p{k + 1} = load ptr, ptr {'%p' if k == 0 else f'%p{k}'}, align {POINTER_BYTES}" for k in range(HOPS_A_TRIP)
    ]
    return f"""
define void @chase(ptr %block) {{
entry:
  %start = load ptr, ptr %block
  %hops_at = getelementptr i64, ptr %block, i64 1
  %hops = load i64, ptr %hops_at
  br label %loop
loop:
  %left = phi i64 [%hops, %entry], [%fewer, %loop]
  %p = phi ptr [%start, %entry], [%p{HOPS_A_TRIP}, %loop]
{chr(10).join(hops)}
  %fewer = sub i64 %left, {HOPS_A_TRIP}
  %more = icmp sgt i64 %fewer, 0
  br i1 %more, label %loop, label %done
done:
  store ptr %p{HOPS_A_TRIP}, ptr %block
  %end_at = getelementptr i64, ptr %block, i64 2
  store ptr %p{HOPS_A_TRIP}, ptr %end_at
  ret void
}}
"""


@cache
def compiled() -> Code:
    """The chase's code: ``void chase(block)``, see ``source``."""
    return compile_ir(source())
