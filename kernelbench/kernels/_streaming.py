"""Stores that go past the caches, for results too large to stay in them.

An ordinary store first reads the line it writes (ownership); a streaming store of a whole line does not, and
evicts nothing. It pays only where the result would leave the cache anyway:

    first, last = whole_vectors(y)
    w = simd.lanes(y)
    for i in range(first, last, w):
        simd.stream(y, i, simd.load(x, i))
    ...  # the elements before first and from last on, as usual
    simd.fence()
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from msgspec import structs
from numba import njit, types
from numba.extending import intrinsic

from kernelbench.kernels._registry import Shape
from kernelbench.model import Work
from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import vector_bytes


@intrinsic
def elements_before_alignment(typingctx: Any, x: Any) -> Any:
    """Elements of ``x`` before the first one whose address is a multiple of a vector's bytes."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        address = builder.ptrtoint(context.make_array(x)(context, builder, args[0]).data, ir.IntType(64))
        itemsize = x.dtype.bitwidth // 8
        past = builder.and_(builder.neg(address), address.type(max(itemsize, vector_bytes()) - 1))
        return builder.udiv(past, past.type(itemsize))

    return (types.intp(x), codegen) if isinstance(x, types.Array) else None


@njit(nogil=True)
def whole_vectors(y):
    """(first, last): the elements of y[n] that streaming stores can write, in whole vectors at their own alignment."""
    first = min(y.size, elements_before_alignment(y))
    w = simd.lanes(y)
    return first, first + (y.size - first) // w * w


def without_ownership(work: Callable[[Shape, str], Work]) -> Callable[[Shape, str], Work]:
    """The model ``work`` for a variant whose stores read no line that they write."""

    def model(shape: Shape, dtype: str) -> Work:
        return structs.replace(work(shape, dtype), rfo_bytes=0)

    return model
