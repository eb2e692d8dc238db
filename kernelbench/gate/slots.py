"""Places for checkouts: outside the user's tree, nobody else's, and locked while in use."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kernelbench.errors import StoreError
from kernelbench.remember import cache_folder


class Slot:
    """A path that is ours until ``close``; the system lets go of it when we die. Nothing need be there yet."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    def close(self) -> None:
        """Leave it to others."""
        # The file goes while it is still locked: who waits for it then finds that its name is gone.
        _lock_file(self.path).unlink(missing_ok=True)
        os.close(self._lock)


def claim(path: Path) -> Slot | None:
    """``path`` as ours; None while another process has it. Raises StoreError where it cannot be locked at all."""
    file = _lock_file(path)
    try:
        lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreError(f"{file}: cannot be made ({error.strerror}); make {path.parent} writable") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A lock on a file that has lost its name keeps nobody out.
        if os.path.samestat(os.fstat(lock), file.stat()):
            return Slot(path, lock)
    except (BlockingIOError, FileNotFoundError):
        # Another has it, or has just ended; either way it is not ours.
        pass
    except OSError as error:
        os.close(lock)
        raise StoreError(
            f"{file}: cannot be locked ({error.strerror}); set XDG_CACHE_HOME to a local folder"
        ) from error
    os.close(lock)
    return None


def abandoned(folder: Path, prefix: str) -> Iterator[Slot]:
    """Slots of ``folder`` that begin with ``prefix`` and whose process was killed; to be emptied and closed."""
    for file in sorted(folder.glob(f"{prefix}*.lock")):
        slot = claim(file.with_suffix(""))
        if slot is not None:
            yield slot


def folder_outside(root: Path) -> Path:
    """A folder for slots: ours alone, the same every time, and not inside ``root``. Raises StoreError."""
    tried = [
        cache_folder() / "worktrees",
        *(Path(temporary) / f"kernelbench-{os.getuid()}" for temporary in (tempfile.gettempdir(), "/var/tmp")),
    ]
    for folder in tried:
        if not folder.resolve().is_relative_to(root) and _is_ours(folder):
            return folder.resolve()
    names = ", ".join(map(str, tried))
    raise StoreError(
        f"there is no place for checkouts outside {root}: tried {names}; set XDG_CACHE_HOME to a folder of yours"
    )


def _lock_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _is_ours(folder: Path) -> bool:
    """Make it where it is missing. False where it cannot be written, or where somebody else could write into it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return mine and not found.st_mode & 0o022 and os.access(folder, os.W_OK | os.X_OK)
