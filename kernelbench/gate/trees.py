"""Where kernels lie in a side's tree of files."""

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from kernelbench.gate.git import printable
from kernelbench.gate.repository import NoRepository, Repository


class Ground(Struct, frozen=True):
    """Where the user stands: what paths as typed are relative to."""

    cwd: Path
    """Without symbolic links."""
    home: Path
    """Top of the repository that ``cwd`` lies in; without one, ``cwd``."""
    found: Repository | NoRepository

    def is_inside(self, path: Path) -> bool:
        """Whether ``path``, as typed, belongs to ``home`` and has its counterpart in other trees."""
        return _settled(self.cwd, path).is_relative_to(self.home)

    def modules_in(self, tree: Path, given: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(absolute paths, those that ``tree`` lacks as given) of kernel files as a user of ``home`` names them."""
        found: list[str] = []
        lacks: list[str] = []
        for module in given:
            place = next((str(path) for path in self._places(tree, module) if os.path.isfile(path)), "")
            (found if place else lacks).append(place or module)
        return tuple(dict.fromkeys(found)), tuple(dict.fromkeys(lacks))

    def _places(self, tree: Path, module: str) -> list[Path]:
        path = _settled(self.cwd, Path(module))
        if not path.is_relative_to(self.home):
            return [path]
        # A folder may stand for the whole repository, or for the part of it in which the user is.
        parts = [path.relative_to(top) for top in (self.home, self.cwd) if path.is_relative_to(top)]
        return [tree / part for part in parts]


def rooms_in(tree: Path, start: Path) -> str:
    """The folder from ``start`` up to ``tree`` that holds a kernelbench with kernels; empty when there is none."""
    for folder in (start, *start.parents):
        if (folder / "kernelbench" / "kernels").is_dir():
            return str(folder)
        if folder == tree:
            break
    return ""


def few(names: Sequence[str]) -> str:
    """Up to three of them, printable, and how many more."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return printable(", ".join(names[:3])) + more


def _settled(cwd: Path, path: Path) -> Path:
    """Absolute, its folder without symbolic links, as git names files; a file that is itself a link keeps its name."""
    whole = Path(os.path.normpath(cwd / path))
    return whole.parent.resolve() / whole.name
