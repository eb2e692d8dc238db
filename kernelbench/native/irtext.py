"""Pieces of LLVM IR as text: types, names, and values and uses that the code generator cannot see through."""

import re

LOCAL = r"%(?:\"[^\"]*\"|[\w.$-]+)"
"""A name within a function."""
FLOATING = r"(?:half|bfloat|float|double|<\d+ x (?:half|bfloat|float|double)>)"
VECTOR = r"<\d+ x (?:half|bfloat|float|double|i8|i16|i32|i64)>"
NUMBER = rf"(?:half|bfloat|float|double|{VECTOR})"
"""Types of numbers: floating-point ones, and vectors of integers (a scalar integer may be an address)."""

_BITS = {"half": 16, "bfloat": 16, "float": 32, "double": 64, "i8": 8, "i16": 16, "i32": 32, "i64": 64}


def register_class(kind: str) -> str:
    """The inline-assembly constraint of a register that holds ``kind`` as it is, on x86; "" where none does."""
    if kind in ("float", "double"):
        return "x"
    if kind in ("i32", "i64"):
        return "r"
    found = re.fullmatch(r"<(\d+) x (\w+)>", kind)
    if not found or found[2] in ("half", "bfloat"):
        return ""
    bits = int(found[1]) * _BITS[found[2]]
    return {128: "x", 256: "x", 512: "v"}.get(bits, "")


def one(kind: str) -> str:
    """The constant 1 of ``kind``."""
    found = re.fullmatch(r"<(\d+) x (\w+)>", kind)
    if found:
        return "<" + ", ".join([f"{found[2]} {_scalar_one(found[2])}"] * int(found[1])) + ">"
    return _scalar_one(kind)


def _scalar_one(kind: str) -> str:
    return "1" if kind.startswith("i") else {"half": "0xH3C00", "bfloat": "0xR3F80"}.get(kind, "1.0")


def opaque(name: str, kind: str, number: int) -> str:
    """``name`` is a number that the code generator knows nothing of, and may neither hoist nor fold."""
    held = register_class(kind)
    if not held:
        return f"  {name} = freeze {kind} poison"
    # A register of its own, copied from one that holds 1: left to itself it would be whatever a slow instruction
    # wrote last, and wait for that.
    return (
        f'  %kb.one.{number} = call {kind} asm "", "={held},0"({kind} {one(kind)})\n'
        f'  {name} = call {kind} asm sideeffect "", "={held},0"({kind} %kb.one.{number})'
    )


def kept_alive(kind: str, value: str) -> str:
    """A use of ``value`` that costs nothing and cannot be moved; "" for a type that fits no register."""
    held = register_class(kind)
    return f'  call void asm sideeffect "", "{held}"({kind} {value})' if held else ""
