"""What the functions of ``math`` are made of: polynomials, powers of two, square roots, magnitudes."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from kernelbench.simd.conversion import reinterpret
from kernelbench.simd.vector import target_has_fma, vector_bytes
from kernelbench.simd.vectortype import WORD, VectorType, intrinsic_call, splat

INLINE = {"forceinline": True}
"""A call would pass every vector through memory."""


def by_type(x: Any, single: Any, double: Any) -> Any:
    """For an overload: the implementation for vectors of f32 or of f64; None for anything else."""
    if not isinstance(x, VectorType) or not x.is_float:
        return None
    return single if x.element == types.float32 else double


@intrinsic
def polynomial(typingctx: Any, x: Any, coefficients: Any) -> Any:
    """c[0] + c[1] x + c[2] x^2 + ... in each lane by Horner's rule: one multiply-add for each power.

    ``coefficients`` is a tuple of two floats or more, rounded to the type of ``x``. Independent vectors keep the units
    busy, so that the latency of the chain costs nothing in a loop.
    """
    if not isinstance(x, VectorType) or not x.is_float or not isinstance(coefficients, types.UniTuple):
        return None

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        result = None
        for k in reversed(range(coefficients.count)):
            number = builder.extract_value(args[1], k)
            c = splat(builder, x, context.cast(builder, number, coefficients.dtype, x.element))
            result = c if result is None else _multiply_add(builder, x, result, args[0], c)
        return result

    return x(x, coefficients), codegen


@intrinsic
def polynomial_either(typingctx: Any, mask: Any, x: Any, inside: Any, outside: Any) -> Any:
    """As ``polynomial``, with the coefficients ``inside`` in the lanes of ``mask`` and ``outside`` in the others.

    Choosing between two constants is cheaper than a second polynomial, and needs no multiplier. Both tuples have the
    same length: the shorter polynomial is filled up with zeros.
    """
    if not isinstance(x, VectorType) or not x.is_float or inside != outside or not isinstance(inside, types.UniTuple):
        return None

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        result = None
        for k in reversed(range(inside.count)):
            numbers = (builder.extract_value(c, k) for c in args[2:])
            pair = (splat(builder, x, context.cast(builder, n, inside.dtype, x.element)) for n in numbers)
            c = builder.select(args[0], *pair)
            result = c if result is None else _multiply_add(builder, x, result, args[1], c)
        return result

    return x(mask, x, inside, outside), codegen


def _multiply_add(builder: ir.IRBuilder, vector: VectorType, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    if not target_has_fma():
        return builder.fadd(builder.fmul(a, b), c)
    return intrinsic_call(builder, f"llvm.fma.{vector.suffix}", vector.ir, [a, b, c])


def _one_to_one(name: str) -> Any:
    """Typing and code of LLVM's function ``name`` of one vector of floats."""

    def typed(typingctx: Any, x: Any) -> Any:
        if not isinstance(x, VectorType) or not x.is_float:
            return None

        def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
            return intrinsic_call(builder, f"llvm.{name}.{x.suffix}", x.ir, [args[0]])

        return x(x), codegen

    return typed


_root, _magnitude = _one_to_one("sqrt"), _one_to_one("fabs")


@intrinsic
def sqrt(typingctx: Any, x: Any) -> Any:
    """The square root of each lane, correctly rounded; NaN below zero, -0 for -0."""
    return _root(typingctx, x)


@intrinsic
def absolute(typingctx: Any, x: Any) -> Any:
    """Each lane without its sign, NaN as well."""
    return _magnitude(typingctx, x)


@intrinsic
def with_sign(typingctx: Any, x: Any, y: Any) -> Any:
    """The magnitude of x with the sign of y in each lane."""
    if not isinstance(x, VectorType) or not x.is_float or x != y:
        return None

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        return intrinsic_call(builder, f"llvm.copysign.{x.suffix}", x.ir, list(args))

    return x(x, y), codegen


MAGIC_F32, MAGIC_F64 = 1.5 * 2.0**23, 1.5 * 2.0**52
"""Added to a number, they push its fraction out of the mantissa: x + MAGIC - MAGIC is x rounded to a whole number, and
the last bits of x + MAGIC are that number. Nothing is reassociated here, so no compiler takes the two for nothing."""


def scaled(x, n):
    """x 2^n in each lane, rounded once, n whole: overflow gives infinity, underflow denormals and zero.

    |n| must be at most 252 for f32 and 2044 for f64.
    """
    raise NotImplementedError


@overload(scaled, jit_options=INLINE)
def _scaled(x, n):
    if isinstance(x, VectorType) and x.lanes * x.itemsize == vector_bytes() == 64:
        return _scaled_by_instruction
    return by_type(x, _scaled_f32, _scaled_f64)


def _scaled_by_instruction(x, n):
    return _scalef(x, n)


def _scaled_f32(x, n):
    # In two steps, for 2^n itself may be out of range; the first rounds nothing.
    half = (n * 0.5 + MAGIC_F32) - MAGIC_F32
    return x * _power_f32(half) * _power_f32(n - half)


def _scaled_f64(x, n):
    half = (n * 0.5 + MAGIC_F64) - MAGIC_F64
    return x * _power_f64(half) * _power_f64(n - half)


def _power_f32(n):
    raise NotImplementedError


def _power_f64(n):
    raise NotImplementedError


@overload(_power_f32, jit_options=INLINE)
def _of_f32(n):
    # n + 127 is the exponent of 2^n. The shift leaves the bits of MAGIC behind.
    return lambda n: reinterpret((reinterpret(n + MAGIC_F32, np.int32) + 127) << 23, np.float32)


@overload(_power_f64, jit_options=INLINE)
def _of_f64(n):
    return lambda n: reinterpret((reinterpret(n + MAGIC_F64, np.int64) + 1023) << 52, np.float64)


@intrinsic
def _scalef(typingctx: Any, x: Any, n: Any) -> Any:
    """x 2^n by one instruction of AVX-512, for vectors of 64 bytes."""
    mask, short = (ir.IntType(16), "ps") if x.itemsize == 4 else (ir.IntType(8), "pd")

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        # Lanes outside the mask would come from the third operand; 4: rounded as the processor is set to.
        every, as_set = mask(-1), WORD(4)
        name = f"llvm.x86.avx512.mask.scalef.{short}.512"
        return intrinsic_call(builder, name, x.ir, [args[0], args[1], args[0], every, as_set])

    return x(x, n), codegen
