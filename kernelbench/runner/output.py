"""What a worker prints: kept in a small file without a name, its end quoted when the worker dies."""

import fcntl
import os
import tempfile

LIMIT_BYTES = 1 << 20
"""The file never stays larger than this, however much a kernel prints."""

_KEPT_BYTES = 1 << 12
_LINE_CHARS = 200
_NOISE = ("Extension modules:",)
"""Beginnings of lines that the interpreter adds after a crash and that say nothing about it."""


class Tail:
    """A nameless file open for appending; ``fd`` is given to a child as its standard error."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - lives as long as the worker
        self.fd = self._file.fileno()
        self._since = 0
        # Appending makes the child go on at the new end after the file was cut.
        fcntl.fcntl(self.fd, fcntl.F_SETFL, fcntl.fcntl(self.fd, fcntl.F_GETFL) | os.O_APPEND)

    def shrink(self) -> None:
        """Cut the file to its last part once it has grown beyond ``LIMIT_BYTES``."""
        if os.fstat(self.fd).st_size > LIMIT_BYTES:
            kept = self._end()
            os.ftruncate(self.fd, 0)
            os.write(self.fd, kept)
            self._since = 0

    def mark(self) -> None:
        """What was printed before now is no longer the last word of anything."""
        self._since = os.fstat(self.fd).st_size

    def last_line(self) -> str:
        """The last line that says something, shortened and free of control characters; empty if none."""
        lines = self._end().decode(errors="replace").splitlines()
        useful = [line.strip() for line in lines if line.strip() and not line.startswith(_NOISE)]
        if not useful:
            return ""
        return printable(useful[-1])[:_LINE_CHARS]

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _end(self) -> bytes:
        size = os.fstat(self.fd).st_size
        return os.pread(self.fd, _KEPT_BYTES, max(self._since, size - _KEPT_BYTES))


def printable(text: str) -> str:
    """``text`` without control characters: what a kernel says may not steer the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
