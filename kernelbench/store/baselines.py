"""Baselines: results kept by name for later comparisons, apart for each machine.

One file each, ``<folder>/<machine id>/<name>.json``: times of another machine are no measure for this one, so the
same name may stand for one result on each. What is kept is the result as it was measured, its kind changed.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from kernelbench.errors import MissingBaseline, ResultFileError, StoreError, UsageError
from kernelbench.model import METHOD_VERSION, Failed, Measured, Result
from kernelbench.store.atomic import advice, sync_folder
from kernelbench.store.files import read_result, write_result

FOLDER = Path("results/baselines")
KIND = "baseline"

_SOURCES = ("run", KIND)
"""Kinds of result that hold one machine's times of one state of the code."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_LISTED = 5
"""How many names a message lists."""


class Entry(Struct, frozen=True, omit_defaults=True):
    """One file among the baselines. What it holds is absent when it cannot be read; ``fault`` then says why."""

    name: str
    machine: str
    """Machine id."""
    path: str
    cpu: str | UnsetType = UNSET
    """The CPU's own name."""
    created: str | UnsetType = UNSET
    """When it was measured; UTC, ISO 8601."""
    commit: str | UnsetType = UNSET
    """Of kernelbench; absent when it was no checkout."""
    dirty: bool | UnsetType = UNSET
    cells: int | UnsetType = UNSET
    """Cases with a time."""
    method_version: int | UnsetType = UNSET
    fault: str | UnsetType = UNSET


def save(result: Result, name: str, folder: Path = FOLDER, *, force: bool = False) -> Path:
    """Keep ``result`` as ``name`` for its machine; the file it is in.

    Raises UsageError as ``doubts`` does, for any doubt unless ``force``, and for a folder that cannot be made;
    StoreError when the disk refuses.
    """
    found = doubts(result, name, folder)
    if found and not force:
        raise UsageError(f"not kept as baseline {name!r}: {'; '.join(found)}; --force keeps it all the same")
    path = _path(folder, _machine_of(result), name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"baseline {name!r} was not kept: {advice(error, path.parent)}") from error
    write_result(path, replace(result, kind=KIND))
    return path


def doubts(result: Result, name: str, folder: Path = FOLDER) -> tuple[str, ...]:
    """Why ``result`` had better not be kept as ``name``, in words; empty when nothing speaks against it.

    Raises UsageError for a name, or a result, that no force makes a baseline: of several machines, without a time.
    """
    check_name(name)
    path = _path(folder, _machine_of(result), name)
    found = []
    if result.interrupted:
        found.append("the run was interrupted")
    failed = [repr(record.case.id) for record in result.records if isinstance(record.outcome, Failed)]
    if failed:
        found.append(f"{len(failed)} of {len(result.records)} cases failed ({_listed(failed)})")
    if result.kernelbench.method_version != METHOD_VERSION:
        found.append(
            f"it was measured by method {result.kernelbench.method_version}, and what this kernelbench measures "
            f"(method {METHOD_VERSION}) does not compare with it"
        )
    if os.path.exists(path):
        found.append(f"{path} is there already")
    return tuple(found)


def load(name: str, machine_id: str, folder: Path = FOLDER) -> Result:
    """The baseline ``name`` of a machine.

    Raises MissingBaseline, saying which there are, UsageError for a bad name, and ResultFileError, always one line,
    for a file that cannot be read or is no baseline of that machine. Its method is the comparison's to judge.
    """
    path = path_of(name, machine_id, folder)
    result = read_result(path)
    if result.kind != KIND:
        raise ResultFileError(f"{path}: holds a {result.kind}, no baseline; `kernelbench baseline save` keeps one")
    if machine_id not in result.machines:
        there = _listed([repr(machine) for machine in result.machines]) or "none"
        raise ResultFileError(
            f"{path}: was measured on machine {there}, not on {machine_id}; "
            "keep it with `kernelbench baseline save` rather than by moving files"
        )
    return result


def listing(folder: Path = FOLDER) -> tuple[Entry, ...]:
    """Every baseline in ``folder``, by machine and name; none when there is no folder."""
    return tuple(_entry(path, folder) for path in _files(folder))


def remove(name: str, machine_id: str, folder: Path = FOLDER) -> Path:
    """Remove the baseline ``name`` of a machine, readable or not; the file that is gone.

    Raises MissingBaseline, UsageError for a bad name, and StoreError when the disk refuses.
    """
    path = path_of(name, machine_id, folder)
    try:
        path.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{path} was not removed: {error.strerror or error}") from error
    return path


def path_of(name: str, machine_id: str, folder: Path = FOLDER) -> Path:
    """Where the baseline ``name`` of a machine is. Raises MissingBaseline, and UsageError for a bad name."""
    check_name(name)
    path = _path(folder, machine_id, name)
    # Not Path.exists, which raises for a folder that may not be entered.
    if not os.path.exists(path):
        raise MissingBaseline(f"no baseline {name!r} for machine {machine_id}; {_there_is(folder, machine_id)}")
    return path


def check_name(name: str) -> None:
    """Raises UsageError for what cannot be a baseline's name: it becomes a file's."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name[:100]!r} cannot be a baseline's name; give up to 100 letters, digits, '.', '_' or '-', "
            "not beginning with '.' or '-'"
        )


def cells(result: Result) -> int:
    """How many cases have a time."""
    return sum(isinstance(record.outcome, Measured) for record in result.records)


def _path(folder: Path, machine_id: str, name: str) -> Path:
    """The file; an id that came from elsewhere must not lead out of ``folder``."""
    if not _NAME.fullmatch(machine_id):
        raise UsageError(f"{machine_id[:100]!r} is no machine id; `kernelbench info` shows this machine's fingerprint")
    return folder / machine_id / f"{name}.json"


def _machine_of(result: Result) -> str:
    """The one machine of ``result``. Raises UsageError for a result that no force makes a baseline."""
    if result.kind not in _SOURCES:
        raise UsageError(f"a result of kind {result.kind!r} cannot be a baseline; give one of `kernelbench run`")
    if len(result.machines) != 1:
        raise UsageError(f"a baseline is of one machine, this result of {len(result.machines)}; give one of each alone")
    if not cells(result):
        raise UsageError("nothing was measured in this result, so nothing could be compared with it; give another")
    return next(iter(result.machines))


def _files(folder: Path) -> list[Path]:
    """Baselines by machine and name. What has another kind of name is not ours and is left alone."""
    found = [p for p in folder.glob("*/*.json") if _NAME.fullmatch(p.stem) and _NAME.fullmatch(p.parent.name)]
    return sorted(found, key=lambda path: (path.parent.name, path.stem))


def _entry(path: Path, folder: Path) -> Entry:
    bare = Entry(path.stem, path.parent.name, str(path))
    try:
        result = load(bare.name, bare.machine, folder)
    except (ResultFileError, MissingBaseline) as error:
        # Missing: a dangling link, or removed by another process since the folder was read.
        return replace(bare, fault=str(error))
    tool = result.kernelbench
    return replace(
        bare,
        cpu=str(result.machines[bare.machine].cpu.model),
        created=result.created,
        commit=tool.commit,
        dirty=tool.dirty,
        cells=cells(result),
        method_version=tool.method_version,
    )


def _there_is(folder: Path, machine_id: str) -> str:
    """Which baselines there are instead, from their names alone."""
    files = _files(folder)
    if not files:
        return f"there are none in {folder}: keep one with `kernelbench baseline save RESULT`"
    here = [path.stem for path in files if path.parent.name == machine_id]
    others = [f"{path.stem} ({path.parent.name})" for path in files if path.parent.name != machine_id]
    return f"it has {_listed(here) or 'none'}" + (f"; other machines have {_listed(others)}" if others else "")


def _listed(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
