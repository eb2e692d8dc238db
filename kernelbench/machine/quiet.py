"""Is the host quiet? Other runnable tasks, CPU time stolen or held back, swapping, the frequency governor.

``look`` gives what the kernel counts; most of it only grows, so ``troubles`` needs two looks and speaks of the time
between them. Who wants to run now is asked of ``procs_running``: a load average tells of the last minute, and goes on
telling of what has ended.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from kernelbench.machine import cgroup
from kernelbench.machine.system import CPU_DIR
from kernelbench.machine.tree import Tree
from kernelbench.model import Unknown
from kernelbench.units import percent, seconds

CPUS_A_TASK = 8
"""One other task for so many CPUs is no trouble: a large host always has something to do, and cores to do it on."""

STOLEN_LIMIT = 0.05
"""Least share of the wanted CPU time whose loss counts: what the smallest threshold of a verdict is about."""

STOLEN_TICKS = 3
"""Fewer stolen ticks say nothing: in a quarter of a second, which has 25, one of them is 4%."""

THROTTLED_S = 0.001
"""Shorter stops are the tail of a period's quota, not a host that holds us back."""

SWAP_FULL = 0.5
"""A swap fuller than this means that memory was short; a little in use is what was never needed again."""

STEADY_GOVERNOR = "performance"
"""The one governor that keeps the clock up while nothing runs."""


class Quietness(Struct, frozen=True):
    """What the kernel said at one look. Counters grow since boot."""

    cpus: int | Unknown
    """Online CPUs of the host, which is whose tasks and ticks are counted, whatever this process may use."""
    runnable: int | Unknown
    """Tasks running or ready at this instant, the asking one included."""
    wanted_ticks: int | Unknown
    """CPU time that somebody wanted, got or stolen, over all CPUs; ticks of 10 ms."""
    stolen_ticks: int | Unknown
    """The part of it that the hypervisor gave to others."""
    throttled_s: float | Unknown
    """Time that CPU quotas held back this process's control groups, over all CPUs."""
    swapped_pages: int | Unknown
    """Pages moved to and from swap."""
    swap_share: float | Unknown
    """Share of the swap in use (0.5 = half)."""
    governor: str | Unknown
    """Every frequency governor in use: "performance", "powersave, performance"."""


class Trouble(Struct, frozen=True):
    """Something that keeps the host from being quiet."""

    text: str
    """ "2 other runnable tasks"."""
    passes: bool
    """True when waiting may mend it."""


def look(root: Path = Path("/")) -> Quietness:
    """What the files under ``root`` (/proc and /sys) say now. Never raises: what cannot be had is an ``Unknown``."""
    tree = Tree(root, live=root == Path("/"))
    stat = tree.text("proc/stat")
    wanted, stolen = _ticks(stat)
    return Quietness(
        cpus=_cpus(stat),
        runnable=_number(stat, "procs_running", "proc/stat"),
        wanted_ticks=wanted,
        stolen_ticks=stolen,
        throttled_s=cgroup.throttled_s(tree),
        swapped_pages=_swapped(tree),
        swap_share=_swap_share(tree),
        governor=_governor(tree),
    )


def troubles(before: Quietness, after: Quietness) -> tuple[Trouble, ...]:
    """What kept the host from being quiet between two looks a moment apart; what is unknown is no trouble."""
    return (*_others(before, after), *between(before, after), *_standing(after))


def between(before: Quietness, after: Quietness) -> tuple[Trouble, ...]:
    """The troubles that counters tell, over the time from ``before`` to ``after``, however long it was."""
    return (*_stolen(before, after), *_throttled(before, after), *_swapping(before, after))


def words(found: tuple[Trouble, ...]) -> str:
    """The troubles as one phrase: "2 other runnable tasks, 37 pages swapped"."""
    return ", ".join(trouble.text for trouble in found)


def others_running(seen: Quietness) -> bool:
    """Whether a task beside the asking one was running or ready at this look."""
    return not isinstance(seen.runnable, Unknown) and seen.runnable > 1


# -- troubles ---------------------------------------------------------------------------------------


def _others(before: Quietness, after: Quietness) -> Iterator[Trouble]:
    """A task that is there at one look only was passing by: interrupts wake some all the time."""
    if isinstance(before.runnable, Unknown) or isinstance(after.runnable, Unknown):
        return
    others = min(before.runnable, after.runnable) - 1
    allowed = 0 if isinstance(after.cpus, Unknown) else after.cpus // CPUS_A_TASK
    if others > allowed:
        yield Trouble(f"{others} other runnable task{'s' if others > 1 else ''}", passes=True)


def _stolen(before: Quietness, after: Quietness) -> Iterator[Trouble]:
    """Shares are of the time that was wanted: nothing can be stolen from a CPU that has nothing to do."""
    stolen = _grown(before.stolen_ticks, after.stolen_ticks)
    wanted = _grown(before.wanted_ticks, after.wanted_ticks)
    if stolen >= STOLEN_TICKS and wanted > 0 and stolen / wanted >= STOLEN_LIMIT:
        yield Trouble(f"{percent(stolen / wanted)} of CPU time stolen by the hypervisor", passes=True)


def _throttled(before: Quietness, after: Quietness) -> Iterator[Trouble]:
    held_s = _grown(before.throttled_s, after.throttled_s)
    if held_s >= THROTTLED_S:
        yield Trouble(f"{seconds(held_s)} of CPU time held back by a cgroup's quota", passes=True)


def _swapping(before: Quietness, after: Quietness) -> Iterator[Trouble]:
    pages = _grown(before.swapped_pages, after.swapped_pages)
    if pages:
        yield Trouble(f"{pages:.0f} page{'s' if pages > 1 else ''} swapped", passes=True)


def _standing(seen: Quietness) -> Iterator[Trouble]:
    """What no waiting mends."""
    if not isinstance(seen.swap_share, Unknown) and seen.swap_share > SWAP_FULL:
        yield Trouble(f"swap {percent(seen.swap_share)} full", passes=False)
    if not isinstance(seen.governor, Unknown) and seen.governor != STEADY_GOVERNOR:
        yield Trouble(f"frequency governor {seen.governor}, not {STEADY_GOVERNOR}", passes=False)


def _grown(before: float | Unknown, after: float | Unknown) -> float:
    """How much a counter grew; 0 where it is unknown, or was set back by a CPU or group that left."""
    if isinstance(before, Unknown) or isinstance(after, Unknown):
        return 0.0
    return max(0.0, after - before)


# -- facts ------------------------------------------------------------------------------------------


def _ticks(stat: str | Unknown) -> tuple[int | Unknown, int | Unknown]:
    """(wanted, stolen). proc_stat(5): "cpu user nice system idle iowait irq softirq steal ..."; guest is in user."""
    if isinstance(stat, Unknown):
        return stat, stat
    match = re.match(r"cpu +((?:[0-9]{1,18} ){7}[0-9]{1,18})", stat)
    if not match:
        absent = Unknown("/proc/stat has no steal time")
        return absent, absent
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, match[1].split())
    return user + nice + system + irq + softirq + steal, steal


def _cpus(stat: str | Unknown) -> int | Unknown:
    if isinstance(stat, Unknown):
        return stat
    return len(re.findall(r"^cpu[0-9]+ ", stat, re.MULTILINE)) or Unknown("/proc/stat lists no CPU")


def _swapped(tree: Tree) -> int | Unknown:
    text = tree.text("proc/vmstat")
    came, went = (_number(text, key, "proc/vmstat") for key in ("pswpin", "pswpout"))
    if isinstance(came, Unknown):
        return came
    return went if isinstance(went, Unknown) else came + went


def _swap_share(tree: Tree) -> float | Unknown:
    text = tree.text("proc/meminfo")
    total, free = (_number(text, key, "proc/meminfo") for key in ("SwapTotal:", "SwapFree:"))
    if isinstance(total, Unknown):
        return total
    if isinstance(free, Unknown):
        return free
    return max(0, total - free) / total if total else Unknown("there is no swap")


def _governor(tree: Tree) -> str | Unknown:
    folders = [f"{CPU_DIR}/{name}/cpufreq" for name in tree.names(CPU_DIR, "cpu[0-9]+")]
    named = [tree.word(f"{folder}/scaling_governor") for folder in folders]
    known = dict.fromkeys(name for name in named if not isinstance(name, Unknown))
    return ", ".join(known) or Unknown("no cpufreq folder: a guest, or no driver loaded")


def _number(text: str | Unknown, key: str, path: str) -> int | Unknown:
    """The number after ``key`` at the beginning of a line."""
    if isinstance(text, Unknown):
        return text
    match = re.search(rf"^{key}\s+([0-9]{{1,18}})\b", text, re.MULTILINE)
    return int(match[1]) if match else Unknown(f"/{path} has no {key.rstrip(':')}")
