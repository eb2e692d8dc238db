"""The scheduler: who is measured when, what a failure costs, what an end leaves behind."""

import pytest

from kernelbench.errors import StoreError, UsageError, WorkerError
from kernelbench.model import Case
from kernelbench.protocol import (
    Broken,
    CaseFailed,
    Compile,
    Measure,
    ProbeCeilings,
    Reply,
    Request,
)
from kernelbench.runner.job import Past
from kernelbench.runner.process import Died
from kernelbench.store.journal import CaseDead, CeilingsDone, RoundDone
from tests.runner.fakes import Answer, Bench, Memory, case, job

A, B, C = case("a"), case("b"), case("c")
A2 = case("a", threads=2)


def fails(target: Case, answer: Reply | Died, *, when: type[Request] = Measure, at_round: int = 0) -> Answer:
    """Answers so when asked about ``target``."""

    def reply(message: Request) -> Reply | Died | None:
        if not isinstance(message, when) or getattr(message, "case", None) != target:
            return None
        return answer if getattr(message, "round", at_round) == at_round else None

    return reply


def interrupts(after: int) -> Answer:
    """Ctrl-C at the measurement that follows the first ``after`` ones."""
    seen = []

    def reply(message: Request) -> None:
        if isinstance(message, Measure):
            seen.append(message)
            if len(seen) > after:
                raise KeyboardInterrupt

    return reply


def test_every_case_is_measured_once_in_every_round() -> None:
    bench = Bench()
    summary = bench.run(job(A, B, A2))
    assert sorted(bench.workers.measured) == sorted((r, c.id) for r in range(3) for c in (A, B, A2))
    assert len(bench.events(RoundDone)) == 9
    assert (summary.interrupted, summary.rounds) == (False, 3)


def test_rounds_follow_one_another() -> None:
    bench = Bench()
    bench.run(job(A, B, A2))
    rounds = [index for index, _ in bench.workers.measured]
    assert rounds == sorted(rounds)


def test_each_group_of_each_round_gets_a_fresh_worker_on_its_own_cpus() -> None:
    bench = Bench()
    bench.run(job(A, B, A2))
    setups = [setup for setup, message, _ in bench.workers.asked if isinstance(message, Measure)]
    assert len({setup.serial for setup in setups}) == 6
    assert {(setup.threads, setup.cpus) for setup in setups} == {(1, (0,)), (2, (0, 1))}


def test_the_order_is_random_but_the_seed_repeats_it() -> None:
    cases = [case(name) for name in "abcdefgh"]
    orders = []
    for seed in (1, 1, 2):
        bench = Bench()
        bench.run(job(*cases, seed=seed))
        orders.append(bench.workers.measured)
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    first, second = ([id for index, id in orders[0] if index == r] for r in (0, 1))
    assert first != second


def test_each_kernel_is_compiled_once_for_all_its_cases() -> None:
    bench = Bench()
    bench.run(job(A, A2, case("a", dtype="f64"), case("a", isa="avx2")))
    assert sorted((c.variant, c.dtype, c.isa) for c in bench.workers.compiled) == [
        ("op/a", "f32", "avx2"),
        ("op/a", "f32", "native"),
        ("op/a", "f64", "native"),
    ]


def test_compiling_ends_before_anything_is_measured() -> None:
    bench = Bench()
    bench.run(job(A, B, C))
    kinds = [type(message) for _, message, _ in bench.workers.asked]
    assert kinds == [Compile] * 3 + [Measure] * 9


def test_a_worker_compiles_for_one_instruction_set_only() -> None:
    bench = Bench()
    bench.run(job(A, B, case("a", isa="avx2"), case("b", isa="avx2")))
    for setup, message, _ in bench.workers.asked:
        if isinstance(message, Compile):
            assert setup.isa == message.case.isa


def test_what_does_not_compile_fails_in_all_its_cases_and_only_there() -> None:
    bench = Bench(fails(A, Died("timing", "killed by SIGSEGV"), when=Compile))
    bench.run(job(A, A2, B))
    assert bench.events(CaseDead) == [
        CaseDead(0, A.id, "compile", "killed by SIGSEGV"),
        CaseDead(0, A2.id, "compile", "killed by SIGSEGV"),
    ]
    assert bench.workers.measured == [(0, B.id), (1, B.id), (2, B.id)]


def test_a_crash_costs_one_case() -> None:
    bench = Bench(fails(A, Died("timing", "killed by SIGSEGV")))
    bench.run(job(A, B, C))
    assert bench.events(CaseDead) == [CaseDead(0, A.id, "timing", "killed by SIGSEGV")]
    assert sorted(bench.workers.measured) == sorted([(0, A.id), *((r, c.id) for r in range(3) for c in (B, C))])


def test_after_a_crash_a_fresh_worker_goes_on_with_the_round() -> None:
    # Every other case of round 0 crashes; the fake refuses questions after a death.
    bench = Bench(lambda message: Died("verify", "gone") if isinstance(message, Measure) else None)
    bench.run(job(A, B, C))
    assert {event.case_id for event in bench.events(CaseDead)} == {A.id, B.id, C.id}


def test_after_a_wrong_kernel_a_fresh_worker_goes_on() -> None:
    bench = Bench(fails(A, CaseFailed("verify", "error 0.5 > 1e-6"), at_round=1))
    bench.run(job(A, B, C, rounds=2))
    assert bench.events(CaseDead) == [CaseDead(1, A.id, "verify", "error 0.5 > 1e-6")]
    asked = [(setup.serial, message) for setup, message, _ in bench.workers.asked if isinstance(message, Measure)]
    (at,) = [i for i, (_, message) in enumerate(asked) if (message.case, message.round) == (A, 1)]
    assert asked[at][0] not in {serial for serial, _ in asked[at + 1 :]}


def test_operands_that_cannot_be_made_cost_one_case_and_not_the_kernel() -> None:
    problem = CaseFailed("inputs", "ValueError: no such size")

    def reply(message: Request) -> CaseFailed | None:
        return problem if isinstance(message, Compile | Measure) and message.case == A else None

    bench = Bench(reply)
    bench.run(job(A, A2))
    assert bench.events(CaseDead) == [CaseDead(0, A.id, "inputs", "ValueError: no such size")]
    assert {id for _, id in bench.workers.measured} >= {A2.id}


def test_a_case_gets_the_configured_time_to_answer() -> None:
    bench = Bench()
    bench.run(job(A, case_timeout_s=12.5))
    assert {timeout for _, message, timeout in bench.workers.asked if isinstance(message, Measure)} == {12.5}


def test_a_fault_of_the_harness_is_told_apart_from_a_failing_kernel() -> None:
    bench = Bench(fails(A, Broken("KeyError: 'x'")))
    summary = bench.run(job(A, B))
    assert summary.faults == (f"{A.id}: KeyError: 'x'",)
    assert bench.events(CaseDead) == [CaseDead(0, A.id, "harness", "KeyError: 'x'")]


def test_only_one_worker_lives_while_something_is_timed() -> None:
    bench = Bench()

    def count(message: Request) -> None:
        if isinstance(message, Measure | ProbeCeilings):
            assert sum(worker.open for worker in bench.workers.made) == 1

    bench.workers.answer = count
    bench.run(job(A, B, A2, ceilings=True))
    assert not any(worker.open for worker in bench.workers.made)


def test_ceilings_are_measured_before_the_rounds_and_checked_around_every_group() -> None:
    bench = Bench()
    bench.run(job(A, A2, rounds=2, ceilings=True))
    probed = [(event.round, event.threads) for event in bench.events(CeilingsDone)]
    assert sorted(probed) == [(-1, 1), (-1, 2), (0, 1), (0, 1), (0, 2), (0, 2), (1, 1), (1, 1), (1, 2), (1, 2)]
    asked = [message.scope for _, message, _ in bench.workers.asked if isinstance(message, ProbeCeilings)]
    assert asked == ["quick"] * 2 + ["check", "pulse"] * 4


def test_a_group_of_a_lower_level_checks_ceilings_in_its_own_worker() -> None:
    bench = Bench()
    bench.run(job(case("a", isa="avx2"), rounds=1, ceilings=True))
    assert [event.isa for event in bench.events(CeilingsDone)] == ["native", "avx2", "avx2"]
    asked = [(setup.isa, m.scope) for setup, m, _ in bench.workers.asked if isinstance(m, ProbeCeilings)]
    assert asked == [("native", "quick"), ("avx2", "check"), ("avx2", "pulse")]


def test_without_ceilings_nothing_is_probed() -> None:
    bench = Bench()
    bench.run(job(A, A2, ceilings=False))
    assert not [m for _, m, _ in bench.workers.asked if isinstance(m, ProbeCeilings)]


def test_ceilings_that_cannot_be_probed_are_a_warning_and_the_cases_go_on() -> None:
    bench = Bench(lambda message: Died("ceilings", "killed by SIGILL") if isinstance(message, ProbeCeilings) else None)
    summary = bench.run(job(A, rounds=1, ceilings=True))
    assert bench.workers.measured == [(0, A.id)]
    assert "killed by SIGILL" in summary.warnings[0]


def test_a_spent_budget_drops_later_rounds_and_says_so() -> None:
    bench = Bench(step_s=10.0)
    summary = bench.run(job(A, B, rounds=6, time_budget_s=70.0))
    assert len(bench.workers.measured) == 6
    assert summary.rounds == 3
    assert "3 of 6 rounds" in summary.warnings[0]
    assert bench.watcher.warnings == list(summary.warnings)


def test_the_first_round_is_completed_whatever_the_budget() -> None:
    bench = Bench(step_s=10.0)
    summary = bench.run(job(A, B, C, time_budget_s=0.001))
    assert len(bench.workers.measured) == 3
    assert summary.rounds == 1


def test_time_lost_to_a_hang_does_not_make_later_rounds_look_longer() -> None:
    bench = Bench()

    def hang(message: Request) -> Died | None:
        if isinstance(message, Measure) and message.case == A:
            bench.clock.now_s += 60.0
            return Died("timing", "no answer within 60 s: killed")
        return None

    bench.workers.answer = hang
    summary = bench.run(job(A, B, time_budget_s=100.0))
    assert summary.rounds == 3


def test_an_interrupt_keeps_what_is_done_and_kills_the_worker() -> None:
    bench = Bench(interrupts(after=4))
    summary = bench.run(job(A, B, C))
    assert summary.interrupted
    assert len(bench.events(RoundDone)) == 4
    assert bench.workers.made[-1].killed
    assert not any(worker.open for worker in bench.workers.made)


def test_an_interrupt_while_compiling_kills_the_workers_too() -> None:
    bench = Bench()

    def stop(position: object) -> None:
        raise KeyboardInterrupt

    bench.watcher.show = stop  # type: ignore[method-assign]
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


def test_workers_that_never_start_are_a_fault_of_ours() -> None:
    bench = Bench()
    bench.workers.at_start = Died("import", "killed by SIGKILL")
    with pytest.raises(WorkerError, match="ended at its start: killed by SIGKILL"):
        bench.run(job(A))


def test_a_lower_level_that_does_not_start_costs_only_its_own_cases() -> None:
    bench = Bench()
    low = case("a", isa="avx512")
    bench.workers.at_start = Died("import", "killed by SIGILL")
    bench.run(job(low))
    assert bench.events(CaseDead) == [CaseDead(0, low.id, "compile", "killed by SIGILL")]


def test_a_full_disk_ends_the_run_and_leaves_no_worker() -> None:
    bench = Bench()
    bench.journal = Memory(full_at=2)
    with pytest.raises(StoreError):
        bench.run(job(A, B))
    assert not any(worker.open for worker in bench.workers.made)


def test_progress_ends_at_its_total_even_when_a_case_dies() -> None:
    bench = Bench(fails(A, CaseFailed("verify", "wrong")))
    bench.run(job(A, B, C))
    last = bench.watcher.positions[-1]
    assert (last.phase, last.total - last.done) == ("round 3/3", 1)
