"""Bounds other than a speedup, judged on one case: seconds, the roof, accuracy."""

import msgspec
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.analysis.expectations import Judged, judge
from kernelbench.expect import Rule
from kernelbench.model import Accuracy, Record, Work
from tests.builders import case, matmul_work, record, result

STEADY = (1.0, 1.001, 1.002, 0.999, 0.998, 1.0)
TILED = case("matmul/tiled")


def times(factor: float) -> list[float]:
    return [1e-3 * factor * p for p in STEADY]


def judged(rule: dict[str, object], of: Record, **more: object) -> Judged:
    (one,) = judge([msgspec.convert(rule, Rule)], result([of], **more))
    return one


@pytest.mark.parametrize(("bound", "state"), [(1.2e-3, "pass"), (1e-3, "undecided"), (0.9e-3, "fail")])
def test_seconds_are_judged_by_the_interval_of_the_median(bound: float, state: str) -> None:
    assert judged({"max_seconds": bound}, record(TILED, times(1))).state == state


# 2 * 512^3 FLOP at the builders' 117 GFLOP/s.
ROOF_S = 2 * 512**3 / 117e9


@pytest.mark.parametrize(("share", "state"), [(0.75, "pass"), (0.65, "fail"), (0.7, "undecided")])
def test_the_share_of_the_roof_comes_from_the_best_sample_of_each_round(share: float, state: str) -> None:
    # The builders' rounds scatter by 1% of their median: the best is 0.99 of it.
    seconds = [ROOF_S / share / 0.99 * p for p in STEADY]
    one = judged({"min_roof_fraction": 0.7}, record(TILED, seconds))
    assert one.state == state
    assert one.checks[0].value == pytest.approx(share, rel=2e-3)


def test_a_case_without_a_roof_is_not_decidable() -> None:
    one = judged({"min_roof_fraction": 0.7}, record(TILED), ceilings=())
    assert one.state == "undecided"
    assert "it has no roof: " in one.reason


def test_a_case_above_its_roof_without_an_explanation_does_not_pass() -> None:
    one = judged({"min_roof_fraction": 0.7}, record(TILED, [ROOF_S / 3] * 6))
    assert one.state == "undecided"
    assert "its work model or roof is in doubt" in one.reason


def test_a_case_with_a_roof_unknown_cannot_fail_it() -> None:
    bare = replace(matmul_work(512), working_set_bytes=UNSET)
    one = judged({"min_roof_fraction": 0.7}, record(TILED, [ROOF_S * 2] * 6, work=bare))
    assert one.state == "undecided"
    assert "a roof is not known: no memory roof" in one.reason


def test_a_kernel_that_only_moves_data_can_fail_its_roof() -> None:
    work = Work("modelled", read_bytes=4e6, write_bytes=4e6, working_set_bytes=8e6)
    copy = record(case("copy/naive", shape={"n": 1000000}), [1.0] * 6, work=work)
    assert judged({"min_roof_fraction": 0.7}, copy).state == "fail"


@pytest.mark.parametrize(("bound", "state"), [(3.1e-7, "pass"), (3.0e-7, "fail")])
def test_an_error_is_exact_and_needs_no_rounds(bound: float, state: str) -> None:
    one = judged({"max_error": bound}, record(TILED, times(1)[:1]))
    assert one.state == state
    assert "3.1e-07 (max |error| / (|A| |B|), against the float64 reference)" in one.reason


@pytest.mark.parametrize(("bound", "state"), [(130, "pass"), (131, "fail")])
def test_a_signal_to_noise_ratio_is_exact(bound: float, state: str) -> None:
    assert judged({"min_snr_db": bound}, record(TILED)).state == state


@pytest.mark.parametrize(("value", "state"), [(0.0, "pass"), (1e-9, "undecided")])
def test_without_a_signal_to_noise_ratio_only_an_exact_result_passes(value: float, state: str) -> None:
    accuracy = Accuracy("wrong integers", value, "int64 reference", 0.0)
    assert judged({"min_snr_db": 40}, record(TILED, accuracy=accuracy)).state == state


def test_a_result_of_which_no_accuracy_was_recorded_is_not_decidable() -> None:
    assert judged({"max_error": 1}, record(TILED, accuracy=UNSET)).state == "undecided"
