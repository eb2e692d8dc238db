"""A square of a matrix transposed in registers: as many rows as a vector has lanes, by shuffles alone."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernelbench.simd.vector import Vector, lanes_of

_INDEX = ir.IntType(32)


@intrinsic
def tile_rows(typingctx, x):
    """Rows (and columns) of the square that ``transpose_tile`` moves, for the element type of ``x``."""

    def codegen(context, builder, signature, args):
        return context.get_constant(types.intp, lanes_of(x.dtype.bitwidth // 8))

    return (types.intp(x), codegen) if isinstance(x, types.Array) else None


def _exchange(builder: ir.IRBuilder, rows: list[ir.Value], distance: int) -> list[ir.Value]:
    """Swap, in every square of 2 x ``distance`` rows, the upper right quarter with the lower left one."""
    lanes = len(rows)

    def select(first: ir.Value, second: ir.Value, shift: int) -> ir.Value:
        # Lane l of the result is lane l + shift of first where l lacks the bit, else l + shift - distance of second.
        picked = [lane + shift if not lane & distance else lanes + lane + shift - distance for lane in range(lanes)]
        mask = ir.Constant(ir.VectorType(_INDEX, lanes), picked)
        return builder.shuffle_vector(first, second, mask)

    new = list(rows)
    for r in range(lanes):
        if not r & distance:
            new[r] = select(rows[r], rows[r + distance], 0)
            new[r + distance] = select(rows[r], rows[r + distance], distance)
    return new


@intrinsic
def transpose_tile(typingctx, x, i, j, y):
    """y[j:j+w, i:i+w] = x[i:i+w, j:j+w] transposed, w = ``tile_rows(x)``; both of unit stride along a row.

    The square must lie within both. log2(w) rounds of shuffles (Eklundh 1972), w of them in each.
    """

    def codegen(context, builder, signature, args):
        source, target = (
            context.make_array(kind)(context, builder, value)
            for kind, value in ((signature.args[0], args[0]), (signature.args[3], args[3]))
        )
        vector = Vector(signature.args[0].dtype.name)

        def row(array: Any, first: ir.Value, column: ir.Value, r: int) -> ir.Value:
            bytes_down = builder.mul(builder.extract_value(array.strides, 0), builder.add(first, first.type(r)))
            start = builder.gep(builder.bitcast(array.data, ir.IntType(8).as_pointer()), [bytes_down])
            return builder.gep(builder.bitcast(start, vector.element.as_pointer()), [column])

        rows = [vector.load(builder, row(source, args[1], args[2], r)) for r in range(vector.lanes)]
        distance = 1
        while distance < vector.lanes:
            rows = _exchange(builder, rows, distance)
            distance *= 2
        for r, value in enumerate(rows):
            vector.store(builder, value, row(target, args[2], args[1], r))
        return context.get_dummy_value()

    if not (isinstance(x, types.Array) and isinstance(y, types.Array) and x.dtype == y.dtype):
        return None
    return types.void(x, types.intp, types.intp, y), codegen
