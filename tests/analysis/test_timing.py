"""What the samples of a case amount to."""

from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.analysis.timing import timing
from kernelbench.model import Interference, Measured, Round, Skipped
from tests.builders import record


def measured(*rounds: Round) -> Measured:
    return Measured("compiled loop", False, rounds)


def test_the_median_is_that_of_the_round_medians_and_the_best_is_over_all_samples() -> None:
    rounds = (Round(0, 0.0, (1.0, 2.0, 9.0), 1, 0), Round(1, 1.0, (4.0, 4.0, 4.0), 1, 1), Round(2, 2.0, (3.0,), 1, 2))
    found = timing(record(outcome=measured(*rounds)))
    assert found is not UNSET
    assert (found.round_medians_s, found.median_s, found.best_s) == ((2.0, 4.0, 3.0), 3.0, 1.0)


def test_superseded_rounds_do_not_count() -> None:
    good = Round(0, 0.0, (2.0,), 1, 0)
    found = timing(record(outcome=measured(good, replace(good, samples_s=(0.1,), superseded=True))))
    assert found is not UNSET
    assert (found.best_s, len(found.round_medians_s)) == (2.0, 1)


def test_a_case_without_a_round_that_counts_has_no_timing() -> None:
    assert timing(record(outcome=measured(Round(0, 0.0, (1.0,), 1, 0, superseded=True)))) is UNSET
    assert timing(record(outcome=Skipped("too large"))) is UNSET


def test_a_time_of_zero_is_not_a_time() -> None:
    assert timing(record(outcome=measured(Round(0, 0.0, (0.0, 1.0), 1, 0)))) is UNSET


def test_rounds_that_scatter_by_more_than_a_tenth_are_noisy() -> None:
    steady, noisy = timing(record(outcome=[1.0, 1.01, 1.02])), timing(record(outcome=[1.0, 1.01, 1.2]))
    assert steady is not UNSET
    assert noisy is not UNSET
    assert (steady.noisy, noisy.noisy) == (False, True)


def marked(samples_s: tuple[float, ...], disturbed: tuple[bool, ...]) -> Round:
    return Round(0, 0.0, samples_s, 1, 0, interference=Interference(disturbed=disturbed))


def test_a_round_stands_for_its_undisturbed_samples() -> None:
    found = timing(record(outcome=measured(marked((9.0, 1.0, 1.1, 1.2, 8.0), (True, False, False, False, True)))))
    assert found is not UNSET
    assert (found.median_s, found.quiet_rounds) == (1.1, 1)


def test_one_or_two_undisturbed_samples_are_too_few_to_stand_for_a_round() -> None:
    found = timing(record(outcome=measured(marked((9.0, 1.0, 8.0, 7.0), (True, False, True, True)))))
    assert found is not UNSET
    assert (found.median_s, found.quiet_rounds) == (7.5, 0)


def test_a_round_that_does_not_say_which_samples_were_disturbed_counts_whole() -> None:
    found = timing(record(outcome=measured(marked((1.0, 2.0, 3.0), ()))))
    assert found is not UNSET
    assert (found.median_s, found.quiet_rounds) == (2.0, 1)
