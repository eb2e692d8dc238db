"""The machine's id depends on what the machine is, not on what it does."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from kernelbench.machine import detect
from kernelbench.machine.fingerprint import fingerprint
from kernelbench.model import Machine, Unknown
from tests.machine import recorded

Detected = Callable[[str], Machine]


def id_of(machine: Machine) -> str:
    return fingerprint(machine.cpu, machine.caches, machine.topology, machine.memory, machine.virtualisation)


def test_it_is_twelve_hexadecimal_digits_and_differs_between_machines(machine: Detected) -> None:
    ids = {machine(name).id for name in recorded.ALL}
    assert len(ids) == len(recorded.ALL)
    assert all(len(found) == 12 and int(found, 16) >= 0 for found in ids)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("proc/loadavg", "99.0 98.0 97.0 3/92 1"),
        ("proc/stat", "cpu 1 2 3 4 5 6 7 8 9 10\nprocs_running 40"),
        ("proc/version", "Linux version 9.9.9"),
        ("proc/meminfo", "MemTotal: 24684000 kB\nMemAvailable: 5 kB\nSwapTotal: 9 kB\nSwapFree: 1 kB"),
        ("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1000000"),
        ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave"),
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000"),
        ("sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]"),
        ("proc/self/status", "Cpus_allowed_list: 1"),
    ],
)
def test_what_changes_from_moment_to_moment_does_not_change_it(guest_root: Path, path: str, content: str) -> None:
    before = detect(guest_root).id
    recorded.put(guest_root, path, content)
    assert detect(guest_root).id == before


def test_frequency_and_bogomips_in_cpuinfo_do_not_change_it(guest_root: Path) -> None:
    before = detect(guest_root)
    text = (guest_root / "proc/cpuinfo").read_text()
    lines = ["cpu MHz : 1.0" if "MHz" in line else line for line in text.splitlines()]
    lines = ["bogomips : 1.0" if "bogomips" in line else line for line in lines]
    recorded.put(guest_root, "proc/cpuinfo", "\n".join(lines))
    after = detect(guest_root)
    assert after.frequency != before.frequency
    assert after.id == before.id


def test_leaving_a_container_does_not_change_it(guest_root: Path) -> None:
    before = detect(guest_root)
    (guest_root / ".dockerenv").unlink()
    after = detect(guest_root)
    assert (before.virtualisation, after.virtualisation) == ("kvm, container (docker)", "kvm")
    assert after.id == before.id


def test_versions_of_packages_and_llvm_do_not_change_it(machine: Detected) -> None:
    guest = machine(recorded.GUEST)
    other = msgspec.structs.replace(
        guest,
        cpu=msgspec.structs.replace(guest.cpu, llvm_name="znver9", microarchitecture="zen9", isa_levels=()),
        software=msgspec.structs.replace(guest.software, packages={"numpy": "99"}),
    )
    assert id_of(other) == guest.id


def test_why_a_fact_is_unknown_does_not_change_it(machine: Detected) -> None:
    guest = machine(recorded.GUEST)
    ids = {
        id_of(msgspec.structs.replace(guest, cpu=msgspec.structs.replace(guest.cpu, model=Unknown(why))))
        for why in ("one reason", "another")
    }
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("sys/devices/system/cpu/cpu0/cache/index3/size", "16384K"),
        ("sys/devices/system/cpu/cpu1/cache/index3/shared_cpu_list", "1"),
        ("sys/devices/system/cpu/cpu0/cache/index0/ways_of_associativity", "4"),
        ("proc/meminfo", "MemTotal: 8000000 kB"),
        ("sys/hypervisor/type", "xen"),
        ("proc/cpuinfo", "processor : 0\nmodel name : Another CPU"),
    ],
)
def test_other_hardware_changes_it(guest_root: Path, path: str, content: str) -> None:
    before = detect(guest_root).id
    recorded.put(guest_root, path, content)
    assert detect(guest_root).id != before
