"""NumPy's own BLAS through its C symbol, called from compiled code: the fair peer of a compiled kernel.

Dispatch alone costs np.matmul a fifth of its time at n = 64, which says nothing about the library's kernel.
"""

import ctypes
from functools import cache

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from kernelbench.errors import UsageError
from kernelbench.kernels._registry import Arrays, Shape

_NAMES = ("scipy_cblas_{}64_", "cblas_{}64_")
"""Names with 64-bit integers, as NumPy's wheels have them (a plain cblas_sgemm takes 32-bit ones)."""


@cache
def symbol(routine: str) -> int:
    """Address of cblas_``routine`` ("sgemm", "ddot") in any loaded OpenBLAS, 0 when none exports it."""
    from threadpoolctl import threadpool_info

    for loaded in threadpool_info():
        if loaded["internal_api"] == "openblas":
            library = ctypes.CDLL(loaded["filepath"])
            for name in _NAMES:
                function = getattr(library, name.format(routine), None)
                if function is not None:
                    return ctypes.cast(function, ctypes.c_void_p).value or 0
    return 0


def unavailable() -> str:
    """Why the symbol cannot be called here; empty when it can."""
    return "" if symbol("sgemm") else "NumPy here carries no OpenBLAS with a cblas_sgemm of 64-bit integers"


def with_gemm(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k], b[k,n]) and the address of the gemm for their dtype. Raises UsageError when there is none."""
    address = symbol({"f": "sgemm", "d": "dgemm"}[inputs[0].dtype.char])
    if not address:
        raise UsageError(unavailable())
    return (*inputs, address)


@intrinsic
def call_gemm(typingctx, gemm, a, b, c):
    """c[m,n] = a[m,k] @ b[k,n] by the cblas_?gemm at address ``gemm``; row-major, alpha 1, beta 0."""

    def codegen(context, builder, signature, args):
        real = context.get_value_type(signature.args[1].dtype)
        flag, size, pointer = ir.IntType(32), ir.IntType(64), real.as_pointer()
        gemm_type = ir.FunctionType(
            ir.VoidType(),
            [flag] * 3 + [size] * 3 + [real, pointer, size, pointer, size, real, pointer, size],
        )
        function = builder.inttoptr(args[0], gemm_type.as_pointer())
        typed = zip(signature.args[1:], args[1:], strict=True)
        x, y, z = (context.make_array(kind)(context, builder, value) for kind, value in typed)
        m, k = (builder.extract_value(x.shape, i) for i in range(2))
        n = builder.extract_value(y.shape, 1)
        row_major, no_transpose = flag(101), flag(111)  # CblasRowMajor, CblasNoTrans
        builder.call(
            function,
            [row_major, no_transpose, no_transpose, m, n, k, real(1.0), x.data, k, y.data, n, real(0.0), z.data, n],
        )
        return context.get_dummy_value()

    if not all(isinstance(t, types.Array) for t in (a, b, c)):
        return None
    return types.void(types.intp, a, b, c), codegen


assert np.intp().itemsize == 8, "the BLAS symbols used here take 64-bit integers"
