"""Versions and libraries that numbers depend on: packages, the BLAS behind NumPy, Numba's threading layer.

Neither NumPy nor Numba is imported here: versions come from package metadata, the BLAS from a process of its
own whose answer is remembered, and the threading layer from trying to load Numba's backends as Numba would.
"""

import ctypes
import importlib.util
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from kernelbench.machine.answers import version_of
from kernelbench.machine.tree import RECORDED, Tree
from kernelbench.model import Library, Software, Unknown
from kernelbench.remember import remembered

PACKAGES = ("numpy", "numba", "llvmlite", "scipy", "torch", "onnxruntime", "tbb", "psutil", "py-cpuinfo", "archspec")

#: Environment variables by these prefixes choose a BLAS's kernels and threads.
BLAS_VARIABLES = ("OPENBLAS_", "GOTO_", "MKL_", "BLIS_", "OMP_", "VECLIB_", "LD_PRELOAD", "LD_LIBRARY_PATH")

ASK_BLAS = "import json, sys, numpy, threadpoolctl; json.dump(threadpoolctl.threadpool_info(), sys.stdout)"
ASK_BLAS_TIMEOUT_S = 30.0

#: Numba's own default order and meanings (numba/core/config.py, numba/np/ufunc/parallel.py, on Linux).
LAYER_ORDER = ("tbb", "omp", "workqueue")
LAYERS = {"safe": ("tbb",), "threadsafe": ("tbb", "omp"), "forksafe": ("tbb", "workqueue")}
OLDEST_TBB_INTERFACE = 12060


def read(tree: Tree, affinity: str) -> Software:
    """``affinity``: CPU list of this process; how many threads a BLAS takes depends on it."""
    if not tree.live:
        return Software(os_name(tree), f"unknown ({RECORDED.unknown})", {}, RECORDED, RECORDED)
    versions = {package: version_of(package) for package in PACKAGES}
    return Software(
        os=os_name(tree),
        python=platform.python_version(),
        packages={package: version for package, version in versions.items() if version},
        blas=_blas(affinity),
        thread_layer=thread_layer(os.environ.get("NUMBA_THREADING_LAYER", "default")),
    )


def os_name(tree: Tree) -> str:
    """ "Linux 6.1.0"."""
    text = tree.text("proc/version")
    match = None if isinstance(text, Unknown) else re.match(r"(\w+) version ([\w.+-]+)", text)
    if match:
        return f"{match[1]} {match[2]}"
    return f"{platform.system()} {platform.release()}" if tree.live else "unknown (no /proc/version)"


def thread_layer(wanted: str) -> str | Unknown:
    """The layer Numba would choose for NUMBA_THREADING_LAYER = ``wanted``, found without importing Numba."""
    order = tuple(os.environ.get("NUMBA_THREADING_LAYER_PRIORITY", "").split()) or LAYER_ORDER
    wanted = wanted.lower()
    candidates = order if wanted == "default" else LAYERS.get(wanted, (wanted,))
    unknown = sorted(set(candidates) - set(LAYER_ORDER))
    if unknown:
        return Unknown(f"Numba has no threading layer {unknown[0]!r}: choose {', '.join(LAYER_ORDER)}")
    spec = importlib.util.find_spec("numba")
    if spec is None or not spec.submodule_search_locations:
        return Unknown("Numba is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "np" / "ufunc"
    problems = []
    for layer in candidates:
        problem = _backend_problem(folder, layer)
        if not problem:
            return layer
        problems.append(f"{layer}: {problem}")
    return Unknown(f"no backend of Numba loads: {'; '.join(problems)}")


def _backend_problem(folder: Path, layer: str) -> str:
    """Why the backend does not load; "" when it does."""
    file = {"tbb": "tbbpool", "omp": "omppool", "workqueue": "workqueue"}[layer]
    found = sorted(folder.glob(f"{file}.*.so"))
    if not found:
        return f"this build of Numba has no {file}"
    try:
        ctypes.CDLL(str(found[0]))
        if layer == "tbb":
            interface = int(ctypes.CDLL("libtbb.so.12").TBB_runtime_interface_version())
            return "" if interface >= OLDEST_TBB_INTERFACE else f"TBB interface {interface} is too old"
    except OSError as error:
        # The loader's message holds the path of the file, which names the user.
        return str(error).replace(str(folder), "...")
    return ""


def _blas(affinity: str) -> tuple[Library, ...] | Unknown:
    spec = importlib.util.find_spec("numpy")
    if spec is None or not spec.submodule_search_locations:
        return Unknown("NumPy is not installed")
    chosen = {name: value for name, value in os.environ.items() if name.startswith(BLAS_VARIABLES)}
    key = {
        **chosen,
        "numpy": version_of("numpy"),
        "threadpoolctl": version_of("threadpoolctl"),
        "affinity": affinity,
        "files": _library_stamps(Path(spec.submodule_search_locations[0])),
    }
    return remembered("blas", key, tuple[Library, ...], _ask_blas)


def _library_stamps(package: Path) -> str:
    """Name, size and time of NumPy's libraries: another BLAS put in their place must be seen."""
    folders = ((package.parent / "numpy.libs", "*"), (package / "_core", "*.so"), (package / ".libs", "*"))
    files = [file for folder, pattern in folders for file in sorted(folder.glob(pattern)) if file.is_file()]
    stats = [(file, file.stat()) for file in files]
    return "\n".join(f"{file} {stat.st_size} {stat.st_mtime_ns}" for file, stat in stats)


def _ask_blas() -> tuple[Library, ...] | Unknown:
    # In its own process: a BLAS starts its threads when loaded, and info has no use for them.
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", ASK_BLAS], capture_output=True, timeout=ASK_BLAS_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Unknown(f"NumPy could not be loaded to ask for its BLAS: {error}")
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
        return Unknown(f"NumPy's BLAS could not be asked: {lines[-1]}")
    try:
        found = msgspec.json.decode(done.stdout, type=list[dict[str, Any]])
    except msgspec.DecodeError as error:
        return Unknown(f"threadpoolctl's answer cannot be read: {error}")
    return tuple(map(_library, found)) or Unknown("threadpoolctl recognises no BLAS that NumPy has loaded")


def _library(found: dict[str, Any]) -> Library:
    version, threads = found.get("version"), found.get("num_threads")
    details = (found.get("architecture"), found.get("threading_layer"))
    return Library(
        name=str(found.get("internal_api", "unnamed")),
        version=str(version) if version else Unknown("the library does not tell"),
        threads=threads if isinstance(threads, int) else Unknown("the library does not tell"),
        file=os.path.basename(str(found.get("filepath", ""))),
        detail=", ".join(str(word) for word in details if word),
    )
