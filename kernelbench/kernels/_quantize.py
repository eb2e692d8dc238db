"""8-bit quantization in NumPy, shared by the quantized variants: symmetric for weights, affine for activations."""

import numpy as np

_REFUSED = "x holds NaN or infinity, which int8 cannot represent; remove them before quantizing"


def absmax_int8(x: np.ndarray) -> tuple[np.ndarray, float]:
    """(q, scale) with x ~ q * scale, q int8 in [-127, 127], scale = max|x| / 127 (1 for an all-zero x).

    The scale is never denormal: a quotient rounded that coarsely would let q pass 127.
    Rounds half to even. -128 is not used, so that -q is always a valid int8. NaN and infinity have no
    int8: raises ValueError.
    """
    peak = float(np.max(np.abs(x), initial=0.0))
    if not np.isfinite(peak):
        raise ValueError(_REFUSED)
    scale = max(peak / 127.0, float(np.finfo(np.float64).tiny)) if peak else 1.0
    return np.rint(x.astype(np.float64) / scale).astype(np.int8), scale


def absmax_int8_columns(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(q int8 [k,n], steps f32 [n]) with x[k,n] ~ q steps: as ``absmax_int8``, a step for each column.

    A step is 1 for an all-zero column and never denormal in f32. Raises ValueError for NaN and infinity.
    """
    peak = np.max(np.abs(x), axis=0, initial=0.0).astype(np.float64)
    if not np.isfinite(peak).all():
        raise ValueError(_REFUSED)
    least = float(np.finfo(np.float32).tiny)
    steps = np.where(peak > 0, np.maximum(peak / 127.0, least), 1.0).astype(np.float32)
    # A step rounded down to f32 would take the largest quotient beyond 127 by a rounding, never by half.
    return np.rint(x / steps.astype(np.float64)).astype(np.int8), steps


def affine_uint8(x: np.ndarray, axis: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(q uint8 [m,k], steps f32 [m], zeros int32 [m]) with x[m,k] f32 ~ (q - zeros) steps, 0 exactly.

    The range is that of the whole of x (``axis`` None) or of each row (1), stretched to hold 0: step = (highest -
    lowest) / 255, 1 where all are zero and never denormal; zero = -lowest / step. In f32, halves to even, saturating.
    Where there is NaN or infinity the steps are NaN, and q says nothing.
    """
    m, f32 = x.shape[0], np.float32
    with np.errstate(invalid="ignore", over="ignore"):
        finite = np.isfinite(x).all(axis=axis)
        highest = np.max(x, axis=axis, initial=0.0) * f32(1 / 255)
        lowest = np.min(x, axis=axis, initial=0.0) * f32(1 / 255)
        span = highest - lowest
        step = np.where(span > 0, np.maximum(span, np.finfo(f32).tiny), f32(1))
        inverse = f32(1) / step
        steps = np.where(finite, step, f32(np.nan)).astype(f32) * np.ones(m, f32)
        zeros = np.clip(np.rint(lowest * f32(-255) * inverse), 0, 255) * np.ones(m, f32)
        whole = np.rint(x * (inverse * np.ones(m, f32))[:, None]) + zeros[:, None]
        q = np.where(np.isfinite(whole), np.clip(whole, 0, 255), 0)
    return q.astype(np.uint8), steps, np.where(np.isfinite(zeros), zeros, 0).astype(np.int32)
