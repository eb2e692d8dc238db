"""Shares of the caches on recorded machines; sizes and sharers stand in tests/machine/test_recorded.py."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from kernelbench.analysis.shares import Share, shares
from kernelbench.machine import cache_levels, placement
from kernelbench.model import Cache, Machine, Unknown
from tests.builders import KIB, MIB, machine
from tests.machine import recorded

Detected = Callable[[str], Machine]


@pytest.mark.parametrize("name", recorded.ALL)
def test_shares_are_those_that_the_ladder_was_measured_for(recorded_machine: Detected, name: str) -> None:
    of = recorded_machine(name)
    for threads in {1, 2, 4, 7, 16, 64, of.limits.usable_threads}:
        if threads <= of.limits.usable_threads:
            cpus = placement(of, threads)
            found = shares(of, threads, cpus)
            assert tuple((s.level, int(s.bytes_per_thread)) for s in found.levels) == cache_levels(of, threads, cpus)
            assert shares(of, threads) == found, "threads are assumed where the runner puts them"


def test_the_kind_of_core_in_use_is_named_only_where_there_are_several(recorded_machine: Detected) -> None:
    hybrid = recorded_machine(recorded.HYBRID)
    assert shares(hybrid, 2).kinds == ("performance",)
    assert shares(hybrid, 2, (12, 13)).kinds == ("efficiency",)
    assert shares(recorded_machine(recorded.EPYC), 2).kinds == ()


def test_a_level_that_some_cpu_in_use_lacks_is_left_out_and_the_rest_is_incomplete(recorded_machine: Detected) -> None:
    odd = recorded_machine(recorded.ASYMMETRIC)
    # L1d is known for CPUs 0, 3, 4, 6, 7 only; L2 pairs are 1,5 2,6 3,7.
    assert shares(odd, 2, (3, 7)).levels == (Share("L1", 32 * KIB, 1), Share("L2", 4 * MIB, 2))
    assert shares(odd, 2, (3, 7)).complete
    assert shares(odd, 1, (1,)).levels == (Share("L2", 4 * MIB, 1),)
    assert not shares(odd, 1, (1,)).complete


def test_where_the_os_does_not_say_who_shares_l1_and_l2_are_private_and_l3_is_shared_by_all() -> None:
    silent = tuple(Cache(level, "unified", 8 * MIB, 64, 8, ()) for level in (1, 2, 3))
    found = shares(replace(machine(), caches=silent), 2)
    assert [(s.level, s.threads) for s in found.levels] == [("L1", 1), ("L2", 1), ("L3", 2)]


@pytest.mark.parametrize("cpus", ["0-999999999", "x", "-1", "5-2", ""])
def test_a_damaged_cpu_list_costs_neither_memory_nor_an_error(cpus: str) -> None:
    damaged = (Cache(2, "unified", MIB, 64, 8, (cpus,)),)
    topology = replace(machine().topology, smt_siblings=(cpus,))
    shares(replace(machine(), caches=damaged, topology=topology), 10**12)
    shares(replace(machine(), caches=damaged), 2, (0, -7))


def test_unknown_caches_have_no_shares() -> None:
    found = shares(replace(machine(), caches=Unknown("no cache folder")), 1)
    assert (found.levels, found.complete) == ((), False)
