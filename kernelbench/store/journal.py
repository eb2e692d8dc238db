"""What a run has done so far: one JSON object a line, each on the disk before the next case starts.

A run killed at any moment loses at most the line it was writing. The first line is a ``Header`` with all
that a result needs besides the measurements; ``store.assemble`` makes the result from the lines.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from msgspec import Struct

from kernelbench.errors import ResultFileError, StoreError, UsageError
from kernelbench.model import SCHEMA_VERSION, Case, Ceiling, Machine, Tool, Work
from kernelbench.protocol import CaseMeasured
from kernelbench.store.atomic import advice, sync_folder, write_all


class PlannedCase(Struct, frozen=True):
    """A case to be measured, with its work as the worker described it."""

    case: Case
    work: Work


class Header(Struct, frozen=True, tag=True):
    """The first line: the run as planned."""

    schema_version: int
    created: str
    """UTC, ISO 8601; ``start_s`` and ``at_s`` of all events count from here."""
    tool: Tool
    config: dict[str, Any]
    """``config.as_dict``; a resumed run uses it unchanged."""
    machine: Machine
    cases: tuple[PlannedCase, ...]
    """In the order of reports."""
    skipped: tuple[tuple[Case, str], ...]
    rounds: int
    """Rounds planned."""
    modules: tuple[str, ...]
    """Absolute paths of the user's kernel files."""
    source_hash: str
    """Of all sources under test."""
    broken: tuple[str, ...] = ()
    """One line for each module that could not be imported; its kernels are left out."""


class RoundDone(Struct, frozen=True, tag=True):
    """One case was measured in one round."""

    round: int
    case_id: str
    measured: CaseMeasured


class CaseDead(Struct, frozen=True, tag=True):
    """One case failed; it is not measured again."""

    round: int
    case_id: str
    stage: str
    """As in ``model.Failed``."""
    message: str


class CeilingsDone(Struct, frozen=True, tag=True):
    """One pass of ceiling probes in one worker."""

    round: int
    threads: int
    isa: str
    ceilings: tuple[Ceiling, ...]


class Resumed(Struct, frozen=True, tag=True):
    """The run was taken up again; later ``start_s`` and ``at_s`` go on from ``offset_s``."""

    at: str
    """UTC, ISO 8601."""
    offset_s: float


class Noted(Struct, frozen=True, tag=True):
    """Something about the whole run that its result should tell."""

    text: str
    """One line."""


class Finished(Struct, frozen=True, tag=True):
    """The last line of a run that ended by itself or was interrupted, not killed."""

    interrupted: bool


Event = RoundDone | CaseDead | CeilingsDone | Resumed | Noted | Finished


class Journal:
    """An open journal. Every method that writes raises StoreError when the disk refuses."""

    def __init__(self, path: Path, descriptor: int, length: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._length = length

    @classmethod
    def create(cls, path: Path, header: Header) -> Self:
        """Begin a journal. Raises UsageError when there is one already: it holds an unfinished run."""
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)
        except FileExistsError as error:
            raise UsageError(
                f"{path} holds an earlier run that did not finish; "
                f"continue it with --resume {path}, or delete it to start anew"
            ) from error
        except OSError as error:
            raise StoreError(f"the journal {path} cannot be made: {advice(error, path.parent)}") from error
        journal = cls(path, descriptor, 0)
        try:
            journal._append(header)
            sync_folder(path.parent)
        except (OSError, StoreError) as error:
            # An empty journal would block the next run and has nothing to resume.
            journal.close()
            path.unlink()
            raise StoreError(f"the journal {path} cannot be made: {error}") from error
        return journal

    @classmethod
    def reopen(cls, path: Path) -> tuple[Self, Header, tuple[Event, ...]]:
        """Go on with a journal: a line torn by the end of the last run is cut off. Raises as ``read`` does."""
        header, events, length = _parse(path)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise StoreError(f"the journal {path} cannot be continued: {advice(error, path.parent)}") from error
        return cls(path, descriptor, length), header, events

    def append(self, event: Event) -> None:
        """Add a line and wait until the disk has it. After a StoreError the lines before are intact."""
        self._append(event)

    def note(self, text: str) -> None:
        """Add one line for the result's notes; as ``append``."""
        self.append(Noted(text))

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, line: Header | Event) -> None:
        data = msgspec.json.encode(line) + b"\n"
        try:
            # Whatever an earlier, failed append left behind would make damage in the middle of this line.
            os.ftruncate(self._descriptor, self._length)
            os.lseek(self._descriptor, self._length, os.SEEK_SET)
            write_all(self._descriptor, data)
            os.fsync(self._descriptor)
        except OSError as error:
            raise StoreError(
                f"the journal {self.path} was not extended: {advice(error, self.path.parent)}; what was done before "
                f"is kept: continue with --resume {self.path}"
            ) from error
        self._length += len(data)


def read(path: Path) -> tuple[Header, tuple[Event, ...]]:
    """The header and all complete events.

    A last line without its end (the run was killed while writing) is dropped. Raises ResultFileError for a
    missing or foreign file, one without a complete header, and damage in a complete line, naming the line.
    """
    header, events, _ = _parse(path)
    return header, events


def _parse(path: Path) -> tuple[Header, tuple[Event, ...], int]:
    """Header, events, and the length in bytes of the complete lines."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ResultFileError(f"{path}: cannot be read ({error.strerror}); give the journal of a run") from error
    lines = data.split(b"\n")
    torn = lines.pop()
    if not lines:
        raise ResultFileError(f"{path}: no complete first line: nothing was measured; start a new run")
    header = _decoded(path, 1, lines[0], Header)
    if header.schema_version != SCHEMA_VERSION:
        raise ResultFileError(
            f"{path}: journal of schema {header.schema_version}, this kernelbench continues {SCHEMA_VERSION}; "
            "resume with the version that began it, or start a new run"
        )
    events = tuple(_decoded(path, number, line, Event) for number, line in enumerate(lines[1:], start=2))
    return header, events, len(data) - len(torn)


def _decoded(path: Path, number: int, line: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        detail = str(error).replace("`", "")
        if number == 1:
            raise ResultFileError(f"{path}: not the journal of a kernelbench run ({detail})") from error
        raise ResultFileError(f"{path}: line {number} is damaged ({detail}); start a new run") from error
