"""The files that `kernelbench init` writes: a module with kernels and a configuration, both of which run as they are.

They lie beside this module as whole files for an op called ``demo``; another name takes the place of that word.
"""

import importlib.util
import keyword
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from kernelbench.errors import UsageError
from kernelbench.store.atomic import ensure_writable, write_text_atomic

_TEMPLATES = {".py": "demo.py.txt", ".toml": "demo.toml"}
"""Suffix -> what it is made from. The module does not end in .py here, for it is none of ours."""

_LONGEST = 60
"""Characters of a name: a column of the report, and far below what a file may be called."""


def texts(name: str) -> dict[str, str]:
    """Suffix -> text of the file for an op, a module and a configuration called ``name``."""
    here = Path(__file__).parent
    return {
        suffix: re.sub(r"\bdemo\b", name, (here / template).read_text(encoding="utf-8"))
        for suffix, template in _TEMPLATES.items()
    }


def check_name(name: str, folder: Path) -> None:
    """Raises UsageError for a ``name`` that no module in ``folder`` can have, or should."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or keyword.iskeyword(name) or len(name) > _LONGEST:
        raise UsageError(
            f"{_short(name)} cannot name a module: take a letter, then letters, digits or _ (at most {_LONGEST}), "
            f"no word of Python, and --dir for another folder; write {_usable(name)}"
        )
    if _importable(name, folder):
        raise UsageError(f"{name!r} is a module of this Python, which {name}.py would hide; write {_usable(name)}")


def check_op(name: str, ops: Iterable[str]) -> None:
    """Raises UsageError when one of ``ops`` is called ``name`` already."""
    if name in ops:
        raise UsageError(f"{name!r} is an op of kernelbench (`kernelbench list`); write {_usable(name)}")


def write(name: str, folder: Path, *, force: bool) -> tuple[Path, ...]:
    """Write both files into ``folder``, made where it is missing, and return their paths.

    Raises UsageError, with nothing written, when one is there and not ``force``, or when the folder cannot be
    written to; StoreError when writing fails later (a full disk).
    """
    made = {folder / f"{name}{suffix}": text for suffix, text in texts(name).items()}
    for path in made:
        if path.is_dir():
            raise UsageError(f"{path} is a folder; choose another name")
        if os.path.lexists(path) and not force:
            raise UsageError(f"{path} is there already; choose another name, or --force to write over it")
    try:
        ensure_writable(folder)
    except UsageError as error:
        why = getattr(error.__cause__, "strerror", error)
        raise UsageError(
            f"{folder} cannot be written to ({why}); make it writable or choose another with --dir"
        ) from error
    for path, text in made.items():
        write_text_atomic(path, text)
    return tuple(made)


def _importable(name: str, folder: Path) -> bool:
    """Whether ``import name`` finds something that lies neither in ``folder`` nor in the current one."""
    if name in sys.stdlib_module_names or name in sys.modules:
        return True
    spec = importlib.util.find_spec(name)
    if spec is None:
        return False
    # A folder without __init__.py has no origin, only places.
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
    own = {folder.resolve(), Path.cwd()}
    return any(not own & {Path(place).resolve().parent, Path(place).resolve().parent.parent} for place in places)


def _usable(name: str) -> str:
    """A name made of ``name`` that would be accepted: "my-op" -> "my_op", "numpy" -> "my_numpy"."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", name.removesuffix(".py")).strip("_")[: _LONGEST - 3]
    fits = re.match(r"[A-Za-z]", plain) and not keyword.iskeyword(plain) and plain != name
    return plain if fits else f"my_{plain or 'kernels'}"


def _short(name: str) -> str:
    return repr(name if len(name) <= _LONGEST else name[: _LONGEST - 3] + "...")
