"""Matrix times vector by NumPy's own BLAS, through its C symbol."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernelbench.errors import UsageError
from kernelbench.kernels._blas import symbol
from kernelbench.kernels._registry import Arrays, Shape


def unavailable() -> str:
    """Why the symbol cannot be called here; empty when it can."""
    return "" if symbol("sgemv") else "NumPy here carries no OpenBLAS with a cblas_sgemv of 64-bit integers"


def with_gemv(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,n], x[n]) and the address of the gemv for their dtype. Raises UsageError when there is none."""
    address = symbol({"f": "sgemv", "d": "dgemv"}[inputs[0].dtype.char])
    if not address:
        raise UsageError(unavailable())
    return (*inputs, address)


@intrinsic
def call_gemv(typingctx, gemv, a, x, y):
    """y[m] = a[m,n] x[n] by the cblas_?gemv at address ``gemv``; row-major, alpha 1, beta 0; n at least 1."""

    def codegen(context, builder, signature, args):
        real = context.get_value_type(signature.args[1].dtype)
        flag, size, pointer = ir.IntType(32), ir.IntType(64), real.as_pointer()
        gemv_type = ir.FunctionType(
            ir.VoidType(), [flag] * 2 + [size] * 2 + [real, pointer, size, pointer, size, real, pointer, size]
        )
        function = builder.inttoptr(args[0], gemv_type.as_pointer())
        typed = zip(signature.args[1:], args[1:], strict=True)
        matrix, given, made = (context.make_array(kind)(context, builder, value) for kind, value in typed)
        m, n = (builder.extract_value(matrix.shape, i) for i in range(2))
        row_major, no_transpose, step = flag(101), flag(111), size(1)  # CblasRowMajor, CblasNoTrans
        builder.call(
            function,
            [row_major, no_transpose, m, n, real(1.0), matrix.data, n, given.data, step, real(0.0), made.data, step],
        )
        return context.get_dummy_value()

    if not all(isinstance(t, types.Array) for t in (a, x, y)):
        return None
    return types.void(types.intp, a, x, y), codegen
