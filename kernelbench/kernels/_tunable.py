"""Tunable parameters of variants (block sizes, crossovers): may they be declared so."""

from __future__ import annotations

from collections.abc import Mapping

from kernelbench.errors import UsageError
from kernelbench.kernels import _params


def checked(owner: str, tunable: Mapping[str, tuple[int, ...]], taken: tuple[str, ...]) -> None:
    """Raise UsageError, naming ``owner``, for a name or values that cannot be tuned.

    ``taken`` are its op's dimensions and all parameters: `prepare` gets them in one mapping.
    """
    _params.checked(owner, tunable, taken)
    for name, values in tunable.items():
        odd = [value for value in values if not isinstance(value, int)]
        if odd:
            raise UsageError(f"{owner}: tunable {name!r} has a value {odd[0]!r}; values are whole numbers")
        if len(values) < 2:
            raise UsageError(f"{owner}: tunable {name!r} has one value, {values[0]}: give others to try")
