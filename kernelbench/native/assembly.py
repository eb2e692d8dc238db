"""Reading emitted assembly: which vector registers code really uses."""

import re

_LABEL = re.compile(r"^([A-Za-z_$.][\w$.@]*):")
_WRAPPERS = ("_ZN7cpython", "cfunc.", "_ZN13_3cdynamic", "numba_")
_STACK_OR_ZERO = re.compile(r"\(%r[sb]p\)|^v?p?xor\w*\s+(%\w+), *\1, *\1$|^v?p?xor\w*\s+(%\w+), *\2$")
_SCALAR_HELP = re.compile(r"^v?(?:mov[au]p[sd] %xmm\d+, %xmm\d+$|(?:andn?|x?or)p[sd]\b)")
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
