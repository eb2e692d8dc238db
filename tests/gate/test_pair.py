"""Two workers that take turns: who runs while the other is timed, what both are told, and how they end."""

import os
from typing import cast

import pytest
from msgspec import UNSET, structs

from kernelbench.gate import pair as pairs
from kernelbench.gate.memory import ADDRESS
from kernelbench.gate.pair import Opening, Pair, SideFailed
from kernelbench.model import Accuracy, Work
from kernelbench.protocol import (
    Broken,
    Burst,
    CaseFailed,
    CaseMeasured,
    Open,
    Opened,
    Ready,
    Reply,
    Request,
    SharedMemory,
    Shut,
    Slices,
    WorkerSetup,
)
from kernelbench.runner.process import Died, WorkerProcess
from tests.gate.pairs import case

READY = Ready(1, "omp", "0123", 1e-9, 1e-9)
MIB = 1 << 20
ACCURATE = Accuracy("error", 0.0, "exact", 0.0)
OPENED = Opened(ACCURATE, Work("absent"), 50, 1e-6, "a", shared=True)
ANSWERS: dict[type, Reply | Died] = {
    Open: OPENED,
    Burst: Slices((1e-6,), (), 0.0, 0),
    Shut: CaseMeasured(ACCURATE, "compiled loop", False, (0,)),
}


class Worker:
    """Answers as told, and writes down what is done to it and to its other."""

    def __init__(self, side: int, setup: WorkerSetup, log: list[str]) -> None:
        self.side, self.setup, self._log = side, setup, log
        self.first: Reply | Died = READY
        self.answers = dict(ANSWERS)
        self.running = True

    def start(self, timeout_s: float) -> Reply | Died:
        return self.first

    def request(self, message: Request, timeout_s: float) -> Reply | Died:
        assert self.running, "asked while stopped"
        self._log.append(f"{self.side} {type(message).__name__}")
        return self.answers[type(message)]

    def pause(self) -> None:
        self.running = False

    def resume(self) -> None:
        self.running = True

    def close(self) -> None:
        self._log.append(f"{self.side} closed")


class Bench:
    """Starts pairs of such workers."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.workers: list[Worker] = []
        self.first: dict[int, Reply | Died | Exception] = {}

    def _start(self, side: int, setup: WorkerSetup) -> WorkerProcess:
        first = self.first.get(side, READY)
        if isinstance(first, Exception):
            raise first
        worker = Worker(side, setup, self.log)
        worker.first = first
        self.workers.append(worker)
        return cast(WorkerProcess, worker)

    def pair(self, memory_bytes: int = MIB) -> Pair:
        return Pair(self._start, WorkerSetup(1, (0,)), memory_bytes, 60.0)

    @property
    def running(self) -> list[int]:
        return [worker.side for worker in self.workers if worker.running]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_outside_its_turn_no_side_runs(bench: Bench) -> None:
    with bench.pair() as pair:
        assert bench.running == []
        pair.open(case("a"), 0)
        assert bench.running == []
        pair.burst(1, Burst(1, 1, False))
        assert bench.running == []


def test_while_one_side_is_timed_the_other_is_stopped(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[int]] = []
    with bench.pair() as pair:
        asked = Worker.request
        monkeypatch.setattr(Worker, "request", lambda *given: (seen.append(bench.running), asked(*given))[1])
        pair.burst(0, Burst(1, 1, False))
        pair.burst(1, Burst(1, 1, False))
    assert seen == [[0], [1]]


def test_both_sides_are_given_the_same_memory_at_the_same_address(bench: Bench) -> None:
    with bench.pair(4 * MIB):
        base, head = (worker.setup.memory for worker in bench.workers)
        assert isinstance(base, SharedMemory)
        assert base == head
        assert (base.address, base.size_bytes) == (ADDRESS, 4 * MIB)
        assert os.fstat(base.fd).st_size == 4 * MIB


def test_the_memory_goes_with_the_pair(bench: Bench) -> None:
    with bench.pair():
        memory = bench.workers[0].setup.memory
        assert isinstance(memory, SharedMemory)
        assert is_open(memory.fd)
    assert not is_open(memory.fd)


def test_a_pair_can_be_closed_twice(bench: Bench) -> None:
    pair = bench.pair()
    pair.close()
    pair.close()
    assert bench.log == ["0 closed", "1 closed"]


def test_without_shared_memory_each_side_works_in_its_own_and_the_pair_says_why(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(size_bytes: int) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(pairs, "create", refuse)
    with bench.pair() as pair:
        assert pair.why_private == "no memory that both can map: No space left on device"
        assert {worker.setup.memory for worker in bench.workers} == {UNSET}


def test_private_memory_can_be_asked_for(bench: Bench) -> None:
    with bench.pair(0) as pair:
        assert pair.why_private == "asked for"


@pytest.mark.parametrize("side", [0, 1])
def test_a_side_that_dies_at_its_start_is_named_and_the_other_is_ended(bench: Bench, side: int) -> None:
    bench.first[side] = Died("import", "killed by SIGSEGV")
    with pytest.raises(SideFailed, match="SIGSEGV") as failed:
        bench.pair()
    assert (failed.value.side, failed.value.stage, failed.value.fault) == (side, "import", False)
    assert bench.log == ["0 closed", "1 closed"]


def test_where_the_second_cannot_be_started_the_first_is_ended(bench: Bench) -> None:
    bench.first[1] = OSError("no more processes")
    with pytest.raises(OSError, match="no more processes"):
        bench.pair()
    assert bench.log == ["0 closed"]


@pytest.mark.parametrize(
    ("answer", "stage", "fault"),
    [
        (CaseFailed("verify", "wrong result"), "verify", False),
        (Died("timing", "no answer within 60 s: killed"), "timing", False),
        (Broken("Traceback"), "harness", True),
        (READY, "harness", True),
    ],
)
def test_what_is_no_answer_is_the_failure_of_that_side(
    bench: Bench, answer: Reply | Died, stage: str, fault: bool
) -> None:
    with bench.pair() as pair:
        bench.workers[1].answers[Open] = answer
        with pytest.raises(SideFailed) as failed:
            pair.open(case("a"), 0)
    assert (failed.value.side, failed.value.stage, failed.value.fault) == (1, stage, fault)


def test_both_sides_are_verified_once_more_at_the_end(bench: Bench) -> None:
    with bench.pair() as pair:
        pair.shut(restore=False)
    assert bench.log[:2] == ["0 Shut", "1 Shut"]


def opening(**head: object) -> Opening:
    return Opening(OPENED, structs.replace(OPENED, **head))  # type: ignore[arg-type]


def test_a_slice_has_as_many_calls_as_the_faster_side_needs() -> None:
    assert opening(calls=80).calls == 80


def test_equal_layouts_need_no_restoring() -> None:
    assert not opening().restore


def test_other_layouts_are_restored_where_the_memory_is_shared() -> None:
    assert opening(layout="b").restore
    assert not opening(layout="b", shared=False).restore


def test_memory_counts_as_shared_only_where_both_sides_have_it() -> None:
    assert not opening(shared=False).shared
