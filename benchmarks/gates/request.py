"""What a process of another gate is to time, handed over as a file. Imports nothing heavy: pyperf's parent reads it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

VARIABLE = "KERNELBENCH_GATES_REQUEST"
"""Names the file."""


class Timed(Struct, frozen=True):
    """One cell."""

    id: str
    variant: str
    module: str
    """What declares the variant."""
    settings: dict[str, Any]
    dtype: str
    steps: int = 0
    """Extra work before each call, in cycles."""


class Request(Struct, frozen=True):
    """One pass over all cells."""

    cells: tuple[Timed, ...]
    cpu: int
    jit_key: str
    """Where compiled code is kept, so that only the first process compiles."""
    out: str
    """Where samples go, for the gate without a file of its own."""
    samples: int


def write(path: Path, request: Request) -> None:
    """Leave ``request`` for another process."""
    path.write_bytes(msgspec.json.encode(request))


def handed() -> Request:
    """The request of this process. Raises KeyError or OSError where there is none."""
    return msgspec.json.decode(Path(os.environ[VARIABLE]).read_bytes(), type=Request)
