"""Weight-only quantization for matrix times vector: what is prepared and how its result is judged.

Weights become small integers with one step (scale) for every ``group`` neighbours of a row; activations
stay f32. A matrix times one vector reads every weight once, so fewer bytes a weight are less time.
"""

from collections.abc import Callable

import numpy as np
from msgspec import structs

from kernelbench.kernels._check import EPS, Verification, close_to
from kernelbench.kernels._registry import Shape
from kernelbench.model import Accuracy, Work

GROUP = 32
"""4-bit weights that share a step: as in GGML's Q4_0 and the usual choice of weight-only inference."""
HALF = GROUP // 2
TOP = {8: 127, 4: 7}
"""Bits -> largest integer; symmetric, so that -q is always valid."""
PART = 1 << 20
"""Weights taken at a time: 8 MiB as float64."""


def quantize(a: np.ndarray, bits: int, group: int) -> tuple[np.ndarray, np.ndarray]:
    """(q int8 [m,groups*group], steps f32 [m,groups]) with a[i,j] ~ q[i,j] steps[i,j // group].

    n is padded with zeros to whole groups, at least one. A step is max|a| of its group / 127 (8 bits) or / 7
    (4), 1 for an all-zero group and never denormal. Raises ValueError for NaN and infinity, which no integer
    stands for.
    """
    m, n = a.shape
    groups = max(1, -(-n // group))
    q, steps = np.zeros((m, groups * group), np.int8), np.ones((m, groups), np.float32)
    rows = max(1, PART // max(1, n))
    for first in range(0, m, rows):
        padded = np.zeros((min(rows, m - first), groups * group))
        padded[:, :n] = a[first : first + rows]
        apart = padded.reshape(-1, groups, group)
        peak = np.max(np.abs(apart), axis=2, initial=0.0)
        if not np.isfinite(peak).all():
            raise ValueError("a holds NaN or infinity, which no integer represents; remove them before quantizing")
        least = float(np.finfo(np.float32).tiny)
        step = np.where(peak > 0, np.maximum(peak / TOP[bits], least), 1.0).astype(np.float32)
        steps[first : first + rows] = step
        q[first : first + rows] = np.rint(apart / step[:, :, None].astype(np.float64)).reshape(padded.shape)
    return q, steps


def pack_nibbles(q: np.ndarray) -> np.ndarray:
    """q int8 [m,groups*32] in [-8, 7] -> uint8 [m,groups*16]: byte j of a group holds q[j] + 8 low, q[j + 16] high.

    So one mask and one shift give 16 neighbours each, in order.
    """
    m, width = q.shape
    apart = (q.reshape(m, width // GROUP, 2, HALF) + 8).astype(np.uint8)
    packed: np.ndarray = (apart[:, :, 0] | (apart[:, :, 1] << 4)).reshape(m, width // 2)
    return packed


def work(weights_bytes: Callable[[int, int], int]) -> Callable[[Shape, str], Work]:
    """The work of y[m] = a[m,n] x[n] when a takes ``weights_bytes(m, n)``, steps included."""

    def of(shape: Shape, dtype: str) -> Work:
        m, n = shape["m"], shape["n"]
        a = weights_bytes(m, n)
        return Work(
            model="modelled",
            flop=2 * m * n,
            mix="fma",  # of f32: the weights are widened first, which is work that this does not count
            read_bytes=a + 4 * n,
            write_bytes=4 * m,
            rfo_bytes=4 * m,
            working_set_bytes=a + 4 * n + 4 * m,
            prepared_bytes=a,
        )

    return of


def products(a: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(a x, |a| |x|) in float64, [m] each, some rows at a time; einsum's own loops share no code with any BLAS."""
    m, n = a.shape
    exact, scale = np.empty(m), np.empty(m)
    wide, rows = x.astype(np.float64), max(1, PART // max(1, n))
    with np.errstate(invalid="ignore", over="ignore"):  # NaN and infinity are compared as such
        for first in range(0, m, rows):
            part = a[first : first + rows].astype(np.float64)
            exact[first : first + rows] = np.einsum("mn,n->m", part, wide)
            scale[first : first + rows] = np.einsum("mn,n->m", np.abs(part), np.abs(wide))
    return exact, np.maximum(scale, np.finfo(np.float64).tiny)


def check(bits: int, group: Callable[[int], int]) -> Callable[[Verification], Accuracy]:
    """Judges y[m] first against float64 on the same quantized weights, then against the weights as they were."""

    def of(v: Verification) -> Accuracy:
        a, x = v.inputs
        n, y = v.shape["n"], v.outputs[0]

        def oracle() -> tuple[np.ndarray, ...]:
            size = group(n)
            q, steps = quantize(a, bits, size)
            across = np.repeat(steps.astype(np.float64), size, axis=1)[:, :n]
            return *products(q[:, :n] * across, x), products(across, x)[1]

        exact, scale, step = v.once(f"i{bits}", oracle)
        # Widening is exact; n products, a step each and their sum round as any f32 sum does (see gemv's check).
        rounding = max(8.0, n**0.5) * EPS["f32"]
        metric = "max |error| / (|a| |x|) on the quantized weights"
        close_to(y, exact, scale, rounding, metric=metric, reference="float64 on the quantized weights")
        truth, _ = v.once("gemv", lambda: products(a, x))
        # Rounding a weight to the nearest errs by half a step; a weight is at most TOP steps.
        accuracy = close_to(
            y, truth, step, 0.5 + TOP[bits] * rounding, metric="max |error| / (step |x|)", reference="float64"
        )
        return structs.replace(accuracy, reference="float64 on the same integers, then float64")

    return of
