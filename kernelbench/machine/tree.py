"""Reading small kernel files below a root, where every failure becomes an ``Unknown`` with its reason.

The root is "/" on a live machine and a folder in tests (a recorded /proc and /sys). Nothing else in
this room opens a kernel file, so a missing, unreadable, empty or nonsensical one cannot crash detection.
"""

import errno
import re
from pathlib import Path

from kernelbench.machine import cpulist
from kernelbench.model import Unknown

#: Signed 64-bit is what the kernel prints at most; anything beyond is damage and does not fit JSON integers.
LARGEST = 2**63 - 1

RECORDED = Unknown("recorded tree: nothing live was asked")
"""Why a recorded machine lacks what only a running one can tell."""


class Tree:
    """The files of one machine."""

    def __init__(self, root: Path, *, live: bool) -> None:
        """``live``: system calls and libraries of the running process may be asked as well."""
        self.root = root
        self.live = live

    def text(self, path: str) -> str | Unknown:
        """Content of ``path`` (relative to the root, no leading slash), stripped; never empty."""
        try:
            content = (self.root / path).read_bytes().decode("utf-8", errors="replace").strip("\0 \t\r\n")
        except OSError as error:
            return Unknown(_reason(path, error))
        return content or Unknown(f"/{path} is empty")

    def number(self, path: str, scale: int = 1) -> int | Unknown:
        """Integer in ``path`` times ``scale``."""
        content = self.text(path)
        return content if isinstance(content, Unknown) else to_int(content, f"/{path}", scale)

    def word(self, path: str) -> str | Unknown:
        """Single plain word in ``path`` (a governor, a type)."""
        content = self.text(path)
        if isinstance(content, Unknown) or re.fullmatch(r"[A-Za-z0-9_.+-]{1,64}", content):
            return content
        return Unknown(f"/{path} holds {content[:20]!r}, not a word")

    def cpus(self, list_path: str, mask_path: str = "") -> tuple[int, ...] | Unknown:
        """CPU numbers from a list file ("0-3,8"), or from a hexadecimal mask file where there is no list."""
        content = self.text(list_path)
        parse = cpulist.parse
        if isinstance(content, Unknown) and mask_path:
            content, list_path, parse = self.text(mask_path), mask_path, cpulist.parse_mask
        if isinstance(content, Unknown):
            return content
        try:
            return parse(content)
        except ValueError as error:
            return Unknown(f"/{list_path}: {error}")

    def names(self, path: str, pattern: str) -> tuple[str, ...]:
        """Names in the folder ``path`` that match ``pattern`` wholly, by number; none when there is no folder."""
        try:
            found = [entry.name for entry in (self.root / path).iterdir() if re.fullmatch(pattern, entry.name)]
        except OSError:
            # An absent folder holds no names; callers say what that means for their fact.
            return ()
        return tuple(sorted(found, key=lambda name: (len(name), name)))

    def exists(self, path: str) -> bool:
        """Whether ``path`` is there, and may be seen."""
        try:
            return (self.root / path).exists()
        except OSError:
            # A folder above it may not be searched: for us it is not there.
            return False


def to_int(content: str, where: str, scale: int = 1) -> int | Unknown:
    """``content`` as an integer times ``scale``; ``where`` names the source in the reason."""
    if re.fullmatch(r"-?[0-9]{1,19}", content) and abs(int(content) * scale) <= LARGEST:
        return int(content) * scale
    return Unknown(f"{where} holds {content[:20]!r}, not a number")


def _reason(path: str, error: OSError) -> str:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return f"no /{path}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"/{path} may not be read by this user"
    return f"/{path}: {error.strerror or type(error).__name__}"
