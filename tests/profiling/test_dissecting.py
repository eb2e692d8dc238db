"""Changed code may crash or hang: that costs the change, never the profile."""

from typing import Any

import pytest

from kernelbench.model import Accuracy, Case, Round
from kernelbench.profiling.dissecting import Dissector, KernelFailed
from kernelbench.protocol import CHANGED, CaseFailed, Dissect, Dissected, Ready, WorkerSetup
from kernelbench.runner.process import Died

CASE = Case("op/one/f32/n=8/t=1", "op", "op/one", "naive", "f32", {"n": 8}, 1)
ROUND, ACCURACY = Round(0, 0.0, (1.0,), 1, 0), Accuracy("error", 0.0, "itself", 0.0)
DONE = Dissected(ROUND, ACCURACY, "compiled loop", False, (0,), False, 1.0, 0.1, ())


class Scripted:
    """A worker that dies of one change."""

    def __init__(self, deadly: str, answer: Any = DONE) -> None:
        self.deadly, self.answer = deadly, answer
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, setup: WorkerSetup) -> "Scripted":
        return self

    def start(self, timeout_s: float) -> Ready:
        return Ready(1, "none", "hash", 1e-9, 1e-9)

    def request(self, message: Dissect, timeout_s: float) -> Any:
        self.asked.append(message.rewrites)
        if self.deadly in message.rewrites:
            return Died(f"{CHANGED}{self.deadly}", "segmentation fault")
        return self.answer

    def kill(self) -> None:
        pass

    def close(self) -> None:
        pass


def dissected(worker: Scripted) -> Dissected:
    request = Dissect(CASE, 0, 0.0, rewrites=("chains cut", "no divides"))
    return Dissector(worker, lambda threads: (0,), (), "hash").dissect(request)


def test_a_change_that_crashes_is_left_out_and_says_so() -> None:
    worker = Scripted("chains cut")
    (lost,) = dissected(worker).timed
    assert (lost.name, worker.asked[-1]) == ("chains cut", ("no divides",))
    assert "segmentation fault" in lost.skipped


def test_a_kernel_that_fails_ends_the_profile_with_its_reason() -> None:
    with pytest.raises(KernelFailed, match="wrong result") as failed:
        dissected(Scripted("nothing", CaseFailed("verify", "wrong result: 3 of 8")))
    assert failed.value.exit_code == 4
