"""What a kernel does beside its work: memory that grows, threads of its own, words on standard output."""

import threading
from pathlib import Path

import pytest

from kernelbench.worker import conduct
from kernelbench.worker.conduct import Conduct

MIB = 1 << 20


class Memory:
    """Resident memory that grows by so many bytes a call, and the runner of those calls."""

    def __init__(self, per_call: int) -> None:
        self.now, self.per_call, self.made = 100 * MIB, per_call, 0

    def __call__(self, calls: int) -> float:
        self.now += calls * self.per_call
        self.made += calls
        return 0.0

    def slices(self, calls: int, count: int) -> None:
        raise AssertionError("not asked for")


def remarks(memory: Memory, calls: int, *, once: int = 0) -> dict[str, str]:
    watched = Conduct(one_thread=True, resident=lambda: memory.now)
    watched.warm()
    memory(calls)
    memory.now += once
    return watched.remarks(memory, calls, 1e-6)  # type: ignore[arg-type]


def test_memory_that_grows_with_every_call_is_a_leak_with_its_size() -> None:
    assert remarks(Memory(4096), 10_000) == {"leaks": "leaks 4 KiB a call: free what it allocates"}


def test_memory_taken_once_is_none() -> None:
    assert remarks(Memory(0), 10_000, once=64 * MIB) == {}


def test_a_little_growth_is_not_looked_into() -> None:
    memory = Memory(1)
    assert remarks(memory, 1000) == {}
    assert memory.made == 1000


def test_what_is_printed_is_told_with_its_first_line(capfd: pytest.CaptureFixture[str]) -> None:
    watched = Conduct(one_thread=True)
    with watched.watching():
        print("working\nharder")
    watched.warm()
    assert watched.remarks(Memory(0), 1, 1.0) == {"prints": 'prints while it is called, which takes time: "working"'}  # type: ignore[arg-type]


def test_what_is_printed_elsewhere_is_not_the_kernels(capfd: pytest.CaptureFixture[str]) -> None:
    watched = Conduct(one_thread=True)
    print("the check")
    with watched.watching():
        pass
    watched.warm()
    assert watched.remarks(Memory(0), 1, 1.0) == {}  # type: ignore[arg-type]


@pytest.fixture
def sleepers() -> object:
    """Starts threads that do nothing until the test ends."""
    stop, started = threading.Event(), []

    def start(count: int) -> None:
        for _ in range(count):
            started.append(threading.Thread(target=stop.wait))
            started[-1].start()

    yield start
    stop.set()
    for thread in started:
        thread.join()


@pytest.mark.parametrize(("one_thread", "flagged"), [(True, True), (False, False)])
def test_threads_left_running_are_told_where_one_is_declared(sleepers, one_thread: bool, flagged: bool) -> None:  # type: ignore[no-untyped-def]
    watched = Conduct(one_thread=one_thread)
    with watched.watching():
        sleepers(conduct.MANY_THREADS)
    watched.warm()
    assert ("leaves 4 threads running" in watched.remarks(Memory(0), 1, 1.0).get("threads", "")) == flagged  # type: ignore[arg-type]


def test_threads_that_began_before_or_between_its_calls_are_not_its_doing(sleepers) -> None:  # type: ignore[no-untyped-def]
    sleepers(conduct.MANY_THREADS)
    watched = Conduct(one_thread=True)
    with watched.watching():
        pass
    sleepers(conduct.MANY_THREADS)
    watched.warm()
    assert watched.remarks(Memory(0), 1, 1.0) == {}  # type: ignore[arg-type]


def test_cpu_time_of_other_threads_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Conduct(one_thread=True)
    process, own = iter([1.0, 3.0, 3.0, 5.0]), iter([1.0, 2.0, 2.0, 3.0])
    monkeypatch.setattr(conduct.time, "process_time", lambda: next(process))
    monkeypatch.setattr(conduct.time, "thread_time", lambda: next(own))
    with watched.watching(timed=True):
        pass
    watched.warm()
    said = watched.remarks(Memory(0), 1, 1.0)["threads"]  # type: ignore[arg-type]
    assert "take 100.0% of the CPU time of the timed one: declare it parallel=True" in said


def test_cpu_time_that_others_take_once_is_a_pool_that_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Conduct(one_thread=True)
    process, own = iter([1.0, 3.0, 3.0, 4.0]), iter([1.0, 2.0, 2.0, 3.0])
    monkeypatch.setattr(conduct.time, "process_time", lambda: next(process))
    monkeypatch.setattr(conduct.time, "thread_time", lambda: next(own))
    with watched.watching(timed=True):
        pass
    watched.warm()
    assert watched.remarks(Memory(0), 1, 1.0) == {}  # type: ignore[arg-type]


def test_the_folder_of_threads_is_there() -> None:
    assert Path("/proc/self/task").is_dir()
