"""Several threads, each calling its own kernel in slices at the same time, with the rate of all at every moment.

On a shared host two cores are seldom both quiet, and never from one thread's start to its end. So every thread notes
when each of its slices began and ended, and the team's rate is taken over the moments of one slice: the sum of what
all threads did just then.
"""

import ctypes
import os
import threading
from collections.abc import Callable, Sequence
from functools import cache

from msgspec import Struct

from kernelbench.native.jit import Code, compile_ir
from kernelbench.timing.clock import LOOK_ADDS, LOOK_CHAINS, LOOK_STEPS, LOOK_TRIPS, READ_CLOCK, adds_ir
from kernelbench.timing.sampling import Batch

_LOOPS = (
    READ_CLOCK
    + adds_ir("look", LOOK_CHAINS, LOOK_STEPS)
    + """
; One thread: waits until `team` threads have arrived, then makes `slices` slices of `calls` calls, each followed by a
; look at its core; out = {look before, (begin, end, look after) x slices}, in nanoseconds.
define void @drive_member(ptr %kernel, ptr %block, i64 %calls, i64 %slices, i64 %trips, ptr %arrived, i64 %team,
                          ptr %out) {
entry:
  %before = call i64 @look(i64 %trips)
  store i64 %before, ptr %out
  %ticket = atomicrmw add ptr %arrived, i64 1 seq_cst
  br label %wait
wait:
  %seen = load atomic i64, ptr %arrived seq_cst, align 8
  %all = icmp sge i64 %seen, %team
  br i1 %all, label %slice, label %wait
slice:
  %i = phi i64 [0, %wait], [%next, %looked]
  %begin = call i64 @now()
  br label %loop
loop:
  %k = phi i64 [0, %slice], [%more_k, %loop]
  call void %kernel(ptr %block)
  %more_k = add i64 %k, 1
  %again = icmp slt i64 %more_k, %calls
  br i1 %again, label %loop, label %looked
looked:
  %end = call i64 @now()
  %look_ns = call i64 @look(i64 %trips)
  %row = mul i64 %i, 3
  %b_at = add i64 %row, 1
  %e_at = add i64 %row, 2
  %l_at = add i64 %row, 3
  %b_ptr = getelementptr i64, ptr %out, i64 %b_at
  store i64 %begin, ptr %b_ptr
  %e_ptr = getelementptr i64, ptr %out, i64 %e_at
  store i64 %end, ptr %e_ptr
  %l_ptr = getelementptr i64, ptr %out, i64 %l_at
  store i64 %look_ns, ptr %l_ptr
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %slices
  br i1 %more, label %slice, label %done
done:
  ret void
}
"""
)


class Member(Struct, frozen=True):
    """What one thread of a team did."""

    spans_s: tuple[tuple[float, float], ...]
    """Begin and end of each slice, on one clock for all threads."""
    looks: tuple[float, ...]
    """Independent adds a second of its core before the first and after each slice; 0 where not measured."""


@cache
def _code() -> Code:
    return compile_ir(_LOOPS)


@cache
def _drive_member() -> Callable[[int, int, int, int, int, int, int, int], None]:
    pointer, count = ctypes.c_void_p, ctypes.c_int64
    kind = ctypes.CFUNCTYPE(None, pointer, pointer, count, count, count, pointer, count, pointer)
    return kind(_code().address("drive_member"))


def run_team(kernel: int, blocks: Sequence[int], calls: int, slices: int, cpus: Sequence[int]) -> tuple[Member, ...]:
    """Call ``kernel(blocks[t])`` in ``slices`` slices of ``calls`` calls on one thread per CPU at once.

    The threads start together behind a spinning barrier; the first runs on the calling thread, where it is.
    """
    drive = _drive_member()  # before any thread is there: compiled twice at once, one of the two would be freed in use
    arrived = ctypes.c_int64(0)
    outs = [(ctypes.c_int64 * (1 + 3 * slices))() for _ in cpus]

    def member(t: int) -> None:
        if t:
            os.sched_setaffinity(0, {cpus[t]})
        at = ctypes.addressof(outs[t])
        drive(kernel, blocks[t], calls, slices, LOOK_TRIPS, ctypes.addressof(arrived), len(cpus), at)

    threads = [threading.Thread(target=member, args=(t,)) for t in range(1, len(cpus))]
    for thread in threads:
        thread.start()
    member(0)
    for thread in threads:
        thread.join()
    return tuple(
        Member(
            spans_s=tuple((begin * 1e-9, end * 1e-9) for begin, end in zip(out[1::3], out[2::3], strict=True)),
            looks=tuple(LOOK_ADDS / (ns * 1e-9) if ns else 0.0 for ns in (out[0], *out[3::3])),
        )
        for out in outs
    )


def together(members: Sequence[Member]) -> Batch:
    """The team's slices: for each of the first thread's in which all threads were at work, what it took at that rate.

    In the span of a slice a thread's speed is that of its own slices that overlap it, weighted by the overlap; the
    team's is their sum, and ``seconds`` what as many calls of every thread take at that speed. The look of a slice is
    the least of any thread's beside it. Threads that never worked at the same time give no slice.
    """
    first, *others = members
    begin = max(member.spans_s[0][0] for member in members)
    end = min(member.spans_s[-1][1] for member in members)
    seconds, looks = [], []
    for i, (low, high) in enumerate(first.spans_s):
        if low < begin or high > end:
            continue
        speeds, seen = [1 / (high - low)], [*first.looks[i : i + 2]]
        for other in others:
            speed, beside = _meanwhile(other, low, high)
            speeds.append(speed)
            seen += beside
        seconds.append(len(members) / sum(speeds))
        looks.append(min(seen))
    if not seconds:
        return Batch((), (0.0,))
    # A slice lies between two looks: each of them must be no better than what was seen beside the slice.
    return Batch(tuple(seconds), (looks[0], *looks))


def _meanwhile(member: Member, low: float, high: float) -> tuple[float, tuple[float, ...]]:
    """Slices a second of ``member`` between two times, and its looks beside them."""
    overlaps = [
        (min(high, end) - max(low, begin), 1 / (end - begin), i)
        for i, (begin, end) in enumerate(member.spans_s)
        if begin < high and end > low
    ]
    total = sum(part for part, *_ in overlaps)
    if not total:
        return 0.0, ()
    indices = [i for *_, i in overlaps]
    return sum(part * speed for part, speed, _ in overlaps) / total, member.looks[min(indices) : max(indices) + 2]
