"""Result files: read with every doubt answered in one clear line, written atomically."""

import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import UNSET, Struct, UnsetType

from kernelbench.errors import ResultFileError, StoreError
from kernelbench.model import SCHEMA_VERSION, Ceiling, Measured, Record, Result
from kernelbench.store.atomic import ensure_writable, write_text_atomic

__all__ = ["KINDS", "default_output", "ensure_writable", "read_result", "write_result", "write_text_atomic"]

KINDS = ("run", "ab", "calibration", "profile", "baseline")
"""What a result file may hold."""

_NOT_OURS = "not a kernelbench result; give a file that `kernelbench run` wrote"


class _Head(Struct, frozen=True):
    """As much as decides whether the rest is worth decoding."""

    schema_version: int | UnsetType = UNSET
    kind: str | UnsetType = UNSET


def read_result(path: Path, layout: type[Result] = Result) -> Result:
    """Read and check a result file. Raises ResultFileError, always one line naming the file and the fault.

    ``layout`` may leave out what is not needed (``store.lean``).
    """
    data = _bytes_of(path)
    try:
        result = msgspec.json.decode(data, type=layout)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # A foreign file, or one of a newer kernelbench, is told as such before it is called damaged.
        _check_head(path, _head(path, data))
        raise ResultFileError(f"{path}: damaged or edited: {_plain(error)}; measure again or restore it") from error
    _check_head(path, _Head(result.schema_version, result.kind))
    for fault in _faults(result):
        raise ResultFileError(f"{path}: damaged or edited: {fault}; measure again or restore it")
    return result


def write_result(path: Path, result: Result) -> None:
    """Write ``result`` as JSON, atomically: a line for each record, the rest indented.

    Raises StoreError when the disk refuses, and when the result holds what may not be in a file (NaN, infinity).
    """
    data = msgspec.json.encode(result)
    try:
        # The encoder turns NaN into null, which no reader would take: better no file than one that cannot be read.
        faults = list(_faults(msgspec.json.decode(data, type=Result)))
    except msgspec.ValidationError as error:
        faults = [_plain(error)]
    if faults:
        raise StoreError(f"{path} was not written: the result is not valid: {faults[0]}; please report this")
    write_text_atomic(path, _laid_out(data).decode())


def _laid_out(data: bytes) -> bytes:
    """For people to look at; of ten thousand records a line for every sample would be most of the file."""
    fields = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    lines = [b'"%s": %s' % (name.encode(), _field(name, bytes(raw))) for name, raw in fields.items()]
    return b"{\n" + b",\n".join(lines) + b"\n}\n"


def _field(name: str, raw: bytes) -> bytes:
    if name not in ("records", "paired"):
        return msgspec.json.format(raw, indent=1)
    return b"[\n" + b",\n".join(map(bytes, msgspec.json.decode(raw, type=list[msgspec.Raw]))) + b"\n]"


def default_output(folder: Path, created: str, machine_id: str) -> Path:
    """A new name in ``folder`` that sorts by time: "20261123-043100-0123456789ab.json".

    ``created`` is ISO 8601. A name whose result or journal exists already gets "-2", "-3"...
    """
    stem = f"{datetime.fromisoformat(created):%Y%m%d-%H%M%S}-{machine_id}"
    path = folder / f"{stem}.json"
    number = 1
    while path.exists() or path.with_suffix(".journal").exists():
        number += 1
        path = folder / f"{stem}-{number}.json"
    return path


def _bytes_of(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ResultFileError(f"{path}: is a folder; give one result file in it")
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise ResultFileError(f"{path}: is a device or socket; give a result file")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ResultFileError(f"{path}: no such file; `kernelbench run` writes results to results/") from error
    except (OSError, ValueError) as error:
        # A ValueError is a name that no file can have (it contains a zero byte).
        raise ResultFileError(f"{str(path)!r}: cannot be read ({getattr(error, 'strerror', error)})") from error
    if not data or data.isspace():
        raise ResultFileError(f"{path}: is empty; {_NOT_OURS}")
    return data


def _head(path: Path, data: bytes) -> _Head:
    try:
        return msgspec.json.decode(data, type=_Head)
    except msgspec.ValidationError as error:
        raise ResultFileError(f"{path}: {_NOT_OURS} ({_plain(error)})") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ResultFileError(f"{path}: {_not_json(data, error)}") from error
    except RecursionError as error:
        raise ResultFileError(f"{path}: {_NOT_OURS} (nested too deeply)") from error


def _check_head(path: Path, head: _Head) -> None:
    if head.schema_version is UNSET or head.kind is UNSET:
        missing = "schema_version" if head.schema_version is UNSET else "kind"
        raise ResultFileError(f"{path}: {_NOT_OURS} (it has no {missing!r})")
    if head.schema_version > SCHEMA_VERSION:
        raise ResultFileError(
            f"{path}: written by a newer kernelbench (schema {head.schema_version}, this one reads up to "
            f"{SCHEMA_VERSION}); upgrade kernelbench"
        )
    if head.schema_version < 1:
        raise ResultFileError(f"{path}: schema_version {head.schema_version} does not exist; it starts at 1")
    if head.kind not in KINDS:
        raise ResultFileError(f"{path}: kind {head.kind!r} is unknown; accepted: {', '.join(KINDS)}")


def _faults(result: Result) -> Iterator[str]:
    """What types cannot say: values that would make a reader divide by zero or look up nothing."""
    for index, record in enumerate(result.records):
        yield from (f"{fault} in records[{index}] ({record.case.id})" for fault in _record_faults(record, result))
    for index, ceiling in enumerate(result.ceilings):
        yield from (f"{fault} in ceilings[{index}] ({ceiling.id})" for fault in _ceiling_faults(ceiling))


def _record_faults(record: Record, result: Result) -> Iterator[str]:
    if record.machine not in result.machines:
        yield f"machine {record.machine!r} is not among the machines"
    if record.case.threads < 1:
        yield f"threads is {record.case.threads}, not at least 1"
    for name in ("flop", "read_bytes", "write_bytes", "rfo_bytes", "working_set_bytes", "prepared_bytes"):
        value = getattr(record.work, name)
        if value is not UNSET and value < 0:
            yield f"work.{name} is {value:g}, not at least 0"
    if not isinstance(record.outcome, Measured):
        return
    if not record.outcome.rounds:
        yield "no rounds although it was measured"
    for measured in record.outcome.rounds:
        if not measured.samples_s:
            yield f"no samples in round {measured.index}"
        elif min(measured.samples_s) <= 0:
            yield f"sample {min(measured.samples_s):g} s, not above 0, in round {measured.index}"
        if measured.calls_per_sample < 1:
            yield f"calls_per_sample is {measured.calls_per_sample}, not at least 1, in round {measured.index}"


def _ceiling_faults(ceiling: Ceiling) -> Iterator[str]:
    if ceiling.value is UNSET and ceiling.skipped is UNSET:
        yield "neither a value nor a reason why it was skipped"
    values = [probe.value for probe in ceiling.probes] + ([] if ceiling.value is UNSET else [ceiling.value])
    if any(value <= 0 for value in values):
        yield f"value {min(values):g}, not above 0"
    if ceiling.threads < 1:
        yield f"threads is {ceiling.threads}, not at least 1"
    if ceiling.working_set_bytes is not UNSET and ceiling.working_set_bytes < 1:
        yield f"working_set_bytes is {ceiling.working_set_bytes}, not at least 1"


def _not_json(data: bytes, error: Exception) -> str:
    text = str(error)
    if "truncated" in text:
        return "is cut off (the JSON does not end); restore it or measure again"
    if data.lstrip()[:1] in (b"{", b"["):
        return f"is damaged ({_plain(error)}); restore it or measure again"
    return f"is not JSON; {_NOT_OURS}"


def _plain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return str(error).replace("`", "").replace(" - at $.", " at ").replace(" - at $", " at the top level")
