"""How products of quantized weights, and of quantized activations, are judged: first as what they are, then by how
much quantization itself errs.

The oracle quantizes again with NumPy, which says what integers the kernel must have had, and multiplies in
float64. One wrong integer among a few thousand stands out of f32 rounding there, while quantization hides it.
"""

from collections.abc import Callable

import numpy as np
from msgspec import structs

from kernelbench.kernels._check import EPS, Verification, close_to
from kernelbench.kernels._registry import Shape
from kernelbench.kernels._weights import PART, TOP, groups_of, products, quantize
from kernelbench.model import Accuracy

Group = Callable[[Shape], int]
"""Neighbours that share a step, at least 1."""
TIE = 127 * 2 * EPS["f32"]
"""Steps: kernels multiply x by the f32 reciprocal of a step, so a quotient up to 127 errs by two roundings; one this
near a tie may become either integer."""


def quantize_activations(x: np.ndarray, group: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(q, step, unsure) float64 [n] of x[n] f32: step = max|x| of its group / 127 in f32, q = x / step rounded.

    ``unsure`` is the step where x / step is so near a tie that q may be the other integer, else 0. A group with
    NaN or infinity has no finite step; its step is NaN.
    """
    n, groups = x.size, groups_of(x.size, group)
    padded = np.zeros(groups * group, np.float32)
    padded[:n] = x
    parts = padded.reshape(groups, group)
    peak = np.max(np.abs(parts), axis=1)
    finite = np.isfinite(peak)
    peak = np.where(finite, peak, np.float32(0))
    step = np.where(peak > 0, np.maximum(peak / np.float32(127), np.finfo(np.float32).tiny), 1)
    steps = step.astype(np.float64)[:, None]
    quotient = np.where(finite[:, None], parts, 0) / steps
    tie = np.abs(quotient - np.floor(quotient) - 0.5) <= TIE
    made = np.rint(quotient), np.where(finite[:, None], steps, np.nan), np.where(tie, steps, 0.0)
    q, across, unsure = (np.broadcast_to(y, parts.shape).reshape(-1)[:n] for y in made)
    return q, across, unsure


def _oracle(a: np.ndarray, x: np.ndarray, bits: int, group: int, x_group: int) -> np.ndarray:
    """[4,m] float64 about the product of the quantized factors: exact, scale, unsure, margin.

    exact and scale: the product, and that of the magnitudes. unsure: what the ties of x may change. margin: by how
    much it may differ from the product of the factors as they were: half a step of a weight times x, and the
    weight times half a step of x. ``x_group`` 0: x stays f32.
    """
    m, n = a.shape
    used, x_step, ties = x.astype(np.float64), np.zeros(n), np.zeros(n)
    if x_group:
        q, x_step, ties = quantize_activations(x, x_group)
        used = q * x_step
    made = np.empty((4, m))
    rows = max(1, PART // max(1, n))
    for first in range(0, m, rows):
        part = slice(first, first + rows)
        integers, steps = quantize(a[part], bits, group)
        across = np.repeat(steps.astype(np.float64), group, axis=1)[:, :n]
        weights = integers[:, :n] * across
        made[0, part], made[1, part] = products(weights, used)
        made[2, part] = products(weights, ties)[1] if ties.any() else 0.0
        made[3, part] = (products(across, x)[1] + products(weights, x_step)[1]) / 2
    return made


def check(bits: int, group: Group, x_group: Group | None = None) -> Callable[[Verification], Accuracy]:
    """Judges y[m] of ``bits``-bit weights first against float64 on the same integers, then against float64.

    ``x_group``: x is quantized to 8 bits too. onnxruntime does it the same way, but for ties, and is judged alike.
    """

    def of(v: Verification) -> Accuracy:
        a, x = v.inputs
        n, y = v.shape["n"], v.outputs[0]
        sizes = (group(v.shape), x_group(v.shape) if x_group else 0)
        exact, scale, unsure, margin = v.once(f"weights {bits} {sizes}", lambda: _oracle(a, x, bits, *sizes))
        # Integers are exact; n products, a step each and their sum round as any f32 sum does (see gemv's check).
        rounding = max(8.0, n**0.5) * EPS["f32"]
        metric = "max |error| / (|a| |x|) on the quantized factors"
        close_to(y, exact, scale + unsure / rounding, rounding, metric=metric, reference="float64 on the same integers")
        truth, _ = v.once("gemv", lambda: products(a, x))
        # A weight is at most TOP steps, so |a| |x| is at most 2 TOP margins. Half a step of x is one at a tie only.
        tolerance = 1 + 2 * TIE + 2 * TOP[bits] * rounding
        metric = "max |error| / what half a step of every factor may do"
        accuracy = close_to(y, truth, margin, tolerance, metric=metric, reference="float64")
        return structs.replace(accuracy, reference="float64 on the same integers, then float64")

    return of
