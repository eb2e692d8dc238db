"""What an ELF file says of itself: its architecture, and the functions it exports (System V ABI, chapters 4 and 5)."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from kernelbench.errors import UsageError

MACHINES = {
    3: "32-bit x86",
    8: "MIPS",
    21: "64-bit PowerPC",
    22: "IBM Z",
    40: "32-bit Arm",
    62: "x86-64",
    183: "AArch64",
    243: "RISC-V",
    258: "LoongArch",
}
"""``e_machine`` in words."""

_MAGIC, _SHARED_OBJECT, _DYNAMIC_SYMBOLS = b"\x7fELF", 3, 11
_HEADER_BYTES, _SYMBOL_BYTES = 64, 24
_HEADERS_BYTES = 4096
"""The table of segments follows the header."""
_FUNCTION = 2
_LOAD = 1
_CLASS_64 = 2
_BIG_ENDIAN = 2


def check_library(path: Path) -> None:
    """Raise UsageError saying why ``path`` is no shared library that this process can load; else nothing."""
    if not path.is_file():
        raise UsageError(f"{path}: no such library; build it, or correct the path given to c_function")
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    if head[:4] != _MAGIC or len(head) < _HEADER_BYTES:
        raise UsageError(f"{path}: not a shared library (no ELF header); build one with `cc -O3 -shared -fPIC`")
    with Path(sys.executable).resolve().open("rb") as file:
        own = _machine(file.read(_HEADER_BYTES))
    if _machine(head) != own:
        raise UsageError(f"{path}: built for {_machine(head)}, and this Python runs on {own}; build it for {own}")
    if _word(head, 16) != _SHARED_OBJECT:
        raise UsageError(f"{path}: an ELF file but not a shared library; build one with `cc -O3 -shared -fPIC`")
    needed, size = _mapped_bytes(path), path.stat().st_size
    if size < needed:
        raise UsageError(f"{path}: cut short, {size} of at least {needed} bytes; build it again")


def _mapped_bytes(path: Path) -> int:
    """Bytes of the file that the loader maps: it would crash on those that are not there. 0 for 32 bits."""
    with path.open("rb") as file:
        data = file.read(_HEADERS_BYTES)
    if data[4] != _CLASS_64:
        return 0
    order = ">" if data[5] == _BIG_ENDIAN else "<"
    (table,) = struct.unpack_from(f"{order}Q", data, 32)
    size, count = struct.unpack_from(f"{order}HH", data, 54)
    ends = [0]
    for at in range(table, min(table + size * count, len(data) - size), size):
        kind, _, offset, _, _, length = struct.unpack_from(f"{order}IIQQQQ", data, at)
        ends += [offset + length] if kind == _LOAD else []
    return max(ends)


def exported(path: Path) -> tuple[str, ...]:
    """Names of the functions that a 64-bit library exports, in its own order; none where it cannot be read."""
    data = path.read_bytes()
    order = ">" if data[5] == _BIG_ENDIAN else "<"
    try:
        (table,) = struct.unpack_from(f"{order}Q", data, 40)
        size, count = struct.unpack_from(f"{order}HH", data, 58)
        sections = [struct.unpack_from(f"{order}IIQQQQIIQQ", data, table + i * size) for i in range(count)]
        found: list[str] = []
        for _, kind, _, _, offset, length, link, *_ in sections:
            if kind == _DYNAMIC_SYMBOLS:
                found += _functions(data, offset, length, sections[link][4], order)
    except (struct.error, IndexError, ValueError):
        return ()  # a stripped or damaged table: the loader has the last word
    return tuple(found)


def _functions(data: bytes, offset: int, length: int, names: int, order: str) -> list[str]:
    found = []
    for at in range(offset, offset + length, _SYMBOL_BYTES):
        name, info, _, section = struct.unpack_from(f"{order}IBBH", data, at)
        if info & 0xF == _FUNCTION and section:
            begin = names + name
            found.append(data[begin : data.index(b"\0", begin)].decode(errors="replace"))
    return found


def _word(head: bytes, offset: int) -> int:
    (value,) = struct.unpack_from(">H" if head[5] == _BIG_ENDIAN else "<H", head, offset)
    return int(value)


def _machine(head: bytes) -> str:
    number = _word(head, 18)
    return MACHINES.get(number, f"ELF machine {number}")
