"""The compiled loops that time a kernel.

A kernel is a C function ``void kernel(void *block)`` reached through a pointer that the compiler of
the loop cannot see through, so it can neither inline, hoist nor delete the call. The clock is read in
the compiled code as well, so nothing of Python's is inside the measured interval.
"""

import ctypes
import os
import threading
from collections.abc import Callable, Sequence
from functools import cache

from kernelbench.simd.jit import Code, compile_ir

READ_CLOCK = """
declare i32 @clock_gettime(i32, ptr)
define internal i64 @now() {
  %t = alloca {i64, i64}, align 16
  ; CLOCK_MONOTONIC is 1 on Linux: the clock of time.monotonic()
  %ignored = call i32 @clock_gettime(i32 1, ptr %t)
  %s = load i64, ptr %t
  %at = getelementptr {i64, i64}, ptr %t, i32 0, i32 1
  %ns = load i64, ptr %at
  %whole = mul i64 %s, 1000000000
  %sum = add i64 %whole, %ns
  ret i64 %sum
}
"""

_LOOPS = (
    READ_CLOCK
    + """
define void @empty(ptr %block) { ret void }

; Warm: calls kernel(block) over and over; returns nanoseconds.
define i64 @drive_warm(ptr %kernel, ptr %block, i64 %calls) {
entry:
  %start = call i64 @now()
  br label %loop
loop:
  %left = phi i64 [%calls, %entry], [%fewer, %loop]
  call void %kernel(ptr %block)
  %fewer = sub i64 %left, 1
  %more = icmp sgt i64 %fewer, 0
  br i1 %more, label %loop, label %done
done:
  %end = call i64 @now()
  %ns = sub i64 %end, %start
  ret i64 %ns
}

; Cold: calls kernel(blocks[first]), kernel(blocks[first + 1]), ... round and round, so that each finds its
; operands where the others' traffic has left them; returns nanoseconds.
define i64 @drive_cold(ptr %kernel, ptr %blocks, i64 %count, i64 %first, i64 %calls) {
entry:
  %start = call i64 @now()
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %b = phi i64 [%first, %entry], [%wrapped, %loop]
  %slot = getelementptr ptr, ptr %blocks, i64 %b
  %block = load ptr, ptr %slot
  call void %kernel(ptr %block)
  %following = add i64 %b, 1
  %over = icmp eq i64 %following, %count
  %wrapped = select i1 %over, i64 0, i64 %following
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %calls
  br i1 %more, label %loop, label %done
done:
  %end = call i64 @now()
  %ns = sub i64 %end, %start
  ret i64 %ns
}

; One thread of a team: waits until `team` threads have arrived, then calls the kernel `calls` times;
; writes its start and end time to times[0], times[1].
define void @drive_team(ptr %kernel, ptr %block, i64 %calls, ptr %arrived, i64 %team, ptr %times) {
entry:
  %before = atomicrmw add ptr %arrived, i64 1 seq_cst
  br label %wait
wait:
  %seen = load atomic i64, ptr %arrived seq_cst, align 8
  %all = icmp sge i64 %seen, %team
  br i1 %all, label %go, label %wait
go:
  %start = call i64 @now()
  br label %loop
loop:
  %i = phi i64 [0, %go], [%next, %loop]
  call void %kernel(ptr %block)
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %calls
  br i1 %more, label %loop, label %done
done:
  %end = call i64 @now()
  store i64 %start, ptr %times
  %second = getelementptr i64, ptr %times, i64 1
  store i64 %end, ptr %second
  ret void
}
"""
)


@cache
def _loops() -> Code:
    return compile_ir(_LOOPS)


@cache
def _drive_warm() -> Callable[[int, int, int], int]:
    kind = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 2, ctypes.c_int64)
    return kind(_loops().address("drive_warm"))


@cache
def _drive_cold() -> Callable[[int, int, int, int, int], int]:
    kind = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 3)
    return kind(_loops().address("drive_cold"))


@cache
def _drive_team() -> Callable[[int, int, int, int, int, int], None]:
    pointer, count = ctypes.c_void_p, ctypes.c_int64
    kind = ctypes.CFUNCTYPE(None, pointer, pointer, count, pointer, count, pointer)
    return kind(_loops().address("drive_team"))


def empty_kernel() -> int:
    """Address of a kernel that does nothing: what is left is the loop's own cost."""
    return _loops().address("empty")


class Calls:
    """A kernel with the argument blocks it is called on, ready to be timed."""

    def __init__(self, kernel: int, blocks: Sequence[int]) -> None:
        self._kernel = kernel
        self._first = blocks[0]
        self._next = 0
        self._blocks = (ctypes.c_void_p * len(blocks))(*blocks)

    def __call__(self, calls: int) -> float:
        """Call the kernel ``calls`` times over the blocks in turn; returns seconds for all of them."""
        if len(self._blocks) == 1:
            return _drive_warm()(self._kernel, self._first, calls) * 1e-9
        # On from where the last sample ended: starting over would find the first blocks still in a cache.
        first, self._next = self._next, (self._next + calls) % len(self._blocks)
        return _drive_cold()(self._kernel, ctypes.addressof(self._blocks), len(self._blocks), first, calls) * 1e-9


def run_team(kernel: int, blocks: Sequence[int], calls: int, cpus: Sequence[int]) -> float:
    """Call ``kernel(blocks[t])`` ``calls`` times on one thread per CPU at once; returns wall seconds.

    The threads start together behind a spinning barrier; the time is from the first start to the last
    end. One CPU runs on the calling thread.
    """
    arrived = ctypes.c_int64(0)
    times = (ctypes.c_int64 * (2 * len(cpus)))()

    def member(t: int) -> None:
        if t:
            os.sched_setaffinity(0, {cpus[t]})
        at = ctypes.addressof(times) + 16 * t
        _drive_team()(kernel, blocks[t], calls, ctypes.addressof(arrived), len(cpus), at)

    threads = [threading.Thread(target=member, args=(t,)) for t in range(1, len(cpus))]
    for thread in threads:
        thread.start()
    member(0)
    for thread in threads:
        thread.join()
    return (max(times[1::2]) - min(times[0::2])) * 1e-9
