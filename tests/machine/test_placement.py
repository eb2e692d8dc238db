"""Which CPUs threads are pinned to, and what share of the caches each sees."""

from collections.abc import Callable

import msgspec
import pytest

from kernelbench.errors import UsageError
from kernelbench.machine import cache_levels, last_level_bytes, placement
from kernelbench.machine.cpulist import parse
from kernelbench.model import Machine, Unknown
from tests.machine import recorded

KIB, MIB = 1 << 10, 1 << 20
Detected = Callable[[str], Machine]


def allowed(machine: Machine, affinity: str) -> Machine:
    """``machine`` with another affinity mask."""
    limits = msgspec.structs.replace(machine.limits, affinity=affinity, usable_threads=len(parse(affinity)))
    return msgspec.structs.replace(machine, limits=limits)


def test_cores_come_before_smt_siblings_and_cpu_0_is_the_last_core(machine: Detected) -> None:
    cpus = placement(machine(recorded.EPYC), 96)
    assert cpus[:48] == (*range(1, 48), 0)
    assert cpus[48:] == (*range(49, 96), 48)


def test_performance_cores_come_first_with_all_their_threads(machine: Detected) -> None:
    cpus = placement(machine(recorded.HYBRID), 20)
    assert cpus == (2, 4, 6, 8, 10, 0, 3, 5, 7, 9, 11, 1, *range(12, 20))


def test_big_arm_cores_come_before_little_ones(machine: Detected) -> None:
    assert placement(machine(recorded.BIG_LITTLE), 11)[:10] == (5, 6, 7, 8, 9, 15, 16, 17, 18, 19)


def test_only_cpus_in_the_affinity_mask_are_used(machine: Detected) -> None:
    assert placement(allowed(machine(recorded.EPYC), "0,48,50,60"), 4) == (50, 60, 0, 48)


def test_one_numa_node_is_filled_before_the_next(machine: Detected) -> None:
    assert placement(machine(recorded.CGROUP2), 3) == (1, 2, 3)


@pytest.mark.parametrize("threads", [0, -1, 7])
def test_threads_that_cannot_be_placed_are_refused_with_the_usable_number(machine: Detected, threads: int) -> None:
    with pytest.raises(UsageError, match=rf"^{threads} threads asked for, 1 to 6 are usable here .affinity 0-5"):
        placement(machine(recorded.CGROUP2), threads)


def test_a_quota_is_named_when_it_is_what_limits(machine: Detected) -> None:
    guest = machine(recorded.GUEST)
    limits = msgspec.structs.replace(guest.limits, cpu_quota=1.5, usable_threads=1)
    with pytest.raises(UsageError, match=r"cgroup quota 1\.5 CPUs"):
        placement(msgspec.structs.replace(guest, limits=limits), 2)


def test_one_thread_has_every_cache_to_itself(machine: Detected) -> None:
    expected = (("L1", 32 * KIB), ("L2", 512 * KIB), ("L3", 8 * MIB))
    assert cache_levels(machine(recorded.EPYC), 1, (1,)) == expected


def test_a_shared_cache_is_divided_among_the_pinned_threads_that_share_it(machine: Detected) -> None:
    # CPUs 0-2 share one L3, CPU 3 has another: the smallest share counts.
    levels = dict(cache_levels(machine(recorded.EPYC), 4, (0, 1, 2, 3)))
    assert levels == {"L1": 32 * KIB, "L2": 512 * KIB, "L3": 8 * MIB // 3}


def test_smt_siblings_divide_their_core(machine: Detected) -> None:
    assert dict(cache_levels(machine(recorded.EPYC), 2, (0, 48)))["L1"] == 16 * KIB


def test_threads_beyond_the_cpus_share_them(machine: Detected) -> None:
    assert dict(cache_levels(machine(recorded.GUEST), 4, (0, 1))) == {"L1": 16 * KIB, "L2": 512 * KIB, "L3": 8 * MIB}


def test_on_hybrid_cores_the_smaller_share_counts(machine: Detected) -> None:
    levels = dict(cache_levels(machine(recorded.HYBRID), 2, (2, 12)))
    assert levels == {"L1": 32 * KIB, "L2": 1280 * KIB, "L3": 12 * MIB}


def test_a_level_that_a_pinned_cpu_lacks_gives_no_entry(machine: Detected) -> None:
    odd = machine(recorded.ASYMMETRIC)
    assert cache_levels(odd, 1, (0,)) == (("L1", 32 * KIB),)
    assert cache_levels(odd, 2, (3, 5)) == (("L2", 4 * MIB),)


def test_unknown_caches_give_no_levels_and_an_unknown_last_level(machine: Detected) -> None:
    blind = msgspec.structs.replace(machine(recorded.GUEST), caches=Unknown("hidden"))
    assert cache_levels(blind, 1, (0,)) == ()
    assert last_level_bytes(blind) == Unknown("hidden")


def test_the_last_level_is_the_largest_instance(machine: Detected) -> None:
    assert last_level_bytes(machine(recorded.BIG_LITTLE)) == 16 * MIB
    assert last_level_bytes(machine(recorded.ASYMMETRIC)) == 4 * MIB


def test_cache_levels_without_cpus_are_refused(machine: Detected) -> None:
    with pytest.raises(UsageError, match="at least one thread and one CPU"):
        cache_levels(machine(recorded.GUEST), 1, ())
