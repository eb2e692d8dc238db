"""One kernel in depth: what a result file of kind "profile" holds beside ordinary ceilings and records.

Every sweep is a set of ordinary cases: their records stand in the file, and the points here name them by case id.
"""

from msgspec import UNSET, Struct, UnsetType

from kernelbench.model.machine import Unknown

BOUNDS = (
    "compute",
    "divide",
    "bandwidth",
    "latency",
    "gather",
    "dispatch",
    "imbalance",
    "transcendental",
    "unpacking",
)
"""What may hold a kernel back."""

SMALLEST, ONE_THREAD, SORTED = "smallest size", "one thread", "sorted indices"
CHAINS_CUT, NO_DIVIDES, NO_TRANSCENDENTALS = "chains cut", "no divides", "no transcendentals"
NO_UNPACKING, NO_ARITHMETIC, NO_MEMORY = "no unpacking", "no arithmetic", "no loads and stores"
INSIDE = "inside {level}"
"""Names of counterfactuals; that of a smaller working set names the level which holds it ("inside L1")."""


class TimeSplit(Struct, frozen=True, omit_defaults=True):
    """One warm call: what does not shrink with the work (dispatch), and the rest (kernel)."""

    call_s: float
    """Best seconds per call at the profiled size."""
    dispatch_s: float
    """Of them, those that remain at the smallest size; at most ``call_s``."""
    kernel_s: float
    """``call_s`` - ``dispatch_s``."""
    empty_call_s: float
    """Seconds of a call of nothing in the same timing loop, with the same arguments."""
    how: str
    """How dispatch was found, a sentence."""
    smallest: str = ""
    """Id of the smallest case; empty where the op has none smaller."""


class CacheStates(Struct, frozen=True, omit_defaults=True):
    """Best seconds per call by where the operands lie."""

    warm_s: float
    cold_s: float | Unknown | UnsetType = UNSET
    """Operands in no cache; absent where not asked for, Unknown with the reason where it could not be had."""
    first_touch_s: float | Unknown | UnsetType = UNSET
    """The first call on outputs whose pages do not exist yet (page faults included)."""


class SizePoint(Struct, frozen=True, omit_defaults=True):
    """One size of the sweep."""

    case: str
    """Case id of its record."""
    shape: dict[str, int]
    working_set_bytes: float
    level: str
    """"L1", "L2", "L3" or "DRAM": the nearest that holds one thread's share of the working set."""
    call_s: float
    """Best seconds per call."""
    per_unit_s: float
    """Seconds per unit of work (see ``Profile.unit``): what falls when data come from nearer."""


class ThreadPoint(Struct, frozen=True):
    """One thread count of the sweep."""

    case: str
    threads: int
    call_s: float
    speedup: float
    """One thread's time over this one's."""


class IsaPoint(Struct, frozen=True, omit_defaults=True):
    """One instruction-set level of the sweep."""

    case: str
    isa: str
    call_s: float | UnsetType = UNSET
    """Absent when skipped."""
    isa_used: str | UnsetType = UNSET
    """Widest level whose registers the code contains."""
    skipped: str = ""
    """Why it was not measured; empty when it was."""


class MemoryUse(Struct, frozen=True, omit_defaults=True):
    """What memory a call needs, and where it lives."""

    working_set_bytes: float | UnsetType = UNSET
    """All operands; absent without a byte model."""
    level: str | UnsetType = UNSET
    """Nearest level that holds one thread's share."""
    level_bytes: int | UnsetType = UNSET
    """That share of the level; absent for DRAM."""
    temporaries_bytes: int | Unknown = Unknown("not asked for")
    """Most memory that Python allocated during one call beyond its operands (tracemalloc, NumPy included)."""
    peak_rss_bytes: int | Unknown = Unknown("not asked for")
    """How far the process's resident memory rose during one call (VmHWM, in pages)."""
    allocations: int | UnsetType = UNSET
    """Allocations that Numba's runtime made in one call; absent for other kernels."""


class Counterfactual(Struct, frozen=True, omit_defaults=True):
    """One thing changed, all else equal, and measured in turns with the kernel itself in one process."""

    name: str
    """"inside L1" (a smaller working set), "chains cut", "sorted indices"...: one of the names above."""
    change: str
    """What was changed, in words ("n=2048: 24.0 KiB, inside L1")."""
    basis: str
    """What the two times are of: "call", or the unit of work ("FLOP", "B", "element") where the work differs too."""
    before_s: float | UnsetType = UNSET
    """The kernel as it is; absent when skipped."""
    after_s: float | UnsetType = UNSET
    """With the change; absent when skipped."""
    case: str = ""
    """Case id where the change is another case; empty where it is other code or other operands."""
    level: str | UnsetType = UNSET
    """Level that holds the smaller working set; absent for other changes."""
    skipped: str = ""
    """Why it could not be measured; empty when it was."""

    @property
    def factor(self) -> float | UnsetType:
        """How many times faster with the change; absent when skipped."""
        if self.before_s is UNSET or self.after_s is UNSET:
            return UNSET
        return self.before_s / self.after_s


class Cause(Struct, frozen=True, omit_defaults=True):
    """One thing that holds the kernel back, as its counterfactual shows."""

    kind: str
    """One of ``BOUNDS``."""
    name: str
    """For people: "L2 bandwidth", "FMA throughput", "latency of one dependency chain"."""
    evidence: tuple[str, ...]
    """Sentences with the measured numbers."""
    counterfactual: str
    """Name of the ``Counterfactual`` that supports it."""
    share: float
    """Share of the time that the change took away, 0 to 1."""
    level: str | UnsetType = UNSET
    """Of bandwidth: the level."""
    mix: str | UnsetType = UNSET
    """Of compute: the instruction mix ("fma", "add", "dot") where the work model names one."""


class Bound(Struct, frozen=True, omit_defaults=True):
    """Which bound holds."""

    text: str
    """One line: "L2 bandwidth", "not told apart: A or B", "not known: why"."""
    causes: tuple[Cause, ...] = ()
    """One: it is told. Several: not told apart, likeliest first. None: nothing measured supports a cause."""
    also: tuple[Cause, ...] = ()
    """What holds a smaller part of the time."""


class Counters(Struct, frozen=True, omit_defaults=True):
    """Hardware counters of the measured calls, per call."""

    cycles: float
    instructions: float
    events: dict[str, float] = {}
    """Others by perf's name ("cache-misses")."""


class Profile(Struct, frozen=True, omit_defaults=True):
    """One kernel in depth."""

    case: str
    """Case id of the profiled case; its record is in the file."""
    unit: str
    """What ``per_unit_s`` divides by: "FLOP", "B" or "element"."""
    split: TimeSplit
    states: CacheStates
    bound: Bound
    counterfactuals: tuple[Counterfactual, ...]
    memory: MemoryUse
    sizes: tuple[SizePoint, ...] = ()
    """By rising working set; empty where not asked for."""
    threads: tuple[ThreadPoint, ...] = ()
    """By rising count; empty for kernels of one thread and where not asked for."""
    isa: tuple[IsaPoint, ...] = ()
    """By rising level; empty where the instructions are not ours to choose and where not asked for."""
    levels: tuple[tuple[str, int], ...] = ()
    """(level, bytes of one thread's share) of the caches, nearest first."""
    compile_s: float | UnsetType = UNSET
    """Absent for what we do not compile."""
    counters: Counters | UnsetType = UNSET
    """Absent where there are none: ``no_counters`` says why."""
    no_counters: str = ""
    """Why there are no hardware counters ("no PMU: KVM guest"); empty when there are."""
    advice: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be measured, and why, a sentence each."""
