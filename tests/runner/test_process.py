"""A worker process always gives an answer: its own, or how it died."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from kernelbench.errors import WorkerError
from kernelbench.protocol import CaseFailed, Catalogue, Describe, Ready, WorkerSetup
from kernelbench.runner.ending import resident_bytes
from kernelbench.runner.output import LIMIT_BYTES, Tail
from kernelbench.runner.process import Died, WorkerProcess
from tests.runner.fakes import case

STUBS = Path(__file__).parent / "stubs"
PLENTY_S = 30.0
GIB = 1 << 30

Start = Callable[..., WorkerProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    alive: list[WorkerProcess] = []

    def begin(behaviour: str, memory_bytes: int = GIB) -> WorkerProcess:
        command = (sys.executable, str(STUBS / "worker.py"), behaviour)
        worker = WorkerProcess(WorkerSetup(2, (0, 1)), memory_bytes=memory_bytes, command=command)
        alive.append(worker)
        return worker

    yield begin
    for worker in alive:
        worker.kill()
        worker.close()


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_healthy_worker_says_ready_and_answers(start: Start) -> None:
    worker = start("fine")
    assert isinstance(worker.start(PLENTY_S), Ready)
    assert worker.request(Catalogue(), PLENTY_S) == CaseFailed("verify", "fine")


def test_a_segfault_is_named_with_the_stage_it_came_in(start: Start) -> None:
    worker = start("segfault")
    worker.start(PLENTY_S)
    assert worker.request(Catalogue(), PLENTY_S) == Died("timing", "killed by SIGSEGV")


def test_a_worker_that_leaves_is_quoted_with_its_last_words(start: Start) -> None:
    worker = start("exit")
    worker.start(PLENTY_S)
    answer = worker.request(Catalogue(), PLENTY_S)
    assert answer == Died("timing", 'exited with status 3 without answering (last words: "the last thing it said")')


def test_a_dead_worker_gives_the_same_answer_to_every_later_question(start: Start) -> None:
    worker = start("segfault")
    worker.start(PLENTY_S)
    assert worker.request(Catalogue(), PLENTY_S) == worker.request(Catalogue(), PLENTY_S)


def test_an_endless_loop_is_killed_at_the_timeout(start: Start) -> None:
    worker = start("hang")
    worker.start(PLENTY_S)
    assert worker.request(Catalogue(), 0.3) == Died("timing", "no answer within 300 ms: killed")
    assert is_gone(worker.pid)


def test_a_worker_that_takes_too_much_memory_is_killed(start: Start) -> None:
    worker = start("hog", memory_bytes=64 << 20)
    worker.start(PLENTY_S)
    assert worker.request(Catalogue(), PLENTY_S) == Died("timing", "used more than 64 MiB of memory: killed")


def test_something_unreadable_in_the_reply_pipe_ends_the_worker(start: Start) -> None:
    worker = start("garbage")
    worker.start(PLENTY_S)
    answer = worker.request(Catalogue(), PLENTY_S)
    assert isinstance(answer, Died)
    assert "no answer" in answer.message
    assert is_gone(worker.pid)


def test_a_worker_that_dies_before_its_first_word_did_so_importing(start: Start) -> None:
    assert start("stillborn").start(PLENTY_S) == Died("import", "exited with status 9 without answering")


def test_a_request_larger_than_the_pipe_goes_through(start: Start) -> None:
    worker = start("fine")
    worker.start(PLENTY_S)
    assert isinstance(worker.request(Describe(tuple(case(f"c{i}") for i in range(2000))), PLENTY_S), CaseFailed)


@pytest.mark.timeout(20)
def test_a_worker_that_does_not_even_read_is_killed_at_the_timeout(start: Start) -> None:
    worker = start("deaf")
    worker.start(PLENTY_S)
    answer = worker.request(Describe(tuple(case(f"c{i}") for i in range(2000))), 0.3)
    assert answer == Died("describe", "no answer within 300 ms: killed")


def test_what_a_kernel_prints_does_not_pile_up(start: Start) -> None:
    worker = start("chatter")
    worker.start(PLENTY_S)
    assert worker.request(Catalogue(), PLENTY_S) == CaseFailed("verify", "done talking")
    assert os.fstat(worker._errors.fd).st_size <= LIMIT_BYTES


def test_the_environment_that_libraries_read_at_import_is_set_before_the_start(start: Start) -> None:
    worker = start("environment")
    worker.start(PLENTY_S)
    answer = worker.request(Catalogue(), PLENTY_S)
    assert isinstance(answer, CaseFailed)
    assert json.loads(answer.message) == {
        "OMP_NUM_THREADS": "2",
        "NUMBA_NUM_THREADS": "2",
        "KERNELBENCH_WORKER_MEMORY": str(GIB),
        "PYTHONSAFEPATH": "1",
    }


def test_closing_lets_an_idle_worker_leave_by_itself(start: Start) -> None:
    worker = start("fine")
    worker.start(PLENTY_S)
    worker.close()
    worker.close()
    assert worker._process.returncode == 0


def test_a_command_that_does_not_exist_is_an_error_of_ours() -> None:
    with pytest.raises(WorkerError, match="cannot start a worker process"):
        WorkerProcess(WorkerSetup(1, (0,)), memory_bytes=GIB, command=("/nonexistent/python",))


@pytest.mark.parametrize("stub", [[str(STUBS / "worker.py")], []], ids=["stub", "real"])
def test_no_worker_outlives_a_parent_that_is_killed(stub: list[str]) -> None:
    command = [sys.executable, str(STUBS / "parent.py"), *stub]
    environment = {**os.environ, "PYTHONPATH": str(STUBS.parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout
        worker = psutil.Process(int(parent.stdout.readline().split()[1]))
        parent.send_signal(signal.SIGKILL)
    # Waits for the end of the process, at most the second that is promised. Where process 1 reaps
    # nobody (some containers) its remains stay listed as a zombie.
    _, listed = psutil.wait_procs([worker], timeout=1.0)
    assert all(is_gone(process.pid) for process in listed)


def test_resident_memory_of_a_process_that_is_gone_is_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert resident_bytes(ended.pid) == 0


def test_the_kept_output_is_bounded_and_its_end_survives() -> None:
    tail = Tail()
    os.write(tail.fd, b"y\n" * LIMIT_BYTES + b"the end\n")
    tail.shrink()
    assert os.fstat(tail.fd).st_size < LIMIT_BYTES
    assert tail.last_line() == "the end"
    tail.close()


def test_the_last_line_skips_what_the_interpreter_adds_and_hides_control_characters() -> None:
    tail = Tail()
    os.write(tail.fd, b"why \x1b[31mit died\n\nExtension modules: numpy (total: 1)\n")
    assert tail.last_line() == "why ?[31mit died"
    tail.close()
