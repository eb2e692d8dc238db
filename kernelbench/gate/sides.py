"""What `ab BASE HEAD` names: two sides, each a git ref, a folder, a kernel file or an environment's Python.

with opened("main", ".", modules=("kernels/mine.py",), cwd=Path.cwd()) as (base, head): ...
"""

import contextlib
import os
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from kernelbench.errors import UsageError
from kernelbench.gate.git import printable
from kernelbench.gate.interpreter import examine, is_python
from kernelbench.gate.repository import NoRepository, changes, find, head, names_ref, revision
from kernelbench.gate.trees import Ground, few, rooms_in
from kernelbench.gate.worktree import Checkouts, checkouts
from kernelbench.runner.guards import sigterm_as_interrupt

ROOMS = ("kernelbench/kernels", "kernelbench/simd")
"""What of a checkout of kernelbench is under test; the harness around it is always the running one."""

_LABELLED = re.compile(r"([^=/-][^=/]*)=(.+)", re.DOTALL)


class Side(Struct, frozen=True):
    """One side of a comparison, as files that are there."""

    label: str
    """What the user calls it; not safe to print as it is."""
    kind: str
    """"ref", "folder", "file" or "python"."""
    rooms: str = ""
    """Absolute folder that holds ``ROOMS``; empty: those of the running kernelbench."""
    modules: tuple[str, ...] = ()
    """Absolute paths of this side's own kernel files."""
    lacks: tuple[str, ...] = ()
    """Kernel files that were named and that this side does not have, as given."""
    python: str = ""
    """Absolute path of the interpreter that runs it; empty: the running one."""
    commit: str = ""
    """All digits; empty where it belongs to no commit."""
    dirty: bool = False
    """True when its files differ from those of ``commit``."""
    notes: tuple[str, ...] = ()
    """What the user should know about it, each a printable sentence that begins with its label."""

    @property
    def title(self) -> str:
        """Label and commit, printable: "main (1a2b3c4d5)", ". (1a2b3c4d5, changed)"."""
        facts = ", ".join(filter(None, (self.commit[:9], "changed" if self.dirty else "")))
        return printable(self.label) + (f" ({facts})" if facts and not self.commit.startswith(self.label) else "")


@contextlib.contextmanager
def opened(base: str, head: str, modules: Sequence[str], cwd: Path) -> Iterator[tuple[Side, Side]]:
    """Both sides, for as long as the block lasts; refs are checked out and the checkouts removed at its end.

    ``modules`` are kernel files for both sides. One inside the repository (or, without one, ``cwd``) is looked up
    at the same place in each side's own tree; any other is the same file on both sides.

    Raises UsageError naming what was given and what is accepted, StoreError when a ref cannot be checked out.
    """
    with _killed_politely(), checkouts() as trees:
        first = resolve(base, other=head, modules=modules, cwd=cwd, trees=trees)
        second = resolve(head, other=base, modules=modules, cwd=cwd, trees=trees)
        _check_kernels(first, second)
        if same := what_is_same(first, second):
            second = replace(second, notes=(*second.notes, f"the same {same} on both sides: this is an A/A"))
        yield first, second


def _killed_politely() -> contextlib.AbstractContextManager[None]:
    """A cancelled job is sent SIGTERM, which would end us before the checkouts are removed."""
    in_main = threading.current_thread() is threading.main_thread()
    return sigterm_as_interrupt() if in_main else contextlib.nullcontext()


def what_is_same(base: Side, head: Side) -> str:
    """Where both sides hold the same code, an A/A, what makes it the same: "commit" or "files". Else empty."""
    if base.python != head.python:
        return ""
    if base.commit and base.commit == head.commit and not base.dirty and not head.dirty:
        return "commit"
    return "files" if (base.rooms, base.modules, base.lacks) == (head.rooms, head.modules, head.lacks) else ""


def resolve(spec: str, *, other: str, modules: Sequence[str], cwd: Path, trees: Checkouts) -> Side:
    """The side that ``spec`` means: `LABEL=SPEC`, else a kernel file, a folder, a Python or a git ref, tried in turn.

    ``other`` is the other side's spec: a kernel file there is looked up on this side as well. A ref is checked out
    by ``trees``. Raises UsageError, or StoreError when a checkout fails.
    """
    asked = _asked(spec, other, modules, cwd.resolve())
    side = _made(asked, trees)
    return replace(side, notes=tuple(f"{printable(side.label)} {note}" for note in side.notes))


class _Asked(Struct, frozen=True):
    """A spec with what it is read against."""

    label: str
    spec: str
    path: Path
    """``spec`` as a path, absolute; links in it are kept, for an environment's Python is one."""
    other: Path
    modules: tuple[str, ...]
    ground: Ground


def _asked(spec: str, other: str, modules: Sequence[str], cwd: Path) -> _Asked:
    for text in (spec, other):
        # An empty one would be the current folder: a variable of a CI that is not set.
        if not text.strip() or "\0" in text:
            raise UsageError(f"{printable(text)!r} names no side; give a git ref, a folder, a kernel file or a Python")
    label, what = _split(spec, cwd)
    path, other_path = _as_path(what, cwd), _as_path(_split(other, cwd)[1], cwd)
    found = find(cwd)
    ground = Ground(cwd, cwd if isinstance(found, NoRepository) else found.root, found)
    wanted = list(modules)
    if _is_kernel_file(other_path) and not _is_kernel_file(path) and ground.is_inside(other_path):
        wanted.append(str(other_path))
    return _Asked(label, what, path, other_path, tuple(wanted), ground)


def _made(asked: _Asked, trees: Checkouts) -> Side:
    if _is_kernel_file(asked.path):
        return _file(asked)
    if os.path.isdir(asked.path):
        return _folder(asked)
    if is_python(asked.path):
        return _python(asked, asked.path)
    return _ref(asked, trees)


def _split(spec: str, cwd: Path) -> tuple[str, str]:
    """(label, spec): of "before=v1.2" its halves, of anything else the whole twice."""
    labelled = _LABELLED.fullmatch(spec)
    if labelled and not os.path.exists(cwd / spec):
        return labelled[1].strip(), labelled[2]
    return spec, spec


def _as_path(spec: str, cwd: Path) -> Path:
    # The shell expands "~" at the beginning of a word, which it is not after a label.
    return Path(os.path.normpath(cwd / (os.path.expanduser(spec) if spec.startswith("~/") else spec)))


def _is_kernel_file(path: Path) -> bool:
    return path.suffix == ".py" and os.path.isfile(path)


def _file(asked: _Asked) -> Side:
    modules, lacks = asked.ground.modules_in(asked.ground.home, asked.modules)
    return Side(asked.label, "file", modules=tuple(dict.fromkeys([str(asked.path), *modules])), lacks=lacks)


def _folder(asked: _Asked) -> Side:
    folder, ground = asked.path.resolve(), asked.ground
    # Where one stands means the whole working tree, wherever in it that is.
    tree = ground.home if folder == ground.cwd else folder
    rooms = rooms_in(tree, folder)
    modules, lacks = ground.modules_in(tree, asked.modules)
    python = asked.path / "bin" / "python"
    if not rooms and is_python(python) and not any(Path(module).is_relative_to(tree) for module in modules):
        return _python(asked, python)
    return _with_state(Side(asked.label, "folder", rooms, modules, lacks, notes=_namesake(asked)), tree)


def _with_state(side: Side, tree: Path) -> Side:
    """``side`` with what git knows of its files."""
    found = find(tree)
    if isinstance(found, NoRepository):
        unknown = () if found.is_plain else (f"is of an unknown commit: {found.reason}",)
        return replace(side, notes=(*side.notes, *unknown))
    if found.root != tree:
        # A folder inside a repository that has nothing to do with it.
        return side
    changed = changes(found)
    notes = (f"has uncommitted changes, which are measured: {few(changed)}",) if changed else ()
    return replace(side, commit=head(found), dirty=bool(changed), notes=(*side.notes, *notes))


def _namesake(asked: _Asked) -> tuple[str, ...]:
    """What to say where a folder hides a branch or tag of the same name."""
    repository = asked.ground.found
    if isinstance(repository, NoRepository) or not asked.spec[:1].isalnum():
        return ()
    ref = names_ref(repository, asked.spec)
    return (f"is the folder of that name; the git ref is {printable(ref)}",) if ref else ()


def _python(asked: _Asked, python: Path) -> Side:
    found = examine(python)
    modules, lacks = asked.ground.modules_in(asked.ground.home, asked.modules)
    version = ".".join(map(str, found.version))
    whose = f"the kernelbench installed there ({found.rooms})" if found.rooms else "the running kernelbench"
    notes = (f"is Python {version} with the kernels of {whose}",)
    return Side(asked.label, "python", found.rooms, modules, lacks, python=str(python), notes=notes)


def _ref(asked: _Asked, trees: Checkouts) -> Side:
    repository = asked.ground.found
    if asked.path.suffix == ".json" and os.path.isfile(asked.path):
        raise UsageError(
            f"{printable(asked.spec)!r} is no kernel file (.py); results are compared by `kernelbench compare`"
        )
    if isinstance(repository, NoRepository):
        raise UsageError(
            f"{printable(asked.spec)!r} is no kernel file (.py), no folder and no Python, and as a git ref it cannot be"
            f" looked up: {repository.reason}"
        )
    named = revision(repository, asked.spec)
    checkout = trees.check_out(repository, named.commit, asked.spec)
    modules, lacks = asked.ground.modules_in(checkout.path, asked.modules)
    warned = [f"was looked up with a warning: {named.warning}"] if named.warning else []
    notes = [*warned, *checkout.left_out]
    is_bare = repository.root == repository.store
    if not is_bare and asked.other.resolve() not in (asked.ground.cwd, repository.root):
        changed = changes(repository) if named.commit == head(repository) else ()
        if changed:
            notes.append(f"leaves out uncommitted changes ({few(changed)}); give the folder . to measure them")
    rooms = rooms_in(checkout.path, checkout.path / repository.inside)
    return Side(asked.label, "ref", rooms, modules, lacks, commit=named.commit, notes=tuple(notes))


def _check_kernels(base: Side, head: Side) -> None:
    """Raise UsageError where a kernel file is on neither side, or a side holds nothing that could be measured."""
    for module in base.lacks:
        if module in head.lacks:
            raise UsageError(
                f"{printable(module)}: neither {printable(base.label)} nor {printable(head.label)} has this kernel"
                " file; give its path as it is from here, or from the top of each side"
            )
    for side in (base, head):
        if side.kind in ("ref", "folder") and not (side.rooms or side.modules or side.lacks):
            raise UsageError(
                f"{printable(side.label)} holds no kernels: there is no {ROOMS[0]} in it, and no kernel file was"
                " named; name yours with -m FILE.py"
            )
