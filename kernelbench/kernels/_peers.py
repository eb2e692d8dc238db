"""Other people's kernels, called from Python: how torch gets our operands and our number of threads.

    @op.variant(style="library", name="torch", dtypes=("f32",), parallel=True,
                prepare=_peers.for_torch, unavailable=_peers.missing("torch"))
    def with_torch(x, y):
        torch = _peers.torch()
        torch.softmax(_peers.tensor(x), 1, out=_peers.tensor(y))

A package is imported when one of its variants is first prepared, never to list the catalogue: torch takes a second.
"""

import importlib
import importlib.util
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import get_num_threads

from kernelbench.kernels._registry import Arrays, Shape

KEPT = 256
"""Views remembered; a case has a handful, and cold ones some per operand set."""

_views: dict[tuple[int, str], tuple[np.ndarray, Any]] = {}


def missing(*packages: str) -> Callable[[], str]:
    """For ``unavailable``: which of ``packages`` is not installed and what to do about it, or ""."""

    def why() -> str:
        absent = [name for name in packages if importlib.util.find_spec(name) is None]
        return f"{absent[0]} is not installed; pip install 'kernelbench[libraries]'" if absent else ""

    return why


@cache
def torch() -> Any:
    """The torch module, without gradients and on as many threads as Numba may use."""
    module = importlib.import_module("torch")
    module.set_grad_enabled(False)
    module.set_num_threads(get_num_threads())
    return module


def for_torch(inputs: Arrays, shape: Shape) -> Arrays:
    """``inputs`` as they are; for ``prepare``: torch is imported before anything is timed."""
    torch()
    return inputs


def tensor(x: np.ndarray, dtype: str = "") -> Any:
    """The memory of ``x`` as a tensor, made once; ``dtype`` "bfloat16" reads uint16 as such. Some 0.2 us a look-up."""
    key = (id(x), dtype)
    found = _views.get(key)
    if found is None:
        if len(_views) >= KEPT:
            _views.clear()
        plain = torch().from_numpy(x.view(np.int16) if dtype else x)
        view = plain.view(getattr(torch(), dtype)) if dtype else plain
        # Holding x keeps its id from being given to another array.
        found = _views[key] = (x, view)
    return found[1]
