"""Slow answers kept under the user's cache folder, keyed so that a stale one is never used.

The key is in the file's name (as a hash) and in the file (in full): both must match. The folder only saves
time, so what goes wrong with it is never an error: an unwritable folder means asking again next time.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from kernelbench.model import Unknown

T = TypeVar("T")


class Stored(msgspec.Struct, frozen=True):
    """One file of the cache."""

    key: dict[str, str]
    answer: msgspec.Raw
    """Read only once the key is known to match."""


#: Changes when the meaning of a stored answer does.
LAYOUT = "2"


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/kernelbench``, by default ``~/.cache/kernelbench`` (XDG base directory specification)."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    # The specification has relative paths ignored.
    return (Path(named) if named.startswith("/") else Path(os.path.expanduser("~")) / ".cache") / "kernelbench"


def remembered(topic: str, key: Mapping[str, str], answer_type: type[T], ask: Callable[[], T | Unknown]) -> T | Unknown:
    """The stored answer to ``topic`` under ``key``, else what ``ask`` says (stored unless it is an ``Unknown``)."""
    full_key = {**key, "layout": LAYOUT}
    digest = hashlib.sha256(msgspec.json.encode(full_key, order="sorted")).hexdigest()[:16]
    path = cache_folder() / f"{topic}-{digest}.json"
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=Stored)
        if stored.key == full_key:
            return msgspec.json.decode(stored.answer, type=answer_type)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        # Absent, unreadable or damaged: as if it had never been asked; the file is written anew below.
        pass
    fresh = ask()
    if not isinstance(fresh, Unknown):
        _store(path, msgspec.json.encode(Stored(full_key, msgspec.Raw(msgspec.json.encode(fresh)))))
    return fresh


def _store(path: Path, content: bytes) -> None:
    """Write whole or not at all: two processes may store the same answer at once."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    except OSError:
        # No place to keep it: the answer stands, the next call asks again.
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
