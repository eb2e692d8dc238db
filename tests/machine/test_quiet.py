"""What keeps a host from being quiet, told from its kernel's files."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernelbench.machine.quiet import Quietness, Trouble, between, look, others_running, troubles, words
from kernelbench.model import Unknown
from tests.machine import recorded

CPU = "sys/devices/system/cpu"
GROUP2 = "0 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"
GROUP1 = "0 0 0:1 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu"
PATHS = ("proc/stat", "proc/vmstat", "proc/meminfo", f"{CPU}/cpu0/cpufreq/scaling_governor", "sys/fs/cgroup/a/cpu.stat")


def stat(*, running: int = 1, cpus: int = 2, user: int = 1000, idle: int = 5000, stolen: int = 0) -> str:
    """/proc/stat with ``running`` tasks, the asking one included, and ticks since boot."""
    total = f"cpu  {user} 0 0 {idle} 0 0 0 {stolen} 0 0"
    each = [f"cpu{cpu} 0 0 0 0 0 0 0 0 0 0" for cpu in range(cpus)]
    return "\n".join([total, *each, "ctxt 1", f"procs_running {running}", "procs_blocked 0"])


def host(root: Path, *, swapped: tuple[int, int] = (0, 0), swap_kb: tuple[int, int] = (0, 0), **more: int) -> Quietness:
    """A look at a host below ``root`` with these counters; ``swap_kb`` is (total, free)."""
    recorded.put(root, "proc/stat", stat(**more))
    recorded.put(root, "proc/vmstat", f"nr_free_pages 5\npswpin {swapped[0]}\npswpout {swapped[1]}\npswpout_more 9")
    recorded.put(root, "proc/meminfo", f"MemTotal: 100 kB\nSwapTotal: {swap_kb[0]} kB\nSwapFree:  {swap_kb[1]} kB")
    return look(root)


def throttled(root: Path, name: str, line: str, group: str = "a", mounts: str = GROUP2) -> Quietness:
    recorded.put(root, "proc/self/cgroup", f"0::/{group}" if mounts == GROUP2 else f"1:cpu:/{group}")
    recorded.put(root, "proc/self/mountinfo", mounts)
    recorded.put(root, name, f"nr_periods 9\n{line}\n")
    return look(root)


def said(before: Quietness, after: Quietness) -> list[str]:
    return [trouble.text for trouble in troubles(before, after)]


def test_an_idle_host_has_no_troubles(tmp_path: Path) -> None:
    assert troubles(host(tmp_path), host(tmp_path, user=1025, idle=5025)) == ()


@pytest.mark.parametrize(("running", "text"), [(2, "1 other runnable task"), (3, "2 other runnable tasks")])
def test_other_runnable_tasks_are_counted_without_the_asking_one(tmp_path: Path, running: int, text: str) -> None:
    busy = host(tmp_path, running=running)
    assert troubles(busy, busy) == (Trouble(text, passes=True),)
    assert others_running(busy)
    assert not others_running(host(tmp_path))


def test_a_task_that_is_there_at_one_look_only_was_passing_by(tmp_path: Path) -> None:
    assert said(host(tmp_path, running=5), host(tmp_path, running=1)) == []
    assert said(host(tmp_path, running=1), host(tmp_path, running=5)) == []


def test_a_large_host_may_have_one_other_task_for_eight_cpus(tmp_path: Path) -> None:
    two, three = host(tmp_path, running=3, cpus=16), host(tmp_path, running=4, cpus=16)
    assert said(two, two) == []
    assert said(three, three) == ["3 other runnable tasks"]


def test_stolen_time_is_a_share_of_the_time_that_was_wanted_not_of_idle_time(tmp_path: Path) -> None:
    before, after = host(tmp_path), host(tmp_path, user=1022, idle=9000, stolen=3)
    assert said(before, after) == ["12.0% of CPU time stolen by the hypervisor"]


def test_two_stolen_ticks_say_nothing(tmp_path: Path) -> None:
    assert said(host(tmp_path), host(tmp_path, user=1004, stolen=2)) == []


def test_little_theft_over_a_long_time_is_no_trouble(tmp_path: Path) -> None:
    assert between(host(tmp_path), host(tmp_path, user=100_000, stolen=4000)) == ()


@pytest.mark.parametrize(
    ("mounts", "path", "lines"),
    [
        (GROUP2, "sys/fs/cgroup/a/cpu.stat", ("throttled_usec 1000", "throttled_usec 251000")),
        (GROUP1, "sys/fs/cgroup/cpu/a/cpu.stat", ("throttled_time 1000000", "throttled_time 251000000")),
    ],
)
def test_time_held_back_by_a_quota_is_told_in_both_versions(
    tmp_path: Path, mounts: str, path: str, lines: tuple[str, str]
) -> None:
    before, after = (throttled(tmp_path, path, line, mounts=mounts) for line in lines)
    assert said(before, after) == ["250 ms of CPU time held back by a cgroup's quota"]


def test_the_quota_of_a_group_above_holds_back_as_well(tmp_path: Path) -> None:
    recorded.put(tmp_path, "sys/fs/cgroup/a/b/cpu.stat", "throttled_usec 500000")
    assert throttled(tmp_path, "sys/fs/cgroup/a/cpu.stat", "throttled_usec 250000", "a/b").throttled_s == 0.75


def test_swapping_is_told_in_pages_and_passes(tmp_path: Path) -> None:
    before, after = host(tmp_path, swapped=(10, 20)), host(tmp_path, swapped=(17, 50))
    assert troubles(before, after) == (Trouble("37 pages swapped", passes=True),)


def test_a_swap_more_than_half_full_is_told_and_no_wait_mends_it(tmp_path: Path) -> None:
    full = host(tmp_path, swap_kb=(1000, 80))
    assert troubles(full, full) == (Trouble("swap 92.0% full", passes=False),)


def test_a_little_used_swap_is_no_trouble(tmp_path: Path) -> None:
    used = host(tmp_path, swap_kb=(1000, 700))
    assert used.swap_share == 0.3
    assert troubles(used, used) == ()


def test_a_governor_that_lets_the_clock_fall_is_told_and_no_wait_mends_it(tmp_path: Path) -> None:
    for cpu, governor in enumerate(("powersave", "powersave", "performance")):
        recorded.put(tmp_path, f"{CPU}/cpu{cpu}/cpufreq/scaling_governor", governor)
    seen = look(tmp_path)
    text = "frequency governor powersave, performance, not performance"
    assert troubles(seen, seen) == (Trouble(text, passes=False),)


def test_the_performance_governor_is_no_trouble(tmp_path: Path) -> None:
    recorded.put(tmp_path, f"{CPU}/cpu0/cpufreq/scaling_governor", "performance")
    seen = look(tmp_path)
    assert seen.governor == "performance"
    assert troubles(seen, seen) == ()


def test_what_cannot_be_known_says_why_and_is_no_trouble(tmp_path: Path) -> None:
    seen = look(tmp_path)
    assert all(isinstance(getattr(seen, name), Unknown) for name in seen.__struct_fields__)
    assert seen.runnable == Unknown("no /proc/stat")
    assert seen.governor == Unknown("no cpufreq folder: a guest, or no driver loaded")
    assert troubles(seen, seen) == ()


def test_a_host_without_swap_says_so(tmp_path: Path) -> None:
    assert host(tmp_path).swap_share == Unknown("there is no swap")


def test_a_counter_that_was_set_back_is_no_trouble(tmp_path: Path) -> None:
    before = host(tmp_path, user=5000, stolen=500, swapped=(90, 90))
    assert troubles(before, host(tmp_path, user=100, stolen=3)) == ()


def test_the_words_for_several_troubles_are_one_phrase() -> None:
    assert words((Trouble("a", passes=True), Trouble("b", passes=False))) == "a, b"


@pytest.mark.parametrize("name", [recorded.GUEST, recorded.HYBRID, recorded.CGROUP2, recorded.BIG_LITTLE])
def test_a_recorded_machine_is_looked_at(tmp_path: Path, name: str) -> None:
    seen = look(recorded.write(recorded.files_of(name), tmp_path))
    assert isinstance(seen.runnable, int)
    assert isinstance(seen.wanted_ticks, int)
    assert between(seen, seen) == ()


def test_this_host_is_looked_at() -> None:
    seen = look()
    assert isinstance(seen.cpus, int | Unknown)
    assert between(seen, seen) == ()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(PATHS), content=st.binary(max_size=60) | st.from_regex(r"(cpu |pswpin|procs_running)?[0-9 ]*")
)
def test_any_content_of_any_file_is_survived(tmp_path: Path, path: str, content: bytes | str) -> None:
    before = host(tmp_path)
    recorded.put(tmp_path, "proc/self/cgroup", "0::/a")
    recorded.put(tmp_path, "proc/self/mountinfo", GROUP2)
    recorded.put(tmp_path, path, content)
    assert isinstance(words(troubles(before, look(tmp_path))), str)
