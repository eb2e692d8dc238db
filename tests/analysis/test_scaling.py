"""Cases that differ in one thing only, and what threads bring."""

from typing import Any

import pytest

from kernelbench.analysis.scaling import Timed, alike_but, teams
from tests.builders import case


def timed(variant: str, median_s: float, threads: int = 1, **more: Any) -> Timed:
    return Timed(case(variant, threads=threads, **more), more.pop("machine", "m"), median_s)


def test_cases_that_differ_in_the_instruction_set_alone_belong_together() -> None:
    low, high = timed("matmul/tiled", 2.0, isa="sse2"), timed("matmul/tiled", 1.0, isa="avx2")
    other = timed("matmul/packed", 1.0, isa="avx2")
    assert alike_but([low, high, other], "isa") == ((low, high),)


def test_cases_that_differ_in_two_things_do_not_belong_together() -> None:
    warm, cold = timed("triad/naive", 1.0), timed("triad/naive", 3.0, threads=2, cache="cold")
    assert alike_but([warm, cold], "cache") == ()


def test_only_what_cases_may_differ_in_alone_can_be_asked_for() -> None:
    with pytest.raises(ValueError, match=r"'dtype'.*threads, isa, cache"):
        alike_but([], "dtype")


def test_a_variant_is_compared_with_itself_on_one_thread() -> None:
    one, many = timed("matmul/parallel", 1.0), timed("matmul/parallel", 0.4, threads=4)
    faster = timed("matmul/packed", 0.8)
    (team,) = teams([faster, one, many])
    assert (team.one, team.same_variant) == (one, True)
    assert team.speedup == pytest.approx(2.5)
    assert team.efficiency == pytest.approx(0.625)


def test_a_variant_that_needs_threads_is_compared_with_the_fastest_sibling_on_one() -> None:
    slow, fast = timed("matmul/naive", 8.0), timed("matmul/packed", 2.0)
    many, library = timed("matmul/parallel", 1.0, threads=2), timed("matmul/library", 0.5)
    (team,) = teams([slow, fast, many, library])
    assert (team.one, team.same_variant) == (fast, False)
    assert team.speedup == pytest.approx(2.0)


def test_a_library_is_not_compared_with_own_code() -> None:
    assert teams([timed("matmul/tiled", 1.0), timed("matmul/library", 0.5, threads=2)]) == ()


@pytest.mark.parametrize("other", [{"dtype": "f64"}, {"shape": {"m": 8, "n": 8, "k": 8}}, {"params": {"causal": 0}}])
def test_another_problem_on_one_thread_is_no_baseline(other: dict[str, Any]) -> None:
    params = {"params": {"causal": 1}}
    serial = Timed(case("matmul/tiled", **{**params, **other}), "m", 1.0)
    assert teams([serial, timed("matmul/parallel", 0.5, threads=2, **params)]) == ()


def test_another_machine_is_no_baseline() -> None:
    here, there = case("matmul/parallel"), case("matmul/parallel", threads=2)
    assert teams([Timed(here, "a", 1.0), Timed(there, "b", 0.5)]) == ()
