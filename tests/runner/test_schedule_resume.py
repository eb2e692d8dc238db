"""The scheduler: what an end leaves behind, and how a resumed run goes on."""

import pytest

from kernelbench.errors import UsageError
from kernelbench.runner.job import Past
from kernelbench.store.journal import CaseDead, RoundDone
from tests.runner.answers import interrupts
from tests.runner.fakes import Bench, case, job

A, B, C = case("a"), case("b"), case("c")


def test_an_interrupt_keeps_what_is_done_and_kills_the_worker() -> None:
    bench = Bench(interrupts(after=4))
    summary = bench.run(job(A, B, C))
    assert summary.interrupted
    assert len(bench.events(RoundDone)) == 4
    assert bench.workers.made[-1].killed
    assert not any(worker.open for worker in bench.workers.made)


def test_an_interrupt_while_compiling_kills_the_workers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()

    def stop(position: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bench.watcher, "show", stop)
    bench.workers.endless = (B,)
    summary = bench.run(job(A, B, C))
    assert summary.interrupted
    assert any(worker.killed for worker in bench.workers.made)
    assert bench.events(RoundDone) == []
    assert not any(worker.open for worker in bench.workers.made)


@pytest.mark.parametrize("after", range(6))
def test_a_resumed_run_measures_exactly_what_was_missing(after: int) -> None:
    the_job = job(A, B, rounds=3)
    first = Bench(interrupts(after))
    first.run(the_job)
    second = Bench()
    second.run(the_job, Past.of(tuple(first.journal.events)))
    done = [*first.events(RoundDone), *second.events(RoundDone)]
    assert sorted((event.round, event.case_id) for event in done) == sorted((r, c.id) for r in range(3) for c in (A, B))


def test_a_resumed_run_goes_on_in_time_and_in_worker_numbers() -> None:
    the_job = job(A, B, rounds=2)
    first = Bench(interrupts(after=3))
    first.run(the_job)
    second = Bench()
    second.run(the_job, Past.of(tuple(first.journal.events)))
    before = [event.measured.round for event in first.events(RoundDone) if event.measured.round]
    after = [event.measured.round for event in second.events(RoundDone) if event.measured.round]
    assert min(r.start_s for r in after) >= max(r.start_s for r in before)
    assert min(r.worker for r in after) > max(r.worker for r in before)


def test_a_resumed_run_leaves_the_dead_in_peace() -> None:
    past = Past.of((CaseDead(0, A.id, "verify", "wrong"),))
    bench = Bench()
    bench.run(job(A, B), past)
    assert {id for _, id in bench.workers.measured} == {B.id}
    assert [c.variant for c in bench.workers.compiled] == ["op/b"]


def test_nothing_is_started_when_nothing_is_missing() -> None:
    past = Past(done=frozenset((r, A.id) for r in range(3)))
    bench = Bench()
    bench.run(job(A), past)
    assert bench.workers.made == []


def test_a_worker_whose_sources_changed_is_refused() -> None:
    bench = Bench()
    bench.workers.source_hash = "other"
    with pytest.raises(UsageError, match="changed while the run was going on"):
        bench.run(job(A))
    assert not any(worker.open for worker in bench.workers.made)
