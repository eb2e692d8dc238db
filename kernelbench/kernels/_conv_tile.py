"""The register tile of a convolution that reads its input in place, where a matmul would read a packed panel.

Step e of the sum is one weight's place (channel, r, s). Its row of the implicit matrix, the input that each pixel
meets there, is the padded image from offsets[e] on: contiguous along a row of pixels, with a jump where that row ends.
A vector that spans two or three rows is loaded in as many parts, under masks; beside 28 FMAs there is room for that.
Narrower registers than 512 bits have no masks: there, and where a vector spans more rows, panels are packed.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernelbench.kernels._gemm import KC_BYTES, MR, PAD_BYTES, VECTOR_BYTES, VECTORS
from kernelbench.simd.vector import Vector
from kernelbench.simd.vectortype import INDEX, WORD, intrinsic_call

IN_PLACE = VECTOR_BYTES == 64
"""Whether the target has masks, and so an image can be read in place."""


class _Pixels:
    """One vector of pixels: where their input begins, and the lanes from which on it lies one and two jumps further."""

    def __init__(
        self, builder: ir.IRBuilder, v: Vector, start: ir.Value, jump: ir.Value, breaks: list[ir.Value]
    ) -> None:
        self._v, self._start, self._beyond = v, start, []
        place, bits = start, ir.IntType(v.lanes)
        for first in breaks:
            place = builder.gep(place, [jump])
            # A mask made of an integer stays one; made by comparing vectors, it is compared anew in every step, and
            # the operands take the registers of sums.
            least = builder.select(builder.icmp_signed("<", first, INDEX(v.lanes)), first, INDEX(v.lanes))
            beyond = builder.trunc(builder.shl(INDEX(-1), least), bits)
            self._beyond.append((place, builder.bitcast(beyond, ir.VectorType(ir.IntType(1), v.lanes))))

    def load(self, builder: ir.IRBuilder, offset: ir.Value) -> ir.Value:
        """What these pixels meet at the weight whose input lies ``offset`` elements on."""
        v = self._v
        seen = v.load(builder, builder.gep(self._start, [offset]))
        if not IN_PLACE:
            return seen
        name = f"llvm.masked.load.v{v.lanes}f{8 * v.itemsize}.p0"
        for place, mask in self._beyond:
            at = builder.bitcast(builder.gep(place, [offset]), v.type.as_pointer())
            seen = intrinsic_call(builder, name, v.type, [at, WORD(v.itemsize), mask, seen])
        return seen


def _tile(builder: ir.IRBuilder, v: Vector, rows: int, pixels: list[_Pixels], args: Any) -> None:
    """IR of the tile of ``rows`` output channels by the vectors ``pixels``; ends in a block of its own."""
    _, _, steps, a, offsets, b_row, *_, c, c_row, first = args
    a_row, width = (KC_BYTES + PAD_BYTES) // v.itemsize, range(len(pixels))
    places = [
        [builder.gep(c, [builder.add(builder.mul(INDEX(r), c_row), INDEX(j * v.lanes))]) for j in width]
        for r in range(rows)
    ]
    entry = builder.block
    again, body, done = (builder.append_basic_block(name) for name in ("again", "step", "done"))
    builder.cbranch(builder.icmp_signed("!=", first, INDEX(0)), body, again)
    builder.position_at_end(again)
    before = [[v.load(builder, at) for at in row] for row in places]
    builder.branch(body)
    builder.position_at_end(body)
    e = builder.phi(INDEX)
    sums = [[builder.phi(v.type) for _ in row] for row in places]
    offset = builder.mul(e, b_row)
    if IN_PLACE:
        place = builder.load(builder.gep(offsets, [e]))
        offset = builder.select(builder.icmp_signed("==", b_row, INDEX(0)), place, offset)
    seen = [vector.load(builder, offset) for vector in pixels]
    weights, new = builder.gep(a, [e]), []
    for r in range(rows):
        factor = v.broadcast(builder, builder.load(builder.gep(weights, [INDEX(r * a_row)])))
        new.append([v.multiply_add(builder, factor, x, total) for x, total in zip(seen, sums[r], strict=True)])
    following = builder.add(e, INDEX(1))
    for block, value in ((entry, INDEX(0)), (again, INDEX(0)), (body, following)):
        e.add_incoming(value, block)
    for r in range(rows):
        for j in width:
            sums[r][j].add_incoming(v.zero(), entry)
            sums[r][j].add_incoming(before[r][j], again)
            sums[r][j].add_incoming(new[r][j], body)
    builder.cbranch(builder.icmp_signed("<", following, steps), body, done)
    builder.position_at_end(done)
    for row, values in zip(places, new, strict=True):
        for at, value in zip(row, values, strict=True):
            v.store(builder, value, at)


@intrinsic
def conv_tile(typingctx, rows, vectors, steps, a, offsets, b_row, start0, start1, jump, q, at0, at1, c, c_row, first):
    """c[rows, vectors x lanes] = (0 if first else c) + a[rows, steps] times the input of these pixels, steps >= 1.

    1 <= rows <= MR, 1 <= vectors <= VECTORS; a lies as in a sliver, rows of c ``c_row`` elements apart. Input e of the
    first pixel of each vector lies e b_row elements after start0 and start1 (in a panel), or offsets[e] where b_row is
    0 (in an image, if IN_PLACE). A row is q pixels, at least half a vector, and the vectors begin at pixels at0 and at1
    of one; each row begins ``jump`` elements after the end of the one before.
    """

    def codegen(context, builder, signature, args):
        v = Vector(signature.args[3].dtype.name)
        rows, vectors, jump = args[0], args[1], args[8]
        pixels = []
        for start, at in ((args[6], args[10]), (args[7], args[11])):
            first = builder.sub(args[9], at)
            pixels.append(_Pixels(builder, v, start, jump, [first, builder.add(first, args[9])]))
        none, after = builder.append_basic_block("none"), builder.append_basic_block("after")
        switch = builder.switch(builder.add(builder.mul(rows, INDEX(VECTORS)), vectors), none)
        for height in range(1, MR + 1):
            for width in range(1, VECTORS + 1):
                block = builder.append_basic_block(f"conv{height}x{width}")
                switch.add_case(INDEX(height * VECTORS + width), block)
                builder.position_at_end(block)
                _tile(builder, v, height, pixels[:width], args)
                builder.branch(after)
        builder.position_at_end(none)
        builder.branch(after)
        builder.position_at_end(after)
        return context.get_dummy_value()

    pointers = (a, offsets, start0, start1, c)
    if not all(isinstance(x, types.CPointer) for x in pointers) or not a == start0 == start1 == c:
        return None
    n = types.intp
    return types.void(n, n, n, a, offsets, n, a, a, n, n, n, n, a, n, n), codegen
