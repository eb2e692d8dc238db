"""kernelbench: how close do compute kernels run to what this machine can do, and what holds them back?

``import kernelbench as kb`` costs nothing: a name is imported when it is first used. ``kb.variants``, ``kb.get``
and ``kb.measure`` are described in ``kernelbench.api``; the rest is for kernel files of your own.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kernelbench.api import Measurement, get, measure, variants
    from kernelbench.errors import KernelbenchError, UsageError
    from kernelbench.kernels._check import Verification, WrongResult, close_to, exactly
    from kernelbench.kernels._registry import Op, random_values
    from kernelbench.model import Accuracy, Dtypes, Work
    from kernelbench.protocol import Effort

__version__ = "0.1.0"

__all__ = [
    "Accuracy",
    "Dtypes",
    "Effort",
    "KernelbenchError",
    "Measurement",
    "Op",
    "UsageError",
    "Verification",
    "Work",
    "WrongResult",
    "__version__",
    "close_to",
    "exactly",
    "get",
    "measure",
    "random_values",
    "variants",
]

_HOMES = {
    "kernelbench.api": ("Measurement", "get", "measure", "variants"),
    "kernelbench.errors": ("KernelbenchError", "UsageError"),
    "kernelbench.kernels._check": ("Verification", "WrongResult", "close_to", "exactly"),
    "kernelbench.kernels._registry": ("Op", "random_values"),
    "kernelbench.model": ("Accuracy", "Dtypes", "Work"),
    "kernelbench.protocol": ("Effort",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
