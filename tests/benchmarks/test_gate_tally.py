"""What trials add up to."""

import pytest
from gates import scatter, tally
from gates.records import SCATTER, Seen, Trial
from gates.tally import Count, upper


def trial(*cells: Seen, tool: str = "kernelbench ab", slowed: float = 0.0, wall_s: float = 10.0) -> Trial:
    return Trial(tool, "beyond 5%", 0, wall_s, cells, slowed=slowed)


def test_a_false_alarm_counts_once_a_run_and_once_a_cell() -> None:
    alarmed = trial(Seen("a", "regressed"), Seen("b", "regressed"), Seen("c", "unchanged"))
    found = tally.tally([alarmed, trial(Seen("a", "unchanged"))])
    assert (found.alarmed, found.false_cells) == (Count(1, 2), Count(2, 4))


def test_an_improvement_is_no_alarm() -> None:
    assert tally.tally([trial(Seen("a", "improved"))]).alarmed == Count(0, 1)


def test_decided_are_unchanged_cells_that_live_in_a_cache() -> None:
    run = trial(Seen("a", "unchanged"), Seen("b", "ambiguous"), Seen("dram", "unchanged", cached=False))
    assert tally.tally([run]).decided == Count(1, 2)


def test_a_slowed_cell_is_found_or_not_and_never_a_false_alarm() -> None:
    runs = [trial(Seen("a", verdict, slowed=0.1), Seen("b", "unchanged"), slowed=0.1) for verdict in ("regressed", "x")]
    found = tally.tally(runs)
    assert (found.found, found.false_cells) == (Count(1, 2), Count(0, 2))


def test_failed_cells_and_runs_without_verdicts_count_nowhere_but_are_told() -> None:
    runs = [trial(Seen("a", "failed")), Trial("kernelbench ab", "beyond 5%", 1, 9.0, problem="exit 70: boom")]
    assert tally.tally(runs).alarmed == Count(0, 0)
    assert tally.problems(runs) == ["1 x kernelbench ab: exit 70: boom", "1 x kernelbench ab: a failed"]


def test_the_pace_is_the_median_of_seconds_a_cell() -> None:
    cells = (Seen("a", "unchanged"), Seen("b", "unchanged"))
    assert tally.tally([trial(*cells, wall_s=wall) for wall in (6.0, 8.0, 100.0)]).cell_s == 4.0


@pytest.mark.parametrize(("hits", "of", "bound"), [(0, 30, 0.0950), (1, 30, 0.1485), (0, 1, 0.95), (30, 30, 1.0)])
def test_the_bound_of_a_rate_is_clopper_and_pearsons(hits: int, of: int, bound: float) -> None:
    assert upper(hits, of) == pytest.approx(bound, abs=5e-4)


def test_a_count_says_how_large_the_true_rate_can_be() -> None:
    assert Count(0, 30).at_most == "0/30 (<= 9.5%)"
    assert Count(30, 30).at_least == "30/30 (>= 90.5%)"
    assert Count(0, 0).at_most == "-"


def test_our_table_has_a_line_for_each_experiment() -> None:
    text = tally.ours([trial(Seen("a", "unchanged")), trial(Seen("a", "regressed", slowed=0.1), slowed=0.1)])
    assert [line.split("|")[1].strip() for line in text.splitlines()[2:]] == [
        "A/A, beyond 5%",
        "+10% in one kernel, beyond 5%",
    ]


def test_beside_others_a_rule_has_one_line_with_its_alarms_and_what_it_found() -> None:
    runs = [
        trial(Seen("a", "regressed"), tool="pyperf"),
        trial(Seen("a", "regressed", slowed=0.1), tool="pyperf", slowed=0.1),
    ]
    [line] = tally.beside(runs, (0.05, 0.1)).splitlines()[2:]
    assert [part.strip() for part in line.split("|")[1:-1]] == [
        "pyperf",
        "beyond 5%",
        "1/1 (<= 100%)",
        "1/1",
        "-",
        "1/1",
        "10.0",
    ]


def test_the_scatter_is_about_zero_where_an_a_a_has_its_truth() -> None:
    assert scatter.spread([0.02, 0.02, -0.02]).sd == pytest.approx(0.02)


def test_shared_and_private_memory_stand_beside_each_other() -> None:
    def rounds(size: float, *, private: bool) -> Trial:
        cell = Seen("a", "unchanged", log_ratios=(size, -size))
        return Trial(SCATTER, "rounds", 0, 1.0, (cell,), private=private)

    rows = scatter.table([rounds(0.01, private=False), rounds(0.04, private=True)]).splitlines()[2:]
    assert [part.strip() for part in rows[0].split("|")[1:6]] == ["a", "2+2", "1.00%", "4.00%", "0.25"]


def test_without_both_kinds_of_memory_there_is_no_table() -> None:
    assert scatter.table([Trial(SCATTER, "rounds", 0, 1.0, (Seen("a", "unchanged", log_ratios=(0.1,)),))]) == ""
