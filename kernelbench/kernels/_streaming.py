"""Stores that go past the caches, for results too large to stay in them.

An ordinary store first reads the line it writes (ownership); a streaming store of a whole line does not, and
evicts nothing. It pays only where the result would leave the cache anyway.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernelbench.simd.vector import Vector, lanes_of, vector_bytes


@intrinsic
def lanes(typingctx: Any, x: Any) -> Any:
    """Elements of array ``x`` in one vector of the target."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return context.get_constant(types.intp, lanes_of(x.dtype.bitwidth // 8))

    return (types.intp(x), codegen) if isinstance(x, types.Array) else None


@intrinsic
def elements_before_alignment(typingctx: Any, x: Any) -> Any:
    """Elements of ``x`` before the first one whose address is a multiple of a vector's bytes."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        address = builder.ptrtoint(context.make_array(x)(context, builder, args[0]).data, ir.IntType(64))
        itemsize = x.dtype.bitwidth // 8
        past = builder.and_(builder.neg(address), address.type(max(itemsize, vector_bytes()) - 1))
        return builder.udiv(past, past.type(itemsize))

    return (types.intp(x), codegen) if isinstance(x, types.Array) else None


def _store_past_caches(builder: ir.IRBuilder, vector: Vector, value: ir.Value, pointer: ir.Value) -> None:
    aligned = vector.lanes * vector.itemsize
    store = builder.store(value, builder.bitcast(pointer, vector.type.as_pointer()), align=aligned)
    store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))


def _pointers(context: Any, builder: ir.IRBuilder, kinds: Any, arrays: Any, i: ir.Value) -> list[ir.Value]:
    """Pointer to element i of each array."""
    pairs = zip(kinds, arrays, strict=True)
    return [builder.gep(context.make_array(kind)(context, builder, array).data, [i]) for kind, array in pairs]


@intrinsic
def stream_copy(typingctx: Any, x: Any, y: Any, i: Any) -> Any:
    """y[i:i+lanes] = x[i:i+lanes] by a streaming store; element i of y must lie at a multiple of a vector's bytes."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        vector = Vector(x.dtype.name)
        source, target = _pointers(context, builder, (x, y), args[:2], args[2])
        _store_past_caches(builder, vector, vector.load(builder, source), target)
        return context.get_dummy_value()

    if not (isinstance(x, types.Array) and isinstance(y, types.Array) and x.dtype == y.dtype):
        return None
    return types.void(x, y, types.intp), codegen


@intrinsic
def stream_add(typingctx: Any, x: Any, y: Any, z: Any, i: Any) -> Any:
    """z[i:i+lanes] = x[i:i+lanes] + y[i:i+lanes], stored as ``stream_copy`` does."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        vector = Vector(x.dtype.name)
        *sources, target = _pointers(context, builder, (x, y, z), args[:3], args[3])
        left, right = (vector.load(builder, source) for source in sources)
        _store_past_caches(builder, vector, builder.fadd(left, right), target)
        return context.get_dummy_value()

    if not all(isinstance(t, types.Array) and t.dtype == x.dtype for t in (x, y, z)):
        return None
    return types.void(x, y, z, types.intp), codegen


@intrinsic
def wait_for_stores(typingctx: Any) -> Any:
    """Every store so far is seen by all threads before any after it: streaming stores keep no order by themselves."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), codegen
