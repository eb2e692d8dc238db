"""Ceilings in the course of a run: a card that holds is used, one that does not is measured anew."""

import pytest

from kernelbench.model import Ceiling, Probe
from kernelbench.protocol import Ceilings, ProbeCeilings, Reply, Request
from kernelbench.runner.job import Past, Summary
from kernelbench.runner.roofs import HOLDS, SHARED_ABOVE, TRIES, holds
from kernelbench.runner.schedule import execute
from kernelbench.store.journal import CeilingsDone
from tests.runner.fakes import Clock, FakeWorkers, Memory, Watcher, case, job

A, A2 = case("a"), case("a", threads=2)


def peak(value: float, threads: int = 1, name: str = "compute/f32") -> Ceiling:
    return Ceiling(name, "compute", "m", threads, "FLOP/s", value=value, probes=(Probe(-60.0, value),))


def bandwidth(value: float, level: str) -> Ceiling:
    return Ceiling(f"memory/read/{level}", "memory", "m", 1, "B/s", value=value, level=level, mix="read")


# --- whether a card holds


def test_a_card_whose_ceilings_are_found_again_holds() -> None:
    verdict = holds([peak(100.0), bandwidth(50.0, "L1")], [peak(99.0), bandwidth(50.5, "L1")])
    assert verdict.holds
    assert verdict.text == "checked at 99.0% to 101.0% of it"


@pytest.mark.parametrize("share", [HOLDS[0] - 0.01, HOLDS[1] + 0.01])
def test_a_compute_ceiling_found_lower_or_higher_refutes_the_card(share: float) -> None:
    verdict = holds([peak(100.0)], [peak(100.0 * share)])
    assert not verdict.holds
    assert "compute/f32 is at" in verdict.text


def test_memory_shared_with_neighbours_may_be_slower_but_not_much_faster() -> None:
    card = [peak(100.0), bandwidth(20.0, "DRAM")]
    assert holds(card, [peak(100.0), bandwidth(10.0, "DRAM")]).holds
    assert not holds(card, [peak(100.0), bandwidth(20.0 * SHARED_ABOVE + 1, "DRAM")]).holds


def test_a_private_cache_must_be_found_again() -> None:
    assert not holds([bandwidth(100.0, "L2")], [bandwidth(80.0, "L2")]).holds


def test_a_card_that_lacks_what_is_checked_does_not_hold() -> None:
    assert holds([peak(1.0)], [peak(1.0, name="compute/f64")]).text == "it has no compute/f64"


def test_a_card_that_could_not_be_checked_does_not_hold() -> None:
    assert not holds([peak(1.0)], []).holds


# --- in a run


class Bench:
    """A run with a card; checks find ``found``, one after another, the last one for ever."""

    def __init__(self, *found: float) -> None:
        self.found = list(found)
        self.clock = Clock()
        self.workers = FakeWorkers(self.clock, self.reply)
        self.journal = Memory()
        self.watcher = Watcher()

    def reply(self, message: Request) -> Reply | None:
        if not isinstance(message, ProbeCeilings) or message.scope == "quick":
            return None
        value = self.found.pop(0) if len(self.found) > 1 else self.found[0]
        return Ceilings((peak(value),))

    def run(self, *known: Ceiling, past: Past | None = None) -> Summary:
        return execute(
            job(A, rounds=1, ceilings=True, known=known, known_from="the card"),
            workers=self.workers,
            journal=self.journal,
            clock=self.clock,
            progress=self.watcher,
            past=past,
        )

    @property
    def scopes(self) -> list[str]:
        return [message.scope for _, message, _ in self.workers.asked if isinstance(message, ProbeCeilings)]


def test_a_card_that_holds_is_used_and_the_user_is_told() -> None:
    bench = Bench(1e11)
    summary = bench.run(peak(1e11))
    assert bench.scopes == ["check", "check", "pulse"]
    assert summary.notes == ("ceilings at t=1: the card still holds (checked at 100.0% to 100.0% of it)",)
    assert summary.fresh_ceilings == ()


def test_the_ceilings_of_the_card_are_kept_with_their_probes_and_those_of_the_check() -> None:
    bench = Bench(0.99e11)
    bench.run(peak(1e11))
    before = [event for event in bench.journal.events if isinstance(event, CeilingsDone) and event.round == -1]
    assert [one.value for event in before for one in event.ceilings] == [1e11, 0.99e11]


def test_a_card_gets_several_checks_before_it_is_given_up() -> None:
    bench = Bench(*[0.5e11] * (TRIES - 1), 1e11)
    assert "still holds" in bench.run(peak(1e11)).notes[0]


def test_a_card_that_does_not_hold_is_measured_anew() -> None:
    bench = Bench(0.5e11)
    summary = bench.run(peak(1e11))
    assert bench.scopes == ["check"] * TRIES + ["quick", "check", "pulse"]
    assert summary.notes == (
        "ceilings at t=1: the card does not hold now (compute/f32 is at 50.0% of it); measured anew",
    )
    assert [one.value for one in summary.fresh_ceilings] == [1e11]


def test_a_card_that_is_too_low_is_kept_and_what_is_measured_comes_on_top_of_it() -> None:
    bench = Bench(2e11)
    summary = bench.run(peak(1e11))
    assert bench.scopes == ["check", "quick", "check", "pulse"]
    assert "is too low (compute/f32 is at 200.0% of it); all measured anew" in summary.notes[0]
    assert [one.value for one in summary.fresh_ceilings] == [1e11, 2e11, 1e11]


def test_where_only_memory_is_too_low_only_memory_is_measured_again() -> None:
    known, found = [peak(1e11), bandwidth(50e9, "L2")], (peak(1e11), bandwidth(60e9, "L2"))
    bench = Bench(1e11)
    bench.workers.answer = lambda m: Ceilings(found) if isinstance(m, ProbeCeilings) and m.scope == "check" else None
    bench.run(*known)
    assert bench.scopes[:2] == ["check", "memory"]


def test_a_card_that_is_too_high_and_too_low_is_not_kept() -> None:
    verdict = holds([peak(1.0), peak(1.0, name="b")], [peak(0.5), peak(2.0, name="b")])
    assert not verdict.holds
    assert not verdict.too_low


def test_a_card_without_the_thread_count_of_the_run_does_not_serve_it() -> None:
    bench = Bench(1e11)
    summary = bench.run(peak(1e11, threads=2))
    assert bench.scopes[0] == "quick"
    assert summary.notes == ()


def test_a_resumed_run_does_not_measure_again_what_the_journal_holds() -> None:
    bench = Bench(1e11)
    bench.run(past=Past(probed=((-1, 1, "native"), (0, 1, "native"))))
    assert bench.scopes == ["pulse"], "the check before the group was made"
