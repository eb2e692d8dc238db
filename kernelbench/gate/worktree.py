"""Commits checked out beside the user's tree, for as long as they are measured.

A checkout is a linked working tree (`git worktree`): the user's own tree and index are never touched. Its place is
the same whenever a commit is checked out again, because Numba keeps compiled code by the place of its source: a second
comparison need not compile a user's kernels anew.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from msgspec import Struct

from kernelbench.errors import StoreError, UsageError
from kernelbench.gate.git import git, printable
from kernelbench.gate.repository import Repository
from kernelbench.gate.slots import Slot, abandoned, claim, folder_outside
from kernelbench.gate.trees import few

CHECKOUT_S = 300.0
"""Longest wait for a checkout, of a large repository on a slow disk."""

_MOST_AT_ONCE = 64
"""Checkouts of one commit that may exist side by side: two for each comparison that is going on."""

_PLAIN = (
    # The user's hook after a checkout is meant for the user's tree.
    *("-c", "core.hooksPath=/dev/null"),
    # Large files stay pointers, whether or not git-lfs is installed.
    *("-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false"),
    *("-c", "submodule.recurse=false"),
)


class Checkout(Struct, frozen=True):
    """A commit as files."""

    path: Path
    left_out: tuple[str, ...]
    """What of the commit is not there, phrases that may stand after its name: submodules and large files."""


class Checkouts:
    """The checkouts of one comparison; ``checkouts`` makes it and clears it away."""

    def __init__(self) -> None:
        self._made: list[tuple[Repository, Slot]] = []

    def check_out(self, repository: Repository, commit: str, ref: str) -> Checkout:
        """``commit``, which the user called ``ref``, in a folder of its own. Raises StoreError when that fails."""
        path = self._claim(repository, commit)
        # Forced twice: what git remembers of an earlier checkout there, even of one killed midway, is void.
        words = ("worktree", "add", "--force", "--force", "--detach", str(path), commit)
        done = git(repository.root, *_PLAIN, *words, timeout_s=CHECKOUT_S)
        if done.code:
            raise StoreError(f"{printable(ref)!r} ({commit[:12]}) cannot be checked out into {path}: {done.why}")
        return Checkout(path, _left_out(path))

    def clear(self) -> str:
        """Remove them all; what could not be removed, in words, or nothing."""
        left = []
        while self._made:
            repository, slot = self._made.pop()
            try:
                remove(repository, slot.path)
            except (StoreError, UsageError) as error:
                left.append(str(error))
            slot.close()
        return "; ".join(left)

    def _claim(self, repository: Repository, commit: str) -> Path:
        """An empty place that nobody else uses."""
        folder = folder_outside(repository.root)
        whose = hashlib.sha256(os.fsencode(repository.store)).hexdigest()[:8]
        for slot in abandoned(folder, f"{whose}-"):
            remove(repository, slot.path)
            slot.close()
        for number in range(1, _MOST_AT_ONCE + 1):
            slot_or_none = claim(folder / f"{whose}-{commit[:12]}-{number}")
            if slot_or_none is not None:
                # Noted before anything is made there, so that an interrupt leaves nothing behind.
                self._made.append((repository, slot_or_none))
                if slot_or_none.path.exists():
                    remove(repository, slot_or_none.path)
                return slot_or_none.path
        raise StoreError(
            f"{folder}: {_MOST_AT_ONCE} checkouts of {commit[:12]} are in use; end those comparisons first"
        )


@contextlib.contextmanager
def checkouts() -> Iterator[Checkouts]:
    """Checkouts that are gone when the block ends, however it ends.

    Raises StoreError when one could not be removed; an error on its way out only gets that as a note.
    """
    made = Checkouts()
    try:
        yield made
    except BaseException as error:
        with undisturbed():
            left = made.clear()
        if left:
            error.add_note(left)
        raise
    with undisturbed():
        left = made.clear()
    if left:
        raise StoreError(left)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C and a polite kill wait for the end of the block: half a removal would leave a checkout for ever."""
    if threading.current_thread() is not threading.main_thread():
        # Signals are the main thread's; there is nothing to hold off here.
        yield
        return
    caught: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        caught.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for late in caught[:1]:
            signal.raise_signal(late)


def remove(repository: Repository, path: Path) -> None:
    """Remove the checkout at ``path`` and what git remembers of it. Raises StoreError when its files resist."""
    done = git(repository.root, "worktree", "remove", "--force", "--force", str(path), timeout_s=CHECKOUT_S)
    if done.code == 0:
        return
    shutil.rmtree(path, ignore_errors=True)
    # Only where git still lists it: pruning also forgets working trees of the user's that are just not mounted now.
    listed = git(repository.root, "worktree", "list", "--porcelain")
    if f"worktree {path}" in listed.out.splitlines():
        git(repository.root, "worktree", "prune")
    if path.exists():
        raise StoreError(f"the checkout {path} could not be removed ({done.why}); delete it, then `git worktree prune`")


def _left_out(path: Path) -> tuple[str, ...]:
    entries = git(path, "ls-files", "-z", "--stage").out.split("\0")
    modules = [entry.partition("\t")[2] for entry in entries if entry.startswith("160000 ")]
    large = [name for name in git(path, "ls-files", "-z", "--", ":(attr:filter=lfs)").out.split("\0") if name]
    said = []
    if modules:
        said.append(f"lacks its submodules: {few(modules)}")
    if large:
        said.append(f"has only pointers to the files kept by Git LFS: {few(large)}")
    return tuple(said)
