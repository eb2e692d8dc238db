"""The scheduler: what a failure costs."""

import pytest

from kernelbench.errors import StoreError, WorkerError
from kernelbench.model import Case
from kernelbench.protocol import Broken, CaseFailed, Compile, Measure, ProbeCeilings, Reply, Request
from kernelbench.runner.process import Died
from kernelbench.store.journal import CaseDead
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


def test_a_fault_of_the_harness_is_told_apart_from_a_failing_kernel() -> None:
    bench = Bench(fails(A, Broken("KeyError: 'x'")))
    summary = bench.run(job(A, B))
    assert summary.faults == (f"{A.id}: KeyError: 'x'",)
    assert bench.events(CaseDead) == [CaseDead(0, A.id, "harness", "KeyError: 'x'")]


def test_ceilings_that_cannot_be_probed_are_a_warning_and_the_cases_go_on() -> None:
    bench = Bench(lambda message: Died("ceilings", "killed by SIGILL") if isinstance(message, ProbeCeilings) else None)
    summary = bench.run(job(A, rounds=1, ceilings=True))
    assert bench.workers.measured == [(0, A.id)]
    assert "killed by SIGILL" in summary.warnings[0]


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
