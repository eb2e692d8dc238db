"""What the core really does now, from additions alone: its clock, and whether it has its units to itself.

A chain of dependent adds runs at one a cycle whatever the neighbours do: that is the clock. Independent adds fill
every integer unit, and a busy SMT sibling (on a cloud host: somebody else's) takes its share of those: fewer adds
a cycle mean that the core is being shared, which no operating system tells a guest.
"""

import ctypes
import platform
from functools import cache

from kernelbench.native.jit import Code, compile_ir

# Register-register adds. Not `add $1`: recent Intel cores fold chains of small immediates when renaming and would
# show several per cycle.
_ADD = {"x86_64": "addq ${step}, ${chain}", "aarch64": "add ${chain}, ${chain}, ${step}"}

CHAIN_STEPS = 64
CHAIN_TRIPS = 1600
"""64 x 1600 = 102,400 dependent adds, a cycle each: 28 us at 3.65 GHz, inside DESIGN's 20-50 us."""
LOOK_CHAINS = 6
"""Independent chains: at least as many as any core has integer units."""
LOOK_STEPS = 12
LOOK_TRIPS = 600
"""6 x 12 x 600 = 43,200 independent adds: 3 us at four a cycle and 3.65 GHz."""
LOOK_ADDS = LOOK_CHAINS * LOOK_STEPS * LOOK_TRIPS

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


def available() -> bool:
    """True where additions are known for this architecture."""
    return platform.machine() in _ADD


def adds_ir(name: str, chains: int, steps: int) -> str:
    """IR of ``i64 name(i64 trips)``: nanoseconds that ``trips`` x ``steps`` adds in each of ``chains`` take.

    Where no add is known for the architecture, the function returns 0. Needs ``READ_CLOCK`` in the module.
    """
    if not available():
        return f"\ndefine i64 @{name}(i64 %trips) {{ ret i64 0 }}\n"
    each = range(chains)
    template = _ADD[platform.machine()].replace("{step}", str(chains))
    body = "\\0A".join(template.replace("{chain}", str(c)) for _ in range(steps) for c in each)
    constraints = ",".join(["=r"] * chains + ["r"] + [str(c) for c in each])
    kind = "{" + ", ".join(["i64"] * chains) + "}"
    starts = "\n".join(f"  %x{c} = phi i64 [{c}, %entry], [%y{c}, %loop]" for c in each)
    passed = ", ".join(["i64 3", *(f"i64 %x{c}" for c in each)])
    if chains == 1:
        called = f'  %y0 = call i64 asm sideeffect "{body}", "{constraints}"({passed})'
    else:
        results = "\n".join(f"  %y{c} = extractvalue {kind} %r, {c}" for c in each)
        called = f'  %r = call {kind} asm sideeffect "{body}", "{constraints}"({passed})\n{results}'
    return f"""
define i64 @{name}(i64 %trips) {{
entry:
  %start = call i64 @now()
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
{starts}
{called}
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %trips
  br i1 %more, label %loop, label %done
done:
  %end = call i64 @now()
  %ns = sub i64 %end, %start
  ret i64 %ns
}}
"""


@cache
def _code() -> Code:
    return compile_ir(READ_CLOCK + adds_ir("chain", 1, CHAIN_STEPS) + adds_ir("look", LOOK_CHAINS, LOOK_STEPS))


def _nanoseconds(name: str, trips: int) -> int:
    if not available():
        raise KeyError(f"no addition is known for {platform.machine()}")
    took: int = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(_code().address(name))(trips)
    return took


def clock_hz(trips: int = CHAIN_TRIPS) -> float:
    """Effective core frequency now, in Hz: dependent adds over their time.

    Raises KeyError where no add is known for the architecture; ask ``available`` first.
    """
    return CHAIN_STEPS * trips / (_nanoseconds("chain", trips) * 1e-9)


def adds_per_s() -> float:
    """Independent additions a second now: units x clock on a core of one's own, less when it is shared.

    Raises KeyError where no add is known for the architecture; ask ``available`` first.
    """
    return LOOK_ADDS / (_nanoseconds("look", LOOK_TRIPS) * 1e-9)
