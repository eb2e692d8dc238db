"""Peak arithmetic rates: explicit vectors in many independent chains, the emitted code checked.

A chain waits for its last result, so a core reaches its peak only with latency x issues-per-cycle chains in
flight; the largest rate over several chain counts is taken, and no table of microarchitectures is needed.
The values stay bounded (x -> x / 2 + 1 / 2 tends to 1), neither zero nor denormal: zeros draw less power and
would flatter the clock.
"""

from __future__ import annotations

import re

from msgspec import Struct

from kernelbench.simd.jit import Code, compile_ir

CHAINS = (4, 8, 12, 16, 24)


class Kind(Struct, frozen=True):
    """One way of computing: a number type, an instruction, a vector width."""

    dtype: str
    isa: str
    mix: str
    lanes: int
    """Accumulator lanes of one instruction."""
    ops_per_lane: int
    """Operations one instruction does per lane: 2 for an FMA, 8 for four byte products and their sums."""
    unit: str
    instruction: str
    """Regular expression that the emitted code must match once per chain."""


def best_kind(dtype: str, mix: str, features: frozenset[str]) -> Kind | str:
    """The widest way to do ``mix`` in ``dtype`` with LLVM's ``features``, or why there is none."""
    if mix == "dot":
        if "avx512vnni" in features:
            return Kind(dtype, "avx512", mix, 16, 8, "OP/s", r"vpdpbusd.*%zmm")
        return "no 8-bit dot-product instruction that this version measures (AVX512-VNNI)"
    bits = {"f64": 64, "f32": 32}[dtype]
    suffix = {"f64": "pd", "f32": "ps"}[dtype]
    if "avx512f" in features:
        return Kind(dtype, "avx512", mix, 512 // bits, 2, "FLOP/s", rf"vfmadd\d+{suffix}.*%zmm")
    if {"avx2", "fma"} <= features:
        return Kind(dtype, "avx2", mix, 256 // bits, 2, "FLOP/s", rf"vfmadd\d+{suffix}.*%ymm")
    if "sse2" in features:
        return Kind(dtype, "sse2", mix, 128 // bits, 2, "FLOP/s", rf"mul{suffix}.*%xmm")
    if "neon" in features or "fp-armv8" in features:
        return Kind(dtype, "neon", mix, 128 // bits, 2, "FLOP/s", r"fmla")
    return f"no vector multiply-add known for {dtype} on this CPU"


def _accumulate(kind: Kind, acc: str, name: str) -> str:
    """IR for one step of one chain."""
    element = "double" if kind.dtype == "f64" else "float"
    vector = f"<{kind.lanes} x {element}>"
    if kind.mix == "dot":
        vec = "<16 x i32>"
        return f"  {name} = call {vec} @llvm.x86.avx512.vpdpbusd.512({vec} {acc}, {vec} %x, {vec} %x)"
    if kind.isa == "sse2":
        # Without FMA in the target llvm.fma becomes a call to libm: multiply and add apart.
        return f"  {name}.m = fmul {vector} {acc}, %x\n  {name} = fadd {vector} {name}.m, %x"
    call = f"@llvm.fma.v{kind.lanes}{'f64' if kind.dtype == 'f64' else 'f32'}"
    return f"  {name} = call {vector} {call}({vector} {acc}, {vector} %x, {vector} %x)"


def source(kind: Kind, chains: int) -> str:
    """IR of ``void peak(block)``: block = {i64 trips, i64 seed, result vector}."""
    element = "i32" if kind.mix == "dot" else ("double" if kind.dtype == "f64" else "float")
    vector = f"<{kind.lanes} x {element}>"
    seed = f"bitcast <{kind.lanes} x i32> %bits to {vector}"
    if element == "double":
        seed = f"bitcast <{kind.lanes} x i64> %bits to {vector}"
    bits = "i64" if element == "double" else "i32"
    wide = f"<{kind.lanes} x {bits}>"
    start = ["  {n} = phi {v} [%x, %entry], [%n{c}, %loop]".format(n=f"%a{c}", v=vector, c=c) for c in range(chains)]
    steps = [_accumulate(kind, f"%a{c}", f"%n{c}") for c in range(chains)]
    add = "add" if element == "i32" else "fadd"
    sums = [f"  %s{c} = {add} {vector} {'%n0' if c == 1 else f'%s{c - 1}'}, %n{c}" for c in range(1, chains)]
    declared = {
        "dot": "declare <16 x i32> @llvm.x86.avx512.vpdpbusd.512(<16 x i32>, <16 x i32>, <16 x i32>)",
        "fma": f"declare {vector} @llvm.fma.v{kind.lanes}{'f64' if kind.dtype == 'f64' else 'f32'}"
        f"({vector}, {vector}, {vector})",
    }[kind.mix]
    width = 8 * kind.lanes * (8 if element == "double" else 4)
    return f"""
{declared}
define void @peak(ptr %block) "min-legal-vector-width"="{width}" "prefer-vector-width"="{width}" {{
entry:
  %trips = load i64, ptr %block
  %seedat = getelementptr i64, ptr %block, i64 1
  %seed = load {bits}, ptr %seedat
  %one = insertelement {wide} poison, {bits} %seed, i32 0
  %bits = shufflevector {wide} %one, {wide} poison, <{kind.lanes} x i32> zeroinitializer
  %x = {seed}
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
{chr(10).join(start)}
{chr(10).join(steps)}
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %trips
  br i1 %more, label %loop, label %done
done:
{chr(10).join(sums)}
  %out = getelementptr i64, ptr %block, i64 2
  store {vector} %s{chains - 1}, ptr %out, align 8
  ret void
}}
"""


def compiled(kind: Kind, chains: int) -> Code | str:
    """The probe's code, or why it cannot be trusted: the instruction is not there once per chain."""
    code = compile_ir(source(kind, chains))
    seen = len(re.findall(kind.instruction, code.assembly))
    if seen < chains:
        return f"the emitted code has {seen} of {chains} {kind.instruction}"
    return code


SEEDS = {"f64": 0x3FE0000000000000, "f32": 0x3F000000, "i8": 0x01020304}
"""0.5 as bits; small bytes whose 32-bit sums wrap without harm."""


def work(kind: Kind, chains: int, trips: int) -> float:
    """Operations of one call."""
    return float(trips) * chains * kind.lanes * kind.ops_per_lane
