"""Bandwidth probes: wide loads and stores, eight vectors a trip, no libc memcpy.

One function per access mix, over arrays a, b, c of the same length:
  read   loads a                      (nothing written)
  copy   b = a                        (1 load : 1 store)
  triad  a = b + s c                  (2 loads : 1 store)
Counted are algorithmic bytes, loads and stores of the source; lines read for ownership are not.
"""

from __future__ import annotations

from functools import cache

from kernelbench.simd.jit import Code, compile_ir

UNROLL = 8
VECTOR_BYTES = 64
"""A vector of the source; targets with narrower registers split it."""
STEP_BYTES = UNROLL * VECTOR_BYTES
ARRAYS = {"read": 1, "copy": 2, "triad": 3}
MIXES = tuple(ARRAYS)
VEC = "<16 x float>"


def _at(array: str, u: int) -> str:
    return (
        f"  %{array}o{u} = add i64 %i, {u * VECTOR_BYTES}\n"
        f"  %{array}p{u} = getelementptr i8, ptr %{array}, i64 %{array}o{u}"
    )


def _load(array: str, u: int) -> str:
    return f"{_at(array, u)}\n  %{array}v{u} = load {VEC}, ptr %{array}p{u}, align 64"


def _store(array: str, u: int, value: str) -> str:
    return f"{_at(array, u)}\n  store {VEC} {value}, ptr %{array}p{u}, align 64"


def _body(mix: str) -> str:
    lines = []
    for u in range(UNROLL):
        if mix == "read":
            # OR, not add: it has more ports than a floating add and never limits the loads.
            lines += [
                _load("a", u),
                f"  %i{u} = bitcast {VEC} %av{u} to <8 x i64>",
                f"  %n{u} = or <8 x i64> %r{u}, %i{u}",
            ]
        elif mix == "copy":
            lines += [_load("a", u), _store("b", u, f"%av{u}")]
        else:
            lines += [
                _load("b", u),
                _load("c", u),
                f"  %m{u} = fmul contract {VEC} %cv{u}, %s",
                f"  %t{u} = fadd contract {VEC} %bv{u}, %m{u}",
                _store("a", u, f"%t{u}"),
            ]
    return "\n".join(lines)


def source(mix: str) -> str:
    """IR of ``void move(block)``: block = {a, b, c, bytes of each array, result}."""
    phis = "\n".join(f"  %r{u} = phi <8 x i64> [zeroinitializer, %entry], [%n{u}, %loop]" for u in range(UNROLL))
    joins = "\n".join(f"  %j{u} = or <8 x i64> {'%n0' if u == 1 else f'%j{u - 1}'}, %n{u}" for u in range(1, UNROLL))
    result = (
        f"{joins}\n  %out = getelementptr i64, ptr %block, i64 8\n  store <8 x i64> %j{UNROLL - 1}, ptr %out, align 8"
    )
    return f"""
define void @move(ptr %block) "min-legal-vector-width"="512" "prefer-vector-width"="512" {{
entry:
  %a = load ptr, ptr %block
  %bat = getelementptr i64, ptr %block, i64 1
  %b = load ptr, ptr %bat
  %cat = getelementptr i64, ptr %block, i64 2
  %c = load ptr, ptr %cat
  %nat = getelementptr i64, ptr %block, i64 3
  %n = load i64, ptr %nat
  %one = insertelement {VEC} poison, float 0.5, i32 0
  %s = shufflevector {VEC} %one, {VEC} poison, <16 x i32> zeroinitializer
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
{phis if mix == "read" else ""}
{_body(mix)}
  %next = add i64 %i, {STEP_BYTES}
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
{result if mix == "read" else ""}
  ret void
}}
"""


@cache
def compiled(mix: str) -> Code:
    """The probe's code."""
    return compile_ir(source(mix))


def array_bytes(mix: str, working_set_bytes: int) -> int:
    """Bytes of each array so that all of the mix's together are about ``working_set_bytes``."""
    return max(STEP_BYTES, working_set_bytes // ARRAYS[mix] // STEP_BYTES * STEP_BYTES)


def ladder(levels: tuple[tuple[str, int], ...], first_bytes: int = 8 << 10) -> tuple[tuple[int, str], ...]:
    """(working set of one thread, level it stands for or ""): two points an octave, and each level's own.

    ``levels`` are (name, one thread's share), the last being DRAM with the bytes to touch. A level is
    measured at half its share, DRAM at all of its bytes.
    """
    own = {(size if name == "DRAM" else size // 2): name for name, size in levels}
    points = dict.fromkeys(own, "") | own
    last = max(own)
    k = 0
    while (size := int(first_bytes * 2 ** (k / 2))) < last:
        if all(abs(size - other) > 0.1 * other for other in own):
            points[size] = ""
        k += 1
    return tuple(sorted(points.items()))
