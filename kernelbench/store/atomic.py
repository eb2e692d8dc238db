"""Writing so that a reader sees the earlier file or the new one, whole, whatever happens in between."""

import errno
import os
import secrets
import stat
from pathlib import Path

from kernelbench.errors import StoreError, UsageError


def write_text_atomic(path: Path, text: str) -> None:
    """Write ``text`` (UTF-8) as ``write_atomic`` does. Raises StoreError when it cannot."""
    write_atomic(path, text.encode())


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` through a temporary file beside it, synced before and after the rename.

    Raises StoreError when it cannot: the temporary is removed and the earlier file is as it was. A path that is
    no regular file (/dev/stdout, a pipe) is written to, not replaced.
    """
    try:
        # The target of a link is replaced, not the link.
        target = path.resolve()
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            write_synced(target, data, os.O_WRONLY)
        else:
            _replace(target, data)
    except OSError as error:
        raise StoreError(f"{path} was not written: {advice(error, path.parent)}") from error


def ensure_writable(folder: Path) -> None:
    """Create ``folder`` and prove that a file can be made in it, before anything is measured.

    Raises UsageError naming the folder and the reason.
    """
    probe = folder / f".kernelbench-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"the results folder {folder} cannot be written to ({error.strerror}); "
            "make it writable or choose another place with --output FILE"
        ) from error


def advice(error: OSError, folder: Path) -> str:
    """What went wrong and what to do, in words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full ({error.strerror}); free some space in {folder} and try again"
    return f"{error.strerror or error}; check that {folder} exists and is writable, or choose another place"


def write_all(descriptor: int, data: bytes) -> None:
    """``os.write`` until all of ``data`` is written; it may take only a part."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def write_synced(path: Path, data: bytes, flags: int) -> None:
    """Open, write, sync, close. A device or pipe cannot be synced and need not be."""
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o666)
    try:
        write_all(descriptor, data)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make a new or renamed entry of ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network and FUSE file systems cannot sync a folder and say so; nothing more can be done there.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _replace(target: Path, data: bytes) -> None:
    # Not derived from the target's name, which may already have the longest length allowed.
    temporary = target.with_name(f".kernelbench-{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        write_synced(temporary, data, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(target.parent)
