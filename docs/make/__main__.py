"""Writes all that is generated in docs/: `python docs/make [RESULT]`.

With RESULT, a run of docs/make/example.toml, docs/example/run.json is made anew first.
"""

import sys
from pathlib import Path

import example
import kernels
import pictures
import reading

from kernelbench.errors import KernelbenchError
from kernelbench.store.files import read_result


def main(arguments: list[str]) -> None:
    """Raises KernelbenchError when the run cannot be used; what was written before stays."""
    if arguments:
        example.write(Path(arguments[0]))
    run = read_result(example.FILE)
    reading.PAGE.write_text(reading.render(run), encoding="utf-8")
    kernels.PAGE.write_text(kernels.page(), encoding="utf-8")
    pictures.write(run)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KernelbenchError as error:
        sys.exit(f"error: {error}")
