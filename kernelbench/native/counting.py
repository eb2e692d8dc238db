"""How often every block of compiled code runs in one call: a copy of the code that counts.

Numba's own assembly is assembled once more, with a counter before the first instruction of each basic block. What a
loop does is then known, not guessed: how many iterations, and which share of all instructions executed. The copy is
for counting only; nothing is timed in it.
"""

import ctypes
import re
from collections.abc import Iterable

import llvmlite.binding as llvm

from kernelbench.native.assembly import Body, bodies
from kernelbench.native.blocks import Block, blocks
from kernelbench.native.jit import Code, compile_ir

_SYMBOL = re.compile(r"\$([A-Za-z_][\w.$@]*)|(?:callq?|jmpq?)\s+([A-Za-z_][\w.$]*)|\b([A-Za-z_][\w.$]*)\(%rip\)")
_DEFINED = re.compile(r"^\s*(?:([A-Za-z_][\w.$]*):|\.(?:comm|lcomm|set)\s+([A-Za-z_][\w.$]*))", re.MULTILINE)
_COUNT = (
    # Below the red zone; neither flags nor registers change, and threads may meet.
    "leaq -256(%rsp), %rsp",
    "pushfq",
    "pushq %rax",
    "movabsq ${address}, %rax",
    "lock",
    "incq (%rax)",
    "popq %rax",
    "popfq",
    "leaq 256(%rsp), %rsp",
)


class CannotCount(Exception):
    """No copy that counts can be made of this code; the text says why."""


class CountingCopy:
    """A copy of a kernel that counts. Keep it alive while ``address`` is used."""

    def __init__(self, assembly: str, symbol: str) -> None:
        """``symbol`` is the function to be called. Raises CannotCount where it needs what this process lacks."""
        missing = unresolved(assembly)
        if missing:
            raise CannotCount(f"it calls {missing[0]}, which has no address in this process")
        self._bodies = bodies(assembly)
        self._blocks = {name: blocks(body) for name, body in self._bodies.items()}
        self._counts = (ctypes.c_uint64 * sum(map(len, self._blocks.values())))()
        text = _with_counters(assembly, self._bodies, self._blocks, ctypes.addressof(self._counts))
        self._code = _assembled(text, symbol)
        self.address: int = ctypes.CFUNCTYPE(ctypes.c_uint64)(self._code.address("kernelbench_where"))()

    def counts(self) -> dict[str, tuple[int, ...]]:
        """Function -> how often each of its lines (``Body.lines``) was run; labels count 0."""
        found, first = {}, 0
        for name, parts in self._blocks.items():
            lines = [0] * len(self._bodies[name].lines)
            for part in parts:
                lines[part.start : part.stop] = [int(self._counts[first])] * (part.stop - part.start)
                first += 1
            found[name] = tuple(lines)
        return found


def unresolved(assembly: str) -> list[str]:
    """Symbols that ``assembly`` needs, does not define, and that this process does not know."""
    defined = {one or other for one, other in _DEFINED.findall(assembly)}
    code = "\n".join(line for line in assembly.splitlines() if not line.lstrip().startswith("."))
    needed = {next(filter(None, names)) for names in _SYMBOL.findall(code)} - defined
    return sorted(name for name in needed if not llvm.address_of_symbol(name))


def _with_counters(assembly: str, found: dict[str, Body], parts: dict[str, list[Block]], address: int) -> Iterable[str]:
    before: dict[int, int] = {}
    place = address
    for name, body in found.items():
        for part in parts[name]:
            if part.stop > part.start:
                before[body.rows[part.start]] = place
            place += ctypes.sizeof(ctypes.c_uint64)
    for row, line in enumerate(assembly.splitlines()):
        if row in before:
            yield from (one.format(address=before[row]) for one in _COUNT)
        if not line.lstrip().startswith(".file"):
            yield line


def _assembled(lines: Iterable[str], symbol: str) -> Code:
    text = "\n".join(f'module asm "{_escaped(line)}"' for line in lines)
    where = f'declare void @"{symbol}"()\ndefine ptr @kernelbench_where() {{\n  ret ptr @"{symbol}"\n}}'
    return compile_ir(f"{text}\n{where}\n")


def _escaped(line: str) -> str:
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "".join(f"\\{b:02X}" for b in c.encode()) for c in line)
