"""The JIT cache: never stale, always hit.

Numba's disk cache stamps only the file of the function it compiles: edit a helper or an intrinsic in another
module and the old machine code is measured. So the cache folder is named by a hash of every source under test
and of the versions that make the code; any change begins an empty folder.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import os
import platform
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from kernelbench.remember import cache_folder

PACKAGES = ("numba", "llvmlite", "numpy")
ROOMS = ("kernelbench.kernels", "kernelbench.simd")
"""The catalogue's rooms under test; the harness around them makes no machine code that is measured."""
KEEP = 12
"""Cache folders kept; older ones go."""


class Facts(Struct, frozen=True, omit_defaults=True):
    """What is known only when code is really compiled, kept beside it for later processes."""

    compile_s: float
    isa_used: str | UnsetType = UNSET


def _room_files(rooms: Iterable[str]) -> list[Path]:
    files: list[Path] = []
    for room in rooms:
        for folder in importlib.import_module(room).__path__:
            files += sorted(Path(folder).rglob("*.py"))
    return files


def _loaded_user_files() -> list[Path]:
    """Sources of loaded modules that belong neither to Python nor to an installed package."""
    fixed = [Path(p).resolve() for p in {*map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib"))}]
    # Of another tree, where that is under test: its files are in the hash already.
    rooms = [Path(folder).resolve() for room in ROOMS for folder in importlib.import_module(room).__path__]
    ours = [Path(__file__).resolve().parents[1], *rooms]

    def under_test(module: ModuleType) -> Path | None:
        file = getattr(module, "__file__", None)
        if not file or not file.endswith(".py"):
            return None
        path = Path(file).resolve()
        if not path.is_file():  # inside an archive, or gone since
            return None
        return None if any(path.is_relative_to(folder) for folder in (*fixed, *ours)) else path

    return sorted({path for module in list(sys.modules.values()) if (path := under_test(module))})


def source_hash(extra: Iterable[Path] = ()) -> str:
    """16 hex digits over all sources under test and the versions that compile them.

    Call it after every module under test is imported: what they import is found among the loaded modules.
    """
    digest = hashlib.sha256()
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    digest.update("\n".join([platform.python_version(), platform.machine(), *versions]).encode())
    for path in [*_room_files(ROOMS), *_loaded_user_files(), *sorted(set(extra))]:
        content = path.read_bytes()
        digest.update(f"\n{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


class JitCache:
    """One folder of compiled code, for one state of the sources and one instruction-set level.

    Numba's own key holds the CPU's name and features but not whether loops were vectorized: scalar code would
    be taken for sse2's.
    """

    def __init__(self, key: str, isa: str) -> None:
        of_sources = cache_folder() / "jit" / key
        self.folder = of_sources / isa
        self.usable = True
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            os.utime(of_sources)
        except OSError:
            # No writable home: everything still works, each process compiles for itself.
            self.usable = False
            return
        _forget_old(of_sources.parent)

    def enable(self, function: Any) -> None:
        """Let Numba keep ``function``'s machine code in this folder."""
        import numba

        if self.usable:
            numba.config.CACHE_DIR = str(self.folder)
            numba.config.CACHE_LOCATOR_CLASSES = "kernelbench.worker.locator.PlacelessLocator"
            function.enable_caching()
            # What others cache, a user's helpers among them, goes where Numba has always put it.
            numba.config.CACHE_LOCATOR_CLASSES = ""

    def _facts_file(self, variant: str, dtype: str) -> Path:
        return self.folder / "facts" / f"{variant.replace('/', '-')}-{dtype}.json"

    def remember(self, variant: str, dtype: str, facts: Facts) -> None:
        """Keep ``facts`` for processes that load the code instead of compiling it."""
        if self.usable:
            file = self._facts_file(variant, dtype)
            file.parent.mkdir(exist_ok=True)
            scratch = file.with_suffix(f".{os.getpid()}")
            scratch.write_bytes(msgspec.json.encode(facts))
            scratch.replace(file)

    def recall(self, variant: str, dtype: str) -> Facts | None:
        """What an earlier process remembered, if anything."""
        try:
            return msgspec.json.decode(self._facts_file(variant, dtype).read_bytes(), type=Facts)
        except (OSError, msgspec.MsgspecError):
            return None


def _forget_old(folder: Path) -> None:
    """Remove all but the newest cache folders; another process may be doing the same."""

    def age(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:
            return 0.0

    for old in sorted(folder.iterdir(), key=age, reverse=True)[KEEP:]:
        shutil.rmtree(old, ignore_errors=True)
