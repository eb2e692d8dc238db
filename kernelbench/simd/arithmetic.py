"""What is done with vectors lane by lane: operators, multiply-add, smaller and larger, choice."""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin

from kernelbench.simd.vector import target_has_fma
from kernelbench.simd.vectortype import VectorType, intrinsic_call, splat

Emit = Callable[[ir.IRBuilder, VectorType, ir.Value, ir.Value], ir.Value]


def _float_or_integer(of_floats: str, of_integers: str) -> Emit:
    def emit(builder: ir.IRBuilder, vector: VectorType, x: ir.Value, y: ir.Value) -> ir.Value:
        return getattr(builder, of_floats if vector.is_float else of_integers)(x, y)

    return emit


def _integer(signed: str, unsigned: str) -> Emit:
    def emit(builder: ir.IRBuilder, vector: VectorType, x: ir.Value, y: ir.Value) -> ir.Value:
        return getattr(builder, signed if vector.signed else unsigned)(x, y)

    return emit


def _comparison(sign: str) -> Emit:
    def emit(builder: ir.IRBuilder, vector: VectorType, x: ir.Value, y: ir.Value) -> ir.Value:
        return compared(builder, vector, sign, x, y)

    return emit


def compared(builder: ir.IRBuilder, vector: VectorType, sign: str, x: ir.Value, y: ir.Value) -> ir.Value:
    """Mask of the lanes where ``x sign y``; with NaN only "!=" holds."""
    if vector.is_float:
        return builder.fcmp_unordered(sign, x, y) if sign == "!=" else builder.fcmp_ordered(sign, x, y)
    return (builder.icmp_signed if vector.signed else builder.icmp_unsigned)(sign, x, y)


_ANY: dict[Any, Emit] = {
    operator.add: _float_or_integer("fadd", "add"),
    operator.sub: _float_or_integer("fsub", "sub"),
    operator.mul: _float_or_integer("fmul", "mul"),
}
_FLOATS: dict[Any, Emit] = {operator.truediv: _float_or_integer("fdiv", "sdiv")}
_INTEGERS: dict[Any, Emit] = {
    operator.and_: _integer("and_", "and_"),
    operator.or_: _integer("or_", "or_"),
    operator.xor: _integer("xor", "xor"),
    operator.lshift: _integer("shl", "shl"),
    operator.rshift: _integer("ashr", "lshr"),
}
_IN_PLACE = {
    operator.add: operator.iadd,
    operator.sub: operator.isub,
    operator.mul: operator.imul,
    operator.truediv: operator.itruediv,
    operator.and_: operator.iand,
    operator.or_: operator.ior,
    operator.xor: operator.ixor,
    operator.lshift: operator.ilshift,
    operator.rshift: operator.irshift,
}
_OUT_OF_PLACE = {in_place: function for function, in_place in _IN_PLACE.items()}
_COMPARISONS: dict[Any, Emit] = {
    operator.lt: _comparison("<"),
    operator.le: _comparison("<="),
    operator.gt: _comparison(">"),
    operator.ge: _comparison(">="),
    operator.eq: _comparison("=="),
    operator.ne: _comparison("!="),
}


def _accepts(function: Any, vector: VectorType) -> bool:
    function = _OUT_OF_PLACE.get(function, function)
    if isinstance(vector.element, types.Boolean):
        return function in (operator.and_, operator.or_, operator.xor)
    if function in _FLOATS:
        return vector.is_float
    return not vector.is_float if function in _INTEGERS else True


def _operands(args: tuple[Any, ...]) -> tuple[VectorType, tuple[Any, ...]] | None:
    """The vector type that ``args`` agree on, and each argument's own: a number becomes an element first."""
    vectors = [a for a in args if isinstance(a, VectorType)]
    if not vectors or any(a != vectors[0] for a in vectors):
        return None
    if not all(isinstance(a, VectorType | types.Number) for a in args):
        return None
    return vectors[0], tuple(a if isinstance(a, VectorType) else vectors[0].element for a in args)


def _widened(builder: ir.IRBuilder, vector: VectorType, kinds: Any, values: Any) -> list[ir.Value]:
    """``values`` as vectors, numbers in every lane."""
    pairs = zip(kinds, values, strict=True)
    return [v if isinstance(kind, VectorType) else splat(builder, vector, v) for kind, v in pairs]


def _declare(function: Any, emit: Emit, *, compares: bool) -> None:
    """Tell Numba's typing and lowering what ``function`` does with vectors."""

    class Operator(AbstractTemplate):  # type: ignore[misc]
        key = function

        def generic(self, args: Any, kws: Any) -> Any:
            found = _operands(args) if len(args) == 2 and not kws else None
            if found is None or not _accepts(function, found[0]):
                return None
            result = VectorType(types.boolean, found[0].lanes) if compares else found[0]
            return signature(result, *found[1])

    def lower(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> ir.Value:
        vector = next(kind for kind in sig.args if isinstance(kind, VectorType))
        return emit(builder, vector, *_widened(builder, vector, sig.args, args))

    infer_global(function)(Operator)
    for kinds in ((VectorType, VectorType), (VectorType, types.Number), (types.Number, VectorType)):
        lower_builtin(function, *kinds)(lower)


for _function, _emit in {**_ANY, **_FLOATS, **_INTEGERS}.items():
    _declare(_function, _emit, compares=False)
    # x += y is a function of its own to Numba.
    _declare(_IN_PLACE[_function], _emit, compares=False)
for _function, _emit in _COMPARISONS.items():
    _declare(_function, _emit, compares=True)


class _Negative(AbstractTemplate):  # type: ignore[misc]
    key = operator.neg

    def generic(self, args: Any, kws: Any) -> Any:
        return signature(args[0], args[0]) if len(args) == 1 and isinstance(args[0], VectorType) else None


infer_global(operator.neg)(_Negative)


@lower_builtin(operator.neg, VectorType)
def _negate(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> ir.Value:
    return builder.fneg(args[0]) if sig.args[0].is_float else builder.neg(args[0])


@intrinsic
def fma(typingctx: Any, x: Any, y: Any, z: Any) -> Any:
    """x y + z in each lane of f32 or f64: rounded once where the target has an FMA, twice elsewhere."""
    found = _operands((x, y, z))
    if found is None or not found[0].is_float:
        return None
    vector, kinds = found

    def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> ir.Value:
        a, b, c = _widened(builder, vector, kinds, args)
        if not target_has_fma():
            # llvm.fma would become a call of libm for each lane.
            return builder.fadd(builder.fmul(a, b), c)
        return intrinsic_call(builder, f"llvm.fma.{vector.suffix}", vector.ir, [a, b, c])

    return vector(*kinds), codegen


def _choice(sign: str) -> Any:
    """Typing and code of ``x if x sign y else y`` in each lane."""

    def typed(typingctx: Any, x: Any, y: Any) -> Any:
        found = _operands((x, y))
        if found is None:
            return None
        vector, kinds = found

        def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> ir.Value:
            a, b = _widened(builder, vector, kinds, args)
            return builder.select(compared(builder, vector, sign, a, b), a, b)

        return vector(*kinds), codegen

    return typed


_larger, _smaller = _choice(">"), _choice("<")


@intrinsic
def maximum(typingctx: Any, x: Any, y: Any) -> Any:
    """The larger of x and y in each lane; y where either is NaN, as one max instruction of x86 has it."""
    return _larger(typingctx, x, y)


@intrinsic
def minimum(typingctx: Any, x: Any, y: Any) -> Any:
    """The smaller of x and y in each lane; y where either is NaN, as one min instruction of x86 has it."""
    return _smaller(typingctx, x, y)


@intrinsic
def select(typingctx: Any, mask: Any, x: Any, y: Any) -> Any:
    """x in the lanes of ``mask``, y in the others."""
    found = _operands((x, y))
    if found is None or mask != VectorType(types.boolean, found[0].lanes):
        return None
    vector, kinds = found

    def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> ir.Value:
        return builder.select(args[0], *_widened(builder, vector, kinds, args[1:]))

    return vector(mask, *kinds), codegen
