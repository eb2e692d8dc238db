"""Hybrid machines that tell their kinds of core in other ways than the recorded ones."""

from pathlib import Path

from kernelbench.machine import detect
from tests.machine import recorded


def kinds(root: Path) -> list[tuple[str, str]]:
    return [(kind.name, kind.cpus) for kind in detect(root).topology.kinds]


def hybrid(tmp_path: Path, *, without: str) -> Path:
    files = recorded.files_of(recorded.HYBRID)
    return recorded.write({path: text for path, text in files.items() if without not in path}, tmp_path)


def test_intel_counter_devices_name_three_kinds_without_any_frequency(tmp_path: Path) -> None:
    root = hybrid(tmp_path, without="cpufreq")
    for device, cpus in (("cpu_core", "0-11"), ("cpu_atom", "12-17"), ("cpu_lowpower", "18-19")):
        recorded.put(root, f"sys/devices/{device}/cpus", cpus)
    assert kinds(root) == [("performance", "0-11"), ("efficiency", "12-17"), ("low-power", "18-19")]


def test_counter_devices_that_do_not_cover_every_cpu_are_not_believed(tmp_path: Path) -> None:
    root = hybrid(tmp_path, without="cpufreq")
    recorded.put(root, "sys/devices/cpu_core/cpus", "0-3")
    recorded.put(root, "sys/devices/cpu_atom/cpus", "12-19")
    assert kinds(root) == [("core", "0-19")]


def test_different_caches_alone_do_not_make_kinds(tmp_path: Path) -> None:
    assert kinds(hybrid(tmp_path, without="cpufreq")) == [("core", "0-19")]


def test_favoured_cores_alone_do_not_make_kinds(tmp_path: Path) -> None:
    # Cores 4-5 and 8-9 of the recorded machine boost to 5.2 GHz, their equals to 5.0.
    assert kinds(hybrid(tmp_path, without="nothing"))[0] == ("performance", "0-11")


def test_arm_parts_without_any_speed_stay_one_kind(tmp_path: Path) -> None:
    files = recorded.files_of(recorded.BIG_LITTLE)
    slow = {path: text for path, text in files.items() if "cpufreq" not in path and "cpu_capacity" not in path}
    assert kinds(recorded.write(slow, tmp_path)) == [("core", "0-19")]


def test_arm_parts_are_ranked_by_capacity_when_there_is_no_cpufreq(tmp_path: Path) -> None:
    files = recorded.files_of(recorded.BIG_LITTLE)
    root = recorded.write({path: text for path, text in files.items() if "cpufreq" not in path}, tmp_path)
    assert kinds(root) == [("performance", "5-9,15-19"), ("efficiency", "0-4,10-14")]
