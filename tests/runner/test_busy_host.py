"""The scheduler on a shared host: who is visited again, who is measured again, and when it gives up."""

from typing import Any

from kernelbench.model import Accuracy, Case, Ceiling, Interference, Probe, Round
from kernelbench.protocol import CaseMeasured, Ceilings, Effort, Measure, ProbeCeilings, Reply, Request, Waiting
from kernelbench.runner.doubts import Doubts
from kernelbench.runner.job import Past
from kernelbench.runner.process import Died
from kernelbench.store.journal import CaseDead, RoundDone
from tests.runner.fakes import Answer, Bench, case, job

A, B = case("a"), case("b")


def shared_core(message: Request, *, samples_s: tuple[float, ...] = (1e-6,) * 4, calls: int = 1000) -> CaseMeasured:
    """A round of ``message`` in which every sample was disturbed."""
    assert isinstance(message, Measure)
    disturbed = Interference(adds_per_cycle=(2.0,) * len(samples_s), disturbed=(True,) * len(samples_s))
    timed = Round(message.round, 0.0, samples_s, calls, 0, interference=disturbed)
    return CaseMeasured(Accuracy("max error", 0.0, "float64", 1e-6), "compiled loop", False, (0,), round=timed)


def disturbs(target: Case, times: int, **how: Any) -> Answer:
    """Every core is shared while ``target`` is measured, the first ``times`` times."""
    seen: list[Request] = []

    def reply(message: Request) -> Reply | None:
        if not isinstance(message, Measure) or message.case != target or len(seen) >= times:
            return None
        seen.append(message)
        return shared_core(message, **how)

    return reply


def test_a_round_without_a_quiet_moment_is_measured_again_after_the_last_round() -> None:
    bench = Bench(disturbs(A, 1))
    bench.run(job(A, B))
    assert sorted(bench.workers.measured[:-1]) == sorted((r, c.id) for r in range(3) for c in (A, B))
    assert bench.workers.measured[-1] == (0, A.id)


def test_a_case_is_measured_again_once_so_that_its_rounds_stay_in_processes_of_their_own() -> None:
    bench = Bench(disturbs(A, 2))
    bench.run(job(A, B))
    assert bench.workers.measured[-1] == (0, A.id)
    assert len(bench.workers.measured) == 6 + 1


def test_a_host_that_is_never_quiet_does_not_hold_the_run_for_ever() -> None:
    bench = Bench(disturbs(A, 1000))
    summary = bench.run(job(A))
    assert len(bench.workers.measured) == 3 + 1
    assert not summary.interrupted


def test_long_samples_are_not_measured_again() -> None:
    bench = Bench(disturbs(A, 1, samples_s=(0.02, 0.02), calls=1))
    bench.run(job(A))
    assert len(bench.workers.measured) == 3


def test_the_most_adds_seen_are_told_to_later_measurements() -> None:
    bench = Bench(disturbs(A, 1))
    bench.run(job(A))
    told = [m.best_adds_per_cycle for _, m, _ in bench.workers.asked if isinstance(m, Measure)]
    assert told == [0.0, 2.0, 2.0, 2.0]


def test_a_resumed_run_knows_which_rounds_were_disturbed() -> None:
    message = Measure(A, 0, 1, Effort(), 0.0)
    past = Past.of((RoundDone(1, A.id, shared_core(message)),))
    assert past.disturbed == {(1, A.id)}
    assert past.best_adds_per_cycle == 2.0


def half_speed_in(rounds: set[int]) -> Answer:
    """The machine gives half of its ceilings while cases of ``rounds`` are measured."""
    probes = 0

    def reply(message: Request) -> Reply | None:
        nonlocal probes
        if not isinstance(message, ProbeCeilings) or message.scope == "quick":
            return None
        index, probes = probes // 2, probes + 1
        value = 0.5e11 if index in rounds else 1e11
        made = Ceiling("compute/f32", "compute", "m", 1, "FLOP/s", value=value, probes=(Probe(0.0, value),))
        return Ceilings((made,))

    return reply


def test_what_was_measured_in_a_half_speed_episode_is_reported_and_measured_again() -> None:
    bench = Bench()
    bench.workers.answer = half_speed_in({1})
    summary = bench.run(job(A, B, ceilings=True))
    assert bench.workers.measured.count((1, A.id)) == bench.workers.measured.count((1, B.id)) == 2
    assert len(bench.workers.measured) == 6 + 2
    assert summary.warnings == (
        "the machine gave 50.0% of its compute ceilings between 2 s and 4 s: 2 case rounds are to be measured again",
    )


def test_a_machine_at_its_speed_measures_nothing_again() -> None:
    bench = Bench()
    bench.workers.answer = half_speed_in(set())
    assert bench.run(job(A, B, ceilings=True)).warnings == ()
    assert len(bench.workers.measured) == 6


# --- coming back to cases that met no quiet moment


def waits(target: Case, visits: int) -> Answer:
    """The core is busy at the first ``visits`` visits to ``target`` in each round, unless it is the last."""
    seen: dict[int, int] = {}

    def reply(message: Request) -> Reply | None:
        if not isinstance(message, Measure) or message.case != target or message.last:
            return None
        seen[message.round] = seen.get(message.round, 0) + 1
        return Waiting(target.id) if seen[message.round] <= visits else None

    return reply


def test_a_case_that_met_no_quiet_moment_is_visited_again_after_the_others_in_the_same_process() -> None:
    bench = Bench(waits(A, 2))
    bench.run(job(A, B, rounds=1, effort=Effort(patience_s=10.0)))
    asked = [message.case.id for _, message, _ in bench.workers.asked if isinstance(message, Measure)]
    assert sorted(asked[:2]) == [A.id, B.id]
    assert asked[2:] == [A.id] * 2
    assert len({setup.serial for setup, message, _ in bench.workers.asked if isinstance(message, Measure)}) == 1
    assert [event.case_id for event in bench.events(RoundDone)].count(A.id) == 1


def test_when_patience_ends_a_waiting_case_is_measured_as_it_comes() -> None:
    bench = Bench(waits(A, 10**6))
    bench.clock.tick_s = 0.5
    bench.run(job(A, rounds=1, effort=Effort(patience_s=5.0)))
    asked = [message.last for _, message, _ in bench.workers.asked if isinstance(message, Measure)]
    assert asked[-1] is True
    assert not any(asked[:-1])
    assert 3 < len(asked) < 20
    assert [event.case_id for event in bench.events(RoundDone)] == [A.id]


def test_without_patience_nobody_comes_back() -> None:
    bench = Bench(waits(A, 10**6))
    bench.run(job(A, rounds=1, effort=Effort(patience_s=0.0)))
    assert len(bench.workers.measured) == 2


def test_a_crash_while_others_wait_costs_only_the_case_that_crashed() -> None:
    waiting = waits(A, 3)

    def reply(message: Request) -> Reply | Died | None:
        if isinstance(message, Measure) and message.case == B:
            return Died("timing", "killed by SIGSEGV")
        return waiting(message)

    bench = Bench(reply)
    bench.run(job(A, B, rounds=1, effort=Effort(patience_s=10.0)))
    assert [event.case_id for event in bench.events(RoundDone)] == [A.id]
    assert [event.case_id for event in bench.events(CaseDead)] == [B.id]


def test_a_slow_round_is_measured_again_before_a_disturbed_one_of_the_same_case() -> None:
    doubts = Doubts({(0, A.id)})
    doubts.slow((2, A.id))
    assert doubts.once_more((A, B), set()) == [(2, A)]
    doubts.settled((2, A.id))
    assert doubts.once_more((A, B), set()) == [(0, A)]
    assert doubts.once_more((A, B), set(), slow_only=True) == []


def test_the_dead_are_not_measured_again() -> None:
    assert Doubts({(0, A.id), (1, B.id)}).once_more((A, B), {A.id}) == [(1, B)]


def test_a_case_with_two_slow_rounds_has_both_measured_again() -> None:
    bench = Bench()
    bench.workers.answer = half_speed_in({0, 2})
    bench.run(job(A, ceilings=True))
    assert sorted(bench.workers.measured) == [(0, A.id)] * 2 + [(1, A.id)] + [(2, A.id)] * 2


def test_slow_rounds_for_which_no_time_was_left_are_told() -> None:
    bench = Bench()
    bench.workers.answer = half_speed_in({1})
    summary = bench.run(job(A, ceilings=True, time_budget_s=3.5))
    assert summary.warnings[-1] == (
        "no time was left to measure again what a slow machine gave: 1 cases keep such a round"
    )
