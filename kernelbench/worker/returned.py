"""What a kernel file's own functions return, made what the protocol can carry."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import numpy as np

T = TypeVar("T")


def as_struct(value: object, kind: type[T]) -> T:
    """``value`` as a ``kind`` of plain Python numbers: sizes and errors computed by NumPy are NumPy's.

    Raises TypeError saying what is wrong with it: another type, a field of another type, NaN or infinity.
    """
    if not isinstance(value, kind):
        raise TypeError(f"returned {type(value).__name__}, not {kind.__name__}")
    try:
        return msgspec.json.decode(msgspec.json.encode(value, enc_hook=_plain), type=kind)
    except msgspec.ValidationError as error:
        # The encoder writes NaN and infinity as null.
        text = str(error).replace("`", "").replace("null", "null, NaN or infinity")
        raise TypeError(f"returned a {kind.__name__} that is not valid: {text}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"holds {type(value).__name__}, which is neither a number nor a text")
