"""Stored results for tests of ``compare``, and the command as a script calls it."""

from pathlib import Path

import pytest

from kernelbench.cli import main
from kernelbench.model import Failed, Record
from kernelbench.store.files import write_result
from tests.builders import result

SLOW, FAST = [2e-3] * 6, [1e-3] * 6
CRASHED = Failed("timing", "the worker died by SIGSEGV")


def store(name: str, *records: Record, **more: object) -> str:
    """A result file in the current folder; its name."""
    write_result(Path(name), result(records, **more))
    return name


def compare(*args: str) -> int:
    """The exit code of ``kernelbench compare ARGS``."""
    with pytest.raises(SystemExit) as exit_:
        main(["compare", *args])
    return int(exit_.value.code or 0)
