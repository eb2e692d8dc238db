"""Whatever a kernel file holds, detection ends with a machine that can be written and read again."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernelbench.machine import cache_levels, detect, last_level_bytes, placement
from kernelbench.model import Machine, Unknown
from tests.machine import recorded

GARBAGE = bytes(range(256)) * 4
PATHS = sorted(recorded.files_of(recorded.GUEST))


def assert_usable(root: Path) -> None:
    """A round trip through JSON, and everything that others derive from a machine."""
    machine = detect(root)
    assert msgspec.json.decode(msgspec.json.encode(machine), type=Machine) == machine
    cpus = placement(machine, machine.limits.usable_threads)
    assert len(set(cpus)) == machine.limits.usable_threads
    assert all(size > 0 for _, size in cache_levels(machine, len(cpus), cpus))
    assert last_level_bytes(machine)


@pytest.mark.parametrize(
    "damage", [None, b"", GARBAGE, b"99999999999999999999999999"], ids=["missing", "empty", "garbage", "huge number"]
)
def test_any_file_may_be_missing_empty_or_garbage(guest_root: Path, damage: bytes | None) -> None:
    for path in PATHS:
        kept = (guest_root / path).read_bytes()
        if damage is None:
            (guest_root / path).unlink()
        else:
            recorded.put(guest_root, path, damage)
        assert_usable(guest_root)
        recorded.put(guest_root, path, kept)


def test_a_folder_in_place_of_a_file_is_no_crash(guest_root: Path) -> None:
    for path in ("proc/cpuinfo", "proc/meminfo", "sys/devices/system/cpu/online"):
        (guest_root / path).unlink()
        (guest_root / path).mkdir()
    assert_usable(guest_root)


def test_a_root_with_nothing_in_it_is_a_machine_of_one_unknown_cpu(tmp_path: Path) -> None:
    machine = detect(tmp_path)
    assert_usable(tmp_path)
    assert machine.topology.threads == 1
    assert machine.cpu.model == Unknown("no /proc/cpuinfo")
    assert machine.memory.total_bytes == Unknown("no /proc/meminfo")
    assert machine.cpu.architecture == "unknown"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), content=st.binary(max_size=60) | st.from_regex(r"[0-9a-fKMG,\- :\[\]/\n]{0,30}"))
def test_any_content_of_any_file_is_survived(guest_root: Path, path: str, content: bytes | str) -> None:
    kept = (guest_root / path).read_bytes()
    recorded.put(guest_root, path, content)
    assert_usable(guest_root)
    recorded.put(guest_root, path, kept)


def test_without_sysfs_the_topology_comes_from_cpuinfo(tmp_path: Path) -> None:
    cpuinfo = recorded.files_of(recorded.EPYC)["proc/cpuinfo"]
    topology = detect(recorded.write({"proc/cpuinfo": cpuinfo}, tmp_path)).topology
    assert (topology.sockets, topology.cores, topology.threads) == (2, 48, 96)
    assert "0,48" in topology.smt_siblings
