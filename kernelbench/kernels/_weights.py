"""Weights of few bits for matrix times vector: how they are quantized and laid out, and the work they leave.

Weights become small integers with one step (scale) for every ``group`` neighbours of a row. A matrix times one
vector reads every weight once, so fewer bytes a weight are less time.
"""

from collections.abc import Callable

import numpy as np

from kernelbench.kernels._registry import Shape
from kernelbench.model import Work
from kernelbench.simd.vector import lanes_of

CHUNK = 32
"""Weights of a row that are packed together: a whole number of them makes a group."""
GROUPS = (32, 128)
"""4-bit weights that share a step: 32 as in GGML's Q4_0, 128 as in GPTQ and AWQ."""
TOP = {8: 127, 4: 7}
"""Bits -> largest integer; symmetric, so that -q is always valid."""
PART = 1 << 20
"""Weights taken at a time: 8 MiB as float64."""
LANES = lanes_of(4)
"""Rows of a panel: the 32-bit sums that one vector holds, at the instruction-set level of this process."""


def groups_of(n: int, group: int) -> int:
    """Groups of a row of n weights: at least one, the last one filled up with zeros."""
    return max(1, -(-n // group))


def _steps(parts: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """(q float64, step f32) of parts[...,group] float64: rounded to the nearest of 2 TOP + 1 integers."""
    peak = np.max(np.abs(parts), axis=-1, initial=0.0)
    if not np.isfinite(peak).all():
        raise ValueError("a holds NaN or infinity, which no integer represents; remove them before quantizing")
    least = float(np.finfo(np.float32).tiny)
    step = np.where(peak > 0, np.maximum(peak / TOP[bits], least), 1.0).astype(np.float32)
    return np.rint(parts / step[..., None].astype(np.float64)), step


def quantize(a: np.ndarray, bits: int, group: int) -> tuple[np.ndarray, np.ndarray]:
    """(q int8 [m,groups*group], steps f32 [m,groups]) with a[i,j] ~ q[i,j] steps[i,j // group].

    n is padded with zeros to whole groups, at least one. A step is max|a| of its group / 127 (8 bits) or / 7
    (4), 1 for an all-zero group and never denormal. Raises ValueError for NaN and infinity, which no integer
    stands for.
    """
    m, n = a.shape
    groups = groups_of(n, group)
    q, steps = np.zeros((m, groups * group), np.int8), np.ones((m, groups), np.float32)
    rows = max(1, PART // max(1, n))
    for first in range(0, m, rows):
        padded = np.zeros((min(rows, m - first), groups * group))
        padded[:, :n] = a[first : first + rows]
        made, steps[first : first + rows] = _steps(padded.reshape(-1, groups, group), bits)
        q[first : first + rows] = made.reshape(padded.shape)
    return q, steps


def _panels(rows: np.ndarray, padding: int) -> np.ndarray:
    """rows[m,...] -> [panels,...,LANES]: neighbouring rows in neighbouring lanes, ``padding`` in those beyond m."""
    m, *rest = rows.shape
    whole = np.full((max(1, -(-m // LANES)) * LANES, *rest), padding, rows.dtype)
    whole[:m] = rows
    return np.ascontiguousarray(np.moveaxis(whole.reshape(-1, LANES, *rest), 1, -1))


def pack_nibbles(q: np.ndarray) -> np.ndarray:
    """q int8 [m,chunks*32] in [-8, 7] -> int32 [panels,chunks,4,LANES]: 8 weights of a row in each number.

    Byte b of number t of a chunk holds q[4 t + b] + 8 in its low half and q[16 + 4 t + b] + 8 in its high one, so
    that masked low halves are 4 neighbours of a row, and masked high halves 4 more.
    """
    m, width = q.shape
    apart = (q.reshape(m, width // CHUNK, 2, 4, 4) + 8).astype(np.uint8)
    packed: np.ndarray = apart[:, :, 0] | (apart[:, :, 1] << 4)
    return _panels(np.ascontiguousarray(packed).view(np.int32)[..., 0], 0)


def pack_bytes(q: np.ndarray) -> np.ndarray:
    """q int8 [m,chunks*32] -> int32 [panels,chunks,8,LANES]: 4 neighbours of a row, + 128, in each number."""
    m, width = q.shape
    unsigned = (q.reshape(m, width // CHUNK, 8, 4).astype(np.int16) + 128).astype(np.uint8)
    return _panels(unsigned.view(np.int32)[..., 0], 0)


def panels_of(steps: np.ndarray) -> np.ndarray:
    """steps f32 [m,groups] -> [panels,groups,LANES], 0 for rows beyond m."""
    return _panels(steps, 0)


def scratch_bytes(n: int, group: int) -> int:
    """Bytes of x[n] as 8-bit integers, with a step and a sum of 4 bytes each for every ``group`` of them."""
    return groups_of(n, group) * (group + 8)


def work(weights_bytes: Callable[[int, int, Shape], int], *, mix: str = "fma") -> Callable[[Shape, str], Work]:
    """The work of y[m] = a[m,n] x[n] when a takes ``weights_bytes(m, n, shape)``, steps included.

    ``mix`` "fma" is of f32: that the weights are widened first is work that this does not count.
    """

    def of(shape: Shape, dtype: str) -> Work:
        m, n = shape["m"], shape["n"]
        a = weights_bytes(m, n, shape)
        return Work(
            model="modelled",
            flop=2 * m * n,
            mix=mix,
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
