"""The variants by name: the catalogue's, and those declared in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernelbench.errors import UsageError

if TYPE_CHECKING:
    from kernelbench.kernels._registry import Variant


def variants() -> dict[str, Variant]:
    """Every variant by full name, the catalogue's and those declared in this process.

    >>> kb.variants()["matmul/tiled"].style
    'tiled'
    """
    from kernelbench.kernels import _registry

    _registry.load_catalogue()
    return _registry.variants()


def get(name: str) -> Variant:
    """The variant ``name`` ("matmul/tiled"), with ``make_inputs(shape, dtype, seed)`` and ``call(inputs)``.

    Raises UsageError with the nearest names when there is none.

    >>> relu = kb.get("relu/naive")
    >>> relu.call(relu.make_inputs(8, "f64", seed=1)).shape
    (8,)
    """
    from kernelbench.config_check import did_you_mean

    known = variants()
    if name not in known:
        raise UsageError(f"no variant is called {name!r}; {did_you_mean(name, known)}")
    return known[name]
