"""An integer dot-product tile for Numba: 8-bit factors, 32-bit sums, at any instruction-set level.

Where the target has AVX512-VNNI, one ``vpdpbusd`` does 64 products; elsewhere the same integers come from
widening multiplies. Module-level intrinsic, so that Numba's disk cache keeps the kernels that use it.
"""

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import config
from numba.extending import intrinsic

ROWS, COLUMNS, QUAD = 8, 32, 4
"""A tile of c is 8 x 32: 16 accumulators of 16 lanes + 2 vectors of b + 8 of a = 26 of AVX-512's 32 registers.
Each vector of a serves two products, so the compiler loads all 8 ahead; with 12 rows it spills, and a spill that
crosses a cache line, as the stack happens to lie, halves the speed of a whole process.
QUAD: the instruction adds 4 neighbouring products into each 32-bit lane."""

LANES = 16
_I8, _I32 = ir.IntType(8), ir.IntType(32)
_SUMS, _BYTES = ir.VectorType(_I32, LANES), ir.VectorType(_I8, LANES * QUAD)
_WIDE = ir.VectorType(_I32, LANES * QUAD)


def target_has_vnni() -> bool:
    """True when Numba compiles for a CPU with AVX512-VNNI (the ISA level of this process, not the host's)."""
    if config.CPU_FEATURES is not None:
        return "+avx512vnni" in config.CPU_FEATURES
    return bool(llvm.get_host_cpu_features().get("avx512vnni", False))


def _dot(builder: ir.IRBuilder, sums: ir.Value, unsigned: ir.Value, signed: ir.Value) -> ir.Value:
    """sums[16] + the sums of 4 products each of unsigned[64] bytes by signed[64] bytes."""
    if target_has_vnni():
        # The <16 x i32> operand form is upgraded by old and new LLVM alike.
        name = "llvm.x86.avx512.vpdpbusd.512"
        kind = ir.FunctionType(_SUMS, [_SUMS] * 3)
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        return builder.call(function, [sums, builder.bitcast(unsigned, _SUMS), builder.bitcast(signed, _SUMS)])
    products = builder.mul(builder.zext(unsigned, _WIDE), builder.sext(signed, _WIDE))
    for q in range(QUAD):
        every_fourth = ir.Constant(ir.VectorType(_I32, LANES), [_I32(QUAD * lane + q) for lane in range(LANES)])
        sums = builder.add(sums, builder.shuffle_vector(products, products, every_fourth))
    return sums


def _four_bytes_everywhere(builder: ir.IRBuilder, pointer: ir.Value) -> ir.Value:
    """The 4 bytes at ``pointer``, repeated to 64."""
    word = builder.load(builder.bitcast(pointer, _I32.as_pointer()), align=1)
    first = builder.insert_element(ir.Constant(_SUMS, ir.Undefined), word, _I32(0))
    mask = ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES)
    return builder.bitcast(builder.shuffle_vector(first, first, mask), _BYTES)


def _data_and_row(context, builder, kind, value):
    array = context.make_array(kind)(context, builder, value)
    return array.data, builder.extract_value(array.strides, 0)


@intrinsic
def dot_tile(typingctx, a, b, start, c):
    """c[8,32] = start[32] + a[8,depth] @ panel, rows beyond those shapes untouched.

    a: uint8, C-contiguous rows of ``depth`` bytes; b: int8 panel [depth/4, 32, 4]; start: int32, added to
    every row; c: int32, unit stride along a row.
    """

    def codegen(context, builder, signature, args):
        a, a_row = _data_and_row(context, builder, signature.args[0], args[0])
        panel = context.make_array(signature.args[1])(context, builder, args[1])
        start, _ = _data_and_row(context, builder, signature.args[2], args[2])
        c, c_row = _data_and_row(context, builder, signature.args[3], args[3])
        trips = builder.extract_value(panel.shape, 0)
        index, halves = trips.type, range(COLUMNS // LANES)
        as_bytes = [builder.bitcast(x, _I8.as_pointer()) for x in (a, panel.data, c)]
        entry, body, done = builder.block, builder.append_basic_block("trip"), builder.append_basic_block("done")
        first = [
            builder.load(builder.bitcast(builder.gep(start, [index(h * LANES)]), _SUMS.as_pointer()), align=4)
            for h in halves
        ]
        rows = [builder.gep(as_bytes[0], [builder.mul(a_row, index(r))]) for r in range(ROWS)]
        builder.branch(body)
        builder.position_at_end(body)
        p = builder.phi(index)
        p.add_incoming(index(0), entry)
        sums = [[builder.phi(_SUMS) for _ in halves] for _ in range(ROWS)]
        at = builder.gep(as_bytes[1], [builder.mul(p, index(COLUMNS * QUAD))])
        columns = [
            builder.load(builder.bitcast(builder.gep(at, [index(h * LANES * QUAD)]), _BYTES.as_pointer()), align=1)
            for h in halves
        ]
        new = []
        for r in range(ROWS):
            factor = _four_bytes_everywhere(builder, builder.gep(rows[r], [builder.mul(p, index(QUAD))]))
            new.append([_dot(builder, sums[r][h], factor, columns[h]) for h in halves])
        following = builder.add(p, index(1))
        p.add_incoming(following, body)
        for r in range(ROWS):
            for h in halves:
                sums[r][h].add_incoming(first[h], entry)
                sums[r][h].add_incoming(new[r][h], body)
        builder.cbranch(builder.icmp_signed("<", following, trips), body, done)
        builder.position_at_end(done)
        for r in range(ROWS):
            for h in halves:
                offset = builder.add(builder.mul(c_row, index(r)), index(h * LANES * 4))
                target = builder.bitcast(builder.gep(as_bytes[2], [offset]), _SUMS.as_pointer())
                builder.store(new[r][h], target, align=4)
        return context.get_dummy_value()

    arrays = (a, b, start, c)
    if not all(isinstance(t, types.Array) for t in arrays):
        return None
    return types.void(*arrays), codegen
