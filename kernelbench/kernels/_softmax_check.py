"""Is a softmax right? Compared with wider floats, in which every row is summed by itself."""

import numpy as np

from kernelbench.kernels._activation import wide
from kernelbench.kernels._check import CHUNK, EPS, Exact, Verification, elementwise
from kernelbench.kernels._vectors import TINY
from kernelbench.model import Accuracy


def _row_facts(x: np.ndarray, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """The largest of each row of x[m,n], and its sum of e^(x - largest), in wider floats."""
    m, n = x.shape
    largest = np.full(m, -np.inf, np.longdouble)
    total = np.zeros(m, np.longdouble)
    rows = max(1, CHUNK // max(1, n))
    for at in range(0, m, rows):
        some = wide(x[at : at + rows], dtype)
        # By sorting: no code shared with a maximum. NaN comes last.
        largest[at : at + rows] = np.sort(some, axis=1)[:, -1] if n else -np.inf
        total[at : at + rows] = np.exp(some - largest[at : at + rows, None].astype(some.dtype)).sum(axis=1)
    return largest, total


def check(v: Verification) -> Accuracy:
    """Every |error| / y must be within the tolerance, an element's distance from its row's largest considered.

    x - largest rounds by u of its magnitude d, which e^ turns into d u relative to y. Beside that: 3 u for an
    exponential, another 3 and sqrt(n) u for the sum, whose roundings are random (Higham, Accuracy and Stability,
    2002, sec. 2.8), 2 for the quotient. So sqrt(n) + 8 in units of (1 + d) u y. Below the smallest normal number
    roundings are absolute.
    """
    x = v.inputs[0]
    flat, n = x.reshape(-1), v.shape["n"]
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):  # inf - inf is NaN, and meant
        largest, total = v.once("softmax", lambda: _row_facts(x, v.dtype))

        def exact(part: slice) -> Exact:
            row = np.arange(part.start, min(part.stop, flat.size)) // n
            some = wide(flat[part], v.dtype)
            distance = some - largest[row].astype(some.dtype)
            y = (np.exp(distance) / total[row].astype(some.dtype)).astype(np.float64)
            # -inf is exactly 0 away from nothing: its y is 0, and exact.
            far = np.nan_to_num(np.abs(distance.astype(np.float64)), posinf=0.0)
            return y, y * (1 + far) + TINY[v.dtype]

        return elementwise(
            v.outputs[0],
            exact,
            (8 + n**0.5) * EPS[v.dtype],
            metric="max |error| / (y (1 + |x - largest|))",
            reference="wider floats",
        )
