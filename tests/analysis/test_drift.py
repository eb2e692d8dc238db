"""Half-speed episodes and drift from the timestamped probes of ceilings."""

import pytest
from msgspec.structs import replace

from kernelbench.analysis.drift import Episode, drift_at, episodes
from kernelbench.model import Ceiling, Probe
from tests.builders import compute, memory


def probed(of: Ceiling, *values: tuple[float, float]) -> Ceiling:
    """``of`` with probes at the given seconds, as shares of its value."""
    assert isinstance(of.value, float)
    return replace(of, probes=tuple(Probe(at, share * of.value) for at, share in values))


FMA = compute(100e9)
READ = memory(20e9, 1 << 26, level="DRAM")
LATENCY = Ceiling("latency/65536/t=1", "latency", "m", 1, "s", value=1e-9)


def test_a_slow_probe_is_an_episode_halfway_to_its_neighbours() -> None:
    found = episodes([probed(FMA, (-2.0, 1.0), (4.0, 0.5), (6.0, 0.98), (9.0, 0.97))])
    assert found == (Episode(1.0, 5.0, 0.5, FMA.id),)


def test_slow_probes_in_a_row_are_one_episode_with_the_lowest_share() -> None:
    found = episodes([probed(FMA, (0.0, 1.0), (2.0, 0.55), (4.0, 0.45), (6.0, 1.0))])
    assert found == (Episode(1.0, 5.0, pytest.approx(0.45), FMA.id),)


def test_two_slow_stretches_apart_are_two_episodes() -> None:
    found = episodes([probed(FMA, (0.0, 0.5), (2.0, 1.0), (4.0, 1.0), (6.0, 0.5))])
    assert [(e.start_s, e.end_s) for e in found] == [(0.0, 1.0), (5.0, 6.0)]


def test_a_machine_that_lost_some_percent_has_no_episode() -> None:
    assert episodes([probed(FMA, (0.0, 1.0), (1.0, 0.61))]) == ()
    assert len(episodes([probed(FMA, (0.0, 1.0), (1.0, 0.61))], slow=0.7)) == 1


def test_overlapping_episodes_of_one_kind_are_told_once_and_name_the_worst() -> None:
    other = compute(50e9, "f64")
    found = episodes([
        probed(FMA, (0.0, 1.0), (2.0, 0.5), (4.0, 1.0)),
        probed(other, (1.0, 1.0), (3.0, 0.4), (5.0, 1.0)),
    ])  # fmt: skip
    assert found == (Episode(1.0, 4.0, pytest.approx(0.4), other.id),)


def test_slow_memory_beside_a_steady_core_is_told_apart() -> None:
    found = episodes([
        probed(FMA, (0.0, 1.0), (2.0, 1.0), (4.0, 0.5)),
        probed(READ, (0.0, 1.0), (3.0, 0.5), (6.0, 1.0)),
    ])  # fmt: skip
    assert [(e.ceiling_id, e.start_s) for e in found] == [(READ.id, 1.5), (FMA.id, 3.0)]


def test_a_latency_is_slow_when_it_is_long() -> None:
    found = episodes([probed(LATENCY, (0.0, 1.0), (2.0, 2.0), (4.0, 1.0))])
    assert found == (Episode(1.0, 3.0, 0.5, LATENCY.id),)


@pytest.mark.parametrize("given", [[], [replace(FMA, probes=())], [probed(FMA, (1.0, 1.0))]])
def test_without_two_probes_nothing_is_known_to_drift(given: list[Ceiling]) -> None:
    assert episodes(given) == ()
    assert drift_at(given, 1.0) == 1.0


@pytest.mark.parametrize(("at_s", "share"), [(-9.0, 1.0), (0.9, 1.0), (1.1, 0.8), (2.9, 0.8), (3.1, 0.5), (99.0, 0.5)])
def test_drift_is_read_off_the_probe_nearest_in_time(at_s: float, share: float) -> None:
    assert drift_at([probed(FMA, (0.0, 1.0), (2.0, 0.8), (4.0, 0.5))], at_s) == pytest.approx(share)


def test_one_disturbed_ceiling_of_three_does_not_move_the_drift() -> None:
    steady = probed(FMA, (0.0, 1.0), (2.0, 0.99))
    assert drift_at([steady, probed(READ, (0.0, 1.0), (2.0, 0.3)), steady], 2.0) == pytest.approx(0.99)


def test_a_skipped_ceiling_tells_nothing() -> None:
    assert episodes([Ceiling("c", "compute", "m", 1, "FLOP/s", skipped="no AVX-512 here")]) == ()
