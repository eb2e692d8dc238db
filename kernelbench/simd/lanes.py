"""Vectors as values of Numba's: kernels that plan their registers and still read like the algorithm.

    from kernelbench.simd import lanes as simd

    @njit
    def scaled_sum(x, s):
        total, step = simd.zeros(x), simd.lanes(x)
        whole = x.size - x.size % step
        for i in range(0, whole, step):
            total = simd.fma(simd.load(x, i), s, total)
        rest = simd.load_part(x, whole, x.size - whole)  # zeros beyond the end
        return simd.sum(simd.fma(rest, s, total))

``lanes(x)`` is a constant: as many elements of x's type as one register of the target holds (16 f32 for AVX-512, 8
for AVX2, 4 for SSE, 1 with vectors off). Between vectors, and a vector and a number: + - * / // comparisons, and for
integers & | ^ << >>. Comparing gives a mask for ``select``. Nothing is reassociated; no fast-math is used.

Memory is an array (C-contiguous, indices count its elements in order, whatever its dimensions) or a pointer.
Nothing checks bounds. Width and instructions are those of the level Numba compiles for, not of the host.
"""

from kernelbench.simd.arithmetic import fma, maximum, minimum, select
from kernelbench.simd.conversion import convert, reinterpret
from kernelbench.simd.erf import erf, normal_cdf, normal_tail
from kernelbench.simd.horizontal import highest, lowest, sum
from kernelbench.simd.masks import first
from kernelbench.simd.math import exp, exp2, rsqrt, sigmoid, tanh
from kernelbench.simd.mathparts import absolute, polynomial, scaled, sqrt, with_sign
from kernelbench.simd.memory import (
    fence,
    fill,
    gather,
    lanes,
    load,
    load_as,
    load_bf16,
    load_part,
    store,
    store_part,
    stream,
    zeros,
)

__all__ = [
    "absolute",
    "convert",
    "erf",
    "exp",
    "exp2",
    "fence",
    "fill",
    "first",
    "fma",
    "gather",
    "highest",
    "lanes",
    "load",
    "load_as",
    "load_bf16",
    "load_part",
    "lowest",
    "maximum",
    "minimum",
    "normal_cdf",
    "normal_tail",
    "polynomial",
    "reinterpret",
    "rsqrt",
    "scaled",
    "select",
    "sigmoid",
    "sqrt",
    "store",
    "store_part",
    "stream",
    "sum",
    "tanh",
    "with_sign",
    "zeros",
]
