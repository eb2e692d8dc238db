"""One number from the lanes of a vector, by halves: log2(lanes) steps, in an order that never changes."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.extending import intrinsic

from kernelbench.simd.arithmetic import compared
from kernelbench.simd.vectortype import WORD, VectorType

Combine = Callable[[ir.IRBuilder, VectorType, ir.Value, ir.Value], ir.Value]


def _by_halves(combine: Combine) -> Any:
    def typed(typingctx: Any, value: Any) -> Any:
        if not isinstance(value, VectorType):
            return None

        def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> ir.Value:
            rest, width = args[0], value.lanes
            while width > 1:
                width //= 2
                low, high = (
                    builder.shuffle_vector(rest, rest, ir.Constant(ir.VectorType(WORD, width), list(numbers)))
                    for numbers in (range(width), range(width, 2 * width))
                )
                rest = combine(builder, VectorType(value.element, width), low, high)
            return builder.extract_element(rest, WORD(0))

        return value.element(value), codegen

    return typed


def _add(builder: ir.IRBuilder, vector: VectorType, x: ir.Value, y: ir.Value) -> ir.Value:
    return builder.fadd(x, y) if vector.is_float else builder.add(x, y)


def _choice(sign: str) -> Combine:
    return lambda builder, vector, x, y: builder.select(compared(builder, vector, sign, x, y), x, y)


_sum, _highest, _lowest = _by_halves(_add), _by_halves(_choice(">")), _by_halves(_choice("<"))


@intrinsic
def sum(typingctx: Any, value: Any) -> Any:
    """The sum of all lanes; integers wrap."""
    return _sum(typingctx, value)


@intrinsic
def highest(typingctx: Any, value: Any) -> Any:
    """The largest lane; what comes of NaN depends on its place (see ``maximum``)."""
    return _highest(typingctx, value)


@intrinsic
def lowest(typingctx: Any, value: Any) -> Any:
    """The smallest lane; what comes of NaN depends on its place (see ``minimum``)."""
    return _lowest(typingctx, value)
