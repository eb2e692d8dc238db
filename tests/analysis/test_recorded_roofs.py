"""Roofs on recorded machines, each worked out by hand from its caches and a made-up ladder.

The ladder is the same for every machine and thread count, in GB/s of all threads: read 100 at 16 KiB,
50 at 256 KiB, 20 at 4 MiB, 10 at 64 MiB; copy four fifths of it. Sixteen times the footprint is one step.
"""

from collections.abc import Callable, Sequence

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.analysis.roofline import Roof, roof
from kernelbench.model import Ceiling, Machine, Work
from tests.builders import KIB, MIB, case, compute, memory, record
from tests.machine import recorded

Detected = Callable[[str], Machine]


def ladder(threads: int) -> list[Ceiling]:
    made = []
    for mix, factor in (("read", 1e9), ("copy", 0.8e9)):
        for level, size, gbps in (
            ("L1", 16 * KIB, 100), ("L2", 256 * KIB, 50), ("L3", 4 * MIB, 20), ("DRAM", 64 * MIB, 10),
        ):  # fmt: skip
            made.append(memory(gbps * factor, size, mix, threads, level))
    return made


def judged(
    of: Machine, threads: int, each: float, cpus: Sequence[int] = (), extra: Sequence[Ceiling] = (), isa: str = "native"
) -> Roof:
    """The roof of a sum over ``each`` bytes a thread, one f32 add per 4 bytes read."""
    moved = each * threads
    work = Work("modelled", moved / 4, "add", moved, UNSET, UNSET, moved)
    of_case = case("sum/parallel", shape={"n": 1}, threads=threads, isa=isa)
    found = roof(record(of_case, work=work, placement=tuple(cpus)), [*ladder(threads), *extra], of)
    assert isinstance(found, Roof), found
    return found


def test_a_performance_core_and_four_efficiency_cores_have_their_own_l2(recorded_machine: Detected) -> None:
    hybrid = recorded_machine(recorded.HYBRID)
    # 1 MiB: L2 of a performance core holds 1280 KiB; its bandwidth is halfway from 256 KiB to 4 MiB in log,
    # sqrt(50 x 20) = 31.6 GB/s.
    fast = judged(hybrid, 1, MIB, (2,))
    assert (fast.name, fast.seconds) == ("L2 read 1 thread", pytest.approx(MIB / 31.6228e9))
    # Four efficiency cores share 2 MiB, 512 KiB each: 1 MiB a thread is in L3, and moves 4 MiB together.
    slow = judged(hybrid, 4, MIB, (12, 13, 14, 15))
    assert (slow.name, slow.seconds) == ("L3 read 4 threads", pytest.approx(4 * MIB / 31.6228e9))
    # One of them alone has all of it.
    assert judged(hybrid, 1, MIB, (12,)).name == "L2 read 1 thread"


def test_smt_siblings_halve_what_each_thread_has_of_a_cache(recorded_machine: Detected) -> None:
    hybrid = recorded_machine(recorded.HYBRID)
    # L1d 48 KiB a core: 32 KiB fits one thread, not two on the siblings 2 and 3, who have 24 KiB each.
    assert judged(hybrid, 2, 32 * KIB, (2, 4)).name == "L1 read 2 threads"
    assert judged(hybrid, 2, 32 * KIB, (2, 3)).name == "L2 read 2 threads"


def test_threads_that_fill_one_numa_node_share_its_last_level(recorded_machine: Detected) -> None:
    epyc = recorded_machine(recorded.EPYC)
    # 8 MiB of L3 for every 3 cores. CPUs 1 and 2 share one: 4 MiB each. CPUs 1 and 3 do not.
    shared, apart = judged(epyc, 2, 5 * MIB, (1, 2)), judged(epyc, 2, 5 * MIB, (1, 3))
    assert (shared.name, apart.name) == ("DRAM read 2 threads", "L3 read 2 threads")
    # The label differs, the number does not: it is the ladder's at 5 MiB, log16(5/4) of the way from 20 to 10:
    # 20 / 2^0.0805 = 18.92 GB/s.
    assert apart.seconds == shared.seconds == pytest.approx(10 * MIB / 18.92e9, rel=1e-3)


def test_an_arm_cluster_divides_its_last_level_by_the_threads_on_it(recorded_machine: Detected) -> None:
    arm = recorded_machine(recorded.ARM_SERVER)
    # 32 MiB for each 32 CPUs: 16 threads on one node have 2 MiB each, 16 on four nodes 8 MiB each.
    assert judged(arm, 16, 3 * MIB, range(16)).name == "DRAM read 16 threads"
    assert judged(arm, 16, 3 * MIB, range(0, 128, 8)).name == "L3 read 16 threads"


def test_of_two_last_levels_the_one_under_the_threads_counts(recorded_machine: Detected) -> None:
    big_little = recorded_machine(recorded.BIG_LITTLE)
    # CPUs 0-9 have 8 MiB of L3, 10-19 16 MiB.
    assert judged(big_little, 1, 12 * MIB, (5,)).name == "DRAM read 1 thread"
    assert judged(big_little, 1, 12 * MIB, (15,)).name == "L3 read 1 thread"
    # Where threads run on both, the smaller share counts.
    assert judged(big_little, 2, 12 * MIB, (5, 15)).name == "DRAM read 2 threads"


def test_where_a_cpu_s_caches_are_not_all_known_the_ladder_names_the_level(recorded_machine: Detected) -> None:
    odd = recorded_machine(recorded.ASYMMETRIC)
    # CPU 1 is not known to have an L1: by its L2 of 4 MiB alone 16 KiB would be L2.
    assert judged(odd, 1, 16 * KIB, (1,)).name == "L1 read 1 thread"
    # CPU 3 has 32 KiB and 4 MiB, nothing farther: 5 MiB is DRAM there, by the ladder's nearest point L3 on CPU 1.
    assert judged(odd, 1, 5 * MIB, (3,)).name == "DRAM read 1 thread"
    assert judged(odd, 1, 5 * MIB, (1,)).name == "L3 read 1 thread"


def test_without_a_placement_threads_are_taken_to_run_where_the_runner_puts_them(recorded_machine: Detected) -> None:
    node = recorded_machine(recorded.CGROUP2)
    # CPUs 1 to 4: three of them share one L3 of 5118 KiB, 1706 KiB each.
    assert judged(node, 4, 1700 * KIB).name == "L3 read 4 threads"
    assert judged(node, 4, 1710 * KIB).name == "DRAM read 4 threads"


def test_a_cold_case_is_judged_in_dram_on_any_machine(recorded_machine: Detected) -> None:
    for name in recorded.ALL:
        work = Work("modelled", UNSET, UNSET, 4096.0, UNSET, UNSET, 4096.0)
        of = case("sum/naive", shape={"n": 1024}, cache="cold")
        found = roof(record(of, work=work), ladder(1), recorded_machine(name))
        assert isinstance(found, Roof)
        assert (found.name, found.seconds) == ("DRAM read 1 thread", pytest.approx(4096 / 10e9))


def test_the_compute_roof_is_that_of_the_level_the_case_runs_at(recorded_machine: Detected) -> None:
    guest = recorded_machine(recorded.GUEST)
    peaks = [compute(2e9, mix="add", isa="avx2"), compute(4e9, mix="add", isa="avx512")]
    # 16 KiB are 4096 adds: 2048 ns at AVX2, 1024 ns at AVX-512, against 164 ns of moving them at 100 GB/s.
    low, high = (judged(guest, 1, 16 * KIB, extra=peaks, isa=isa) for isa in ("avx2", "native"))
    assert (low.name, low.seconds) == ("f32 AVX2 add 1 thread", pytest.approx(2.048e-6))
    assert (high.name, high.seconds) == ("f32 AVX-512 add 1 thread", pytest.approx(1.024e-6))
    assert low.higher == high.compute
    assert high.higher is UNSET


def test_an_arm_machine_is_judged_by_its_own_levels(recorded_machine: Detected) -> None:
    arm = recorded_machine(recorded.ARM_SERVER)
    peaks = [compute(1e9, mix="add", isa="scalar"), compute(4e9, mix="add", isa="neon")]
    assert judged(arm, 1, 16 * KIB, extra=peaks, isa="neon").name == "f32 NEON add 1 thread"
    assert judged(arm, 1, 16 * KIB, extra=peaks, isa="scalar").name == "f32 scalar add 1 thread"


def test_ceilings_of_another_machine_are_never_used(recorded_machine: Detected) -> None:
    foreign = [replace(c, machine="ffffffffffff") for c in ladder(1)]
    work = Work("modelled", UNSET, UNSET, 4096.0, UNSET, UNSET, 4096.0)
    assert not isinstance(roof(record(case(), work=work), foreign, recorded_machine(recorded.EPYC)), Roof)
