"""What pytest-benchmark times: run by `pytest bench_pytest.py`, with the request's variable set."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gates.kernels import ready
from gates.request import handed

REQUEST = handed()
os.sched_setaffinity(0, {REQUEST.cpu})


@pytest.mark.parametrize("timed", REQUEST.cells, ids=[timed.id for timed in REQUEST.cells])
def test_cell(benchmark: Any, timed: Any) -> None:
    benchmark(ready(timed, REQUEST.jit_key).call)
