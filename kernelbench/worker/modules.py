"""Loading kernels that are not the catalogue's: the user's files, and packages that offer some by an entry point.

What cannot be imported costs its own kernels and no others: what it had declared before it failed is taken back.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
import sysconfig
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from msgspec import Struct, structs

from kernelbench.errors import UsageError
from kernelbench.kernels import _registry as registry
from kernelbench.model import VariantInfo
from kernelbench.worker.bench import one_line
from kernelbench.worker.entry import is_c

T = TypeVar("T")

GROUP = "kernelbench.kernels"
"""Entry points of this group name modules that declare kernels."""

INSTALLED = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib"))
"""Where Python and installed packages lie, which may be inside a user's folder (a project's .venv)."""


class Loaded(Struct, frozen=True):
    """What came of loading."""

    broken: tuple[tuple[str, str], ...]
    """(file or entry point, one line: why it could not be imported)."""
    homes: dict[str, str]
    """Full name of a variant -> the file or module that declared it."""
    files: tuple[Path, ...]
    """Files under test: the user's, those of installed packages that offer kernels, shared libraries."""


class FromSource(SourceFileLoader):
    """Reads sources only. Python trusts kept bytecode by date and size, and an edit may change neither."""

    def path_stats(self, path: str) -> Mapping[str, Any]:
        """Raises OSError: no date, so that bytecode is neither looked for nor written."""
        raise OSError(f"{path}: imported from its source")


def load(files: Sequence[str]) -> Loaded:
    """Import what entry points name, then each file as a module of its own.

    A file's folder is put first on the import path, so that it finds the helpers beside it.
    """
    broken: list[tuple[str, str]] = []
    homes: dict[str, str] = {}
    sources = [Path(file) for file in files if Path(file).is_file()]
    for point in sorted(importlib.metadata.entry_points(group=GROUP)):
        name = f"entry point {point.name} = {point.value}"
        why = _declared(partial(_add_installed, point, sources), point.module, homes, point.module)
        broken += [(name, why)] if why else []
    for file in files:
        why = _unfit(Path(file)) or _declared(partial(_import_file, Path(file)), file, homes, file)
        broken += [(file, why)] if why else []
    functions = [variant.function for variant in registry.variants().values()]
    libraries = {function.library for function in functions if is_c(function)}
    return Loaded(tuple(broken), homes, (*sources, *sorted(path for path in libraries if path.is_file())))


def infos(loaded: Loaded) -> tuple[VariantInfo, ...]:
    """Every variant as data, those of the user's with the file that declared them."""
    return tuple(
        structs.replace(variant.info, module=loaded.homes.get(name, variant.info.module))
        for name, variant in registry.variants().items()
    )


def _declared(action: Callable[[], object], home: str, homes: dict[str, str], file: str) -> str:
    """Do ``action``; why it failed, all that it declared taken back, or "" and ``homes`` has what it declared."""
    ops, variants = dict(registry._OPS), dict(registry._VARIANTS)
    try:
        action()
    except (Exception, SystemExit) as error:
        # Anything at all can come out of a user's file; it is reported, by name, to the user.
        _put_back(registry._OPS, ops)
        _put_back(registry._VARIANTS, variants)
        text = str(error) if isinstance(error, UsageError) else one_line(error)
        return text + _place(error, file)
    homes.update(dict.fromkeys(registry._VARIANTS.keys() - variants.keys(), home))
    return ""


def _put_back(kept: dict[str, T], before: dict[str, T]) -> None:
    kept.clear()
    kept.update(before)


def _add_installed(point: importlib.metadata.EntryPoint, sources: list[Path]) -> None:
    sources.extend(_installed(point))


def _place(error: BaseException, file: str) -> str:
    """ " (line 12)": where in ``file`` it came from; a syntax error says so itself."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" (line {lines[0]})" if lines and not isinstance(error, SyntaxError) else ""


def _unfit(path: Path) -> str:
    if not path.is_file():
        return "no such file"
    return "" if path.suffix == ".py" else "not a Python file: its name must end in .py"


def _import_file(path: Path) -> None:
    folder = path.resolve().parent
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
        _find_sources_in(folder)
    name = path.stem
    while name in sys.modules:  # two files of one name, or that of a module that others still import
        name += "_"
    loader = FromSource(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None, "a file has a place"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


def _find_sources_in(folder: Path) -> None:
    """From now on everything in ``folder`` that is not installed is imported from its source."""

    def hook(entry: str) -> FileFinder:
        place = Path(entry).resolve()
        if not place.is_relative_to(folder) or any(place.is_relative_to(other) for other in INSTALLED):
            raise ImportError(f"{entry} is not the user's")
        return FileFinder(entry, (FromSource, SOURCE_SUFFIXES), (ExtensionFileLoader, EXTENSION_SUFFIXES))

    sys.path_hooks.insert(0, hook)
    for known in [entry for entry in sys.path_importer_cache if Path(entry).resolve().is_relative_to(folder)]:
        del sys.path_importer_cache[known]


def _installed(point: importlib.metadata.EntryPoint) -> list[Path]:
    """Import the module that ``point`` names; the files of its package from there on down."""
    module: ModuleType = importlib.import_module(point.module)
    if not module.__file__:
        return []
    file = Path(module.__file__).resolve()
    return [file] if file.parent in INSTALLED else sorted(file.parent.rglob("*.py"))
