"""Which bound the measured changes support, for evidence with made-up times."""

import pytest
from msgspec.structs import replace

from kernelbench.analysis.bounds import Evidence, diagnose
from kernelbench.model import Counterfactual

LEVELS = ("L1", "L2", "L3")


def seen(level: str = "L1", *, dispatch: float = 0.001, threads: int = 1, **gains: float) -> Evidence:
    """A call of 1 s; ``gains``: how many times faster with each change ("no_divides" for "no divides")."""
    names = {name.replace("_", " "): gain for name, gain in gains.items()}
    changes = tuple(Counterfactual(name, "", "call", 1.0, 1.0 / gain) for name, gain in names.items())
    return Evidence(1.0, dispatch, level, LEVELS, changes, threads)


@pytest.mark.parametrize(
    ("evidence", "kind"),
    [
        (seen(chains_cut=5.0, no_arithmetic=6.0), "latency"),
        (seen(no_divides=3.0, no_arithmetic=3.5), "divide"),
        (seen(sorted_indices=4.0, inside_L1=9.0, level="DRAM"), "gather"),
        (seen(no_transcendentals=4.0, no_arithmetic=4.0), "transcendental"),
        (seen(no_unpacking=2.0, no_arithmetic=2.0), "unpacking"),
        (seen(no_arithmetic=8.0), "compute"),
        (seen(dispatch=0.8, no_arithmetic=3.0), "dispatch"),
    ],
)
def test_the_change_that_helps_names_the_bound(evidence: Evidence, kind: str) -> None:
    assert [cause.kind for cause in diagnose(evidence).causes] == [kind]


@pytest.mark.parametrize("level", ["L2", "L3", "DRAM"])
def test_work_that_is_faster_in_a_nearer_level_is_bound_by_the_bandwidth_of_its_own(level: str) -> None:
    (cause,) = diagnose(seen(level, inside_L1=2.0, no_arithmetic=1.0, no_loads_and_stores=6.0)).causes
    assert (cause.kind, cause.level, cause.counterfactual) == ("bandwidth", level, "inside L1")


def test_accesses_that_hold_a_kernel_wherever_it_lives_are_those_of_l1() -> None:
    (cause,) = diagnose(seen(no_loads_and_stores=2.5, no_arithmetic=1.0)).causes
    assert (cause.kind, cause.level) == ("bandwidth", "L1")


def test_changes_that_help_alike_are_not_told_apart() -> None:
    found = diagnose(seen(no_loads_and_stores=2.0, no_arithmetic=2.0))
    assert {cause.kind for cause in found.causes} == {"compute", "bandwidth"}
    assert found.text.startswith("not told apart: ")


def test_without_a_change_that_helps_no_cause_is_named() -> None:
    found = diagnose(seen(no_arithmetic=1.05, chains_cut=0.9))
    assert found.causes == ()
    assert found.text.startswith("not known: ")


def on_two_threads(factor: float, **alone: float) -> Evidence:
    """Two threads that take ``factor`` of one thread's time."""
    one = Counterfactual("one thread", "", "call", 1.0, 1.0 / factor)
    single = seen("L1" if "inside_L1" not in alone else "DRAM", **alone)
    return Evidence(1.0, 0.001, "L1", LEVELS, (one,), 2, alone=single)


def test_threads_that_gain_little_on_what_is_their_own_are_out_of_balance() -> None:
    (cause,) = diagnose(on_two_threads(0.9, chains_cut=5.0)).causes
    assert (cause.kind, cause.counterfactual) == ("imbalance", "one thread")


def test_threads_that_gain_little_on_shared_memory_wait_for_that() -> None:
    causes = diagnose(on_two_threads(0.9, inside_L1=5.0)).causes
    assert "imbalance" not in [cause.kind for cause in causes]


def test_threads_that_gain_fully_are_judged_by_what_holds_one() -> None:
    (cause,) = diagnose(on_two_threads(0.51, chains_cut=5.0)).causes
    assert cause.kind == "latency"


def test_operands_that_pass_far_below_a_level_s_bandwidth_are_bound_by_accesses_to_it() -> None:
    evidence = seen("L3", inside_L1=20.0, no_arithmetic=1.0)
    (cause,) = diagnose(replace(evidence, bandwidth_share=0.05)).causes
    assert (cause.kind, cause.name) == ("bandwidth", "L3 accesses")
    assert any(sentence.startswith("its operands pass at 5.0% of the bandwidth") for sentence in cause.evidence)
    (cause,) = diagnose(replace(evidence, bandwidth_share=0.8)).causes
    assert cause.name == "L3 bandwidth"


def test_memory_that_takes_more_of_the_time_than_a_chain_is_named_first() -> None:
    found = diagnose(seen("DRAM", inside_L1=2.5, chains_cut=1.5))
    assert [cause.kind for cause in (*found.causes, *found.also)] == ["bandwidth", "latency"]
