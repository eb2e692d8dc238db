"""kernelbench: how close do compute kernels run to what this machine can do, and what holds them back?

``import kernelbench as kb`` costs nothing: a name is imported when it is first used. ``kb.variants``, ``kb.get``,
``kb.measure``, ``kb.roofline``, ``kb.compare`` and ``kb.machine_card`` are in ``kernelbench.api``; the rest is
for kernel files of your own.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kernelbench.api.catalogue import get, variants
    from kernelbench.api.measurement import Measurement
    from kernelbench.api.paired import Paired, compare
    from kernelbench.api.picture import Roofline, roofline
    from kernelbench.api.roofs import MachineCard, machine_card
    from kernelbench.api.timing import measure
    from kernelbench.errors import KernelbenchError, UsageError
    from kernelbench.kernels._check import Verification, WrongResult, close_to, exactly
    from kernelbench.kernels._registry import Op, random_values
    from kernelbench.kernels._same import same_as
    from kernelbench.kernels._symbol import CFunction, c_function
    from kernelbench.model import Accuracy, Dtypes, Work
    from kernelbench.protocol import Effort

__version__ = "0.1.0"

__all__ = [
    "Accuracy",
    "CFunction",
    "Dtypes",
    "Effort",
    "KernelbenchError",
    "MachineCard",
    "Measurement",
    "Op",
    "Paired",
    "Roofline",
    "UsageError",
    "Verification",
    "Work",
    "WrongResult",
    "__version__",
    "c_function",
    "close_to",
    "compare",
    "exactly",
    "get",
    "machine_card",
    "measure",
    "random_values",
    "roofline",
    "same_as",
    "variants",
]

_HOMES = {
    "kernelbench.api.catalogue": ("get", "variants"),
    "kernelbench.api.measurement": ("Measurement",),
    "kernelbench.api.paired": ("Paired", "compare"),
    "kernelbench.api.picture": ("Roofline", "roofline"),
    "kernelbench.api.roofs": ("MachineCard", "machine_card"),
    "kernelbench.api.timing": ("measure",),
    "kernelbench.errors": ("KernelbenchError", "UsageError"),
    "kernelbench.kernels._check": ("Verification", "WrongResult", "close_to", "exactly"),
    "kernelbench.kernels._registry": ("Op", "random_values"),
    "kernelbench.kernels._same": ("same_as",),
    "kernelbench.kernels._symbol": ("CFunction", "c_function"),
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
