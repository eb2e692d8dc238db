"""Who may import whom: the package's rooms, and the few packages that only some of them may touch.

Lazy imports inside functions count as well; only those under `if TYPE_CHECKING` do not, for they never run.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import kernelbench

PACKAGE = Path(kernelbench.__file__).resolve().parent

BASE = {"errors", "units"}
MODEL = BASE | {"model", "protocol"}
PLAN = MODEL | {"sizes", "params", "config", "config_check", "selection", "fitness", "plan", "expect"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "units": set(),
    "model": BASE,
    "protocol": BASE | {"model"},
    "remember": BASE | {"model"},
    "thresholds": BASE,
    # What is to be done: pure.
    "sizes": PLAN,
    "params": PLAN,
    "config": PLAN,
    "config_check": PLAN,
    "selection": PLAN,
    "fitness": PLAN,
    "plan": PLAN,
    "expect": PLAN,
    # Machine code from LLVM's language, and what it may and does contain.
    "native": MODEL,
    # What the machine is and how time is taken; machine asks native.host what LLVM may emit.
    "machine": MODEL | {"native", "remember"},
    "timing": MODEL | {"native"},
    # What runs in a worker process.
    "simd": BASE,
    "kernels": MODEL | {"simd"},
    "ceilings": MODEL | {"native", "timing"},
    # It names simd, as a room whose sources are under test, and imports nothing of it.
    "worker": MODEL | {"native", "timing", "kernels", "simd", "ceilings", "remember"},
    # What makes of it a result.
    "store": MODEL | {"remember"},
    "analysis": MODEL | {"thresholds", "expect"},
    "report": MODEL | {"analysis", "remember"},
    "runner": PLAN | {"machine", "store"},
    # Two sides in turns: which trees they are, their rounds, and when a cell is settled.
    "gate": PLAN | {"machine", "store", "analysis", "runner", "remember", "thresholds"},
    # What `init` writes.
    "starter": BASE | {"store"},
    # Candidates for a kernel's parameters in turns, as the gate's two sides are.
    "tuning": PLAN | {"machine", "analysis", "runner", "gate"},
    # One kernel in depth: which cases and changes to measure, and what they say.
    "profiling": PLAN | {"machine", "store", "analysis", "runner"},
    "cli": PLAN
    | {"starter", "machine", "store", "analysis", "report", "runner", "gate", "tuning", "profiling", "thresholds"},
    # The face towards Python: kernels and their measuring in the caller's own process, set under the machine's card
    # (machine, store, runner), judged (analysis, gate) and drawn (report).
    "api": PLAN | {"kernels", "timing", "worker", "machine", "store", "runner", "analysis", "gate", "report"},
    # What pytest loads at every start: it asks api once its fixture is used.
    "pytest_plugin": BASE | {"model", "api"},
    "__init__": {"api", "kernels", *MODEL},
    "__main__": {"cli"},
}
"""Room -> the rooms it may import. A new room needs a line here."""

NUMBA = {"kernels", "simd", "native", "ceilings", "worker"}
ONLY_IN = {
    "numba": NUMBA,
    "llvmlite": NUMBA,
    "click": {"cli"},
    "numpy": NUMBA | {"timing", "api"},
}
"""Package -> the only rooms that may import it."""


def room_of(name: str) -> str:
    """ "kernelbench.store.files" -> "store"; the package itself is "__init__"."""
    return name.split(".")[1] if "." in name else "__init__"


def modules() -> dict[str, ast.Module]:
    """Every module of the package by dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("kernelbench", *path.relative_to(PACKAGE).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(), path.name)
    return found


MODULES = modules()


def statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements that can run."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for other in child.orelse:
                yield from statements(other)
        else:
            yield from statements(child)


def imports(name: str) -> Iterator[str]:
    """Dotted names of what the module ``name`` imports, our modules by their own names."""
    for statement in statements(MODULES[name]):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
            continue
        assert not statement.level, f"{name}: relative import; write it out"
        base = statement.module or ""
        for alias in statement.names:
            whole = f"{base}.{alias.name}"
            yield whole if whole in MODULES else base


def called_by_name(name: str) -> Iterator[str]:
    """Our modules that a module names in a string, to import them by name."""
    if not any(other.split(".")[0] == "importlib" for other in imports(name)):
        return
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in MODULES:
            yield node.value


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_its_room_may(name: str) -> None:
    room = room_of(name)
    assert room in ALLOWED, f"the room {room} has no place among the layers yet"
    rooms = {room_of(other) for other in imports(name) if other.split(".")[0] == "kernelbench" and other in MODULES}
    # The version, in the package's own file, is everybody's.
    assert rooms - {room, "__init__"} - ALLOWED[room] == set()


@pytest.mark.parametrize("name", MODULES)
def test_a_module_reaches_no_room_by_a_name_in_a_string_that_it_may_not_import(name: str) -> None:
    room = room_of(name)
    assert {room_of(other) for other in called_by_name(name)} - {room, "__init__"} - ALLOWED[room] == set()


@pytest.mark.parametrize("package", ONLY_IN)
def test_a_package_is_imported_only_where_it_belongs(package: str) -> None:
    rooms = {room_of(name) for name in MODULES if any(other.split(".")[0] == package for other in imports(name))}
    assert rooms <= ONLY_IN[package]


def test_numba_is_out_of_reach_of_what_reads_results() -> None:
    for start in ("info", "compare", "report"):
        assert not {room_of(name) for name in reached(f"kernelbench.cli.{start}")} & (NUMBA - {"native"})


def test_the_machine_code_room_needs_no_numba() -> None:
    assert not any(
        other.split(".")[0] == "numba" for name in MODULES if room_of(name) == "native" for other in imports(name)
    )


def test_of_the_machine_code_room_the_machine_asks_only_what_llvm_may_emit() -> None:
    used = {other for name in MODULES if room_of(name) == "machine" for other in imports(name) if ".native" in other}
    assert used <= {"kernelbench.native.host"}


def reached(start: str) -> set[str]:
    """Every module of ours that importing and calling ``start`` can load, lazily or not."""
    found, todo = set(), [start]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [other for other in imports(name) if other in MODULES and other != "kernelbench"]
    return found
