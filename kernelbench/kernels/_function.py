"""What a variant's function is: Numba's, a C symbol, or anything that Python can call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernelbench.kernels._symbol import CFunction


def is_machine_code(function: Callable[..., Any]) -> bool:
    """Whether it can be entered without Python: a Numba dispatcher or a C function."""
    return hasattr(function, "overloads") or isinstance(function, CFunction)


def reassociates(function: Callable[..., Any]) -> bool:
    """True when the compiler may reassociate: contracting a*b+c into an FMA alone is not fast-math."""
    flags = getattr(function, "targetoptions", {}).get("fastmath", False)
    return flags if isinstance(flags, bool) else bool(set(flags) - {"contract"})


def unavailable(function: Callable[..., Any]) -> Callable[[], str]:
    """Says why ``function`` cannot run here, or ""."""
    return function.unavailable if isinstance(function, CFunction) else lambda: ""
