"""The Numba type of a vector, what LLVM calls it, and what the modules beside this one build their code from."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import register_model

from kernelbench.simd.vector import lanes_of

INDEX, WORD = ir.IntType(64), ir.IntType(32)
SHORT = {"float32": "f32", "float64": "f64"}
"""Numba's name of an element -> LLVM's in the names of intrinsics; integers are i and their bits in both."""


class VectorType(types.Type):  # type: ignore[misc]
    """``lanes`` elements of a number type, or of booleans (a mask), in registers."""

    def __init__(self, element: Any, lanes: int) -> None:
        self.element, self.lanes = element, lanes
        super().__init__(name=f"Vector({element} x {lanes})")

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        bits: int = self.element.bitwidth
        return bits // 8

    @property
    def is_float(self) -> bool:
        """True for f32 and f64."""
        return isinstance(self.element, types.Float)

    @property
    def signed(self) -> bool:
        """True for signed integers and floats."""
        return self.is_float or bool(getattr(self.element, "signed", False))

    @property
    def ir(self) -> ir.VectorType:
        """What LLVM calls it."""
        return ir.VectorType(element_ir(self.element), self.lanes)

    @property
    def suffix(self) -> str:
        """As in "llvm.fma.v16f32"."""
        return f"v{self.lanes}{SHORT.get(self.element.name) or f'i{self.element.bitwidth}'}"


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: VectorType) -> None:
        super().__init__(dmm, fe_type, fe_type.ir)


def element_ir(element: Any) -> ir.Type:
    """LLVM's type of one element."""
    if isinstance(element, types.Boolean):
        return ir.IntType(1)
    if isinstance(element, types.Float):
        return ir.FloatType() if element.bitwidth == 32 else ir.DoubleType()
    return ir.IntType(element.bitwidth)


def full(element: Any) -> VectorType:
    """The vector of this element type that fills a register of the target."""
    return VectorType(element, lanes_of(element.bitwidth // 8))


def element_of(like: Any) -> Any:
    """The number type of an array, a pointer, a vector or a class such as np.float32; None for anything else."""
    if isinstance(like, types.Array | types.CPointer | types.NumberClass | types.DType):
        return like.dtype
    return like.element if isinstance(like, VectorType) else None


def splat(builder: ir.IRBuilder, vector: VectorType, value: ir.Value) -> ir.Value:
    """``value``, one element, in every lane."""
    first = builder.insert_element(ir.Constant(vector.ir, ir.Undefined), value, WORD(0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(WORD, vector.lanes), [0] * vector.lanes))


def intrinsic_call(builder: ir.IRBuilder, name: str, result: ir.Type, args: list[ir.Value]) -> ir.Value:
    """Call LLVM's function ``name``."""
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, [a.type for a in args]), name)
    return builder.call(function, args)
