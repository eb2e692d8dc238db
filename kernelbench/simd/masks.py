"""Masks that no comparison gives."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernelbench.simd.memory import _part
from kernelbench.simd.vectortype import VectorType, element_of, full


@intrinsic
def first(typingctx: Any, like: Any, count: Any) -> Any:
    """Mask of the first ``count`` lanes of a vector of the type of ``like``: those that ``load_part`` fills."""
    element = element_of(like)
    if element is None:
        return None
    vector = like if isinstance(like, VectorType) else full(element)

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return _part(builder, vector, args[1])

    return VectorType(types.boolean, vector.lanes)(like, types.intp), codegen
