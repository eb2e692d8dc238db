"""Effective core clock from a chain of dependent adds: what the core really ran at, not what it claims."""

import ctypes
import platform
from functools import cache

from kernelbench.simd.jit import Code, compile_ir
from kernelbench.timing.loops import READ_CLOCK

# Register-register adds in one dependency chain: a cycle each. Not `add $1`: recent Intel cores fold
# chains of small immediates when renaming and would show several per cycle.
_ADDS = {
    "x86_64": ("addq $1, $0", "=r,r,0"),
    "aarch64": ("add $0, $0, $1", "=r,r,0"),
}
CHAIN = 64
"""Adds per trip around the clock loop; the loop's own counter runs beside them."""

TRIPS = 1600  # 64 x 1600 = 102,400 cycles: 28 us at 3.65 GHz, inside DESIGN's 20-50 us.


def _ir(architecture: str) -> str:
    template, constraints = _ADDS[architecture]
    body = "\\0A".join([template] * CHAIN)
    return (
        READ_CLOCK
        + f"""
define i64 @chain(i64 %trips) {{
entry:
  %start = call i64 @now()
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %x = phi i64 [1, %entry], [%y, %loop]
  %y = call i64 asm sideeffect "{body}", "{constraints}"(i64 3, i64 %x)
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %trips
  br i1 %more, label %loop, label %done
done:
  %end = call i64 @now()
  %ns = sub i64 %end, %start
  ret i64 %ns
}}
"""
    )


@cache
def _chain() -> Code:
    return compile_ir(_ir(platform.machine()))


def available() -> bool:
    """True where a chain is known for this architecture."""
    return platform.machine() in _ADDS


def clock_hz(trips: int = TRIPS) -> float:
    """Effective core frequency now, in Hz: 64 x trips dependent adds over their time.

    Raises KeyError where no chain is known for the architecture; ask ``available`` first.
    """
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(_chain().address("chain"))
    nanoseconds: int = function(trips)
    return CHAIN * trips / (nanoseconds * 1e-9)
