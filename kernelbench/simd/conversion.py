"""Vectors as other types: lanes converted one by one, or the same bits read anew."""

from typing import Any

from llvmlite import ir
from numba.extending import intrinsic

from kernelbench.simd.vectortype import VectorType, element_of


@intrinsic
def convert(typingctx: Any, value: Any, kind: Any) -> Any:
    """Each lane of ``value`` as ``kind`` (np.int32 ...): to integers cut towards zero, to narrower ones wrapped."""
    wanted = element_of(kind)
    if not isinstance(value, VectorType) or wanted is None:
        return None
    target = VectorType(wanted, value.lanes)

    def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> ir.Value:
        return converted(builder, args[0], value, target)

    return target(value, kind), codegen


def converted(builder: ir.IRBuilder, value: ir.Value, source: VectorType, target: VectorType) -> ir.Value:
    """``value`` of ``source`` as ``target``, which has as many lanes."""
    if source.element == target.element:
        return value
    if source.is_float and target.is_float:
        return (builder.fpext if target.itemsize > source.itemsize else builder.fptrunc)(value, target.ir)
    if source.is_float:
        return (builder.fptosi if target.signed else builder.fptoui)(value, target.ir)
    if target.is_float:
        return (builder.sitofp if source.signed else builder.uitofp)(value, target.ir)
    if target.itemsize > source.itemsize:
        return (builder.sext if source.signed else builder.zext)(value, target.ir)
    return builder.trunc(value, target.ir) if target.itemsize < source.itemsize else value


@intrinsic
def reinterpret(typingctx: Any, value: Any, kind: Any) -> Any:
    """The same bits as lanes of ``kind`` (np.int32 ...): 16 f32 are 16 i32, or 64 i8."""
    wanted = element_of(kind)
    if not isinstance(value, VectorType) or wanted is None or value.lanes * value.itemsize * 8 % wanted.bitwidth:
        return None
    target = VectorType(wanted, value.lanes * value.itemsize * 8 // wanted.bitwidth)

    def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> ir.Value:
        return builder.bitcast(args[0], target.ir)

    return target(value, kind), codegen
