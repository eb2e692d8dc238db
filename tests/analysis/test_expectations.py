"""Rules judged on one result."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kernelbench.analysis.expectations import Judged, judge, judge_own, keep, kept
from kernelbench.errors import ResultFileError
from kernelbench.expect import Rule
from kernelbench.model import Failed, Interference, Measured, Record, Round, Skipped, Work
from tests.builders import case, record, result, rounds

STEADY = (1.0, 1.001, 1.002, 0.999, 0.998, 1.0)
NAIVE, TILED = case("matmul/naive"), case("matmul/tiled")
CRASHED = Failed("timing", "the worker died by SIGSEGV")


def times(factor: float, pattern: tuple[float, ...] = STEADY) -> list[float]:
    return [1e-3 * factor * p for p in pattern]


def judged(rule: dict[str, object], *records: Record, **more: object) -> Judged:
    (one,) = judge([msgspec.convert(rule, Rule)], result(records, **more))
    return one


FASTER = {"kernel": "matmul/tiled", "faster_than": "matmul/naive", "by": 5}


def faster(own: list[float], its: list[float]) -> Judged:
    return judged(FASTER, record(NAIVE, its), record(TILED, own))


@pytest.mark.parametrize(("factor", "state"), [(6, "pass"), (4, "fail"), (5.0, "undecided")])
def test_a_speedup_is_judged_by_its_whole_interval(factor: float, state: str) -> None:
    assert faster(times(1), times(factor, (1.0, 1.01, 0.99, 1.005, 0.995, 1.002))).state == state


def test_an_interval_that_holds_the_bound_says_what_would_decide() -> None:
    one = faster(times(1), times(5, (0.9, 1.1, 0.95, 1.05, 1.0, 1.02)))
    assert one.state == "undecided"
    assert "holds 5x: more rounds narrow it, such as --rounds 12" in one.reason


def test_both_cases_are_compared_round_by_round_so_that_a_slow_round_slows_both() -> None:
    wild = (1.0, 3.0, 0.5, 2.0, 1.5, 0.7)
    one = faster(times(1, wild), times(6, wild))
    assert one.state == "pass"
    assert one.checks[0].low == pytest.approx(6)


def test_a_round_that_measured_only_one_of_both_does_not_count() -> None:
    own = Measured("compiled loop", False, rounds(times(1))[:5])
    one = judged(FASTER, record(NAIVE, times(9)), record(TILED, own))
    assert (one.state, one.checks[0].rounds) == ("undecided", 5)


def test_superseded_rounds_do_not_count() -> None:
    slow, *rest = rounds(times(1))
    again = (replace(slow, samples_s=(1.0,), superseded=True), slow, *rest)
    one = judged(FASTER, record(NAIVE, times(6)), record(TILED, Measured("compiled loop", False, again)))
    assert (one.state, one.checks[0].rounds) == ("pass", 6)


def test_below_six_rounds_nothing_is_decided_however_clear_it_looks() -> None:
    one = faster(times(1)[:5], times(100)[:5])
    assert one.state == "undecided"
    assert "100x over 5 rounds; an interval needs 6: give --rounds 6 or more" in one.reason


@pytest.mark.parametrize("side", [NAIVE, TILED])
def test_a_crashed_case_fails_every_rule_it_is_part_of(side: object) -> None:
    one = judged(FASTER, *(record(c, CRASHED if c is side else times(1)) for c in (NAIVE, TILED)))
    assert one.state == "fail"
    assert "timing: the worker died by SIGSEGV" in one.reason


def test_a_speedup_over_nothing_is_not_decidable_and_says_what_is_missing() -> None:
    one = judged(FASTER, record(TILED))
    assert (one.state, one.reason) == (
        "undecided",
        f"{TILED.id}: nothing to compare with: no case of this run is matmul/naive on the same problem",
    )


def test_a_speedup_over_a_skipped_case_gives_the_reason_of_the_skip() -> None:
    one = judged(FASTER, record(TILED), record(NAIVE, Skipped("too large"), work=Work("absent")))
    assert f"nothing to compare with: {NAIVE.id} was skipped: too large" in one.reason


def test_a_rule_that_matches_nothing_is_not_decidable() -> None:
    assert (judged(FASTER).state, judged(FASTER).reason) == ("undecided", "no case of this run matches")


def test_cases_that_the_plan_skipped_are_left_out_and_counted() -> None:
    gone = record(case("matmul/tiled", "f64"), Skipped("no memory"), work=Work("absent"))
    one = judged({"kernel": "matmul/tiled", "max_error": 1e-5}, record(TILED), gone)
    assert (one.state, one.left_out) == ("pass", 1)
    assert one.reason.endswith("; 1 more skipped")
    alone = judged({"kernel": "matmul/tiled", "max_error": 1e-5}, gone)
    assert (alone.state, alone.reason) == ("undecided", f"{gone.case.id} was skipped: no memory")


def test_a_case_that_was_not_reached_leaves_its_rule_undecided() -> None:
    late = record(case("matmul/tiled", "f64"), Skipped("the run ended before its first round"))
    one = judged({"kernel": "matmul/tiled", "max_error": 1e-5}, record(TILED), late)
    assert one.state == "undecided"
    assert "not measured: the run ended before its first round" in one.reason


def test_the_variant_that_a_rule_compares_with_is_not_compared_with_itself() -> None:
    one = judged(
        {"kernel": "matmul/*", "faster_than": "matmul/naive"}, record(NAIVE, times(6)), record(TILED, times(1))
    )
    assert [check.case_id for check in one.checks] == [TILED.id]
    alone = judged({"kernel": "matmul/naive", "faster_than": "matmul/naive"}, record(NAIVE))
    assert alone.reason == "every case that matches is itself the one to be faster than"


def test_of_several_others_a_case_must_be_faster_than_each() -> None:
    rule = {"kernel": "matmul/tiled", "faster_than": "matmul/*"}
    slow, fast = record(NAIVE, times(6)), record(case("matmul/library"), times(0.5))
    one = judged(rule, record(TILED, times(1)), slow, fast)
    assert [check.state for check in one.checks] == ["pass", "fail"]
    assert one.state == "fail"
    assert one.reason.startswith(f"1 of 2 cases, the worst {TILED.id} against matmul/library/f32/n=512/t=1: 0.500x")


def test_threads_are_compared_within_one_variant() -> None:
    one, two = (record(case("matmul/parallel", threads=t), times(1 / s)) for t, s in ((1, 1), (2, 1.9)))
    rule = {"kernel": "matmul/parallel", "threads": 2, "faster_than": {"threads": 1}, "by": 1.6}
    assert judged(rule, one, two).state == "pass"
    assert judged({**rule, "by": 2}, one, two).state == "fail"


def test_types_are_compared_across_variants() -> None:
    quantized, plain = record(case("matmul/int8", "i8"), times(1)), record(TILED, times(3))
    rule = {"kernel": "matmul/int8", "faster_than": {"kernel": "matmul/tiled", "dtype": "f32"}, "by": 2}
    assert judged(rule, quantized, plain).state == "pass"


def test_cases_of_two_machines_are_not_compared() -> None:
    there = record(NAIVE, times(9), machine="ffffffffffff")
    assert "nothing to compare with" in judged(FASTER, record(TILED), there).reason


def test_a_rule_passes_only_when_all_its_cases_do_and_names_the_closest() -> None:
    sizes = [{"m": n, "n": n, "k": n} for n in (256, 512)]
    pairs = [
        record(case(f"matmul/{name}", shape=shape), times(factor))
        for shape, gain in zip(sizes, (8, 6), strict=True)
        for name, factor in (("naive", gain), ("tiled", 1))
    ]
    one = judged(FASTER, *pairs)
    assert one.state == "pass"
    assert one.reason.startswith("2 cases, the closest matmul/tiled/f32/n=512/t=1 against")
    assert judged({**FASTER, "by": 7}, *pairs).state == "fail"


def disturbed(factor: float, quiet: int) -> Measured:
    made = [
        Round(i, 0.0, (1e-3 * factor,) * 3, 1, i, interference=Interference(disturbed=(i >= quiet,) * 3))
        for i in range(6)
    ]
    return Measured("compiled loop", False, tuple(made))


@pytest.mark.parametrize(("quiet", "state"), [(2, "undecided"), (3, "fail")])
def test_a_case_that_hardly_ever_got_a_quiet_machine_does_not_fail_by_its_time(quiet: int, state: str) -> None:
    one = judged(FASTER, record(NAIVE, times(4)), record(TILED, disturbed(1, quiet)))
    assert one.state == state
    assert ("undisturbed in only 2 of 6 rounds" in one.reason) == (state == "undecided")


@pytest.mark.parametrize(("quiet", "state"), [(2, "undecided"), (3, "pass")])
def test_nor_does_it_flatter_the_case_that_is_compared_with_it(quiet: int, state: str) -> None:
    one = judged(FASTER, record(NAIVE, disturbed(6, quiet)), record(TILED, times(1)))
    assert one.state == state


@pytest.mark.parametrize(("gain", "state"), [(0.9, "fail"), (1.3, "undecided"), (19, "undecided"), (21, "pass")])
def test_what_even_a_busy_host_cannot_explain_is_decided_nevertheless(gain: float, state: str) -> None:
    # The bound is 5; a busy host explains a factor of 4.
    one = judged(FASTER, record(NAIVE, disturbed(gain, 0)), record(TILED, disturbed(1, 0)))
    assert one.state == state


def test_a_disturbed_case_that_keeps_its_bound_nevertheless_passes() -> None:
    assert judged(FASTER, record(NAIVE, times(6)), record(TILED, disturbed(1, 0))).state == "pass"


def test_what_was_judged_survives_the_result_file() -> None:
    made = result([record(TILED), record(NAIVE, CRASHED)], config={"expect": [FASTER, {"max_error": 1}]})
    done = judge_own(made)
    stored = msgspec.json.decode(msgspec.json.encode(keep(made, done)), type=type(made))
    assert kept(stored) == done
    assert "null" not in json.dumps(stored.expectations)


@pytest.mark.parametrize(
    "damaged",
    [
        {"rule": 3},
        {"rule": "x", "state": "maybe", "reason": "", "bound": "max_error", "limit": 1.0},
        {"rule": "x", "state": "pass", "reason": "", "bound": "else", "limit": 1.0},
        {"rule": "x", "state": "pass", "reason": "", "bound": "max_error", "limit": 1.0, "checks": [1]},
    ],
)
def test_a_damaged_expectation_is_one_clear_line(damaged: dict[str, object]) -> None:
    with pytest.raises(ResultFileError, match="expectations in the result are damaged") as caught:
        kept(result((), expectations=(damaged,)))
    assert "\n" not in str(caught.value)


seconds = st.floats(1e-9, 1e3)


@given(st.lists(st.tuples(seconds, seconds), min_size=1, max_size=12), st.floats(0.01, 100))
def test_a_bound_is_never_both_kept_and_missed_and_the_interval_holds_the_median(
    pairs: list[tuple[float, float]], by: float
) -> None:
    def check(bound: float) -> Judged:
        its, own = zip(*pairs, strict=True)
        return judged({**FASTER, "by": bound}, record(NAIVE, list(its)), record(TILED, list(own)))

    one = check(by)
    (done,) = one.checks
    assert one.state == done.state
    if len(pairs) < 6:
        assert one.state == "undecided"
        return
    assert done.low <= done.value <= done.high
    assert (one.state == "pass") == (done.low >= by)
    # What was kept stays kept under a weaker bound, what was missed stays missed under a stronger one.
    assert one.state != "pass" or check(by / 2).state == "pass"
    assert one.state != "fail" or check(by * 2).state == "fail"
