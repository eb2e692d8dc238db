"""CPU quota, memory limit and cpuset from control groups of both versions."""

from pathlib import Path

from kernelbench.machine import cgroup, detect
from kernelbench.machine.tree import Tree
from kernelbench.model import Unknown
from tests.machine import recorded

GIB = 1 << 30
V2 = "0 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
V1_CPU = "0 0 0:1 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct"
V1_MEMORY = "0 0 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"


def tree(root: Path, own: str, mounts: str) -> Tree:
    """The tree below ``root`` with the groups that the process is in, and the mount table."""
    recorded.put(root, "proc/self/cgroup", own)
    recorded.put(root, "proc/self/mountinfo", mounts)
    return Tree(root, live=False)


def test_a_v2_quota_is_quota_over_period(tmp_path: Path) -> None:
    recorded.put(tmp_path, "sys/fs/cgroup/job/cpu.max", "150000 100000")
    assert cgroup.cpu_quota(tree(tmp_path, "0::/job", V2)) == 1.5


def test_the_tightest_limit_on_the_way_up_counts(tmp_path: Path) -> None:
    recorded.put(tmp_path, "sys/fs/cgroup/a/cpu.max", "100000 100000")
    recorded.put(tmp_path, "sys/fs/cgroup/a/b/cpu.max", "400000 100000")
    recorded.put(tmp_path, "sys/fs/cgroup/a/memory.max", str(8 * GIB))
    recorded.put(tmp_path, "sys/fs/cgroup/a/b/memory.max", str(2 * GIB))
    found = tree(tmp_path, "0::/a/b", V2)
    assert (cgroup.cpu_quota(found), cgroup.memory_limit_bytes(found)) == (1.0, 2 * GIB)


def test_max_is_no_limit(tmp_path: Path) -> None:
    recorded.put(tmp_path, "sys/fs/cgroup/job/cpu.max", "max 100000")
    recorded.put(tmp_path, "sys/fs/cgroup/job/memory.max", "max")
    found = tree(tmp_path, "0::/job", V2)
    assert cgroup.cpu_quota(found) == cgroup.memory_limit_bytes(found) == cgroup.NO_LIMIT


def test_a_v1_quota_is_found_under_its_controller(tmp_path: Path) -> None:
    recorded.put(tmp_path, "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "250000")
    recorded.put(tmp_path, "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000")
    assert cgroup.cpu_quota(tree(tmp_path, "3:cpu,cpuacct:/job", V1_CPU)) == 2.5


def test_a_v1_quota_of_minus_one_is_no_limit(tmp_path: Path) -> None:
    recorded.put(tmp_path, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1")
    recorded.put(tmp_path, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000")
    assert cgroup.cpu_quota(tree(tmp_path, "3:cpu,cpuacct:/", V1_CPU)) == cgroup.NO_LIMIT


def test_a_huge_v1_memory_limit_is_none(tmp_path: Path) -> None:
    recorded.put(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712")
    assert cgroup.memory_limit_bytes(tree(tmp_path, "4:memory:/", V1_MEMORY)) == cgroup.NO_LIMIT


def test_a_container_that_sees_only_its_own_group_finds_it_at_the_mount_point(tmp_path: Path) -> None:
    recorded.put(tmp_path, "sys/fs/cgroup/memory/memory.limit_in_bytes", str(GIB))
    mount = "0 0 0:2 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"
    assert cgroup.memory_limit_bytes(tree(tmp_path, "4:memory:/docker/abc", mount)) == GIB


def test_a_group_outside_what_is_mounted_falls_back_to_the_mount_point(tmp_path: Path) -> None:
    recorded.put(tmp_path, "sys/fs/cgroup/cpu.max", "50000 100000")
    assert cgroup.cpu_quota(tree(tmp_path, "0::/../other", V2)) == 0.5


def test_both_versions_side_by_side_are_both_heeded(tmp_path: Path) -> None:
    recorded.put(tmp_path, "sys/fs/cgroup/memory/job/memory.limit_in_bytes", str(4 * GIB))
    recorded.put(tmp_path, "sys/fs/cgroup/unified/job/memory.max", str(3 * GIB))
    unified = "0 0 0:3 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw"
    found = tree(tmp_path, "4:memory:/job\n0::/job", f"{V1_MEMORY}\n{unified}")
    assert cgroup.memory_limit_bytes(found) == 3 * GIB


def test_a_mount_point_with_a_space_is_found(tmp_path: Path) -> None:
    recorded.put(tmp_path, "my groups/cpu.max", "100000 100000")
    assert cgroup.cpu_quota(tree(tmp_path, "0::/", r"0 0 0:1 / /my\040groups rw - cgroup2 cgroup2 rw")) == 1.0


def test_without_a_mount_table_the_customary_place_is_searched(tmp_path: Path) -> None:
    recorded.put(tmp_path, "proc/self/cgroup", "0::/job")
    recorded.put(tmp_path, "sys/fs/cgroup/cgroup.controllers", "cpu memory")
    recorded.put(tmp_path, "sys/fs/cgroup/job/memory.max", str(GIB))
    assert cgroup.memory_limit_bytes(Tree(tmp_path, live=False)) == GIB


def test_without_any_cgroup_information_the_reason_is_given(tmp_path: Path) -> None:
    assert cgroup.cpu_quota(Tree(tmp_path, live=False)) == Unknown("no cgroup information: no /proc/self/cgroup")


def test_a_quota_lowers_the_usable_threads_to_whole_cpus_but_not_below_one(guest_root: Path) -> None:
    recorded.put(guest_root, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000")
    assert detect(guest_root).limits.usable_threads == 1
    recorded.put(guest_root, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "20000")
    assert detect(guest_root).limits.usable_threads == 1
    recorded.put(guest_root, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "900000")
    assert detect(guest_root).limits.usable_threads == 2
