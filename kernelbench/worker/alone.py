"""A worker with the kernels of another tree: ``python alone.py --setup JSON``, by path, with any environment's Python.

The harness is the one this file belongs to, wherever that lies; only the rooms under test come from the folder that
KERNELBENCH_ROOMS names (empty: from the harness's own). So two states of the kernels are measured by one and the same
code, and an environment need not have kernelbench installed, only what kernels and harness import.
"""

import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

HARNESS = Path(__file__).resolve().parents[1]
UNDER_TEST = ("kernelbench.kernels", "kernelbench.simd")


class Rooms:
    """Finds our package where this file lies, and the rooms under test in ``tree``; their modules follow by path."""

    def __init__(self, tree: str) -> None:
        self._package = Path(tree) / "kernelbench" if tree else HARNESS

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The import system's question; None for everything that is not ours."""
        if fullname == "kernelbench":
            return _package(fullname, HARNESS)
        if fullname in UNDER_TEST:
            return _package(fullname, self._package / fullname.rpartition(".")[2])
        return None


def _package(name: str, folder: Path) -> ModuleSpec | None:
    return importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )


if __name__ == "__main__":
    sys.meta_path.insert(0, Rooms(os.environ.get("KERNELBENCH_ROOMS", "")))
    from kernelbench.worker.__main__ import main

    main()
