"""Vectors of f32 and f64 for Numba intrinsics, as wide as the target's registers.

Numba's vectoriser decides for itself what becomes a vector; a kernel that plans its registers must say so. The
functions here build LLVM IR inside an intrinsic's ``codegen``, and one source gives zmm, ymm or xmm code:

    @intrinsic  # at module level: made in a closure, it would never hit Numba's disk cache
    def add_vectors(typingctx, x, y, z):
        def codegen(context, builder, signature, args):
            v = Vector(signature.args[0].dtype.name)
            x, y, z = args
            v.store(builder, builder.fadd(v.load(builder, x), v.load(builder, y)), z)
            return context.get_dummy_value()

        return types.void(x, y, z), codegen

Width and FMA are those of the level Numba compiles for (NUMBA_CPU_NAME, NUMBA_CPU_FEATURES), not of the host.
"""

from functools import cache
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import config
from numba.extending import intrinsic

_PROBE = """
define void @width(ptr %p) {
  %x = load <16 x float>, ptr %p, align 4
  %y = fadd <16 x float> %x, %x
  store <16 x float> %y, ptr %p, align 4
  ret void
}
declare float @llvm.fma.f32(float, float, float)
define float @fused(float %a, float %b, float %c) {
  %y = call float @llvm.fma.f32(float %a, float %b, float %c)
  ret float %y
}
"""
_ELEMENT = {"float32": (ir.FloatType(), "f32", 4), "float64": (ir.DoubleType(), "f64", 8)}


@cache
def _compiled_probe(cpu: str, features: str) -> str:
    """What LLVM makes of 64 bytes of f32 and of one fused multiply-add; a CPU's name alone tells neither."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(cpu=cpu, features=features, opt=2)
    return str(machine.emit_assembly(llvm.parse_assembly(_PROBE)))


def _emitted() -> str:
    cpu, features = config.CPU_NAME, config.CPU_FEATURES
    return _compiled_probe(
        llvm.get_host_cpu_name() if cpu is None else cpu,
        llvm.get_host_cpu_features().flatten() if features is None else features,
    )


def vector_bytes() -> int:
    """Bytes of the widest vector register of the target: 64, 32 or 16; 0 where vectors are switched off.

    They are at the level "scalar": x86-64 always has SSE2, so no CPU name says it, only Numba's vectorisers being off.
    """
    if not config.LOOP_VECTORIZE and not config.SLP_VECTORIZE:
        return 0
    code = _emitted()
    return 64 if "%zmm" in code else 32 if "%ymm" in code else 16


def target_has_fma() -> bool:
    """True when a fused multiply-add is an instruction; elsewhere LLVM would call libm for each element."""
    return "fmadd" in _emitted()


class Vector:
    """A vector type of the target's width, and the IR for what is done with it. Pointers are to single elements."""

    def __init__(self, dtype: str) -> None:
        """``dtype`` is "float32" or "float64". Raises KeyError for any other."""
        self.element, self._short, self.itemsize = _ELEMENT[dtype]
        self.lanes: int = lanes_of(self.itemsize)
        self.type = ir.VectorType(self.element, self.lanes)

    def _at(self, builder: ir.IRBuilder, pointer: ir.Value) -> ir.Value:
        return builder.bitcast(pointer, self.type.as_pointer())

    def load(self, builder: ir.IRBuilder, pointer: ir.Value) -> ir.Value:
        """The ``lanes`` elements from ``pointer`` on, aligned to an element only."""
        return builder.load(self._at(builder, pointer), align=self.itemsize)

    def store(self, builder: ir.IRBuilder, value: ir.Value, pointer: ir.Value) -> None:
        """Write the ``lanes`` elements from ``pointer`` on, aligned to an element only."""
        builder.store(value, self._at(builder, pointer), align=self.itemsize)

    def zero(self) -> ir.Constant:
        """0 in every lane."""
        return ir.Constant(self.type, [0.0] * self.lanes)

    def broadcast(self, builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
        """``value``, one element, in every lane."""
        first = builder.insert_element(ir.Constant(self.type, ir.Undefined), value, ir.IntType(32)(0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return builder.shuffle_vector(first, first, mask)

    def multiply_add(self, builder: ir.IRBuilder, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        """x y + z a lane: rounded once where the target has an FMA, twice elsewhere."""
        if not target_has_fma():
            return builder.fadd(builder.fmul(x, y), z)
        name = f"llvm.fma.v{self.lanes}{self._short}"
        kind = ir.FunctionType(self.type, [self.type] * 3)
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        return builder.call(function, [x, y, z])


def lanes_of(itemsize: int) -> int:
    """Elements of ``itemsize`` bytes that one vector of the target holds; 1 where vectors are switched off."""
    return max(1, vector_bytes() // itemsize)


@intrinsic
def element_pointer(typingctx: Any, array: Any, offset: Any) -> Any:
    """Pointer to the element ``offset`` elements after the first of a C-contiguous array."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.gep(data, [args[1]])

    if not isinstance(array, types.Array):
        return None
    return types.CPointer(array.dtype)(array, types.intp), codegen


@intrinsic
def element_bytes(typingctx: Any, array: Any) -> Any:
    """Bytes of one element as a constant of the compiled code; an array's ``itemsize`` is read from memory."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return context.get_constant(types.intp, array.dtype.bitwidth // 8)

    if not isinstance(array, types.Array):
        return None
    return types.intp(array), codegen


@intrinsic
def pointer_at(typingctx: Any, address: Any, like: Any) -> Any:
    """The integer ``address`` as a pointer to elements of the type of the array ``like``."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    if not isinstance(like, types.Array):
        return None
    return types.CPointer(like.dtype)(types.intp, like), codegen


@intrinsic
def moved(typingctx: Any, pointer: Any, offset: Any) -> Any:
    """``pointer`` moved on by ``offset`` elements."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return builder.gep(args[0], [args[1]])

    if not isinstance(pointer, types.CPointer):
        return None
    return pointer(pointer, types.intp), codegen


@intrinsic
def copy_vector(typingctx: Any, target: Any, source: Any) -> Any:
    """Copy one vector's elements from pointer ``source`` to pointer ``target``."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        vector = Vector(signature.args[0].dtype.name)
        vector.store(builder, vector.load(builder, args[1]), args[0])
        return context.get_dummy_value()

    if not isinstance(target, types.CPointer) or target != source:
        return None
    return types.void(target, source), codegen
