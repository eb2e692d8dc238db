"""What the machine's facts mean for a run."""

from msgspec.structs import replace

from kernelbench.model import Unknown
from kernelbench.runner.host import ASSUMED_LAST_LEVEL_BYTES, levels, pinning, worker_memory
from tests.builders import KIB, MIB, machine

PLENTY = 64 << 30


def test_memory_bandwidth_is_probed_on_four_times_the_last_level() -> None:
    assert levels(machine(), (1,), PLENTY)[-1] == ("DRAM", 4 * 16 * MIB)


def test_threads_share_what_is_touched() -> None:
    assert levels(machine(), (1, 0), PLENTY)[-1] == ("DRAM", 2 * 16 * MIB)


def test_probing_memory_never_takes_more_than_a_quarter_of_it() -> None:
    assert levels(machine(), (1,), 64 * MIB)[-1] == ("DRAM", 16 * MIB)


def test_an_unknown_last_level_is_assumed_to_be_large() -> None:
    bare = replace(machine(), caches=Unknown("no sysfs"))
    assert levels(bare, (1,), PLENTY) == (("DRAM", 4 * ASSUMED_LAST_LEVEL_BYTES),)


def test_levels_go_from_near_to_far() -> None:
    assert [name for name, _ in levels(machine(), (1,), PLENTY)] == ["L1", "L2", "L3", "DRAM"]


def test_the_configured_worker_memory_wins() -> None:
    assert worker_memory(machine(), 123) == 123


def test_a_worker_stays_within_the_limit_of_its_control_group() -> None:
    small = replace(machine(), limits=replace(machine().limits, memory_limit_bytes=10 * MIB))
    assert worker_memory(small, 0) == 8 * MIB


def test_each_thread_count_has_its_cpus() -> None:
    assert {count: len(cpus) for count, cpus in pinning(machine(), {1, 2}).items()} == {1: 1, 2: 2}


def test_a_machine_without_a_third_level_is_probed_on_four_times_its_second() -> None:
    two = replace(machine(), caches=tuple(c for c in machine().caches if c.level < 3))  # type: ignore[union-attr]
    assert levels(two, (1,), PLENTY) == (("L1", 32 * KIB), ("L2", MIB), ("DRAM", 4 * MIB))
