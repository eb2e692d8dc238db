"""The wait for a quiet host, with a host and a clock that are not real."""

from collections.abc import Iterator

import pytest

from kernelbench.machine import quiet
from kernelbench.machine.quiet import Quietness
from kernelbench.model import Unknown
from kernelbench.runner.quiet import STEP_S, Waited, meanwhile, noting_quiet, wait_for_quiet


def host(runnable: int = 1, stolen: int = 0, swap_share: float = 0.0) -> Quietness:
    """A look at a host of two CPUs where a tenth of the wanted time is stolen, when any is."""
    return Quietness(2, runnable, 1000 + 10 * stolen, stolen, Unknown("no quota"), 0, swap_share, Unknown("a guest"))


IDLE, BUSY = host(), host(runnable=3)


class Host:
    """Looks like this, one after the other and the last one for ever; sleeping moves its clock."""

    def __init__(self, *looks: Quietness) -> None:
        self._looks = looks
        self.now_s = 100.0
        self.seen = 0
        self.slept: list[float] = []
        self.spun: list[float] = []
        self.said: list[str] = []

    def look(self) -> Quietness:
        self.seen += 1
        return self._looks[min(self.seen, len(self._looks)) - 1]

    def _sleep(self, duration_s: float) -> None:
        self.slept.append(duration_s)
        self.now_s += duration_s

    def _spin(self, duration_s: float) -> None:
        self.spun.append(duration_s)
        self.now_s += duration_s

    def wait(self, limit_s: float) -> Waited:
        return wait_for_quiet(
            limit_s, say=self.said.append, look=self.look, clock=lambda: self.now_s, sleep=self._sleep, spin=self._spin
        )


def test_a_quiet_host_costs_one_short_step_and_no_words() -> None:
    found = Host(IDLE)
    waited = found.wait(10.0)
    assert (waited.waited_s, waited.troubles, waited.notes) == (STEP_S, (), ())
    assert found.said == []
    assert STEP_S < 0.3


def test_an_idle_host_is_watched_running_because_only_then_can_time_be_stolen() -> None:
    found = Host(IDLE)
    found.wait(10.0)
    assert (found.spun, found.slept) == ([STEP_S], [])


def test_a_busy_host_is_watched_sleeping() -> None:
    found = Host(BUSY, BUSY, IDLE)
    found.wait(10.0)
    assert found.slept == [STEP_S, STEP_S]


def test_the_wait_ends_with_the_first_quiet_step() -> None:
    found = Host(BUSY, BUSY, BUSY, IDLE)
    assert found.wait(10.0) == Waited(3 * STEP_S, IDLE)
    assert found.said == ["waiting up to 10 s for a quiet host: 2 other runnable tasks"]


def test_a_host_that_is_never_quiet_is_measured_in_the_end_and_that_is_noted() -> None:
    found = Host(BUSY)
    waited = found.wait(10.0)
    assert waited.waited_s == 10.0
    assert len(found.said) == 1
    assert waited.notes == ("the host was not quiet when measuring began: 2 other runnable tasks (waited 10.0 s)",)


def test_stolen_time_is_waited_for() -> None:
    found = Host(*[host(stolen=3 * n) for n in range(5)], host(stolen=12))
    assert found.wait(10.0).troubles == ()
    assert len(found.spun) == 5


def test_what_waiting_cannot_mend_is_noted_at_once() -> None:
    found = Host(host(swap_share=0.9))
    waited = found.wait(10.0)
    assert waited.waited_s == STEP_S
    assert waited.notes == ("the host was not quiet when measuring began: swap 90.0% full (waited 250 ms)",)
    assert found.said == []


def test_no_wait_looks_once_and_judges_nothing() -> None:
    found = Host(BUSY)
    assert found.wait(0.0) == Waited(0.0, BUSY)
    assert (found.seen, found.slept, found.spun, found.said) == (1, [], [], [])


@pytest.mark.parametrize("limit_s", [0.01, 0.1, 0.25, 0.3])
def test_a_short_limit_is_kept(limit_s: float) -> None:
    found = Host(BUSY)
    assert found.wait(limit_s).waited_s <= limit_s + 1e-9
    assert found.said == []


def test_the_last_step_is_never_too_short_to_see_theft() -> None:
    found = Host(*[host(stolen=3 * n) for n in range(9)])
    found.wait(0.6)
    assert found.spun == [STEP_S, STEP_S]


def test_what_was_taken_while_measuring_is_one_line() -> None:
    assert meanwhile(host(), host(stolen=8)) == ("while measuring: 10.0% of CPU time stolen by the hypervisor",)
    assert meanwhile(BUSY, BUSY) == ()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Quietness]]:
    coming: list[Quietness] = []
    monkeypatch.setattr(quiet, "look", lambda: coming.pop(0))
    yield coming
    assert coming == []


def test_notes_from_before_and_during_the_measuring_are_kept_when_they_are_made(looks: list[Quietness]) -> None:
    looks += [BUSY, BUSY, host(stolen=80)]
    kept: list[str] = []
    with noting_quiet(0.001, print, kept.append) as notes:
        assert kept == notes
        (opening,) = notes
    assert "2 other runnable tasks" in opening
    assert kept == notes == [opening, "while measuring: 10.0% of CPU time stolen by the hypervisor"]


def test_a_quiet_host_leaves_no_note(looks: list[Quietness]) -> None:
    looks += [IDLE, IDLE, IDLE]
    with noting_quiet(0.001, print) as notes:
        assert notes == []
    assert notes == []


def test_a_run_that_fails_is_not_looked_at_again(looks: list[Quietness]) -> None:
    looks += [IDLE]
    with pytest.raises(OSError, match="gone"), noting_quiet(0.0, print):
        raise OSError("gone")
