"""What the activation functions of a model share: operands, work, check, and the loop over vectors.

Every one of them is y[n] = f(x[n]), with an f of some twenty to seventy operations: the loop is the same, and each
op's file holds its f.
"""

from collections.abc import Callable

import numpy as np
from numba import njit

from kernelbench.kernels._check import EPS, Check, Exact, Verification, elementwise
from kernelbench.kernels._registry import NUMPY, Arrays, Shape
from kernelbench.kernels._vectors import TINY
from kernelbench.model import DTYPE_BYTES, Accuracy, Work
from kernelbench.simd import lanes as simd

EXP_FLOP = {"f32": 22, "f64": 32}
"""Operations of simd.exp: 2 to clamp, 3 to find n, 4 to find r, 12 or 22 for the polynomial, 1 to scale."""
EXP2_FLOP = {"f32": 18, "f64": 28}
"""Operations of simd.exp2: 2 to clamp, 2 to find n, 1 to find r, the rest as in exp."""
TAIL_FLOP = {"f32": 35, "f64": 70}
"""Operations of simd.normal_tail. f32: 1 to clamp, 16 for a polynomial of degree 8, an exp2 of 18. f64: 3 for its
variable, 32 for two polynomials of degree 8, 1 to divide, an exp of 32, 2 products."""

PARALLEL_ELEMENTS = 1 << 14
"""From here on more threads than one pay: one alone takes 5 to 10 microseconds, entering a team of two 2 to 3."""
BLOCK = 1 << 11
"""Elements that a thread takes at a time: 8 KiB of f32 read and as many written, whole cache lines."""


def inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    """x[n] in -6 .. 6, where these functions are curved."""
    return (rng.uniform(-6, 6, (shape["n"],)).astype(NUMPY[dtype]),)


def work(flop: Callable[[str], int]) -> Callable[[Shape, str], Work]:
    """The model of y[n] = f(x[n]), where f takes ``flop(dtype)`` operations of an algorithm that ``simd`` has."""

    def model(shape: Shape, dtype: str) -> Work:
        vector_bytes = DTYPE_BYTES[dtype] * shape["n"]
        return Work(
            model="declared",
            flop=flop(dtype) * shape["n"],
            mix="fma_add",  # a third to a half are no multiply-adds, and have ports of their own where there are such
            read_bytes=vector_bytes,
            write_bytes=vector_bytes,
            rfo_bytes=vector_bytes,
            working_set_bytes=2 * vector_bytes,
        )

    return model


def wide(x: np.ndarray, dtype: str) -> np.ndarray:
    """``x`` in a type with more digits than ``dtype`` has: float64 for f32, for f64 the longest that NumPy has."""
    return x.astype(np.longdouble if dtype == "f64" else np.float64)


Formula = Callable[[np.ndarray], np.ndarray]


def check(
    exact: Formula, scale: Callable[[np.ndarray, np.ndarray], np.ndarray], roundings: float, metric: str
) -> Check:
    """A check that every |error| is at most ``roundings`` x unit roundoff x ``scale(x, exact)``, denormals apart.

    ``exact`` is computed in a wider type than the variants use. What is below the smallest normal number times
    1 + |x| may be off by as much: 1 / (1 + e^-x) is 0 there, since e^-x overflows.
    """

    def compare(v: Verification) -> Accuracy:
        lost = TINY[v.dtype] / EPS[v.dtype]

        def reference(part: slice) -> Exact:
            x = wide(v.inputs[0][part], v.dtype)
            with np.errstate(invalid="ignore", over="ignore", under="ignore"):  # -inf * 0 is NaN, and meant
                y = exact(x).astype(np.float64)
                ordinary = x.astype(np.float64)
                return y, scale(ordinary, y) + lost * (1 + np.abs(ordinary))

        return elementwise(v.outputs[0], reference, roundings * EPS[v.dtype], metric=metric, reference="wider floats")

    return compare


@njit(nogil=True, forceinline=True)
def over(function, x, y, first, last):
    """y[i] = function(x[i]) for first <= i < last, a vector at a time; ``function`` is compiled into the loop."""
    step = simd.lanes(x)
    if last - first < step:
        simd.store_part(y, first, function(simd.load_part(x, first, last - first)), last - first)
        return
    for i in range(first, last, step):
        # The last vector reaches back over elements that are done already. A rest of its own behind the loop would
        # share the loop's constants, and keep them from the registers.
        at = min(i, last - step)
        simd.store(y, at, function(simd.load(x, at)))
