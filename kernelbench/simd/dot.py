"""Dot products within a lane: four 8-bit products, or two of bf16, are added into each 32-bit lane of a sum.

    sums = simd.zeros(words)                                   # 16 lanes of int32 at AVX-512
    signed = simd.reinterpret(simd.load(words, i), np.int8)    # 64 of int8
    sums = dot4(sums, unsigned, signed)                        # 64 products added to 16 sums

Bytes are loaded as 32-bit words, so that the same code runs with vectors off, where a vector is one word.

One instruction where the target has it (VNNI's ``vpdpbusd``, AVX512-BF16's ``vdpbf16ps``). Elsewhere dot4 widens to
16 bits and adds pairs by ``pmaddwd`` (SSE2 to AVX-512BW) or by plain arithmetic, with the same integers everywhere;
dot_bf16 widens to f32. Nothing saturates: ``pmaddubsw``, which AVX2 code often uses, would, at 255 x 127 x 2.
"""

from functools import cache
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import config
from numba.extending import intrinsic

from kernelbench.simd.vector import target_has_fma, vector_bytes
from kernelbench.simd.vectortype import WORD, VectorType, intrinsic_call

QUAD, PAIR = 4, 2
"""Bytes, and bf16 numbers, in a 32-bit lane: the products that one lane of a sum takes at a time."""
_HALF = ir.IntType(16)
_PMADDWD = {16: "llvm.x86.avx512.pmaddw.d.512", 8: "llvm.x86.avx2.pmadd.wd", 4: "llvm.x86.sse2.pmadd.wd"}
"""32-bit lanes -> LLVM's name of the instruction that adds two neighbouring 16-bit products into each."""
_PROBE = """
define void @add(ptr %p) {
  %x = load <64 x i8>, ptr %p, align 1
  %y = add <64 x i8> %x, %x
  store <64 x i8> %y, ptr %p, align 1
  ret void
}
"""


@cache
def features() -> frozenset[str]:
    """Features that this process compiles for by name: its ISA level's, not the host's."""
    if config.CPU_FEATURES is not None:
        return frozenset(name[1:] for name in config.CPU_FEATURES.split(",") if name.startswith("+"))
    return frozenset(str(name) for name, present in llvm.get_host_cpu_features().items() if present)


@cache
def _widest_madd() -> int:
    """32-bit lanes of the target's widest ``pmaddwd``, 0 where it has none; AVX has wide floats, not integers."""
    host = (llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())
    given = (config.CPU_NAME, config.CPU_FEATURES)
    cpu, features = (own if asked is None else asked for asked, own in zip(given, host, strict=True))
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(cpu=cpu, features=features, opt=2)
    code = str(machine.emit_assembly(llvm.parse_assembly(_PROBE)))
    return next((lanes for register, lanes in (("%zmm", 16), ("%ymm", 8), ("%xmm", 4)) if register in code), 0)


def _has(instructions: str, lanes: int) -> bool:
    """True when the target has the AVX-512 extension ``instructions`` in vectors of ``lanes`` x 32 bits."""
    return instructions in features() and (lanes == 16 or (lanes in (4, 8) and "avx512vl" in features()))


def target_has_vnni() -> bool:
    """True when dot4 of a full vector is one instruction."""
    lanes = vector_bytes() // 4
    return _has("avx512vnni", lanes) or ("avxvnni" in features() and lanes in (4, 8))


def target_has_bf16() -> bool:
    """True when dot_bf16 of a full vector is one instruction."""
    return _has("avx512bf16", vector_bytes() // 4)


def _constant(kind: ir.VectorType, value: int) -> ir.Constant:
    return ir.Constant(kind, [value] * kind.count)


def _madd(builder: ir.IRBuilder, x: ir.Value, y: ir.Value) -> ir.Value:
    """Neighbouring products of <2n x i16> added, <n x i32>."""
    words = ir.VectorType(WORD, x.type.count // 2)
    return intrinsic_call(builder, _PMADDWD[words.count], words, [x, y])


def _dot4_by_madd(builder: ir.IRBuilder, sums: ir.Value, unsigned: ir.Value, signed: ir.Value) -> ir.Value:
    """Bytes 0 and 2 of a lane become 16-bit numbers, then 1 and 3: no lane has to be moved to another."""
    halves = ir.VectorType(_HALF, 2 * sums.type.count)
    u, s = builder.bitcast(unsigned, halves), builder.bitcast(signed, halves)
    eight = _constant(halves, 8)
    even = _madd(
        builder,
        builder.and_(u, _constant(halves, 255)),
        builder.ashr(builder.shl(s, eight), eight),
    )
    odd = _madd(builder, builder.lshr(u, eight), builder.ashr(s, eight))
    return builder.add(builder.add(sums, even), odd)


def _dot4_plain(builder: ir.IRBuilder, sums: ir.Value, unsigned: ir.Value, signed: ir.Value) -> ir.Value:
    for q in range(QUAD):
        u = builder.and_(builder.lshr(unsigned, _constant(sums.type, 8 * q)), _constant(sums.type, 255))
        s = builder.ashr(builder.shl(signed, _constant(sums.type, 24 - 8 * q)), _constant(sums.type, 24))
        sums = builder.add(sums, builder.mul(u, s))
    return sums


def dot4_words(builder: ir.IRBuilder, sums: ir.Value, unsigned: ir.Value, signed: ir.Value) -> ir.Value:
    """IR of dot4; all three are <n x i32>, the factors with four bytes in each lane."""
    lanes = sums.type.count
    if target_has_vnni() and lanes == vector_bytes() // 4:
        # Operands of 32-bit lanes, as here, are upgraded by every LLVM to what it takes now.
        name = f"llvm.x86.avx512.vpdpbusd.{32 * lanes}"
        return intrinsic_call(builder, name, sums.type, [sums, unsigned, signed])
    by_madd = lanes in _PMADDWD and lanes <= _widest_madd()
    return (_dot4_by_madd if by_madd else _dot4_plain)(builder, sums, unsigned, signed)


def dot_bf16_words(builder: ir.IRBuilder, sums: ir.Value, pairs: ir.Value, others: ir.Value) -> ir.Value:
    """IR of dot_bf16; sums is <n x float>, the factors <n x i32> with two bf16 in each lane."""
    lanes = sums.type.count
    if target_has_bf16() and lanes == vector_bytes() // 4:
        name = f"llvm.x86.avx512bf16.dpbf16ps.{32 * lanes}"
        return intrinsic_call(builder, name, sums.type, [sums, pairs, others])
    sixteen, upper = _constant(pairs.type, 16), _constant(pairs.type, 0xFFFF0000)
    for half in (lambda x: builder.and_(x, upper), lambda x: builder.shl(x, sixteen)):
        # The upper half first, as the instruction does.
        x, y = (builder.bitcast(half(words), sums.type) for words in (pairs, others))
        if target_has_fma():
            sums = intrinsic_call(builder, f"llvm.fma.v{lanes}f32", sums.type, [x, y, sums])
        else:
            sums = builder.fadd(builder.fmul(x, y), sums)
    return sums


def _lanes_of_words(vector: Any, element: Any, each: int) -> int:
    """n when ``vector`` holds ``each`` x n of ``element``, else 0."""
    fits = isinstance(vector, VectorType) and vector.element == element and vector.lanes % each == 0
    return vector.lanes // each if fits else 0


def _words(builder: ir.IRBuilder, value: ir.Value, lanes: int) -> ir.Value:
    return builder.bitcast(value, ir.VectorType(WORD, lanes))


@intrinsic
def dot4(typingctx: Any, sums: Any, unsigned: Any, signed: Any) -> Any:
    """sums[n] int32 + the four products of unsigned[4n] uint8 by signed[4n] int8 in each lane; wraps at 32 bits."""
    lanes = _lanes_of_words(sums, types.int32, 1)
    factors = {_lanes_of_words(unsigned, types.uint8, QUAD), _lanes_of_words(signed, types.int8, QUAD)}
    if not lanes or factors != {lanes}:
        return None

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return dot4_words(builder, args[0], *(_words(builder, x, lanes) for x in args[1:]))

    return sums(sums, unsigned, signed), codegen


@intrinsic
def dot_bf16(typingctx: Any, sums: Any, pairs: Any, others: Any) -> Any:
    """sums[n] f32 + the two products of pairs[2n] by others[2n] in each lane; bf16 as uint16.

    Products are exact in f32 and added one after the other. ``vdpbf16ps`` takes denormals as 0 and makes none;
    the widening form has them.
    """
    lanes = _lanes_of_words(sums, types.float32, 1)
    if not lanes or {_lanes_of_words(x, types.uint16, PAIR) for x in (pairs, others)} != {lanes}:
        return None

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return dot_bf16_words(builder, args[0], *(_words(builder, x, lanes) for x in args[1:]))

    return sums(sums, pairs, others), codegen
