"""bf16 in NumPy: the upper half of an f32's bits, kept as uint16, for NumPy has no such type.

8 bits of significand (one of them implied), so unit roundoff 2^-8; f32's 8 bits of exponent, so its range.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_QUIET = np.uint32(0x0040_0000)
"""The first bit of an f32's mantissa, the last but six that bf16 keeps: set, it makes a NaN quiet, and keeps it NaN."""


def encode(x: NDArray[Any]) -> NDArray[np.uint16]:
    """The bf16 nearest to each number of f32 ``x``, halves to even, as uint16 of x's shape.

    Beyond the largest bf16 by half its last place and more becomes infinity, as in IEEE 754; NaN stays NaN, quiet,
    with its sign. Raises TypeError for any type other than f32: rounding twice is not rounding to nearest.
    """
    if x.dtype != np.float32:
        raise TypeError(f"encode takes float32, not {x.dtype}; convert first, knowing that it rounds")
    bits = np.ascontiguousarray(x).view(np.uint32).reshape(x.shape)
    # Half a last place, less one where the bit kept last is 0: a tie then stays, where it would else go up.
    half = np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    rounded = np.where(np.isnan(x), bits | _QUIET, bits + half)
    return (rounded >> np.uint32(16)).astype(np.uint16)


def decode(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """The f32 of each bf16, exactly; ``bits`` is uint16, the result of its shape. Raises TypeError for another type."""
    if bits.dtype != np.uint16:
        raise TypeError(f"decode takes bf16 as uint16, not {bits.dtype}")
    wide = np.ascontiguousarray(bits).astype(np.uint32) << np.uint32(16)
    return wide.reshape(bits.shape).view(np.float32)
