"""What ops over vectors of one length share: random operands, the work model, the check against float64."""

from collections.abc import Callable

import numpy as np

from kernelbench.kernels._check import EPS, Check, Exact, Verification, elementwise
from kernelbench.kernels._registry import NUMPY, Arrays, Outputs, Shape, random_values
from kernelbench.model import DTYPE_BYTES, Accuracy, Work

TINY = {"f64": 2.0**-1022, "f32": 2.0**-126}
"""Smallest normal number. Below it a rounding errs by up to half a denormal step, which is EPS * TINY: a scale
of |exact| + TINY covers both sides."""

SIZES = ("2048", "16384", "131072", "1048576", "16777216")
"""An operand of 8 KiB to 64 MiB in f32: two or three of them lie in L1, L2, L3 and beyond."""

PARALLEL_ELEMENTS = 1 << 16
"""Elements from which more threads than one pay. Entering a team of two was measured at 1.3 to 3 microseconds, and two
threads save at most half of the time: relu of 65536 f32 takes 5 alone and as long on two (benchmarks/crossover.py)."""

Formula = Callable[..., np.ndarray]
"""float64 operands of some elements -> float64 values of these elements."""


def one(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    """x[n]."""
    return (random_values(rng, (shape["n"],), dtype),)


def two(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    """x[n], y[n]."""
    return one(shape, dtype, rng) + one(shape, dtype, rng)


def outputs(shape: Shape, dtype: str) -> Outputs:
    """One vector of n elements."""
    return (((shape["n"],), dtype),)


def work(*, reads: int, flop: int, mix: str) -> Callable[[Shape, str], Work]:
    """The model of an op that reads ``reads`` vectors and writes one, with ``flop`` operations an element."""

    def model(shape: Shape, dtype: str) -> Work:
        vector_bytes = DTYPE_BYTES[dtype] * shape["n"]
        return Work(
            model="modelled",
            flop=flop * shape["n"],
            mix=mix,
            read_bytes=reads * vector_bytes,
            write_bytes=vector_bytes,
            rfo_bytes=vector_bytes,
            working_set_bytes=(reads + 1) * vector_bytes,
        )

    return model


def number(shape: Shape, dtype: str) -> Outputs:
    """One number, in an array of one element: what a reduction gives."""
    return (((1,), dtype),)


def reduction(*, reads: int, flop: int, mix: str, at_end: int = 0) -> Callable[[Shape, str], Work]:
    """The model of an op that reads ``reads`` vectors and writes one number: ``flop`` an element, ``at_end`` once."""

    def model(shape: Shape, dtype: str) -> Work:
        s = DTYPE_BYTES[dtype]
        read = reads * s * shape["n"]
        return Work(
            model="modelled",
            flop=flop * shape["n"] + at_end,
            mix=mix,
            read_bytes=read,
            write_bytes=s,
            rfo_bytes=s,
            working_set_bytes=read + s,
        )

    return model


def in_range(exact: np.ndarray, dtype: str) -> np.ndarray:
    """``exact`` float64, infinite where rounding to ``dtype`` overflows: there infinity is the right answer."""
    with np.errstate(over="ignore"):
        rounded = exact.astype(NUMPY[dtype])
    return np.where(np.isinf(rounded), rounded, exact)


def check(exact: Formula, scale: Formula, *, roundings: float, metric: str) -> Check:
    """A check that every |error| is at most ``roundings`` x unit roundoff x (``scale`` + smallest normal).

    NaN and infinity must stand where float64 arithmetic, rounded to the type, has them.
    """

    def compare(v: Verification) -> Accuracy:
        def reference(part: slice) -> Exact:
            operands = [x[part].astype(np.float64) for x in v.inputs]
            with np.errstate(invalid="ignore", over="ignore"):  # inf - inf, 0 * inf and overflow are meant
                return in_range(exact(*operands), v.dtype), scale(*operands) + TINY[v.dtype]

        return elementwise(v.outputs[0], reference, roundings * EPS[v.dtype], metric=metric, reference="float64")

    return compare
