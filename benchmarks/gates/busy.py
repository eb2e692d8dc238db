"""Another process that keeps another core busy while an experiment runs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

KINDS = ("spin", "stream")

_SPIN = "x = 1\n    for _ in range(1_000_000): x = x * 3 & 0xffffffff"
_STREAM = "target[:] = source"
_PROGRAM = """
import os
os.sched_setaffinity(0, {cpus!r})
{before}
while os.getppid() == {parent}:
    {work}
"""


@contextlib.contextmanager
def busy(kind: str, cpu: int) -> Iterator[None]:
    """Within the block a process keeps the CPUs other than ``cpu`` busy; with an empty ``kind`` there is none.

    "spin" computes without memory; "stream" copies 64 MiB over and over and so takes bandwidth too. Raises ValueError
    where there is no other CPU.
    """
    if not kind:
        yield
        return
    others = os.sched_getaffinity(0) - {cpu}
    if not others:
        raise ValueError(f"there is no CPU but {cpu} that another process could keep busy; leave --busy out")
    stream = kind == "stream"
    before = "source, target = bytearray(1 << 26), bytearray(1 << 26)" if stream else ""
    text = _PROGRAM.format(cpus=others, before=before, parent=os.getpid(), work=_STREAM if stream else _SPIN)
    process = subprocess.Popen([sys.executable, "-c", text])
    try:
        yield
    finally:
        process.kill()
        process.wait()
