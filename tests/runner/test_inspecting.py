"""Asking workers for a kernel's code: what is refused, and what is left when a worker ends instead of answering."""

from collections.abc import Iterator

import pytest
from msgspec import UNSET

from kernelbench.errors import UsageError
from kernelbench.model.inspection import Inspection, Mix
from kernelbench.protocol import CaseFailed, CatalogueReply, Inspect, Inspected, Ready, Reply, Request, WorkerSetup
from kernelbench.runner import inspecting
from kernelbench.runner.choosing import one_variant
from kernelbench.runner.inspecting import Asked, Failure, readable
from kernelbench.runner.process import Died
from tests.builders import machine
from tests.runner.fakes import case, variant

CASE = case("naive")
MIX = Mix({}, 0, "scalar", 0, 0, 0, 0, 0)
FOUND = Inspection(CASE, "scalar", "op.naive", ".L", (), MIX, 1, 1, False, ("a reason",))


class Stub:
    """A worker that gives one answer."""

    def __init__(self, answer: Reply | Died) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    def start(self, timeout_s: float) -> Reply | Died:
        """Ready at once."""
        return Ready(1, "workqueue", "hash", 1e-9, 1e-9)

    def request(self, request: Request, timeout_s: float) -> Reply | Died:
        """The one answer."""
        self.asked.append(request)
        return self.answer

    def close(self) -> None:
        """Nothing to end."""


def one_case(*answers: Reply | Died) -> tuple[Inspection | Failure, list[Stub]]:
    """What comes of one case whose workers, one after the other, give ``answers``."""
    stubs = [Stub(answer) for answer in answers]
    waiting: Iterator[Stub] = iter(stubs)

    def workers(setup: WorkerSetup) -> Stub:
        return next(waiting)

    asked = Asked(("op/naive",), timed=False)
    settled = inspecting._configuration(asked)
    return inspecting._inspected(CASE, asked, settled, machine(), workers, lambda _: None), stubs


def test_a_copy_that_ends_its_process_costs_the_counts_and_nothing_else() -> None:
    found, stubs = one_case(Died("count", "killed by SIGSEGV"), Inspected(FOUND))
    assert isinstance(found, Inspection)
    assert found.uncounted == "the copy that counts ended its process (killed by SIGSEGV)"
    assert found.iterations is UNSET
    assert [isinstance(one, Inspect) and one.count for stub in stubs for one in stub.asked] == [True, False]


def test_a_worker_that_ends_again_fails_the_case() -> None:
    found, _ = one_case(Died("count", "killed by SIGSEGV"), Died("compile", "killed by SIGKILL"))
    assert found == Failure(CASE, "count: killed by SIGSEGV")


def test_a_kernel_that_is_wrong_fails_the_case() -> None:
    found, _ = one_case(CaseFailed("verify", "wrong result"))
    assert found == Failure(CASE, "verify: wrong result")


def test_code_that_cannot_be_read_is_the_users_slip() -> None:
    with pytest.raises(UsageError, match="op/naive cannot be inspected: there is no loop in its code"):
        one_case(CaseFailed("inspect", "there is no loop in its code"))


def test_what_was_not_timed_says_why() -> None:
    found, _ = one_case(Inspected(FOUND))
    assert isinstance(found, Inspection)
    assert found.untimed == "timing was not asked for"


def test_a_variant_that_cannot_run_here_says_why() -> None:
    known = CatalogueReply((), (variant("naive", unavailable="needs torch"),))
    with pytest.raises(UsageError, match="op/naive cannot run here: needs torch"):
        readable(one_variant("op/naive", known, "inspect"))
