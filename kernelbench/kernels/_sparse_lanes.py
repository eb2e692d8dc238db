"""Vectors out of what is stored sparsely: by columns, by a bitmap, by two bits a pair (see simd/lanes.py)."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernelbench.simd.memory import pointer
from kernelbench.simd.vector import vector_bytes
from kernelbench.simd.vectortype import INDEX, WORD, VectorType, full, intrinsic_call


def _array(kind: Any) -> bool:
    return isinstance(kind, types.Array) and kind.layout == "C"


def _wide() -> bool:
    """True for targets with AVX-512."""
    return vector_bytes() == 64


@intrinsic
def take(typingctx: Any, memory: Any, columns: Any, at: Any) -> Any:
    """Element ``columns[at + lane]`` of ``memory`` in each lane; columns are unsigned.

    Each index goes from memory to an address: out of a vector it would take two instructions more.
    """
    if not (_array(memory) and _array(columns) and not columns.dtype.signed):
        return None
    vector = full(memory.dtype)

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        base = pointer(context, builder, memory, args[0], INDEX(0))
        first = pointer(context, builder, columns, *args[1:])
        result = ir.Constant(vector.ir, ir.Undefined)
        for lane in range(vector.lanes):
            index = builder.zext(builder.load(builder.gep(first, [INDEX(lane)])), INDEX)
            result = builder.insert_element(result, builder.load(builder.gep(base, [index])), WORD(lane))
        return result

    return vector(memory, columns, types.intp), codegen


@intrinsic
def mask_of(typingctx: Any, like: Any, bits: Any) -> Any:
    """The lowest bits of an integer as a mask for vectors of the type of the array ``like``, bit 0 for lane 0."""
    if not (_array(like) and isinstance(bits, types.Integer)):
        return None
    mask = VectorType(types.boolean, full(like.dtype).lanes)

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return builder.bitcast(builder.trunc(args[1], ir.IntType(mask.lanes)), mask.ir)

    return mask(like, types.int64), codegen


@intrinsic
def spread(typingctx: Any, memory: Any, at: Any, mask: Any) -> Any:
    """The elements of ``memory`` from ``at`` on, in order, in the lanes of ``mask``; 0 in the others.

    One instruction with AVX-512, a branch for each lane elsewhere. A whole vector must be readable from ``at`` on.
    """
    if not (_array(memory) and isinstance(mask, VectorType)):
        return None
    vector = full(memory.dtype)

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        place, zero = pointer(context, builder, memory, *args[:2]), ir.Constant(vector.ir, [0.0] * vector.lanes)
        if not _wide():
            rest = [args[2], zero]
            return intrinsic_call(builder, f"llvm.masked.expandload.{vector.suffix}", vector.ir, [place, *rest])
        there = builder.load(builder.bitcast(place, vector.ir.as_pointer()), align=vector.itemsize)
        # Nothing, but it keeps the load apart: vexpand from memory takes 1.7 times as long as both (measured, Zen 4).
        there = builder.asm(ir.FunctionType(vector.ir, [vector.ir]), "", "=v,0", [there], False)
        return intrinsic_call(
            builder, f"llvm.x86.avx512.mask.expand.{vector.suffix}", vector.ir, [there, zero, args[2]]
        )

    return vector(memory, types.intp, mask), codegen


@intrinsic
def ones(typingctx: Any, bits: Any) -> Any:
    """How many bits of the integer are set."""
    if not isinstance(bits, types.Integer):
        return None

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return builder.ctpop(args[0])

    return types.int64(types.int64), codegen


def _offsets(builder: ir.IRBuilder, vector: VectorType, pairs: ir.Value) -> ir.Value:
    """4 (lane // 2) + the lane's two bits of ``pairs``, in integers as wide as the vector's elements."""
    word = ir.IntType(vector.itemsize * 8)
    lanes = vector.lanes
    kind = ir.VectorType(word, lanes)
    narrow = builder.zext(pairs, word) if word.width > pairs.type.width else builder.trunc(pairs, word)
    narrow = pairs if word.width == pairs.type.width else narrow
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), narrow, WORD(0))
    all_lanes = builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(WORD, lanes), [0] * lanes))
    shifted = builder.lshr(all_lanes, ir.Constant(kind, [2 * lane for lane in range(lanes)]))
    own = builder.and_(shifted, ir.Constant(kind, [3] * lanes))
    return builder.or_(own, ir.Constant(kind, [lane // 2 * 4 for lane in range(lanes)]))


@intrinsic
def pick(typingctx: Any, memory: Any, at: Any, pairs: Any) -> Any:
    """In each lane one of four elements of ``memory``: element at + 4 (lane // 2) + the lane's two bits of ``pairs``.

    Two loads and a permutation with AVX-512, a load for each lane elsewhere.
    """
    if not (_array(memory) and isinstance(pairs, types.Integer)):
        return None
    vector = full(memory.dtype)
    short = {4: "ps", 8: "pd"}[vector.itemsize]

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        lanes, place = vector.lanes, pointer(context, builder, memory, *args[:2])
        offsets = _offsets(builder, vector, args[2])
        if _wide():
            low, high = (
                builder.load(
                    builder.bitcast(builder.gep(place, [INDEX(half * lanes)]), vector.ir.as_pointer()),
                    align=vector.itemsize,
                )
                for half in range(2)
            )
            name = f"llvm.x86.avx512.vpermi2var.{short}.512"
            return intrinsic_call(builder, name, vector.ir, [low, offsets, high])
        result = ir.Constant(vector.ir, ir.Undefined)
        for lane in range(lanes):
            index = builder.zext(builder.extract_element(offsets, WORD(lane)), INDEX)
            result = builder.insert_element(result, builder.load(builder.gep(place, [index])), WORD(lane))
        return result

    return vector(memory, types.intp, types.uint32), codegen
