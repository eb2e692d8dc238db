"""Vectors from memory and back: whole, in part, past the caches, widened on the way."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from kernelbench.simd.conversion import converted
from kernelbench.simd.vectortype import (
    INDEX,
    WORD,
    VectorType,
    element_of,
    full,
    intrinsic_call,
    splat,
)


def _is_memory(kind: Any) -> bool:
    return isinstance(kind, types.CPointer) or (isinstance(kind, types.Array) and kind.layout == "C")


def pointer(context: Any, builder: ir.IRBuilder, kind: Any, value: ir.Value, at: ir.Value) -> ir.Value:
    """Pointer to element ``at`` of an array or of what a pointer points to."""
    data = value if isinstance(kind, types.CPointer) else context.make_array(kind)(context, builder, value).data
    return builder.gep(data, [at])


def _part(builder: ir.IRBuilder, vector: VectorType, count: ir.Value) -> ir.Value:
    """Mask of the first ``count`` lanes."""
    words = VectorType(types.int32, vector.lanes)
    # The least of count and lanes fits a word; a count beyond 2^31 would not.
    limit = INDEX(vector.lanes)
    least = builder.select(builder.icmp_signed("<", count, limit), count, limit)
    numbers = ir.Constant(words.ir, list(range(vector.lanes)))
    return builder.icmp_signed("<", numbers, splat(builder, words, builder.trunc(least, WORD)))


@intrinsic
def lanes(typingctx: Any, like: Any) -> Any:
    """Elements of the type of ``like`` (array, pointer, vector, np.float32 ...) in one register of the target."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return context.get_constant(types.intp, full(element_of(like)).lanes)

    return (types.intp(like), codegen) if element_of(like) is not None else None


@intrinsic
def fill(typingctx: Any, like: Any, value: Any) -> Any:
    """``value`` in every lane of a vector of the type of ``like``."""
    element = element_of(like)
    if element is None or not isinstance(value, types.Number):
        return None
    vector = like if isinstance(like, VectorType) else full(element)

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return splat(builder, vector, args[1])

    return vector(like, element), codegen


@intrinsic
def zeros(typingctx: Any, like: Any) -> Any:
    """0 in every lane of a vector of the type of ``like``."""
    element = element_of(like)
    if element is None:
        return None
    vector = like if isinstance(like, VectorType) else full(element)

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return cgutils.get_null_value(vector.ir)

    return vector(like), codegen


@intrinsic
def load(typingctx: Any, memory: Any, at: Any) -> Any:
    """The ``lanes`` elements of ``memory`` from index ``at`` on."""
    if not _is_memory(memory):
        return None
    vector = full(memory.dtype)

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        place = builder.bitcast(pointer(context, builder, memory, *args), vector.ir.as_pointer())
        return builder.load(place, align=vector.itemsize)

    return vector(memory, types.intp), codegen


@intrinsic
def load_as(typingctx: Any, memory: Any, at: Any, kind: Any) -> Any:
    """A full vector of the type ``kind`` (np.float32 ...), each lane converted from an element of ``memory``."""
    wanted = element_of(kind)
    if not _is_memory(memory) or wanted is None:
        return None
    target = full(wanted)
    source = VectorType(memory.dtype, target.lanes)

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        place = builder.bitcast(pointer(context, builder, memory, *args[:2]), source.ir.as_pointer())
        return converted(builder, builder.load(place, align=source.itemsize), source, target)

    return target(memory, types.intp, kind), codegen


@intrinsic
def load_bf16(typingctx: Any, memory: Any, at: Any) -> Any:
    """A full vector of f32 from bf16 values, kept as uint16: their bits are the upper half of an f32's."""
    if not _is_memory(memory) or memory.dtype != types.uint16:
        return None
    target = full(types.float32)
    halves, words = VectorType(types.uint16, target.lanes), VectorType(types.uint32, target.lanes)

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        place = builder.bitcast(pointer(context, builder, memory, *args), halves.ir.as_pointer())
        wide = builder.zext(builder.load(place, align=2), words.ir)
        return builder.bitcast(builder.shl(wide, ir.Constant(words.ir, [16] * target.lanes)), target.ir)

    return target(memory, types.intp), codegen


@intrinsic
def load_part(typingctx: Any, memory: Any, at: Any, count: Any) -> Any:
    """The first ``count`` elements of ``memory`` from index ``at`` on, 0 in the other lanes; no byte beyond is read."""
    if not _is_memory(memory):
        return None
    vector = full(memory.dtype)

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        place = builder.bitcast(pointer(context, builder, memory, *args[:2]), vector.ir.as_pointer())
        rest = [WORD(vector.itemsize), _part(builder, vector, args[2]), cgutils.get_null_value(vector.ir)]
        return intrinsic_call(builder, f"llvm.masked.load.{vector.suffix}.p0", vector.ir, [place, *rest])

    return vector(memory, types.intp, types.intp), codegen


@intrinsic
def gather(typingctx: Any, memory: Any, indices: Any) -> Any:
    """Element ``indices[lane]`` of ``memory`` in each lane; ``indices`` is a vector of 32- or 64-bit integers."""
    if not _is_memory(memory) or not (isinstance(indices, VectorType) and isinstance(indices.element, types.Integer)):
        return None
    vector = VectorType(memory.dtype, indices.lanes)

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        base = pointer(context, builder, memory, args[0], INDEX(0))
        result = ir.Constant(vector.ir, ir.Undefined)
        # One load a lane: the compiler makes of it what the target does best; hardware gathers are no faster on Zen.
        for lane in range(vector.lanes):
            index = builder.extract_element(args[1], WORD(lane))
            if indices.itemsize < 8:
                index = builder.sext(index, INDEX) if indices.signed else builder.zext(index, INDEX)
            value = builder.load(builder.gep(base, [index]), align=vector.itemsize)
            result = builder.insert_element(result, value, WORD(lane))
        return result

    return vector(memory, indices), codegen


def _stored(memory: Any, value: Any) -> bool:
    return _is_memory(memory) and isinstance(value, VectorType) and value.element == memory.dtype


@intrinsic
def store(typingctx: Any, memory: Any, at: Any, value: Any) -> Any:
    """Write every lane of ``value`` to ``memory`` from index ``at`` on."""
    if not _stored(memory, value):
        return None

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        place = builder.bitcast(pointer(context, builder, memory, *args[:2]), value.ir.as_pointer())
        builder.store(args[2], place, align=value.itemsize)
        return context.get_dummy_value()

    return types.void(memory, types.intp, value), codegen


@intrinsic
def store_part(typingctx: Any, memory: Any, at: Any, value: Any, count: Any) -> Any:
    """Write the first ``count`` lanes of ``value`` to ``memory`` from index ``at`` on, and nothing beyond."""
    if not _stored(memory, value):
        return None

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        place = builder.bitcast(pointer(context, builder, memory, *args[:2]), value.ir.as_pointer())
        mask = _part(builder, value, args[3])
        name = f"llvm.masked.store.{value.suffix}.p0"
        intrinsic_call(builder, name, ir.VoidType(), [args[2], place, WORD(value.itemsize), mask])
        return context.get_dummy_value()

    return types.void(memory, types.intp, value, types.intp), codegen


@intrinsic
def stream(typingctx: Any, memory: Any, at: Any, value: Any) -> Any:
    """As ``store``, past the caches; element ``at`` must lie at a multiple of the vector's bytes.

    Call ``fence()`` before another thread reads what was written.
    """
    if not _stored(memory, value):
        return None

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        place = builder.bitcast(pointer(context, builder, memory, *args[:2]), value.ir.as_pointer())
        write = builder.store(args[2], place, align=value.lanes * value.itemsize)
        write.set_metadata("nontemporal", builder.module.add_metadata([WORD(1)]))
        return context.get_dummy_value()

    return types.void(memory, types.intp, value), codegen


@intrinsic
def fence(typingctx: Any) -> Any:
    """Every store so far is seen by all threads before any after it: streaming stores keep no order by themselves."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), codegen
