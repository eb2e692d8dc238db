"""The worker's threads: pinned where the plan says, and idle before anything is timed."""

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

Move = Callable[[int, set[int]], None]
"""(thread, CPUs): makes the thread run there."""


def _tasks() -> set[int]:
    return {int(x.name) for x in Path("/proc/self/task").iterdir()}


_placed: set[int] = set()
"""Threads of this process that have their place."""


def pin(cpus: Sequence[int], start_pools: Callable[[], None]) -> None:
    """Pin this thread to ``cpus[0]`` and the pools' threads, in order of creation, to the rest.

    Pools start their threads where the creator may run, so every thread is moved after they exist. A
    library with fewer threads than CPUs leaves the last CPUs to others.
    """
    before = _tasks()
    os.sched_setaffinity(0, set(cpus))
    start_pools()
    own = os.getpid()
    others = cpus[1:] or cpus[:1]
    for group in (sorted(before - {own}), sorted(_tasks() - before - {own})):
        for index, task in enumerate(group):
            os.sched_setaffinity(task, {others[index % len(others)]})
    os.sched_setaffinity(0, {cpus[0]})
    _placed.update(_tasks())


def place_new(cpus: Sequence[int], *, tasks: Callable[[], set[int]] = _tasks, move: Move = os.sched_setaffinity) -> int:
    """Pin the threads made since ``pin`` or the last call, in order of creation, to ``cpus[1:]``; how many they are.

    A library that is called from Python starts its pool when it is first called. By then this thread is pinned,
    and a new thread inherits where its maker may run: the whole pool would share ``cpus[0]`` with it.
    """
    now = tasks()
    _placed.intersection_update(now)  # the number of a thread that ended may be given to a new one
    new = sorted(now - _placed)
    others = cpus[1:] or cpus[:1]
    for index, task in enumerate(new):
        with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
            move(task, {others[index % len(others)]})
    _placed.update(new)
    return len(new)


IDLE_SHARE = 0.1
"""Idle means using less than this share of one CPU."""
LOOK_S = 0.002


def wait_until_idle(
    limit_s: float = 0.3,
    *,
    cpu_time: Callable[[], float] = time.process_time,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Wait for this process's pools to stop spinning after a parallel call; False when they still do.

    OpenBLAS spins for 100 ms after a call, Numba's OpenMP pool for 8 ms: timing another kernel meanwhile
    would measure the two together.
    """
    for _ in range(int(limit_s / LOOK_S)):
        before = cpu_time()
        sleep(LOOK_S)
        if cpu_time() - before < IDLE_SHARE * LOOK_S:
            return True
    return False
