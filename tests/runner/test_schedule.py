"""The scheduler: who is measured when, and within which time."""

from kernelbench.protocol import Compile, Measure, ProbeCeilings, Request
from kernelbench.store.journal import CeilingsDone, RoundDone
from tests.runner.fakes import Bench, case, job

A, B, C = case("a"), case("b"), case("c")
A2 = case("a", threads=2)


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


def test_a_case_gets_the_configured_time_to_answer() -> None:
    bench = Bench()
    bench.run(job(A, case_timeout_s=12.5))
    assert {timeout for _, message, timeout in bench.workers.asked if isinstance(message, Measure)} == {12.5}


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
