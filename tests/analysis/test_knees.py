"""Knees on made-up curves with known falls, with noise, and on the sizes that recorded machines claim."""

import math
import random
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.analysis.knees import AGREES, Knee, against_os, knees
from kernelbench.model import Machine, Unknown
from tests.builders import KIB, MIB, machine
from tests.machine import recorded

Detected = Callable[[str], Machine]
CACHES = (32 * KIB, MIB, 16 * MIB)
SPEEDS = (200e9, 110e9, 60e9, 23e9)


def curve(
    caches: Sequence[int] = CACHES, speeds: Sequence[float] = SPEEDS, *, an_octave: int = 4, ramp: float = 0.5,
    noise: float = 0.0, seed: int = 0,
) -> list[tuple[float, float]]:  # fmt: skip
    """4 KiB to 128 MiB; beyond each cache a fall over ``ramp`` octaves; normal noise in log."""
    scatter = random.Random(seed)
    points = []
    for k in range(15 * an_octave + 1):
        size = 4 * KIB * 2 ** (k / an_octave)
        value = math.log(speeds[0])
        for cache, (high, low) in zip(caches, pairwise(speeds), strict=True):
            done = min(1.0, max(0.0, math.log2(size / cache) / ramp))
            value += done * math.log(low / high)
        points.append((size, math.exp(value + scatter.gauss(0, noise))))
    return points


def near(found: Sequence[Knee], caches: Sequence[int]) -> bool:
    return len(found) == len(caches) and all(
        max(knee.bytes / cache, cache / knee.bytes) <= AGREES for knee, cache in zip(found, caches, strict=True)
    )


@pytest.mark.parametrize("an_octave", [2, 4, 8])
@pytest.mark.parametrize("ramp", [0.01, 0.5, 1.0, 2.0])
def test_every_fall_between_plateaus_is_found_once(an_octave: int, ramp: float) -> None:
    assert near(knees(curve(an_octave=an_octave, ramp=ramp)), CACHES)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("an_octave", "noise"), [(2, 0.02), (4, 0.02), (4, 0.05)])
def test_noise_neither_hides_a_fall_nor_makes_one(an_octave: int, noise: float, seed: int) -> None:
    assert near(knees(curve(an_octave=an_octave, noise=noise, seed=seed)), CACHES)


@pytest.mark.parametrize("seed", range(6))
def test_a_flat_noisy_curve_has_no_knee(seed: int) -> None:
    assert knees(curve((), (100e9,), noise=0.05, seed=seed)) == ()


def test_a_slope_over_many_octaves_has_no_knee() -> None:
    slope = [(size, 100e9 * size**-0.08) for size, _ in curve()]
    assert knees(slope) == ()


def test_a_fall_below_12_percent_is_no_knee() -> None:
    assert knees(curve((MIB,), (100e9, 90e9))) == ()
    assert near(knees(curve((MIB,), (100e9, 86e9))), (MIB,))


def test_a_rise_is_no_knee() -> None:
    assert near(knees(curve((16 * KIB, MIB), (80e9, 120e9, 60e9))), (MIB,))


def test_one_outlier_is_no_knee() -> None:
    points = curve((MIB,), (100e9, 50e9))
    points[10] = (points[10][0], 60e9)
    assert near(knees(points), (MIB,))


def test_a_knee_knows_both_plateaus() -> None:
    (knee,) = knees(curve((MIB,), (100e9, 50e9), ramp=0.01))
    assert (knee.before_bytes_per_s, knee.after_bytes_per_s) == (pytest.approx(100e9), pytest.approx(50e9))
    assert MIB <= knee.bytes <= MIB * 2**0.25


@pytest.mark.parametrize("points", [[], [(1024.0, 1e9)], [(2.0**k, 1e9) for k in range(5)], [(0, 1e9), (8, 0)]])
def test_too_few_points_have_no_knee(points: list[tuple[float, float]]) -> None:
    assert knees(points) == ()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(1, 1e12), st.floats(1e3, 1e13)), max_size=30), st.randoms())
def test_knees_lie_within_the_ladder_and_do_not_depend_on_the_order_of_its_points(
    points: list[tuple[float, float]], shuffler: random.Random
) -> None:
    found = knees(points)
    shuffled = points[:]
    shuffler.shuffle(shuffled)
    assert knees(shuffled) == found
    for knee in found:
        assert min(x for x, _ in points) * 0.999 <= knee.bytes <= max(x for x, _ in points) * 1.001
        assert knee.after_bytes_per_s < knee.before_bytes_per_s


def test_sizes_that_the_curve_confirms_agree() -> None:
    found = against_os(knees(curve(noise=0.02)), machine(), 1)
    assert [(m.level, m.os_bytes, m.agrees) for m in found] == [
        ("L1", 32 * KIB, True),
        ("L2", MIB, True),
        ("L3", 16 * MIB, True),
    ]
    assert found[1].text.startswith("the OS claims L2 1 MiB; bandwidth falls at ")


def test_a_cache_that_is_smaller_than_claimed_is_warned_of_with_both_sizes() -> None:
    (_, l2, _) = against_os((Knee(34e3, 2e11, 1e11), Knee(480 * KIB, 1e11, 6e10), Knee(16e6, 6e10, 2e10)), machine(), 1)
    assert not l2.agrees
    assert l2.text == (
        "the OS claims L2 1 MiB; bandwidth falls at 480 KiB: a guest may be lied to, or the cache is shared"
    )


@pytest.mark.parametrize(("factor", "agrees"), [(1.59, True), (1 / 1.59, True), (1.61, False), (1 / 1.61, False)])
def test_a_factor_of_1_6_is_where_agreement_ends(factor: float, agrees: bool) -> None:
    match = against_os((Knee(MIB * factor, 1e11, 5e10),), machine(), 1)[1]
    assert (match.knee_bytes, match.agrees) == (MIB * factor, agrees)


def test_a_claimed_cache_without_a_fall_and_a_fall_without_a_claimed_cache_are_both_told() -> None:
    l1, l2, l3, extra = against_os((Knee(MIB, 1e11, 5e10), Knee(90 * MIB, 5e10, 2e10)), machine(), 1)
    assert (l1.knee_bytes, l1.agrees, l2.agrees, l3.knee_bytes) == (UNSET, False, True, UNSET)
    assert "bandwidth does not fall near it" in l3.text
    assert (extra.level, extra.os_bytes, extra.agrees) == ("", UNSET, False)
    assert extra.text.startswith("bandwidth falls at 90 MiB from 50.0 to 20.0 GB/s, where the OS claims no cache")


def test_with_unknown_caches_the_knees_stand_alone_and_nothing_is_warned_of() -> None:
    blind = replace(machine(), caches=Unknown("no cache folders under /sys"))
    (match,) = against_os((Knee(MIB, 1e11, 5e10),), blind, 1)
    assert (match.level, match.knee_bytes, match.agrees) == ("", MIB, True)
    assert match.text.endswith("cache sizes: unknown (no cache folders under /sys)")


def test_a_shared_cache_is_compared_by_each_thread_s_share() -> None:
    last = against_os((Knee(8 * MIB, 5e10, 2e10),), machine(), 2)[-1]
    assert (last.os_bytes, last.agrees) == (8 * MIB, True)
    assert "the OS claims L3 16 MiB (8 MiB a thread)" in last.text


def test_a_hybrid_machine_is_judged_by_the_kind_of_core_in_use(recorded_machine: Detected) -> None:
    hybrid = recorded_machine(recorded.HYBRID)
    # Performance cores: 48 KiB, 1280 KiB of their own; an efficiency core alone: 32 KiB, 2 MiB of its cluster.
    fast = knees(curve((48 * KIB, 1280 * KIB, 24 * MIB)))
    slow = knees(curve((32 * KIB, 2 * MIB, 24 * MIB)))
    assert all(match.agrees for match in against_os(fast, hybrid, 1, (2,)))
    assert all(match.agrees for match in against_os(fast, hybrid, 1))
    assert all(match.agrees for match in against_os(slow, hybrid, 1, (12,)))
    # Four of them share its L2: 512 KiB each, and a quarter of the L3.
    shared = knees(curve((32 * KIB, 512 * KIB, 6 * MIB)))
    assert all(match.agrees for match in against_os(shared, hybrid, 4, (12, 13, 14, 15)))
    assert [match.agrees for match in against_os(shared, hybrid, 1, (12,))] == [True, False, False]
    assert "L2 1.25 MiB on performance cores" in against_os(fast, hybrid, 1)[1].text


def test_two_last_levels_are_told_apart_by_the_cpus_in_use(recorded_machine: Detected) -> None:
    big_little = recorded_machine(recorded.BIG_LITTLE)
    found = knees(curve((64 * KIB, 2 * MIB, 16 * MIB)))
    assert [m.agrees for m in against_os(found, big_little, 1, (15,))] == [True, True, True]
    assert [m.agrees for m in against_os(found, big_little, 1, (5,))] == [True, True, False]


def test_a_level_that_a_cpu_lacks_is_not_claimed_for_it(recorded_machine: Detected) -> None:
    odd = recorded_machine(recorded.ASYMMETRIC)
    assert [m.level for m in against_os(knees(curve((4 * MIB,), (100e9, 30e9))), odd, 1, (1,))] == ["L2"]
