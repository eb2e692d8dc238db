"""The C signature of a kernel in a shared library: "void(const float *x, float *y, int64_t n)"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from kernelbench.errors import UsageError

_NUMPY: dict[str, type[np.generic]] = {
    "float": np.float32,
    "double": np.float64,
    "__bf16": np.uint16,
    **dict.fromkeys(("int8_t", "signed char"), np.int8),
    **dict.fromkeys(("uint8_t", "unsigned char"), np.uint8),
    **dict.fromkeys(("int16_t", "short"), np.int16),
    **dict.fromkeys(("uint16_t", "unsigned short"), np.uint16),
    **dict.fromkeys(("int32_t", "int"), np.int32),
    **dict.fromkeys(("uint32_t", "unsigned", "unsigned int"), np.uint32),
    **dict.fromkeys(("int64_t", "long", "long long", "ptrdiff_t", "ssize_t"), np.int64),
    **dict.fromkeys(("uint64_t", "unsigned long", "unsigned long long", "size_t"), np.uint64),
}
"""C types of 64-bit Linux (LP64) and what NumPy calls them; bf16 is kept as unsigned words."""

ANY = np.dtype(np.void)
"""What ``void *`` points at."""

_PARAMETER = re.compile(
    r"(?P<const>const\s+)?(?P<type>\w+(?:\s+\w+)*?)\s*(?P<pointer>\*)?\s*(?:(?:restrict|__restrict|const)\s+)?"
    r"\b(?P<name>[A-Za-z_]\w*)"
)
_WHOLE = re.compile(r"(?P<returns>\w+)\s*(?:[A-Za-z_]\w*\s*)?\((?P<parameters>[^()]*)\)\s*;?")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a C function."""

    name: str
    dtype: np.dtype[Any]
    """Of the value, or of what a pointer points at (``ANY`` for void)."""
    pointer: bool
    const: bool
    """Whether a pointer's target may only be read."""
    text: str
    """As it is written."""


@dataclass(frozen=True)
class Signature:
    """A function that returns nothing, or an ``int`` that is 0 when all went well."""

    returns_status: bool
    parameters: tuple[Parameter, ...]
    text: str
    """As it is written."""


def parse(text: str) -> Signature:
    """The signature ``text``; a function's name before the parenthesis is allowed and ignored.

    Raises UsageError quoting the part that is not understood, with what is.
    """
    whole = _WHOLE.fullmatch(text.strip())
    if not whole:
        raise UsageError(
            f"C signature {text!r} is not understood; write it like 'void(const float *x, float *y, int64_t n)'"
        )
    if whole["returns"] not in ("void", "int"):
        raise UsageError(
            f"C signature {text!r} returns {whole['returns']}; a kernel writes its outputs and returns void,"
            " or an int that is 0 when all went well"
        )
    parts = whole["parameters"].strip()
    if not parts or parts == "void":
        raise UsageError(f"C signature {text!r} takes nothing; a kernel takes its inputs and outputs as pointers")
    parameters = tuple(_parameter(part.strip(), text) for part in parts.split(","))
    names = [parameter.name for parameter in parameters]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UsageError(f"C signature {text!r} has two parameters named {twice[0]!r}")
    return Signature(whole["returns"] == "int", parameters, text)


def _parameter(part: str, whole: str) -> Parameter:
    found = _PARAMETER.fullmatch(part)
    if not found:
        raise UsageError(
            f"C signature {whole!r}: parameter {part!r} is not understood; write each as a type and a name:"
            " 'const float *x', 'int64_t n'"
        )
    kind, pointer = " ".join(found["type"].split()), bool(found["pointer"])
    if kind == "void" and pointer:
        return Parameter(found["name"], ANY, True, bool(found["const"]), part)
    if kind not in _NUMPY or (kind == "__bf16" and not pointer):
        raise UsageError(
            f"C signature {whole!r}: parameter {part!r} has the unknown type {kind!r}; known are {', '.join(_NUMPY)}"
        )
    return Parameter(found["name"], np.dtype(_NUMPY[kind]), pointer, bool(found["const"]), part)
