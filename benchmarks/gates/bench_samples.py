"""Samples of every cell, one cell after the other, as a script written in an afternoon takes them."""

import os
import sys
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gates.kernels import ready
from gates.request import Request, handed
from kernelbench.timing.warmup import calibrate, warm_up
from kernelbench.worker.entry import PythonCalls

SAMPLE_S = 0.0025
WARM_UP_S = 0.1


def main(request: Request) -> None:
    """Write seconds per call, by case id."""
    os.sched_setaffinity(0, {request.cpu})
    found: dict[str, list[float]] = {}
    for timed in request.cells:
        run = PythonCalls(ready(timed, request.jit_key).call, [()])
        calls, took = calibrate(run, SAMPLE_S)
        warm_up(run, calls, took, WARM_UP_S)
        found[timed.id] = [run(calls) / calls for _ in range(request.samples)]
    Path(request.out).write_bytes(msgspec.json.encode(found))


if __name__ == "__main__":
    main(handed())
