"""What LLVM's loop vectoriser says about its decisions, caught while code is compiled.

LLVM prints remarks to the process's stderr; llvmlite has no other way to them. Debug information gives them lines.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import llvmlite.binding as llvm
from msgspec import Struct

_REMARK = re.compile(r"^remark: (.+?):(\d+):(\d+): (.*)$")
_UNKNOWN = "<unknown>"
_VECTORIZED = re.compile(r"vectorized loop \(vectorization width: (\d+), interleaved count: (\d+)\)")
_asked = False


class Remark(Struct, frozen=True):
    """One sentence of LLVM's."""

    file: str
    """Name of the source file; empty where not known."""
    line: int
    """Line in it; 0 where not known."""
    text: str

    @property
    def vectorized(self) -> bool:
        """Whether it says that a loop was turned into vectors."""
        return bool(_VECTORIZED.match(self.text))


@contextmanager
def caught() -> Iterator[list[Remark]]:
    """Collect the remarks of everything compiled in the block; the list is filled when it ends.

    Standard error of the whole process goes to a file meanwhile; what is no remark is passed on after it.
    """
    _ask()
    found: list[Remark] = []
    with tempfile.TemporaryFile() as kept:
        before = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield found
        finally:
            os.dup2(before, 2)
            os.close(before)
            kept.seek(0)
            text = kept.read().decode(errors="replace")
            found += parse(text)
            os.write(2, "".join(f"{x}\n" for x in text.splitlines() if not _ours(x)).encode())


def parse(text: str) -> list[Remark]:
    """The remarks in what LLVM printed, each once, in order; a longer remark's further lines are left out."""
    met: dict[Remark, None] = {}
    for line in text.splitlines():
        remark = _REMARK.match(line)
        if remark:
            file, row, _, said = remark.groups()
            known = file != _UNKNOWN
            met[Remark(file if known else "", int(row) if known else 0, said.strip())] = None
    return list(met)


def _ours(line: str) -> bool:
    return bool(_REMARK.match(line)) or line.startswith("Unsafe indirect dependence")


def _ask() -> None:
    """Tell LLVM to make remarks. It cannot be told to stop: for a process that does nothing else after."""
    global _asked
    if not _asked:
        for option in ("pass-remarks", "pass-remarks-missed", "pass-remarks-analysis"):
            llvm.set_option("kernelbench", f"--{option}=loop-vectorize")
        _asked = True


_LOC = re.compile(r"^\s*\.loc\s+(\d+)\s+(\d+)")
_FILE = re.compile(r'^\s*\.file\s+(\d+)\s+(?:"[^"]*"\s+)?"([^"]*)"')


def source_lines(assembly: str) -> dict[int, tuple[str, int]]:
    """Index of an assembly line -> (source file, line), by its debug information."""
    files: dict[str, str] = {}
    now = ("", 0)
    found: dict[int, tuple[str, int]] = {}
    for row, raw in enumerate(assembly.splitlines()):
        named, place = _FILE.match(raw), _LOC.match(raw)
        if named:
            files[named.group(1)] = os.path.basename(named.group(2))
        elif place:
            now = (files.get(place.group(1), ""), int(place.group(2)))
        else:
            found[row] = now
    return found
