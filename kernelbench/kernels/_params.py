"""Parameters of ops and variants beyond the shape (``causal``, ``sparsity``, ``group``): may they be declared so."""

from __future__ import annotations

from collections.abc import Mapping

from kernelbench.errors import UsageError
from kernelbench.model import ParamValues


def checked(owner: str, params: Mapping[str, ParamValues], taken: tuple[str, ...]) -> None:
    """Raise UsageError, naming ``owner``, for a name or a value that could not stand in a case id.

    ``taken`` are the op's dimensions, and for a variant its op's parameters: one word would mean two things.
    """
    for name, values in params.items():
        # "n" is how an id writes dimensions that are all equal.
        if not name.isidentifier() or name in (*taken, "n"):
            taken_words = ", ".join(dict.fromkeys((*taken, "n")))
            raise UsageError(
                f"{owner}: a parameter cannot be called {name!r}; a name is a word other than {taken_words}"
            )
        if not isinstance(values, tuple) or not values or len(set(values)) < len(values):
            raise UsageError(
                f"{owner}: parameter {name!r} has values {values!r}; give a tuple of one or more, each once"
            )
        for value in values:
            if not _fit(value):
                raise UsageError(
                    f"{owner}: parameter {name!r} has a value {value!r}; "
                    "values are whole or decimal numbers (0 and 1 for no and yes) or words"
                )


def _fit(value: object) -> bool:
    if isinstance(value, str):
        return value.replace("-", "_").isidentifier()
    return isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0
