"""Asking a worker to take one case apart: the case and what it would be otherwise, timed in turns in one process."""

from msgspec import UNSET, Struct, UnsetType

from kernelbench.model import Accuracy, Case, Round

CHANGED = "changed: "
"""Begins the stage in which a changed form runs for the first time; its name follows."""


class Dissect(Struct, frozen=True, tag=True):
    """Time ``case`` in turns with changed forms of it. Answer: ``Dissected`` or ``CaseFailed``."""

    case: Case
    seed: int
    started_at: float
    """``time.monotonic()`` of the profile's begin, for ``start_s``."""
    others: tuple[Case, ...] = ()
    """The same variant and dtype at other sizes."""
    rewrites: tuple[str, ...] = ()
    """Code with something taken out (``native.rewrite.REWRITES``)."""
    sorted_indices: bool = False
    """Operands of integers in rising order."""
    one_thread: bool = False
    """One thread of the pool doing all the work."""
    budget_s: float = 1.0
    """Time for all turns together; each form gets at least 3."""
    memory: bool = False
    """Also the memory of one call, and its first touch."""


class Timed(Struct, frozen=True, tag=True, omit_defaults=True):
    """One changed form."""

    name: str
    """"chains cut", "sorted indices", or the id of another case."""
    call_s: float | UnsetType = UNSET
    """Best seconds per call; absent when it could not be had."""
    change: str = ""
    """What was changed, in words."""
    skipped: str = ""


class CallMemory(Struct, frozen=True, omit_defaults=True):
    """Memory of one call."""

    temporaries_bytes: int | UnsetType = UNSET
    """tracemalloc's peak; absent for compiled code, which it does not see."""
    peak_rss_bytes: int | UnsetType = UNSET
    """Rise of VmHWM over VmRSS; absent where the system does not say."""
    allocations: int | UnsetType = UNSET
    """Of Numba's runtime; absent where it does not count."""
    first_touch_s: float | UnsetType = UNSET
    """One call on outputs whose pages do not exist yet; absent for a kernel without outputs."""


class Dissected(Struct, frozen=True, tag=True, omit_defaults=True):
    """Answers ``Dissect``."""

    round: Round
    """Of the case itself, verified before and after: a sample for each of its turns."""
    accuracy: Accuracy
    timer: str
    includes_python_call: bool
    placement: tuple[int, ...]
    fastmath: bool
    call_s: float
    """Its best seconds per call, in turns with the others."""
    empty_call_s: float
    """Seconds of a call of nothing with the same arguments."""
    timed: tuple[Timed, ...]
    memory: CallMemory = CallMemory()
    huge_pages: float | UnsetType = UNSET
    isa_used: str | UnsetType = UNSET
    compile_s: float | UnsetType = UNSET
