"""Facts of recorded machines, worked out by hand from their files."""

from collections.abc import Callable

import pytest

from kernelbench.model import Cache, Machine, Unknown
from tests.machine import recorded

KIB, MIB = 1 << 10, 1 << 20
Detected = Callable[[str], Machine]


def caches(machine: Machine) -> list[tuple[str, int, int]]:
    """(name, KiB, instances) of each cache."""
    assert not isinstance(machine.caches, Unknown)
    return [(cache.name, _known(cache.size_bytes) // KIB, len(cache.shared_by)) for cache in machine.caches]


def one_cache(machine: Machine, name: str) -> Cache:
    assert not isinstance(machine.caches, Unknown)
    (found,) = [cache for cache in machine.caches if cache.name == name]
    return found


def _known(value: int | Unknown) -> int:
    assert not isinstance(value, Unknown)
    return value


@pytest.mark.parametrize(
    ("name", "sockets", "cores", "threads", "nodes"),
    [
        (recorded.HYBRID, 1, 14, 20, 1),
        (recorded.ARM_SERVER, 2, 128, 128, 4),
        (recorded.CGROUP2, 4, 32, 32, 8),
        (recorded.ASYMMETRIC, 2, 8, 8, 1),
        (recorded.BIG_LITTLE, 1, 20, 20, 1),
        (recorded.EPYC, 2, 48, 96, 8),
        (recorded.OPTERON, 2, 8, 16, 4),
        (recorded.GUEST, 1, 2, 2, 1),
    ],
)
def test_sockets_cores_threads_and_nodes_are_counted(
    machine: Detected, name: str, sockets: int, cores: int, threads: int, nodes: int
) -> None:
    topology = machine(name).topology
    assert not isinstance(topology.numa, Unknown)
    assert (topology.sockets, topology.cores, topology.threads, len(topology.numa)) == (sockets, cores, threads, nodes)


def test_a_hybrid_processor_has_two_kinds_of_core_with_their_own_caches(machine: Detected) -> None:
    hybrid = machine(recorded.HYBRID)
    kinds = [(kind.name, kind.cpus, kind.max_hz) for kind in hybrid.topology.kinds]
    assert kinds == [("performance", "0-11", 5.2e9), ("efficiency", "12-19", 3.9e9)]
    assert caches(hybrid) == [
        ("L1d", 48, 6),
        ("L1d", 32, 8),
        ("L1i", 32, 6),
        ("L1i", 64, 8),
        ("L2", 1280, 6),
        ("L2", 2048, 2),
        ("L3", 24576, 1),
    ]


def test_big_and_little_arm_cores_are_told_apart_across_their_clusters(machine: Detected) -> None:
    kinds = machine(recorded.BIG_LITTLE).topology.kinds
    assert [(kind.name, kind.cpus) for kind in kinds] == [("performance", "5-9,15-19"), ("efficiency", "0-4,10-14")]


def test_last_levels_of_different_size_are_separate_caches(machine: Detected) -> None:
    assert caches(machine(recorded.BIG_LITTLE))[-2:] == [("L3", 8192, 1), ("L3", 16384, 1)]


@pytest.mark.parametrize("name", [recorded.ARM_SERVER, recorded.CGROUP2, recorded.EPYC, recorded.OPTERON])
def test_a_machine_of_equal_cores_has_one_kind(machine: Detected, name: str) -> None:
    assert [kind.name for kind in machine(name).topology.kinds] == ["core"]


def test_an_arm_server_shares_its_last_level_per_numa_node(machine: Detected) -> None:
    last = one_cache(machine(recorded.ARM_SERVER), "L3")
    assert last.shared_by == ("0-31", "32-63", "64-95", "96-127")
    assert (last.size_bytes, last.line_bytes, last.ways) == (32 * MIB, 128, 15)


def test_smt_siblings_share_a_core_and_its_caches(machine: Detected) -> None:
    epyc = machine(recorded.EPYC)
    assert "0,48" in epyc.topology.smt_siblings
    assert one_cache(epyc, "L2").shared_by[0] == "0,48"
    assert one_cache(epyc, "L3").shared_by[0] == "0-2,48-50"
    assert len(one_cache(epyc, "L3").shared_by) == 16


def test_a_node_known_only_by_its_mask_has_its_cpus(machine: Detected) -> None:
    numa = machine(recorded.EPYC).topology.numa
    assert not isinstance(numa, Unknown)
    assert numa[0].cpus == "0-5,48-53"
    assert isinstance(numa[0].memory_bytes, Unknown)


def test_caches_that_some_cpus_lack_are_listed_for_those_that_have_them(machine: Detected) -> None:
    odd = machine(recorded.ASYMMETRIC)
    assert one_cache(odd, "L1d").shared_by == ("0", "3", "4", "6", "7")
    assert one_cache(odd, "L2").shared_by == ("1,5", "2,6", "3,7")


def test_a_cgroup_cpuset_limits_the_usable_threads(machine: Detected) -> None:
    limits = machine(recorded.CGROUP2).limits
    assert (limits.affinity, limits.usable_threads) == ("0-5", 6)


def test_a_guest_under_cgroup_v1_without_limits_says_so(machine: Detected) -> None:
    limits = machine(recorded.GUEST).limits
    assert limits.cpu_quota == Unknown("no limit")
    assert limits.memory_limit_bytes == Unknown("no limit")
    assert (limits.huge_pages, limits.shmem_huge_pages) == ("madvise", "never")


def test_a_guest_without_dmi_is_named_by_its_clock(machine: Detected) -> None:
    assert machine(recorded.GUEST).virtualisation == "kvm, container (docker)"


@pytest.mark.parametrize("name", [recorded.HYBRID, recorded.ARM_SERVER, recorded.BIG_LITTLE, recorded.EPYC])
def test_bare_metal_is_not_virtual(machine: Detected, name: str) -> None:
    assert machine(name).virtualisation == "none"


@pytest.mark.parametrize(
    ("name", "signature", "vendor"),
    [
        (recorded.HYBRID, "6-186-2", "GenuineIntel"),
        (recorded.EPYC, "23-1-2", "AuthenticAMD"),
        (recorded.ARM_SERVER, "0x48-0xd01-0x1-0", "HiSilicon"),
        (recorded.BIG_LITTLE, "0x41-0xd87-0x0-1+0x41-0xd85-0x0-1", "ARM"),
    ],
)
def test_the_signature_identifies_the_design(machine: Detected, name: str, signature: str, vendor: str) -> None:
    cpu = machine(name).cpu
    assert (cpu.signature, cpu.vendor) == (signature, vendor)


@pytest.mark.parametrize(
    ("name", "design"),
    [
        (recorded.EPYC, "zen"),
        (recorded.OPTERON, "piledriver"),
        (recorded.CGROUP2, "k10"),
        (recorded.ASYMMETRIC, "core2"),
    ],
)
def test_archspec_names_the_design_from_recorded_flags(machine: Detected, name: str, design: str) -> None:
    assert machine(name).cpu.microarchitecture == design


def test_an_arm_design_that_archspec_does_not_know_is_not_guessed(machine: Detected) -> None:
    assert "0xd01" in str(machine(recorded.ARM_SERVER).cpu.microarchitecture)
    assert isinstance(machine(recorded.BIG_LITTLE).cpu.microarchitecture, Unknown)


@pytest.mark.parametrize(
    ("name", "usable"),
    [
        (recorded.HYBRID, ["scalar", "sse2", "sse4.2", "avx2"]),
        (recorded.OPTERON, ["scalar", "sse2", "sse4.2"]),
        (recorded.GUEST, ["scalar", "sse2", "sse4.2", "avx2", "avx512"]),
        (recorded.ARM_SERVER, ["scalar", "neon"]),
        (recorded.BIG_LITTLE, ["scalar", "neon", "sve"]),
    ],
)
def test_usable_levels_follow_from_the_flags(machine: Detected, name: str, usable: list[str]) -> None:
    assert [level.name for level in machine(name).cpu.isa_levels if level.usable] == usable


def test_an_unusable_level_says_what_is_missing(machine: Detected) -> None:
    reasons = {level.name: level.reason for level in machine(recorded.OPTERON).cpu.isa_levels}
    assert reasons["avx2"] == "the CPU lacks avx2"


def test_arm_features_have_our_names(machine: Detected) -> None:
    assert machine(recorded.ARM_SERVER).cpu.features == ("neon", "fp16", "fhm", "dotprod")


def test_frequency_governor_and_boost_are_read(machine: Detected) -> None:
    frequency = machine(recorded.HYBRID).frequency
    assert (frequency.min_hz, frequency.max_hz) == (0.4e9, 5.2e9)
    assert (frequency.governor, frequency.boost) == ("powersave", True)


def test_a_guest_without_cpufreq_says_why(machine: Detected) -> None:
    assert machine(recorded.GUEST).frequency.governor == Unknown("no cpufreq folder: KVM guest")


def test_swap_in_use_is_what_is_not_free(machine: Detected) -> None:
    assert machine(recorded.BIG_LITTLE).memory.swap_used_bytes == (16777212 - 16541600) * KIB


def test_steal_is_a_share_of_all_ticks_since_boot(machine: Detected) -> None:
    words = recorded.files_of(recorded.GUEST)["proc/stat"].splitlines()[0].split()
    ticks = [int(word) for word in words[1:]]
    assert machine(recorded.GUEST).load.steal_fraction == ticks[7] / sum(ticks)


def test_every_fixture_names_its_source_and_is_small() -> None:
    for name in recorded.ALL:
        assert recorded.load(name)["source"]
        assert (recorded.FIXTURES / f"{name}.json").stat().st_size < 60_000
