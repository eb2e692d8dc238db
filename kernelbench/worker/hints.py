"""What a kernel's author probably did, where a bare error would not say it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

WRITE = "write into the last argument (y[...] = ..., or out=y)"


def arity_problem(function: Callable[..., Any], inputs: int, outputs: int) -> str:
    """Why ``function`` cannot be called with so many arguments, in one line; empty where it can, or cannot be known."""
    try:
        signature = inspect.signature(getattr(function, "py_func", function))
    except (ValueError, TypeError):
        return ""  # a built-in that does not say
    try:
        signature.bind(*[None] * (inputs + outputs))
    except TypeError as error:
        name = getattr(function, "__name__", "the kernel")
        given = f"{_many(inputs, 'input')} and {_many(outputs, 'output')}"
        return f"{name}{signature} is called with {given}: {error}; a kernel is function(*inputs, *outputs)"
    return ""


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def unwritten(function: Callable[..., Any], arguments: Sequence[Any], outputs: int) -> str:
    """What is wrong with a kernel that left its outputs as they were; it is called once more to see what it returns."""
    if hasattr(function, "overloads"):
        return f"it wrote nothing into its outputs: {WRITE}"
    try:
        returned = function(*arguments)
    except Exception as error:
        return f"it wrote nothing into its outputs and raises {type(error).__name__} when called again"
    if returned is None:
        return f"it wrote nothing into its outputs: {WRITE}; y = ... only gives a name to something else"
    viewed = _viewed(returned, arguments[: len(arguments) - outputs])
    what = f"a view of input {viewed}" if viewed >= 0 else f"{type(returned).__name__}"
    return f"it returns {what} and writes nothing into its outputs: {WRITE}"


def _viewed(returned: object, inputs: Sequence[Any]) -> int:
    """Number of the input whose memory ``returned`` shares; -1 for none."""
    if isinstance(returned, np.ndarray):
        for number, mine in enumerate(x for x in inputs if isinstance(x, np.ndarray)):
            if np.may_share_memory(returned, mine):
                return number
    return -1


def typing_problem(text: str) -> str:
    """A Numba error in one line: what is wrong, then the file and line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith("Failed in ")] or lines
    places = re.findall(r'File "(.+?)", line (\d+)', text)
    said = " ".join(line for line in kept[:2] if not line.startswith(("File ", "During: ")))
    return f"{said} ({places[-1][0]}, line {places[-1][1]})" if places else said
