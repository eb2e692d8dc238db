"""Loading the user's kernel files."""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from pathlib import Path
from typing import Any

from kernelbench.worker.bench import one_line

INSTALLED = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib"))
"""Where Python and installed packages lie, which may be inside a user's folder (a project's .venv)."""


class FromSource(SourceFileLoader):
    """Reads sources only. Python trusts kept bytecode by date and size, and an edit may change neither."""

    def path_stats(self, path: str) -> Mapping[str, Any]:
        """Raises OSError: no date, so that bytecode is neither looked for nor written."""
        raise OSError(f"{path}: imported from its source")


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


def load(files: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Import each file as a module of its own; returns (file, one line why) for those that fail.

    A file's folder is put first on the import path, so that it finds the helpers beside it.
    """
    broken = []
    for file in files:
        path = Path(file)
        if not path.is_file():
            broken.append((file, "no such file"))
            continue
        if path.suffix != ".py":
            broken.append((file, "not a Python file: its name must end in .py"))
            continue
        folder = path.resolve().parent
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
            _find_sources_in(folder)
        loader = FromSource(path.stem, str(path))
        spec = importlib.util.spec_from_loader(path.stem, loader)
        assert spec is not None, "a file has a place"
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        try:
            loader.exec_module(module)
        except Exception as error:
            # Anything at all can come out of a user's file; it is reported, by name, to the user.
            broken.append((file, one_line(error)))
    return tuple(broken)
