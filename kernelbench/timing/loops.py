"""The compiled loops that time a kernel.

A kernel is a C function ``void kernel(void *block)`` reached through a pointer that the compiler of
the loop cannot see through, so it can neither inline, hoist nor delete the call. The clock is read in
the compiled code as well, so nothing of Python's is inside the measured interval.
"""

import ctypes
from collections.abc import Callable, Sequence
from functools import cache

from kernelbench.native.jit import Code, compile_ir
from kernelbench.timing.clock import LOOK_ADDS, LOOK_CHAINS, LOOK_STEPS, LOOK_TRIPS, READ_CLOCK, adds_ir
from kernelbench.timing.sampling import Batch
from kernelbench.timing.stack import on_stack_ir

_JOB = {
    "kernel": "ptr",
    "blocks": "ptr",
    "count": "i64",
    "first": "i64",
    "calls": "i64",
    "slices": "i64",
    "trips": "i64",
    "out": "ptr",
}
"""What ``drive_slices`` is told, one word each: a single argument, so that it can begin on any stack."""


def _loaded(fields: dict[str, str]) -> str:
    lines = [
        f"  %{name}_at = getelementptr i64, ptr %job, i64 {i}\n  %{name} = load {kind}, ptr %{name}_at"
        for i, (name, kind) in enumerate(fields.items())
    ]
    return "\n".join(lines)


_LOOPS = (
    READ_CLOCK
    + adds_ir("look", LOOK_CHAINS, LOOK_STEPS)
    + on_stack_ir()
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

; Warm or cold in `slices` parts of `calls` calls, each followed by a look at the core of `trips` trips:
; out = {look before, (slice, look after) x slices}, all in nanoseconds. Nothing else runs in between.
define void @drive_slices(ptr %job) {
entry:
{fields}
  %before = call i64 @look(i64 %trips)
  store i64 %before, ptr %out
  %only = load ptr, ptr %blocks
  %single = icmp eq i64 %count, 1
  br label %slice
slice:
  %i = phi i64 [0, %entry], [%next, %looked]
  %b = phi i64 [%first, %entry], [%wrapped, %looked]
  br i1 %single, label %warm, label %cold
warm:
  %warm_ns = call i64 @drive_warm(ptr %kernel, ptr %only, i64 %calls)
  br label %looked
cold:
  %cold_ns = call i64 @drive_cold(ptr %kernel, ptr %blocks, i64 %count, i64 %b, i64 %calls)
  br label %looked
looked:
  %ns = phi i64 [%warm_ns, %warm], [%cold_ns, %cold]
  %adds_ns = call i64 @look(i64 %trips)
  %twice = mul i64 %i, 2
  %odd = add i64 %twice, 1
  %even = add i64 %twice, 2
  %ns_at = getelementptr i64, ptr %out, i64 %odd
  store i64 %ns, ptr %ns_at
  %adds_at = getelementptr i64, ptr %out, i64 %even
  store i64 %adds_ns, ptr %adds_at
  %following = add i64 %b, %calls
  %wrapped = urem i64 %following, %count
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %slices
  br i1 %more, label %slice, label %done
done:
  ret void
}
""".replace("{fields}", _loaded(_JOB))
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
def _drive_slices() -> Callable[[int], None]:
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_loops().address("drive_slices"))


@cache
def _on_stack() -> Callable[[int, int, int], None]:
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3)(_loops().address("on_stack"))


def empty_kernel() -> int:
    """Address of a kernel that does nothing: what is left is the loop's own cost."""
    return _loops().address("empty")


class Calls:
    """A kernel with the argument blocks it is called on, ready to be timed."""

    def __init__(self, kernel: int, blocks: Sequence[int], stack: int = 0) -> None:
        """``stack`` is the top of the stack that slices are timed on; 0: the caller's own."""
        self._kernel, self._stack = kernel, stack
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

    def slices(self, calls: int, count: int) -> Batch:
        """``count`` slices of ``calls`` calls in a row, each between two looks at the core."""
        out = (ctypes.c_int64 * (2 * count + 1))()
        sets = len(self._blocks)
        first, self._next = self._next, (self._next + calls * count) % sets
        blocks, at = ctypes.addressof(self._blocks), ctypes.addressof(out)
        job = (ctypes.c_int64 * len(_JOB))(self._kernel, blocks, sets, first, calls, count, LOOK_TRIPS, at)
        if self._stack:
            _on_stack()(_loops().address("drive_slices"), ctypes.addressof(job), self._stack)
        else:
            _drive_slices()(ctypes.addressof(job))
        looks = tuple(LOOK_ADDS / (ns * 1e-9) if ns else 0.0 for ns in out[0::2])
        return Batch(tuple(ns * 1e-9 for ns in out[1::2]), looks)
