"""Number types in NumPy, and random operands of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelbench.errors import UsageError

NUMPY: dict[str, np.dtype[Any]] = {
    "f64": np.dtype(np.float64),
    "f32": np.dtype(np.float32),
    "bf16": np.dtype(np.uint16),
    "i32": np.dtype(np.int32),
    "i8": np.dtype(np.int8),
    "u8": np.dtype(np.uint8),
}
"""NumPy's name of each number type; it has no bf16, whose bits are kept as unsigned words (_bf16.py)."""

_BITS: dict[str, tuple[np.unsignedinteger[Any], np.unsignedinteger[Any]]] = {
    "f64": (np.uint64(0x800F_FFFF_FFFF_FFFF), np.uint64(0x3FE0_0000_0000_0000)),
    "f32": (np.uint32(0x807F_FFFF), np.uint32(0x3F00_0000)),
    "bf16": (np.uint16(0x807F), np.uint16(0x3F00)),
}
"""Per type, as unsigned words of its size: the bits kept (sign and mantissa), the exponent of 0.5."""


def random_values(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Values of either sign with magnitude in [0.5, 1): neither zero nor denormal, and no sum grows fast.

    Drawn as bits: a random sign and mantissa under the exponent of 0.5. Raises UsageError for a type other than
    f64, f32 and bf16 (which comes as uint16).
    """
    if dtype not in _BITS:
        raise UsageError(
            f"random_values makes {', '.join(_BITS)}, not {dtype!r}; make f32 and quantize it in prepare()"
        )
    keep, half = _BITS[dtype]
    bits: np.ndarray = rng.integers(0, np.iinfo(keep.dtype).max, shape, dtype=keep.dtype, endpoint=True)
    bits &= keep
    bits |= half
    return bits.view(NUMPY[dtype])
