"""4-bit weights times f32 for Numba: rows of packed nibbles against one vector, 16 lanes wide, at any level.

Where the target has AVX-512, one permute looks 16 nibbles up in a register that holds the floats -8..7: it reads
no more than 4 bits of each index, so nothing is masked, subtracted or converted. Elsewhere the same floats come
from mask, subtract, widen and convert. Module-level intrinsics, so that Numba's disk cache keeps what uses them.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import config
from numba.extending import intrinsic

from kernelbench.kernels._weights import GROUP, HALF

_I8, _I32, _F32 = ir.IntType(8), ir.IntType(32), ir.FloatType()
_BYTES, _INTS, _FLOATS = (ir.VectorType(kind, HALF) for kind in (_I8, _I32, _F32))
_FUSE = ("contract",)
"""a * b + c may become one instruction where the target has it; llvm.fma would be a library call elsewhere."""


def _everywhere(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    first = builder.insert_element(ir.Constant(_FLOATS, ir.Undefined), value, _I32(0))
    return builder.shuffle_vector(first, first, ir.Constant(_INTS, [0] * HALF))


def _target_permutes_16_floats() -> bool:
    """True when Numba compiles for AVX-512 (the ISA level of this process, not the host's)."""
    if config.CPU_FEATURES is not None:
        return "+avx512f" in config.CPU_FEATURES
    return bool(llvm.get_host_cpu_features().get("avx512f", False))


def _weights(builder: ir.IRBuilder, packed: ir.Value) -> tuple[ir.Value, ir.Value]:
    """16 bytes of two nibbles as the floats -8..7 of their low and of their high halves."""
    if _target_permutes_16_floats():
        name = "llvm.x86.avx512.permvar.sf.512"
        kind = ir.FunctionType(_FLOATS, [_FLOATS, _INTS])
        look_up = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        table = ir.Constant(_FLOATS, [float(nibble - 8) for nibble in range(16)])
        low = builder.zext(packed, _INTS)
        high = builder.lshr(low, ir.Constant(_INTS, [4] * HALF))
        return builder.call(look_up, [table, low]), builder.call(look_up, [table, high])
    low = builder.and_(packed, ir.Constant(_BYTES, [15] * HALF))
    high = builder.lshr(packed, ir.Constant(_BYTES, [4] * HALF))
    eight = ir.Constant(_BYTES, [8] * HALF)
    return tuple(builder.sitofp(builder.sext(builder.sub(half, eight), _INTS), _FLOATS) for half in (low, high))


def _sum(builder: ir.IRBuilder, lanes: ir.Value) -> ir.Value:
    """The sum of all lanes, by halves."""
    width = HALF
    while width > 1:
        width //= 2
        low, high = ([_I32(first + lane) for lane in range(width)] for first in (0, width))
        halves = [
            builder.shuffle_vector(lanes, lanes, ir.Constant(ir.VectorType(_I32, width), part)) for part in (low, high)
        ]
        lanes = builder.fadd(*halves)
    return builder.extract_element(lanes, _I32(0))


def _group(builder: ir.IRBuilder, at: ir.Value, step: ir.Value, x: list[ir.Value], total: ir.Value) -> ir.Value:
    """total[16] + step * (the 32 weights packed at ``at``, by lanes, times x)."""
    packed = builder.load(builder.bitcast(at, _BYTES.as_pointer()), align=1)
    low, high = _weights(builder, packed)
    products = builder.fmul(low, x[0], flags=_FUSE)
    products = builder.fadd(builder.fmul(high, x[1], flags=_FUSE), products, flags=_FUSE)
    scaled = builder.fmul(products, _everywhere(builder, builder.load(step)), flags=_FUSE)
    return builder.fadd(scaled, total, flags=_FUSE)


def _row_starts(builder: ir.IRBuilder, array: Any, rows: int) -> list[ir.Value]:
    """Addresses of the first ``rows`` rows of an array, as of bytes."""
    data, stride = builder.bitcast(array.data, _I8.as_pointer()), builder.extract_value(array.strides, 0)
    return [builder.gep(data, [builder.mul(stride, stride.type(r))]) for r in range(rows)]


def _dot_rows(rows: int) -> Callable[..., object]:
    """Code for y[rows] = the whole groups of packed[rows,bytes] and steps[rows,groups] times x[n]."""

    def codegen(context, builder, signature, args):
        arrays = [context.make_array(k)(context, builder, v) for k, v in zip(signature.args, args, strict=True)]
        packed, steps, x, y = arrays
        index = builder.extract_value(x.shape, 0).type
        groups = builder.udiv(builder.extract_value(x.shape, 0), index(GROUP))
        bytes_at, steps_at = (_row_starts(builder, array, rows) for array in (packed, steps))
        entry = builder.block
        test, body, done = (builder.append_basic_block(name) for name in ("test", "group", "done"))
        builder.branch(test)
        builder.position_at_end(test)
        g = builder.phi(index)
        totals = [builder.phi(_FLOATS) for _ in range(rows)]
        g.add_incoming(index(0), entry)
        builder.cbranch(builder.icmp_signed("<", g, groups), body, done)
        builder.position_at_end(body)
        first = builder.gep(x.data, [builder.mul(g, index(GROUP))])
        values = [
            builder.load(builder.bitcast(builder.gep(first, [index(h)]), _FLOATS.as_pointer()), align=4)
            for h in (0, HALF)
        ]
        for r in range(rows):
            at = builder.gep(bytes_at[r], [builder.mul(g, index(HALF))])
            step = builder.gep(builder.bitcast(steps_at[r], _F32.as_pointer()), [g])
            totals[r].add_incoming(ir.Constant(_FLOATS, [0.0] * HALF), entry)
            totals[r].add_incoming(_group(builder, at, step, values, totals[r]), body)
        g.add_incoming(builder.add(g, index(1)), body)
        builder.branch(test)
        builder.position_at_end(done)
        for r in range(rows):
            builder.store(_sum(builder, totals[r]), builder.gep(y.data, [index(r)]))
        return context.get_dummy_value()

    return codegen


@intrinsic
def dot_row(typingctx, packed, steps, x, y):
    """y[1] f32 = packed[1,bytes] uint8 with steps[1,groups] f32 times the whole groups of x[n] f32."""
    return types.void(packed, steps, x, y), _dot_rows(1)


@intrinsic
def dot_four_rows(typingctx, packed, steps, x, y):
    """y[4] f32 = packed[4,bytes] uint8 with steps[4,groups] f32 times the whole groups of x[n] f32."""
    return types.void(packed, steps, x, y), _dot_rows(4)
