"""The result that a journal's lines make."""

from msgspec import UNSET

from kernelbench.model import Ceiling, Failed, Measured, Probe, Record, Skipped
from kernelbench.store.assemble import assemble, merge_ceilings
from kernelbench.store.journal import CaseDead, CeilingsDone, Event, Finished, Noted, Resumed
from tests import builders
from tests.store.builders import CASES, SKIPPED, done, header

FULL: tuple[Event, ...] = tuple(
    done(case, index, start_s=10.0 * index + case) for index in (0, 1) for case in (0, 1, 2)
)


def records(*events: Event, interrupted: bool = False) -> dict[str, Record]:
    return {record.case.id: record for record in assemble(header(), events, interrupted=interrupted).records}


def first(*events: Event) -> Record:
    return records(*events)[CASES[0].id]


def test_records_come_in_plan_order_with_the_skipped_ones_last() -> None:
    backwards = tuple(reversed(FULL))
    result = assemble(header(), backwards, interrupted=False)
    assert [record.case for record in result.records] == [*CASES, SKIPPED[0][0]]
    assert result.records[-1].outcome == Skipped("interpreted: too slow")


def test_the_order_of_measuring_does_not_change_the_result() -> None:
    assert assemble(header(), FULL, interrupted=False) == assemble(header(), FULL[::-1], interrupted=False)


def test_a_resumed_run_and_one_in_a_piece_give_the_same_result() -> None:
    resumed = (*FULL[:4], Resumed("2026-01-02T04:00:00Z", 13.0), *FULL[4:], Finished(interrupted=False))
    assert assemble(header(), resumed, interrupted=False) == assemble(header(), FULL, interrupted=False)


def test_a_case_that_was_wrong_once_has_failed_whatever_its_rounds() -> None:
    record = first(*FULL, CaseDead(1, CASES[0].id, "verify-after", "3 of 9 differ"))
    assert record.outcome == Failed("verify-after", "3 of 9 differ")
    assert record.accuracy is UNSET


def test_rounds_are_sorted_by_index() -> None:
    outcome = first(done(0, 1), done(0, 0)).outcome
    assert isinstance(outcome, Measured)
    assert [one.index for one in outcome.rounds] == [0, 1]


def test_of_a_round_measured_twice_the_last_counts_and_the_other_is_kept() -> None:
    record = first(done(0, 0, start_s=1.0), done(0, 0, start_s=9.0), done(0, 1, start_s=10.0))
    assert isinstance(record.outcome, Measured)
    assert [(one.start_s, one.superseded) for one in record.outcome.rounds] == [
        (1.0, True),
        (9.0, False),
        (10.0, False),
    ]
    assert "rounds-dropped" not in record.flags


def test_the_worst_accuracy_of_all_rounds_is_kept() -> None:
    accuracy = first(done(0, 0, error=1e-7), done(0, 1, error=3e-7)).accuracy
    assert accuracy is not UNSET
    assert accuracy.value == 3e-7
    assert accuracy.snr_db == 127.0


def test_flags_are_united_and_facts_come_from_the_rounds_that_have_them() -> None:
    record = first(
        done(0, 0, flags=("noisy",), huge_pages=1.0, compile_s=2.5),
        done(0, 1, flags=("noisy", "cold-start"), huge_pages=0.5, isa_used="avx2", compile_s=0.1),
    )
    assert record.flags == ("noisy", "cold-start")
    assert (record.compile_s, record.isa_used, record.huge_pages, record.placement) == (2.5, "avx2", 0.5, (0,))
    assert record.source_hash == "cafe"


def test_fewer_rounds_than_planned_are_flagged() -> None:
    assert first(done(0, 0)).flags == ("rounds-dropped",)
    assert first(done(0, 0), done(0, 1)).flags == ()


def test_a_case_without_a_round_in_an_interrupted_run_is_skipped_with_that_reason() -> None:
    found = records(done(0, 0), interrupted=True)
    assert found[CASES[1].id].outcome == Skipped("interrupted before its first round")
    assert assemble(header(), (), interrupted=True).interrupted


def test_a_case_without_a_round_in_a_finished_run_says_so() -> None:
    assert records(done(0, 0))[CASES[1].id].outcome == Skipped("the run ended before its first round")


def test_a_case_that_was_only_verified_keeps_its_accuracy() -> None:
    record = first(done(0, 0, round=UNSET))
    assert record.outcome == Skipped("verified only, not timed")
    assert record.accuracy is not UNSET
    assert record.flags == ()


def test_the_configuration_loses_the_folders_of_the_users_files() -> None:
    assert assemble(header(), (), interrupted=False).config == {"seed": 1, "modules": ["mine.py"]}


def test_the_machine_is_found_by_the_records_id() -> None:
    result = assemble(header(), FULL, interrupted=False)
    assert result.machines[result.records[0].machine] == builders.machine()


def ceiling(*values: tuple[float, float], **more: object) -> Ceiling:
    probes = tuple(Probe(at_s, value) for at_s, value in values)
    largest = max(value for _, value in values)
    return Ceiling("compute/f32/t=1", "compute", "m", 1, "FLOP/s", value=largest, probes=probes, **more)  # type: ignore[arg-type]


def test_ceilings_of_all_passes_are_one_with_all_probes_in_order_of_time() -> None:
    (one,) = merge_ceilings([ceiling((5.0, 90.0), (6.0, 80.0)), ceiling((1.0, 100.0))])
    assert [probe.at_s for probe in one.probes] == [1.0, 5.0, 6.0]
    assert one.value == 100.0
    assert one.spread == 0.1


def test_a_single_probe_has_no_spread() -> None:
    (one,) = merge_ceilings([ceiling((1.0, 100.0))])
    assert one.spread is UNSET


def test_a_ceiling_measured_in_one_pass_and_skipped_in_another_is_measured() -> None:
    skipped = Ceiling("compute/f32/t=1", "compute", "m", 1, "FLOP/s", skipped="worker died")
    (one,) = merge_ceilings([skipped, ceiling((1.0, 100.0))])
    assert one.value == 100.0
    assert one.skipped is UNSET
    assert merge_ceilings([skipped, skipped]) == (skipped,)


def test_ceilings_reach_the_result_in_an_order_independent_of_the_passes() -> None:
    passes = [
        CeilingsDone(0, 1, "native", builders.ceilings()[:9]),
        CeilingsDone(0, 2, "native", builders.ceilings()[9:]),
    ]
    forth = assemble(header(), tuple(passes), interrupted=False).ceilings
    back = assemble(header(), tuple(passes[::-1]), interrupted=False).ceilings
    assert forth == back
    assert len(forth) == len(builders.ceilings())


def test_notes_reach_the_result_each_once_in_the_order_they_were_made() -> None:
    events = (Noted("a busy host"), *FULL[:2], Noted("time was stolen"), Noted("a busy host"), *FULL[2:])
    assert assemble(header(), events, interrupted=False).notes == ("a busy host", "time was stolen")
    assert assemble(header(), FULL, interrupted=False).notes == ()
