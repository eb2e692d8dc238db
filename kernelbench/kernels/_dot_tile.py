"""The register tile of the products of 8-bit integers and of bf16: _gemm's, with 32-bit words for its elements.

A word is four bytes, or two bf16 numbers, that follow each other along k; the dot instruction multiplies the words of
a and b part by part and adds all of it into one 32-bit lane of c. So a step of the tile is four, or two, steps of k.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernelbench.simd.dot import dot4_words, dot_bf16_words, target_has_bf16, target_has_vnni
from kernelbench.simd.vector import lanes_of, vector_bytes
from kernelbench.simd.vectortype import INDEX, WORD, element_of, splat
from kernelbench.simd.vectortype import VectorType as V

LANES, VECTORS = lanes_of(4), 2
NR = VECTORS * LANES


def _rows(one_instruction: bool) -> int:
    """mr rows by two vectors: see _gemm for one instruction; without it each factor takes two registers, and one more
    is needed for the product: 24 + 4 + 2 + 1 = 31 of AVX-512's 32, 8 + 4 + 2 + 1 = 15 of 16."""
    if one_instruction:
        return {64: 14, 32: 6}.get(vector_bytes(), 4)
    return 12 if vector_bytes() == 64 else 4


MR_I8, MR_BF16 = _rows(target_has_vnni()), _rows(target_has_bf16())
KC_BYTES, PAD_BYTES = 1536, 64
"""As _gemm's: kc = 384 words, 1536 steps of k for bytes and 768 for bf16; rows of a sliver an odd number of lines
apart."""
KC = KC_BYTES // 4
SLIVER_ROW = (KC_BYTES + PAD_BYTES) // 4
"""Words from one row of a sliver to the next."""


def _vector(kind: Any) -> V:
    return V(kind, LANES)


def _load(builder: ir.IRBuilder, vector: V, pointer: ir.Value, at: int) -> ir.Value:
    place = builder.gep(pointer, [INDEX(at)])
    return builder.load(builder.bitcast(place, vector.ir.as_pointer()), align=4)


def _step(builder: ir.IRBuilder, kind: Any, sums: list[list[Any]], a: ir.Value, b: ir.Value) -> list[list[Any]]:
    """sums[r][j] + a[r] . b[j] for one word of k; pointers to that step's words."""
    words, dot = _vector(types.int32), dot_bf16_words if kind == types.float32 else dot4_words
    columns = [_load(builder, words, b, j * LANES) for j in range(VECTORS)]
    new = []
    for r, row in enumerate(sums):
        factor = splat(builder, words, builder.load(builder.gep(a, [INDEX(r * SLIVER_ROW)]), align=4))
        new.append([dot(builder, total, factor, x) for total, x in zip(row, columns, strict=True)])
    return new


def _tile(builder: ir.IRBuilder, kind: Any, rows: int, args: Any) -> None:
    """IR of the tile of ``rows`` rows; ends in a block of its own."""
    _, steps, a, b, c, c_row, first = args
    vector = _vector(kind)
    places = [builder.gep(c, [builder.mul(INDEX(r), c_row)]) for r in range(rows)]
    add = builder.fadd if vector.is_float else builder.add
    b_as_c = builder.bitcast(b, c.type)
    start = [_load(builder, vector, b_as_c, j * LANES) for j in range(VECTORS)]
    entry = builder.block
    again, body, done = (builder.append_basic_block(name) for name in ("again", "step", "done"))
    builder.cbranch(builder.icmp_signed("!=", first, INDEX(0)), body, again)
    builder.position_at_end(again)
    before = [[add(_load(builder, vector, at, j * LANES), start[j]) for j in range(VECTORS)] for at in places]
    builder.branch(body)
    builder.position_at_end(body)
    p = builder.phi(INDEX)
    sums = [[builder.phi(vector.ir) for _ in range(VECTORS)] for _ in range(rows)]
    following = builder.add(p, INDEX(1))
    new = _step(builder, kind, sums, builder.gep(a, [p]), builder.gep(b, [builder.mul(following, INDEX(NR))]))
    for block, value in ((entry, INDEX(0)), (again, INDEX(0)), (body, following)):
        p.add_incoming(value, block)
    for r in range(rows):
        for j in range(VECTORS):
            sums[r][j].add_incoming(start[j], entry)
            sums[r][j].add_incoming(before[r][j], again)
            sums[r][j].add_incoming(new[r][j], body)
    builder.cbranch(builder.icmp_signed("<", following, steps), body, done)
    builder.position_at_end(done)
    for at, values in zip(places, new, strict=True):
        for j, value in enumerate(values):
            place = builder.gep(at, [INDEX(j * LANES)])
            builder.store(value, builder.bitcast(place, vector.ir.as_pointer()), align=4)


@intrinsic
def tile(typingctx: Any, rows: Any, steps: Any, a: Any, b: Any, c: Any, c_row: Any, first: Any) -> Any:
    """c[rows, NR] = (0 if first else c) + b[0] + a[rows, steps] . b[1 : steps + 1], steps >= 1.

    a: pointer to words, rows SLIVER_ROW apart; b: pointer to a panel of words [steps + 1, NR], the first row of c's
    type; c: pointer to int32 (bytes, a's unsigned and b's signed) or float32 (bf16), rows ``c_row`` apart.
    """
    if a != types.CPointer(types.int32) or a != b or not isinstance(c, types.CPointer):
        return None
    kind = c.dtype

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        # One loop for each height, so that every sum has a register of its own.
        none, after = builder.append_basic_block("none"), builder.append_basic_block("after")
        switch = builder.switch(args[0], none)
        for height in range(1, (MR_BF16 if kind == types.float32 else MR_I8) + 1):
            block = builder.append_basic_block(f"tile{height}")
            switch.add_case(INDEX(height), block)
            builder.position_at_end(block)
            _tile(builder, kind, height, args)
            builder.branch(after)
        builder.position_at_end(none)
        builder.branch(after)
        builder.position_at_end(after)
        return context.get_dummy_value()

    size = types.intp
    return types.void(size, size, a, b, c, size, size), codegen


@intrinsic
def memory_at(typingctx: Any, address: Any, like: Any) -> Any:
    """The integer ``address`` as a pointer to elements of the type of ``like`` (an array, a pointer, np.int32 ...)."""
    element = element_of(like)
    if element is None or not isinstance(address, types.Integer):
        return None

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return types.CPointer(element)(types.intp, like), codegen


@intrinsic
def interleave(typingctx: Any, rows: Any, row: Any, words: Any) -> Any:
    """words[NR] = the elements of 4 / itemsize rows, one below the other, of each column; rows are ``row`` elements
    apart and NR long, ``words`` a pointer to int32."""
    if words != types.CPointer(types.int32) or not isinstance(rows, types.CPointer):
        return None
    bits = rows.dtype.bitwidth

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        source, distance, target = args
        starts = [builder.gep(source, [builder.mul(distance, INDEX(r))]) for r in range(32 // bits)]
        (_zip_rows if LANES > 1 else _zip_elements)(builder, starts, bits, target)
        return context.get_dummy_value()

    return types.void(rows, types.intp, words), codegen


def _zip_rows(builder: ir.IRBuilder, starts: list[ir.Value], bits: int, target: ir.Value) -> None:
    vector, words = ir.VectorType(ir.IntType(bits), NR), ir.VectorType(WORD, NR)
    level = [builder.load(builder.bitcast(at, vector.as_pointer()), align=bits // 8) for at in starts]
    while len(level) > 1:
        # Neighbours become one number of twice the width: bytes become 16-bit pairs, pairs become words.
        level = [_zipped(builder, level[i], level[i + 1]) for i in range(0, len(level), 2)]
    builder.store(builder.bitcast(level[0], words), builder.bitcast(target, words.as_pointer()), align=4)


def _zip_elements(builder: ir.IRBuilder, starts: list[ir.Value], bits: int, target: ir.Value) -> None:
    """With vectors off: shuffles of two bytes would be vector instructions."""
    for j in range(NR):
        word = WORD(0)
        for r, at in enumerate(starts):
            element = builder.zext(builder.load(builder.gep(at, [INDEX(j)])), WORD)
            word = builder.or_(word, builder.shl(element, WORD(bits * r)))
        builder.store(word, builder.gep(target, [INDEX(j)]))


def _zipped(builder: ir.IRBuilder, low: ir.Value, high: ir.Value) -> ir.Value:
    """Lane i of <n x iB> low and high as the lower and upper half of lane i of <n x i2B>."""
    n, bits = low.type.count, low.type.element.width
    order = [WORD(i // 2 + n * (i % 2)) for i in range(2 * n)]
    pairs = builder.shuffle_vector(low, high, ir.Constant(ir.VectorType(WORD, 2 * n), order))
    return builder.bitcast(pairs, ir.VectorType(ir.IntType(2 * bits), n))
