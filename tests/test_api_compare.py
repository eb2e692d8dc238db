"""``kb.compare``: two functions in turns, and what may be said of them."""

import doctest

import numba
import numpy as np
import pytest
from msgspec import UNSET

import kernelbench as kb
from kernelbench.api import paired as module
from kernelbench.api.paired import paired
from kernelbench.api.turns import Call, Rounds, judged, sides
from tests.turns_data import FakeTurns

NAMES = ("old", "new")


@numba.njit
def doubles(x, y):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        y[i] = 2 * x[i]


@numba.njit
def grows(x, y):  # type: ignore[no-untyped-def]
    for i in range(x.size):
        y[i] += x[i]


def told(ratio: float, scatter: float = 0.0, most_s: float = 10.0) -> kb.Paired:
    return paired(NAMES, judged(FakeTurns(ratio, scatter).setting(most_s), 0.05))


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(1.0, "unchanged"), (1.02, "unchanged"), (1.2, "regressed"), (0.8, "improved")]
)
def test_the_verdict_is_that_of_the_interval_against_the_threshold(ratio: float, verdict: str) -> None:
    found = told(ratio, scatter=0.01)
    assert found.verdict == verdict
    assert found.ratio == pytest.approx(ratio, rel=0.02)


def test_a_change_is_confirmed_on_fresh_rounds() -> None:
    assert told(1.2).reason == "beyond 5.0%: seen in 6 rounds, confirmed in 8 fresh ones"


def test_times_that_scatter_over_the_threshold_are_ambiguous_and_say_what_would_have_been_seen() -> None:
    found = told(1.05, scatter=0.3)
    assert found.verdict == "ambiguous"
    assert "would have been seen" in found.reason


def test_too_little_time_is_ambiguous_and_says_what_to_do() -> None:
    found = told(1.2, most_s=0.001)
    assert (found.verdict, found.low) == ("ambiguous", UNSET)
    assert "pass a larger seconds=" in found.reason


def test_both_sides_take_turns_in_random_order() -> None:
    turns = FakeTurns(1.0)
    judged(turns.setting(), 0.05)
    pairs = list(zip(turns.taken[::2], turns.taken[1::2], strict=True))
    assert set(pairs) == {(0, 1), (1, 0)}


def test_long_calls_are_timed_one_pair_a_round() -> None:
    turns = FakeTurns(1.0)
    Rounds(turns.setting(slice_s=0.5)).next()
    assert sorted(turns.taken) == [0, 1]


def test_it_reads_as_one_line() -> None:
    assert str(told(0.8)) == (
        "improved: new takes 0.800x the time of old (95% interval 0.800 to 0.800); old 1.00 us, new 800 ns"
    )


def test_a_notebook_gets_the_line_the_interval_and_the_notes() -> None:
    html = paired(("<b>", "new"), judged(FakeTurns(0.8).setting(), 0.05), ("a note",))._repr_html_()
    assert "<li>a note</li>" in html
    assert "data:image/svg+xml;base64," in html
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_functions_of_one_call_work_in_the_same_memory_and_not_in_the_callers() -> None:
    x, y = np.ones(64), np.zeros(64)
    both = sides(Call(doubles, (x, y)), Call(lambda a, b: np.multiply(a, 2, out=b), (x, y)), check=True).both
    assert both[0].prepared.args[0] is both[1].prepared.args[0]
    assert not y.any()


def test_one_that_works_in_place_finds_its_operands_anew_in_each_turn() -> None:
    x, y = np.ones(64), np.zeros(64)
    found = sides(Call(grows, (x, y)), Call(grows, (x, y)), check=True)
    side = found.both[0]
    side.turn(1, 1, long=True)
    side.turn(1, 1, long=True)
    assert side.restore
    assert np.array_equal(side.prepared.args[1], x), "one call since"


def test_results_that_disagree_are_no_comparison() -> None:
    with pytest.raises(kb.UsageError, match=r"doubles and grows disagree .* \(args\[1\]: 64 of 64 .*check=False"):
        kb.compare(doubles, grows, (np.ones(64), np.zeros(64)))


def test_one_compiled_and_one_called_from_python_is_told() -> None:
    x, y = np.ones(64), np.zeros(64)
    found = sides(Call(doubles, (x, y)), Call(lambda a, b: np.multiply(a, 2, out=b), (x, y)), check=True)
    assert found.notes == ("the time of <lambda> includes the call from Python, that of the other does not",)


def test_two_functions_of_one_name_are_told_apart() -> None:
    both = sides(Call(lambda: 1, ()), Call(lambda: 1, ()), check=True)
    assert both.names == ("<lambda> (first)", "<lambda> (second)")


@pytest.mark.parametrize(("g", "args"), [(3, ()), (np.negative, np.ones(3))])
def test_what_cannot_be_called_so_is_told(g: object, args: object) -> None:
    with pytest.raises(kb.UsageError, match=r"cannot be called|args is one array"):
        kb.compare(np.negative, g, args)  # type: ignore[arg-type]


def test_what_one_process_cannot_see_is_told() -> None:
    found = kb.compare(doubles, doubles, (np.ones(64), np.zeros(64)), seconds=0.2)
    assert "one process, one placement" in found.notes[-1]


@pytest.mark.parametrize("bad", [0, -0.1, float("nan"), float("inf")])
def test_a_threshold_is_above_zero(bad: float) -> None:
    with pytest.raises(kb.UsageError, match=r"must be above 0; 0\.05 lets up to 5% pass"):
        kb.compare(doubles, doubles, (np.ones(2), np.ones(2)), threshold=bad)


def test_the_examples_in_the_docstrings_are_right() -> None:
    found = doctest.testmod(module, extraglobs={"kb": kb, "np": np})
    assert (found.failed, found.attempted > 0) == (0, True)
