"""What pyperf times: one worker process times one cell, and only that one is made."""

import sys
from collections.abc import Callable
from pathlib import Path

import pyperf

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gates.request import handed


def main() -> None:
    """Register every cell with pyperf, in the order of the request."""
    request = handed()
    runner = pyperf.Runner()
    given = runner.parse_args()
    for number, timed in enumerate(request.cells):
        call: Callable[[], object] = print
        if given.worker and given.worker_task == number:
            from gates.kernels import ready

            call = ready(timed, request.jit_key).call
        runner.bench_func(timed.id, call)


if __name__ == "__main__":
    main()
