"""Symmetric 8-bit quantization, shared by the quantized variants."""

import numpy as np


def absmax_int8(x: np.ndarray) -> tuple[np.ndarray, float]:
    """(q, scale) with x ~ q * scale, q int8 in [-127, 127], scale = max|x| / 127 (1 for an all-zero x).

    The scale is never denormal: a quotient rounded that coarsely would let q pass 127.
    Rounds half to even. -128 is not used, so that -q is always a valid int8. NaN and infinity have no
    int8: raises ValueError.
    """
    peak = float(np.max(np.abs(x), initial=0.0))
    if not np.isfinite(peak):
        raise ValueError("x holds NaN or infinity, which int8 cannot represent; remove them before quantizing")
    scale = max(peak / 127.0, float(np.finfo(np.float64).tiny)) if peak else 1.0
    return np.rint(x.astype(np.float64) / scale).astype(np.int8), scale
