"""Reading emitted assembly: which vector registers code really uses."""

import re

from msgspec import Struct

_LABEL = re.compile(r"^([A-Za-z_$.][\w$.@]*):")
_WRAPPERS = ("_ZN7cpython", "cfunc.", "_ZN13_3cdynamic", "numba_")
_RUNTIME = ("NRT_", "nrt_", "numba_")
_TABLE = re.compile(r"^\.(?:long|quad)\s+(\.LBB\w+)")
_STACK_OR_ZERO = re.compile(r"\(%r[sb]p\)|^v?p?xor\w*\s+(%\w+), *\1, *\1$|^v?p?xor\w*\s+(%\w+), *\2$")
_SCALAR_HELP = re.compile(r"^v?(?:mov[au]p[sd] %xmm\d+, %xmm\d+$|(?:andn?|x?or|blendv?)p[sd]\b)")
"""Copies, signs and selects of single numbers: there are no scalar forms of these."""
_PACKED = re.compile(r"^v?(?:p(?!ush|op|refetch|ause)|\w*(?:ps|pd)\b)")


def functions(assembly: str) -> dict[str, list[str]]:
    """Function name -> its instructions, wrappers that only convert Python objects left out."""
    found: dict[str, list[str]] = {}
    body: list[str] = []
    for raw in assembly.splitlines():
        line = raw.split("#")[0].strip()
        label = _LABEL.match(line)
        if label:
            name = label.group(1)
            if not name.startswith((".L", "L")):
                body = [] if name.startswith(_WRAPPERS) else found.setdefault(name, [])
        elif line and not line.startswith("."):
            body.append(" ".join(line.split()))
    return found


class Body(Struct, frozen=True):
    """One function's code."""

    lines: tuple[str, ...]
    """Instructions and local labels (".LBB0_6:") in the order they lie, one blank between words."""
    rows: tuple[int, ...]
    """For each of them, the index of its line in the assembly."""
    targets: tuple[str, ...]
    """Labels that its jump tables lead to."""


def bodies(assembly: str) -> dict[str, Body]:
    """Function name -> its code with its local labels, wrappers and Numba's own runtime left out.

    Unlike ``functions`` it keeps what a flow graph needs.
    """
    found: dict[str, list[tuple[str, int]]] = {}
    targets: set[str] = set()
    body: list[tuple[str, int]] = []
    for row, raw in enumerate(assembly.splitlines()):
        line = raw.split("#")[0].strip()
        label, entry = _LABEL.match(line), _TABLE.match(line)
        if label:
            body = _after(label.group(1), body, found)
            if label.group(1).startswith((".LBB", "LBB")):
                body.append((f"{label.group(1)}:", row))
        elif entry:
            targets.add(entry.group(1))
        elif line and not line.startswith("."):
            body.append((" ".join(line.split()), row))
    return {name: _body(code, targets) for name, code in found.items() if code}


def _after(label: str, body: list[tuple[str, int]], found: dict[str, list[tuple[str, int]]]) -> list[tuple[str, int]]:
    """Where the lines after ``label`` belong; of no interest are those of wrappers, constants and tables."""
    if label.startswith((".LBB", "LBB", ".Ltmp", ".Lfunc_begin")):
        return body
    if label.startswith((".L", "L", *_WRAPPERS, *_RUNTIME)):
        return []
    return found.setdefault(label, [])


def _body(code: list[tuple[str, int]], targets: set[str]) -> Body:
    lines = tuple(line for line, _ in code)
    return Body(lines, tuple(row for _, row in code), tuple(x[:-1] for x in lines if x[:-1] in targets))


def isa_used(assembly: str) -> str:
    """Widest x86 level whose registers the code computes in: "avx512", "avx2", "sse2" or "scalar".

    Moves to the stack and zeroing are not counted: compilers emit wide ones for plain bookkeeping. On other
    architectures the answer is "neon" where vector registers appear, else "scalar".
    """
    lines = [line for body in functions(assembly).values() for line in body if not _STACK_OR_ZERO.search(line)]
    text = "\n".join(lines)
    if "%zmm" in text:
        return "avx512"
    if "%ymm" in text:
        return "avx2"
    if "%xmm" in text:
        packed = (line for line in lines if "%xmm" in line and _PACKED.match(line) and not _SCALAR_HELP.match(line))
        return "sse2" if any(packed) else "scalar"
    return "neon" if re.search(r"\bv\d+\.(?:\d+[bhsd])", text) else "scalar"
