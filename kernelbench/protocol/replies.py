"""What a worker process answers."""

from msgspec import UNSET, Struct, UnsetType

from kernelbench.model import Accuracy, Ceiling, OpInfo, Round, VariantInfo, Work
from kernelbench.protocol.inspect import Inspected
from kernelbench.protocol.profile import Dissected


class Ready(Struct, frozen=True, tag=True):
    """First thing a worker says, unasked."""

    pid: int
    thread_layer: str
    source_hash: str
    """Hash of all sources under test and of the versions; also the name of its JIT cache folder."""
    timer_resolution_s: float
    empty_call_s: float
    """Cost of one empty compiled call in the timing loop."""


class Stage(Struct, frozen=True, tag=True):
    """Notice: this stage of the running request begins."""

    name: str


class CatalogueReply(Struct, frozen=True, tag=True):
    """Everything that can be run."""

    ops: tuple[OpInfo, ...]
    variants: tuple[VariantInfo, ...]
    broken_modules: tuple[tuple[str, str], ...] = ()
    """(file, one line: why it could not be imported)."""


class CaseInfo(Struct, frozen=True, tag=True, omit_defaults=True):
    """One described case: its work, or why it is not to be run."""

    case_id: str
    work: Work = Work(model="absent")
    memory_bytes: int = 0
    """Memory that running and verifying it takes."""
    skip: str = ""


class Described(Struct, frozen=True, tag=True):
    """Answers ``Describe``, in the order asked."""

    infos: tuple[CaseInfo, ...]


class Compiled(Struct, frozen=True, tag=True, omit_defaults=True):
    """It is compiled."""

    compile_s: float
    """Seconds when it was really compiled (also when that was earlier, in another process)."""
    cache_hits: int
    cache_misses: int
    isa_used: str | UnsetType = UNSET


class CaseMeasured(Struct, frozen=True, tag=True, omit_defaults=True):
    """One case round. ``round`` is absent when only verification was asked for."""

    accuracy: Accuracy
    timer: str
    includes_python_call: bool
    placement: tuple[int, ...]
    fastmath: bool = False
    round: Round | UnsetType = UNSET
    huge_pages: float | UnsetType = UNSET
    isa_used: str | UnsetType = UNSET
    compile_s: float | UnsetType = UNSET
    flags: tuple[str, ...] = ()
    remarks: dict[str, str] = {}
    """Flag -> one line for the user: what the kernel does beside its work ("prints", "leaks", "threads")."""


class Waiting(Struct, frozen=True, tag=True):
    """The case is verified and warm, but the core was not quiet for long enough: ask again later."""

    case_id: str


class Opened(Struct, frozen=True, tag=True, omit_defaults=True):
    """The case is right, warm, and waits for its turns."""

    accuracy: Accuracy
    work: Work
    calls: int
    """Calls that make a slice here."""
    call_s: float
    """Seconds of a call, roughly."""
    layout: str
    """Where its operands lie, and a checksum of what they hold: equal on both sides, nothing needs restoring."""
    shared: bool
    """Whether they lie in the shared memory."""
    why_private: str = ""
    """Why not, in words; empty where they do, and where no shared memory was given."""
    why_own_code: str = ""
    """Why its code lies on pages of its own, in words; empty where it lies in the shared memory, and where that is not
    tried: with several threads, on processors other than x86-64, and with code that is a library's."""
    slowed: float = 0.0
    """Share of extra work that was really reached, by measurement."""
    extra_steps: int = 0
    """The steps of extra work in every call."""


class Slices(Struct, frozen=True, tag=True):
    """Slices of one burst."""

    seconds: tuple[float, ...]
    adds_per_cycle: tuple[float, ...]
    """Beside each slice, the least of its neighbouring looks; empty where not measured."""
    clock_hz: float
    """Right after it; 0 where it cannot be measured."""
    involuntary_switches: int


class CaseFailed(Struct, frozen=True, tag=True):
    """The kernel is wrong or raised; the worker still answers, but nothing else should be timed in it."""

    stage: str
    message: str


class Ceilings(Struct, frozen=True, tag=True):
    """One pass of ceiling probes at this worker's thread count."""

    ceilings: tuple[Ceiling, ...]


class Broken(Struct, frozen=True, tag=True):
    """The worker's own code failed (our bug): message with traceback."""

    message: str


Reply = (
    Ready
    | Stage
    | CatalogueReply
    | Described
    | Compiled
    | CaseMeasured
    | Waiting
    | Opened
    | Slices
    | Dissected
    | Inspected
    | CaseFailed
    | Ceilings
    | Broken
)
