"""Whether the machine kept its speed, in the words of the report."""

from msgspec.structs import replace

from kernelbench.model import Ceiling, Probe
from kernelbench.report.facts import steadiness
from tests.builders import compute


def probed(*values: tuple[float, float]) -> Ceiling:
    probes = tuple(Probe(at_s, value) for at_s, value in values)
    return replace(compute(max(v for _, v in values)), probes=probes)


def test_ceilings_of_a_card_that_were_not_checked_tell_nothing() -> None:
    assert steadiness([probed((-60.0, 1e11))]) == "Steadiness: the ceilings were not probed again during the run."


def test_a_steady_machine_says_how_often_it_was_checked_and_the_least_it_gave() -> None:
    text = steadiness([probed((-60.0, 1e11), (1.0, 0.99e11), (5.0, 0.98e11))])
    assert text == "Steadiness: checked 2 times during the run, the compute ceilings gave 98.0% to 100%."


def test_a_half_speed_episode_is_told_with_its_time() -> None:
    text = steadiness([probed((0.0, 1e11), (10.0, 0.5e11), (20.0, 1e11))])
    assert "gave 50.0% to 100%" in text
    assert "at some half of its speed at 5.00 s to 15.0 s (50.0%)" in text


def test_an_episode_before_the_run_is_not_told() -> None:
    assert "half" not in steadiness([probed((-9.0, 0.5e11), (-5.0, 1e11), (1.0, 1e11), (2.0, 1e11))])
