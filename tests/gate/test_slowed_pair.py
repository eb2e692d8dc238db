"""Extra work goes into HEAD alone, but both sides then enter their kernel alike."""

from typing import cast

import pytest

from kernelbench.gate.pair import Pair
from kernelbench.model import Accuracy, Work
from kernelbench.protocol import Open, Opened, Ready, Reply, Request, WorkerSetup
from kernelbench.runner.process import WorkerProcess
from tests.gate.pairs import case

OPENED = Opened(Accuracy("error", 0.0, "exact", 0.0), Work("absent"), 50, 1e-6, "a", shared=True)


class Worker:
    """Keeps what it is asked to open."""

    def __init__(self) -> None:
        self.asked: list[Open] = []

    def start(self, timeout_s: float) -> Reply:
        return Ready(1, "omp", "0123", 1e-9, 1e-9)

    def request(self, message: Request, timeout_s: float) -> Reply:
        self.asked.append(cast(Open, message))
        return OPENED

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize(("slowdown", "told"), [(0.05, [(0.0, True), (0.05, False)]), (0.0, [(0.0, False)] * 2)])
def test_base_is_entered_as_a_slowed_head_is(slowdown: float, told: list[tuple[float, bool]]) -> None:
    workers = [Worker(), Worker()]
    with Pair(lambda side, _: cast(WorkerProcess, workers[side]), WorkerSetup(1, (0,)), 0, 60.0) as pair:
        pair.open(case("a"), 0, slowdown)
    assert [(worker.asked[0].slowdown, worker.asked[0].like_slowed) for worker in workers] == told
