"""What layernorm and rmsnorm share: operands, and the check against statistics in a wider type."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kernelbench.kernels._check import EPS, Check, Exact, Verification, elementwise
from kernelbench.kernels._exact_sum import WIDER, longest, positive_tolerance, signed_tolerance
from kernelbench.kernels._registry import Outputs, Shape
from kernelbench.model import Accuracy

EPSILON = 1e-5
"""Added to the variance: a row of equal elements would divide by zero. The value of the original paper's code and of
torch.nn.LayerNorm."""
ROWS = 1 << 15
"""Elements of a matrix whose statistics are taken at a time."""

Statistics = tuple[np.ndarray, np.ndarray, np.ndarray]
"""(mean, 1 / deviation, mean magnitude) of each row; float64 or wider."""


def outputs(shape: Shape, dtype: str) -> Outputs:
    """y[m,n]."""
    return (((shape["m"], shape["n"]), dtype),)


def _statistics(x: np.ndarray, wider: type[np.floating[Any]], centred: bool) -> Statistics:
    m, n = x.shape
    means, inverses, magnitudes = np.zeros(m, wider), np.zeros(m, wider), np.zeros(m, wider)
    rows = max(1, ROWS // max(1, n))
    for first in range(0, m if n else 0, rows):
        at = slice(first, first + rows)
        part = x[at].astype(wider)
        magnitudes[at] = np.mean(np.abs(part), axis=1)
        means[at] = np.mean(part, axis=1) if centred else 0
        inverses[at] = 1 / np.sqrt(np.mean((part - means[at, None]) ** 2, axis=1) + wider(EPSILON))
    return means, inverses, magnitudes


def checked_for(chains: Mapping[str, int], *, centred: bool) -> Check:
    """A check with the tolerance of sums in so many chains per type; ``centred`` as layernorm is, or as rmsnorm."""

    def check(v: Verification) -> Accuracy:
        x, gain, *rest = v.inputs
        wider, n = WIDER[v.dtype], max(1, v.shape["n"])
        # Infinities and NaN in a row, and what they make of its mean, are meant.
        with np.errstate(invalid="ignore", over="ignore"):
            means, inverses, magnitudes = v.once("statistics", lambda: _statistics(x, wider, centred))
        flat, bias = x.reshape(-1), rest[0] if rest else np.zeros_like(gain)

        def exact(part: slice) -> Exact:
            row, column = np.divmod(np.arange(part.start, min(part.stop, flat.size)), n)
            value, scale = flat[part].astype(wider), inverses[row] * np.abs(gain[column].astype(wider))
            with np.errstate(invalid="ignore", over="ignore"):
                y = (value - means[row]) * inverses[row] * gain[column].astype(wider) + bias[column].astype(wider)
                size = (np.abs(value) + magnitudes[row]) * scale + np.abs(bias[column].astype(wider))
            return y.astype(np.float64), size.astype(np.float64)

        # The mean errs by that of its sum, relative to the mean magnitude. The root halves what the sum of squares
        # errs by, n terms that are all positive. 8 u for the rounding of every step after the sums.
        squares = 0.5 * positive_tolerance(longest(n, chains[v.dtype]), v.dtype)
        tolerance = (signed_tolerance(n, v.dtype) if centred else 0) + squares + 8 * EPS[v.dtype]
        metric = "max |error| / (|gain| (|x| + mean |x|) / deviation + |bias|)"
        return elementwise(v.outputs[0], exact, tolerance, metric=metric, reference="statistics in a wider type")

    return check
