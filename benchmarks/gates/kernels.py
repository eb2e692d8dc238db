"""A catalogue kernel as other gates time it: a Python callable on operands that the process allocated as it pleased.

It enters the compiled kernel as ``kernelbench ab`` does, through the trampoline, so that a slowdown can be put inside.
"""

from __future__ import annotations

import ctypes
import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gates.request import Timed
from kernelbench.kernels import _registry as registry
from kernelbench.timing.sampling import shortest_slice_s
from kernelbench.timing.warmup import calibrate
from kernelbench.worker import slowdown
from kernelbench.worker.cost import Watch
from kernelbench.worker.entry import Block, Entry, PythonCalls, compile_entry
from kernelbench.worker.jitcache import JitCache

SEED = 0
CLOSE, TRIES = 0.1, 5
"""A slowdown is sized again, so often, until it is within 10% of the share asked for."""


@dataclass(frozen=True)
class Kernel:
    """One kernel on its operands."""

    call: Callable[[], object]
    """Keeps code and operands alive by itself."""
    entry: Entry


def ready(timed: Timed, jit_key: str) -> Kernel:
    """The kernel of a cell, compiled and slowed as asked. Raises ValueError for one that cannot be entered."""
    importlib.import_module(timed.module)
    variant = registry.variants()[timed.variant]
    if not variant.compiled:
        raise ValueError(f"{timed.variant} is not compiled: nothing can be put into it")
    JitCache(jit_key, "native").enable(variant.function)
    inputs = variant.make_inputs(timed.settings, timed.dtype, SEED)
    made = [np.empty(size, registry.NUMPY[kind]) for size, kind in variant.outputs(inputs.shape, timed.dtype)]
    arguments = (*inputs.arrays, *made)
    entry = compile_entry(variant.function, arguments, can_do_extra=True)
    entry.extra.value = timed.steps
    block = Block(arguments)
    enter: Any = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(entry.address)
    enter.alive = (entry, block)
    kernel = Kernel(partial(enter, block.address), entry)
    kernel.call()
    if block.status:
        raise ValueError(f"{timed.id} raised an exception")
    return kernel


def steps_for(timed: Timed, jit_key: str, share: float) -> tuple[int, float]:
    """(steps, share reached): extra work of about ``share`` of a call as these gates see it, from Python.

    Raises CaseError where a step is too coarse or the core's clock cannot be measured.
    """
    kernel = ready(timed, jit_key)
    run = PythonCalls(kernel.call, [()])
    calls, _ = calibrate(run, shortest_slice_s(time.get_clock_info("perf_counter").resolution))
    watch, best = Watch(), (0, 0.0)
    for _ in range(TRIES):
        clock = max(watch.clock_hz() for _ in range(5))
        found = slowdown.apply(kernel.entry, run, calls, share, clock)
        if abs(found - share) < abs(best[1] - share):
            best = (kernel.entry.extra.value, found)
        if abs(best[1] - share) <= CLOSE * share:
            break
    return best
