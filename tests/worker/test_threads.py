"""Threads sit where the plan says, and nothing is timed while a pool still spins."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kernelbench.worker import threads
from kernelbench.worker.threads import IDLE_SHARE, LOOK_S, pin, place_new, wait_until_idle

CPUS = tuple(sorted(os.sched_getaffinity(0)))


class Process:
    """CPU time that grows by the next of ``shares`` of one CPU while asleep."""

    def __init__(self, shares: Iterator[float]) -> None:
        self._shares = shares
        self._used_s = 0.0
        self.slept_s = 0.0

    def cpu_time(self) -> float:
        return self._used_s

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self._used_s += seconds * next(self._shares)


def wait(process: Process, limit_s: float = 0.3) -> bool:
    return wait_until_idle(limit_s, cpu_time=process.cpu_time, sleep=process.sleep)


def test_an_idle_process_is_looked_at_once() -> None:
    process = Process(iter([0.0]))
    assert wait(process)
    assert process.slept_s == LOOK_S


def test_a_spinning_pool_is_waited_for() -> None:
    process = Process(iter([1.0, 1.0, 2 * IDLE_SHARE, IDLE_SHARE / 2]))
    assert wait(process)
    assert process.slept_s == pytest.approx(4 * LOOK_S)


def test_a_pool_that_spins_for_ever_is_given_up_at_the_limit() -> None:
    process = Process(iter(lambda: 1.0, None))
    assert not wait(process, 0.1)
    assert process.slept_s == pytest.approx(0.1)


@pytest.fixture
def pool() -> Iterator[Callable[[], None]]:
    """Starts two threads that live until the test ends."""
    end, started = threading.Event(), []

    def start() -> None:
        for _ in range(2):
            thread = threading.Thread(target=end.wait)
            thread.start()
            started.append(thread)

    before = os.sched_getaffinity(0)
    elsewhere = {int(x.name): os.sched_getaffinity(int(x.name)) for x in Path("/proc/self/task").iterdir()}
    yield start
    end.set()
    for thread in started:
        thread.join()
    for task, cpus in elsewhere.items():
        if Path(f"/proc/self/task/{task}").exists():
            os.sched_setaffinity(task, cpus)
    os.sched_setaffinity(0, before)


def where() -> dict[int, set[int]]:
    return {int(x.name): os.sched_getaffinity(int(x.name)) for x in Path("/proc/self/task").iterdir()}


@pytest.mark.skipif(len(CPUS) < 2, reason="needs two CPUs to tell places apart")
def test_the_caller_and_the_pools_threads_are_pinned_to_cpus_of_their_own(pool: Callable[[], None]) -> None:
    before = set(where())
    pin(CPUS[:2], pool)
    now = where()
    assert now[os.getpid()] == {CPUS[0]}
    assert [cpus for task, cpus in now.items() if task not in before] == [{CPUS[1]}] * 2


def test_with_one_cpu_every_thread_is_on_it(pool: Callable[[], None]) -> None:
    pin(CPUS[-1:], pool)
    assert set(map(frozenset, where().values())) == {frozenset(CPUS[-1:])}


@pytest.mark.skipif(len(CPUS) < 2, reason="needs two CPUs to tell places apart")
def test_threads_that_were_there_before_are_pinned_as_well(pool: Callable[[], None]) -> None:
    pool()
    pin(CPUS[:2], lambda: None)
    assert all(cpus == {CPUS[1]} for task, cpus in where().items() if task != os.getpid())


@pytest.mark.skipif(len(CPUS) < 2, reason="needs two CPUs to tell places apart")
def test_the_pool_that_a_library_starts_when_first_called_is_pinned_too(pool: Callable[[], None]) -> None:
    pin(CPUS[:2], lambda: None)
    before = set(where())
    pool()
    assert {frozenset(cpus) for task, cpus in where().items() if task not in before} == {frozenset(CPUS[:1])}
    assert place_new(CPUS[:2]) == 2
    assert {frozenset(cpus) for task, cpus in where().items() if task not in before} == {frozenset(CPUS[1:2])}
    assert place_new(CPUS[:2]) == 0


class Tasks:
    """Threads that come and go, and where they were moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *placed: int) -> None:
        self.alive = set(placed)
        self.moved: dict[int, set[int]] = {}
        monkeypatch.setattr(threads, "_placed", set(placed))

    def place(self, *cpus: int) -> dict[int, set[int]]:
        self.moved.clear()
        place_new(cpus, tasks=lambda: set(self.alive), move=self.move)
        return dict(self.moved)

    def move(self, task: int, cpus: set[int]) -> None:
        if task == 66:
            raise ProcessLookupError(task)
        self.moved[task] = cpus


def test_new_threads_take_the_cpus_after_the_first_in_order_of_creation(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = Tasks(monkeypatch, 10, 11)
    tasks.alive |= {14, 12, 13, 15}
    assert tasks.place(4, 5, 6, 7) == {12: {5}, 13: {6}, 14: {7}, 15: {5}}
    assert tasks.place(4, 5, 6, 7) == {}


def test_a_thread_that_has_the_number_of_one_that_ended_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = Tasks(monkeypatch, 10, 11)
    tasks.alive.remove(11)
    assert tasks.place(4, 5) == {}
    tasks.alive.add(11)
    assert tasks.place(4, 5) == {11: {5}}


def test_a_thread_that_ends_while_it_is_placed_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = Tasks(monkeypatch, 10)
    tasks.alive |= {66, 67}
    assert tasks.place(4, 5) == {67: {5}}
