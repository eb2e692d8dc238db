"""Who wins a search: the fastest where fresh rounds prove it, the default in every other case."""

import pytest

from kernelbench.errors import WorkerError
from kernelbench.tuning.contest import CONFIRM
from tests.tuning.made import DEFAULT, MEET_S, START_S, Host

FAST, GOOD = (128, 256), (128, 512)


def test_the_fastest_candidate_wins() -> None:
    found = Host({FAST: 0.9, GOOD: 0.95}).contest()
    assert found.winner == FAST
    assert found.confirmed.ratio == pytest.approx(0.9)
    assert "10.0% less time than the default in 6 fresh rounds" in found.reason


def test_every_candidate_of_a_small_space_is_tried() -> None:
    assert len(Host({FAST: 0.9}).contest().known) == 11


def test_where_none_is_faster_the_default_stays() -> None:
    found = Host().contest()
    assert (found.winner, found.reason) == (DEFAULT, "every candidate was slower than the default")


def test_a_gain_that_is_not_worth_another_name_is_not_taken() -> None:
    found = Host({FAST: 0.997}).contest()
    assert found.winner == DEFAULT
    assert "by more than 0.5%" in found.reason


def test_noise_does_not_pick_the_winner() -> None:
    # All candidates are exactly as fast as the default: the best of eleven noisy ones is always better in the search.
    equal = dict.fromkeys([(kc, nc) for kc in (16, 32, 64, 128) for nc in (256, 512, 1024)], 1.0)
    won = [Host(equal, scatter=0.03, seed=seed).contest(240.0).winner != DEFAULT for seed in range(100)]
    # 5% are the error of the confirmation; of 100 trials more than 11 are met once in a hundred.
    assert sum(won) <= 11


def test_a_real_gain_is_found_in_noise() -> None:
    near = {FAST: 0.94, GOOD: 0.99, (16, 512): 1.0, (32, 512): 1.01}
    found = [Host(near, scatter=0.015, seed=seed).contest(240.0).winner for seed in range(40)]
    assert found.count(FAST) >= 36


def test_confirming_rounds_are_of_the_default_in_fresh_processes() -> None:
    host = Host({FAST: 0.9})
    host.contest()
    assert host.references[-CONFIRM.looks[0] :] == [DEFAULT] * CONFIRM.looks[0]


def test_the_race_is_against_the_best_so_far() -> None:
    host = Host({FAST: 0.9, GOOD: 0.93})
    host.contest()
    assert (FAST, GOOD) in host.met
    assert (FAST, DEFAULT) in host.met


def test_candidates_far_behind_the_best_do_not_race() -> None:
    host = Host({FAST: 0.8, GOOD: 0.9})
    host.contest()
    assert set(host.references) == {DEFAULT}


def test_a_wrong_candidate_is_left_out_with_the_reason() -> None:
    host = Host({FAST: 0.5, GOOD: 0.9})
    host.wrong.add(FAST)
    found = host.contest()
    assert found.winner == GOOD
    assert found.known[FAST].failed == "verify: it is wrong"


def test_after_a_wrong_candidate_the_processes_are_fresh() -> None:
    host = Host({GOOD: 0.9})
    host.wrong.add(FAST)
    host.contest()
    place = next(number for number, (_, values) in enumerate(host.met) if values == FAST)
    assert host.met[place + 1][1] != FAST
    assert host.references[:2] == [DEFAULT, DEFAULT]


def test_a_default_that_is_wrong_ends_the_search() -> None:
    host = Host({FAST: 0.9})
    host.wrong.add(DEFAULT)
    found = host.contest()
    assert found.failed == "with the default parameters, verify: it is wrong"
    assert found.winner == DEFAULT


def test_a_fault_of_ours_is_not_blamed_on_a_candidate() -> None:
    host = Host({FAST: 0.9})
    host.broken.add((32, 256))
    with pytest.raises(WorkerError, match="a fault of ours"):
        host.contest()
    assert host.open == 0


def test_the_budget_is_kept() -> None:
    for budget_s in (5.0, 15.0, 30.0, 60.0):
        host = Host({FAST: 0.9})
        host.contest(budget_s)
        assert host.now <= budget_s + START_S + MEET_S


def test_a_budget_too_short_to_confirm_leaves_the_default_and_says_so() -> None:
    found = Host({FAST: 0.9}).contest(12.0)
    assert found.winner == DEFAULT
    assert "give a longer one" in found.reason


def test_ctrl_c_leaves_the_default_and_what_was_seen() -> None:
    host = Host({FAST: 0.9})
    host.interrupt_at = 5
    found = host.contest()
    assert found.interrupted
    assert (found.winner, len(found.known)) == (DEFAULT, 6)


@pytest.mark.parametrize("interrupt_at", [0, 5, 13, 30, 10**6])
def test_no_process_is_left_behind(interrupt_at: int) -> None:
    host = Host({FAST: 0.9, GOOD: 0.95})
    host.interrupt_at = interrupt_at
    host.wrong.add((32, 256))
    host.contest()
    assert host.open == 0
