"""A shared library that every Linux has: the C library of this process, and damaged copies of its beginning."""

from pathlib import Path


def c_library() -> Path:
    """Where the C library of this process lies."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    places = (Path(line.split(maxsplit=5)[-1]) for line in lines if "/" in line)
    return next(path for path in places if path.name.startswith(("libc.so", "libc-", "ld-musl")))


def foreign(to: Path, machine: int) -> Path:
    """A copy at ``to`` that says it was built for the ELF machine ``machine``."""
    data = bytearray(c_library().read_bytes())
    data[18:20] = machine.to_bytes(2, "little")
    to.write_bytes(data)
    return to
