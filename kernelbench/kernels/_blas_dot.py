"""cblas_sdot and cblas_ddot of NumPy's own BLAS, called from compiled code."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernelbench.errors import UsageError
from kernelbench.kernels import _blas
from kernelbench.kernels._registry import Arrays, Shape

_ROUTINES = {"f": "sdot", "d": "ddot"}


def unavailable() -> str:
    """Why the symbols cannot be called here; empty when they can."""
    found = all(_blas.symbol(routine) for routine in _ROUTINES.values())
    return "" if found else "NumPy here carries no OpenBLAS with cblas_sdot and cblas_ddot of 64-bit integers"


def with_dot(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[n], b[n]) and the address of the dot for their dtype. Raises UsageError when there is none."""
    address = _blas.symbol(_ROUTINES[inputs[0].dtype.char])
    if not address:
        raise UsageError(unavailable())
    return (*inputs, address)


@intrinsic
def call_dot(typingctx, dot, a, b):
    """a[n] . b[n] by the cblas_?dot at address ``dot``; both contiguous and of one type."""

    def codegen(context, builder, signature, args):
        real = context.get_value_type(signature.args[1].dtype)
        size, pointer = ir.IntType(64), real.as_pointer()
        function = builder.inttoptr(args[0], ir.FunctionType(real, [size, pointer, size, pointer, size]).as_pointer())
        typed = zip(signature.args[1:], args[1:], strict=True)
        x, y = (context.make_array(kind)(context, builder, value) for kind, value in typed)
        n = builder.extract_value(x.shape, 0)
        return builder.call(function, [n, x.data, size(1), y.data, size(1)])

    contiguous = all(isinstance(t, types.Array) and t.layout == "C" for t in (a, b))
    if not contiguous or a.dtype != b.dtype:
        return None
    return a.dtype(types.intp, a, b), codegen
