"""Writes docs/example/run.json, the part of a real run that docs/READING.md works through.

`python docs/make/example.py RESULT` keeps whole ladders of a few ops and every ceiling. Measured numbers are
kept to six digits, for reports show three; what was seen beside single samples only as the verdict on them, and how a
bandwidth was measured only at the points that stand for a level: reports read no more. docs/make/example.toml measures
such a RESULT.
"""

import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UnsetType
from msgspec.structs import replace

from kernelbench.errors import KernelbenchError, UsageError
from kernelbench.model import Ceiling, Measured, Record, Result
from kernelbench.store.atomic import write_text_atomic
from kernelbench.store.files import read_result

FILE = Path(__file__).parents[1] / "example" / "run.json"

KEPT = (
    "matmul/*/n=512/*",
    "matmul/tiled/f32/n=128/*",
    "sum/*/n=65536/t=1",
    "transpose/*",
    "triad/*/t=1",
)
"""Globs on case ids: what the page quotes, and the ladders it stands in."""

DIGITS = 6
MOST_BYTES = 400_000
"""A file in git that every clone carries."""


def reduced(result: Result) -> Result:
    """``result`` with the cases of ``KEPT``, the ceilings that were measured, and ``DIGITS`` digits.

    Raises UsageError when a glob matches nothing.
    """
    for glob in KEPT:
        if not any(fnmatchcase(record.case.id, glob) for record in result.records):
            raise UsageError(f"no case of the run matches {glob!r}; measure one with docs/make/example.toml")
    records = tuple(_lean(r) for r in result.records if any(fnmatchcase(r.case.id, glob) for glob in KEPT))
    ceilings = tuple(_named(c) for c in result.ceilings if c.kind != "latency")
    kept = replace(result, records=records, ceilings=ceilings)
    rounded: Result = msgspec.convert(_rounded(msgspec.to_builtins(kept)), Result)
    return rounded


def _named(ceiling: Ceiling) -> Ceiling:
    between = ceiling.kind == "memory" and isinstance(ceiling.level, UnsetType)
    return replace(ceiling, provenance="") if between else ceiling


def _lean(record: Record) -> Record:
    if not isinstance(record.outcome, Measured):
        return record
    none: dict[str, Any] = dict.fromkeys(("involuntary_switches", "page_faults", "clock_hz", "adds_per_cycle"), ())
    rounds = tuple(replace(r, interference=replace(r.interference, **none)) for r in record.outcome.rounds)
    return replace(record, outcome=replace(record.outcome, rounds=rounds))


def _rounded(value: Any) -> Any:
    # Rounding keeps every order, so that the best probe stays the best. Whole numbers are counts: FLOP and bytes.
    if isinstance(value, float) and not value.is_integer():
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value


def _text(result: Result) -> str:
    """Valid JSON with a line for each record and ceiling: shorter than indented, and git can compare it."""
    parts = []
    for key, value in msgspec.to_builtins(result).items():
        encoded = msgspec.json.encode(value).decode()
        if isinstance(value, list | tuple) and value:
            encoded = "[\n" + ",\n".join(msgspec.json.encode(item).decode() for item in value) + "\n]"
        parts.append(f'"{key}": {encoded}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def write(source: Path) -> None:
    """Reduce the run in ``source`` to ``FILE``. Raises KernelbenchError where one of both cannot be used."""
    write_text_atomic(FILE, _text(reduced(read_result(source))))
    read_result(FILE)
    size = FILE.stat().st_size
    if size > MOST_BYTES:
        raise UsageError(f"{FILE} has {size} bytes, more than {MOST_BYTES}; measure fewer rounds or narrow KEPT")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/make/example.py RESULT.json")
    try:
        write(Path(sys.argv[1]))
    except KernelbenchError as error:
        sys.exit(f"error: {error}")
    print(f"wrote {FILE}")
