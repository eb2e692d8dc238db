"""Round numbers along an axis whose range the reader's choice decides."""

import math


def ticks(low: float, high: float, *, log: bool, most: int = 7) -> list[float]:
    """Round numbers from ``low`` (positive on a logarithmic axis) to ``high``, about ``most`` of them at the most.

    On a logarithmic axis 1, 2 and 5 of each decade while there is room, then the decades alone.
    """
    if not log:
        step = _step((high - low) / most)
        return [step * n for n in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for leading in ((1, 2, 5), (1, 3), (1,)):
        found = [float(f"{digit}e{d}") for d in decades for digit in leading]
        found = [value for value in found if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
        if len(found) <= most:
            return found
    return found[:: math.ceil(len(found) / most)]


def powers_of_two(low: float, high: float, *, most: int = 8) -> list[float]:
    """Powers of two from ``low`` to ``high``, every second, third... where there would be more than ``most``."""
    first, last = math.ceil(math.log2(low) - 1e-9), math.floor(math.log2(high) + 1e-9)
    step = max(1, math.ceil((last - first + 1) / most))
    return [2.0**n for n in range(first, last + 1, step)]


def _step(rough: float) -> float:
    scale = 10.0 ** math.floor(math.log10(rough))
    return next(scale * digit for digit in (1, 2, 5, 10) if scale * digit >= rough * (1 - 1e-9))
