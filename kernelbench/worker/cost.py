"""What running a case costs in memory, and what disturbs it while it runs."""

from __future__ import annotations

import resource
from pathlib import Path

from msgspec import UNSET

from kernelbench.kernels import _registry as registry
from kernelbench.kernels._registry import Variant
from kernelbench.model import DTYPE_BYTES, Case, Work
from kernelbench.timing import clock
from kernelbench.timing.sampling import Observation
from kernelbench.worker.bench import cold_sets

CHECK_COPIES = 3
"""Float64 copies that verification holds at once: the reference, its scale, the error."""


def memory_bytes(variant: Variant, case: Case, work: Work, last_level_bytes: int) -> int:
    """Bytes that measuring ``case`` takes: operand sets, the inputs they were made from, the references."""
    if work.working_set_bytes is UNSET:
        return 0
    elements = _largest_working_set(variant, case, work.working_set_bytes) / DTYPE_BYTES[case.dtype]
    made = elements * max(DTYPE_BYTES[case.dtype], DTYPE_BYTES["f32"])  # what is quantized is drawn as f32
    sets = cold_sets(case, work.working_set_bytes, last_level_bytes)
    return int(work.working_set_bytes * (sets + 1) + made + 8 * CHECK_COPIES * elements)


def _largest_working_set(variant: Variant, case: Case, own_bytes: float) -> float:
    """The most bytes that any variant of the op touches: 4-bit or sparse operands are made from whole ones."""
    found = [own_bytes]
    for other in registry.variants().values():
        if other.op is variant.op and case.dtype in other.dtypes:
            try:
                size = other.work(other.whole(case.settings), case.dtype).working_set_bytes
            except Exception:
                # A user's work model, which is told to the user where that variant itself is planned.
                continue
            found.append(0.0 if size is UNSET else size)
    return max(found)


class Watch:
    """Observes what disturbs a batch of slices: preemption, page faults, the core's clock."""

    def __init__(self, *, own_cores: bool = True) -> None:
        """``own_cores``: no two threads of ours share a core, so fewer adds a cycle are a neighbour's doing."""
        self.sees_neighbours = own_cores and clock.available()
        self._before = resource.getrusage(resource.RUSAGE_SELF)

    def start(self) -> None:
        """Note the counters."""
        self._before = resource.getrusage(resource.RUSAGE_SELF)

    def stop(self) -> Observation:
        """What changed since ``start``, and the clock now."""
        after = resource.getrusage(resource.RUSAGE_SELF)
        before = self._before
        return Observation(
            involuntary_switches=after.ru_nivcsw - before.ru_nivcsw,
            page_faults=after.ru_minflt + after.ru_majflt - before.ru_minflt - before.ru_majflt,
            clock_hz=self.clock_hz(),
        )

    def adds_per_s(self) -> float:
        """Independent adds a second now; raises KeyError where no probe is known, see ``sees_neighbours``."""
        return clock.adds_per_s()

    def clock_hz(self) -> float:
        """The core's clock now; 0 where no probe is known for the architecture."""
        return clock.clock_hz() if clock.available() else 0.0


class Pressure:
    """CPU time taken from us during a round: by the hypervisor, and by the cgroup's quota."""

    def __init__(self) -> None:
        self._steal, self._throttled = _steal_s(), _throttled_s()

    def since(self) -> dict[str, float]:
        """``steal_s`` and ``throttled_s`` since construction; what the system does not tell is left out."""
        found: dict[str, float] = {}
        steal, throttled = _steal_s(), _throttled_s()
        if steal is not None and self._steal is not None:
            found["steal_s"] = steal - self._steal
        if throttled is not None and self._throttled is not None:
            found["throttled_s"] = throttled - self._throttled
        return found


def _steal_s() -> float | None:
    """Seconds stolen from all CPUs since boot; ticks of 10 ms."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
        return int(fields[8]) / 100
    except (OSError, IndexError, ValueError):
        return None


def _throttled_s() -> float | None:
    """Seconds this process's cgroup (v2) was held back by its CPU quota."""
    try:
        own = next(x for x in Path("/proc/self/cgroup").read_text().splitlines() if x.startswith("0::"))
        stat = Path("/sys/fs/cgroup") / own[3:].lstrip("/") / "cpu.stat"
        fields = dict(line.split() for line in stat.read_text().splitlines())
        return int(fields["throttled_usec"]) / 1e6
    except (OSError, StopIteration, KeyError, ValueError):
        return None
