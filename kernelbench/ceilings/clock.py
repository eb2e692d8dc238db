"""What the core really does now, from additions alone: its clock, and whether it has its units to itself.

A chain of dependent adds runs at one a cycle whatever the neighbours do: that is the clock. Independent adds fill
every integer unit, and a busy SMT sibling (on a cloud host: somebody else's) takes its share of those: fewer adds
a cycle mean that the core is being shared, which no operating system tells a guest.
"""

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


WIDE = 6
"""Independent chains: at least as many as any core has integer units."""
WIDE_STEPS = 12
WIDE_TRIPS = 1100  # 6 x 12 x 1100 = 79,200 adds: 5.4 us at four a cycle and 3.65 GHz.
_WIDE_ADD = {"x86_64": "addq ${step}, ${chain}", "aarch64": "add ${chain}, ${chain}, ${step}"}


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


def _wide_ir(architecture: str) -> str:
    template = _WIDE_ADD[architecture].replace("{step}", str(WIDE))
    body = "\\0A".join(template.replace("{chain}", str(c)) for _ in range(WIDE_STEPS) for c in range(WIDE))
    constraints = ",".join(["=r"] * WIDE + ["r"] + [str(c) for c in range(WIDE)])
    kind = "{" + ", ".join(["i64"] * WIDE) + "}"
    starts = "\n".join(f"  %x{c} = phi i64 [{c}, %entry], [%y{c}, %loop]" for c in range(WIDE))
    passed = ", ".join(["i64 3", *(f"i64 %x{c}" for c in range(WIDE))])
    results = "\n".join(f"  %y{c} = extractvalue {kind} %r, {c}" for c in range(WIDE))
    return (
        READ_CLOCK
        + f"""
define i64 @wide(i64 %trips) {{
entry:
  %start = call i64 @now()
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
{starts}
  %r = call {kind} asm sideeffect "{body}", "{constraints}"({passed})
{results}
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
def _wide() -> Code:
    return compile_ir(_wide_ir(platform.machine()))


def adds_per_s(trips: int = WIDE_TRIPS) -> float:
    """Independent additions a second now: units x clock on a core of one's own, less when it is shared.

    Raises KeyError where no chain is known for the architecture; ask ``available`` first.
    """
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(_wide().address("wide"))
    nanoseconds: int = function(trips)
    return WIDE * WIDE_STEPS * trips / (nanoseconds * 1e-9)


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
