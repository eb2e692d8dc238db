"""An environment's Python as a side: can it run a worker, and which kernels are installed in it?"""

import os
import subprocess
from pathlib import Path

import msgspec
from msgspec import Struct

import kernelbench
from kernelbench.errors import UsageError
from kernelbench.gate.git import printable

ANSWER_S = 60.0
"""A Python that takes longer to start does not."""

OLDEST = (3, 11)
"""The least that the worker's code runs on, as pyproject.toml says."""

NEEDED = ("numba", "llvmlite", "numpy", "msgspec", "threadpoolctl")
"""Packages that a worker imports."""

_QUESTION = """
import importlib.util, json, sys
def place(name):
    spec = importlib.util.find_spec(name)
    return "" if spec is None else [*(spec.submodule_search_locations or ()), spec.origin or ""][0]
print(json.dumps({"version": sys.version_info[:3], "places": {name: place(name) for name in sys.argv[1:]}}))
"""


class Interpreter(Struct, frozen=True):
    """What was found out about a Python."""

    version: tuple[int, int, int]
    rooms: str
    """Folder with the kernelbench installed there; empty when there is none, or it is the running one."""


class _Told(Struct, frozen=True):
    version: tuple[int, int, int]
    places: dict[str, str]


def is_python(path: Path) -> bool:
    """Whether ``path`` is called as an interpreter is, and can be executed. It is not started."""
    return path.name.startswith("python") and os.path.isfile(path) and os.access(path, os.X_OK)


def examine(python: Path) -> Interpreter:
    """Ask ``python`` about itself. Raises UsageError where it does not answer, is too old or lacks a package."""
    told = _ask(python)
    version = ".".join(map(str, told.version))
    if told.version < OLDEST:
        raise UsageError(f"{python} is Python {version}; a side needs Python {'.'.join(map(str, OLDEST))} or newer")
    missing = [name for name in NEEDED if not told.places[name]]
    if missing:
        raise UsageError(
            f"{python} lacks {', '.join(missing)}: install into it what its workers need:"
            f" {python} -m pip install {' '.join(missing)}"
        )
    package = told.places["kernelbench"]
    ours = Path(kernelbench.__file__).resolve().parent
    other = package and Path(package).resolve() != ours and (Path(package) / "kernels").is_dir()
    return Interpreter(told.version, str(Path(package).resolve().parent) if other else "")


def _ask(python: Path) -> _Told:
    # Its own packages are asked for, not those that our environment points at.
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    try:
        done = subprocess.run(
            [str(python), "-c", _QUESTION, *NEEDED, "kernelbench"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            env=environment,
            timeout=ANSWER_S,
            check=True,
        )
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=_Told)
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"{python} did not answer within {ANSWER_S:g} s; give a Python that starts") from error
    except subprocess.CalledProcessError as error:
        said = printable(os.fsdecode(error.stderr).strip().rpartition("\n")[2]) or f"exit status {error.returncode}"
        raise UsageError(f"{python} is no working Python 3: {said}") from error
    except OSError as error:
        raise UsageError(f"{python} cannot be started ({error.strerror}); give an environment's bin/python") from error
    except (IndexError, msgspec.MsgspecError) as error:
        raise UsageError(f"{python} does not answer as a Python does; give an environment's bin/python") from error
