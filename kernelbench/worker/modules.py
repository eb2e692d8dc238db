"""Loading the user's kernel files."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from kernelbench.worker.bench import one_line


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
        folder = str(path.resolve().parent)
        if folder not in sys.path:
            sys.path.insert(0, folder)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            broken.append((file, "not a Python file: its name must end in .py"))
            continue
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            # Anything at all can come out of a user's file; it is reported, by name, to the user.
            broken.append((file, one_line(error)))
    return tuple(broken)
