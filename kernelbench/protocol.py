"""What the parent and a worker process say to each other: one JSON object a line, over two private pipes.

The parent sends a ``Request``; the worker answers with any number of ``Stage`` notices and exactly one
other ``Reply``. A worker that dies instead of answering has crashed in the stage it last announced.
Nothing but msgspec and the model is imported, so that both sides can.
"""

from msgspec import UNSET, Struct, UnsetType

from kernelbench.model import Accuracy, Case, Ceiling, OpInfo, Round, VariantInfo, Work


class WorkerSetup(Struct, frozen=True):
    """How a worker process is started: what cannot change during its life."""

    threads: int
    """Size of its thread pools (Numba's, OpenMP's, BLAS's)."""
    cpus: tuple[int, ...]
    """CPUs it is pinned to, one per thread."""
    isa: str = "native"
    """Instruction-set level that its compiler may emit."""
    modules: tuple[str, ...] = ()
    """Absolute paths of the user's kernel files."""
    serial: int = 0
    """Number of this process within the run."""
    shares_cores: bool = False
    """True when two of the CPUs are SMT siblings: then its own threads share cores, which is no disturbance."""
    last_level_bytes: int = 64 << 20
    """The last-level cache: cold cases rotate through four times as much."""


class Effort(Struct, frozen=True):
    """How long to sample one case in one round."""

    sample_s: float = 0.002
    """A sample lasts at least this (never less than 1 ms or 10^4 timer ticks)."""
    samples: int = 12
    """Undisturbed samples per round, fewer when the time below runs out, never fewer than 3 in all."""
    round_s: float = 0.12
    """Time for the samples of one case in one round; slow kernels still get 3 samples."""
    warmup_s: float = 0.25
    """Longest warm-up."""
    patience_s: float = 0.5
    """Time for each case of a round, shared by all of a process, to come back to cases with fewer than 3 undisturbed
    samples."""


class Catalogue(Struct, frozen=True, tag=True):
    """Ask for every op and variant, the user's included. Answer: ``CatalogueReply``."""


class Describe(Struct, frozen=True, tag=True):
    """Ask for work and fitness of cases. Answer: ``Described``."""

    cases: tuple[Case, ...]


class Compile(Struct, frozen=True, tag=True):
    """Compile (or load from the cache) what ``case`` needs. Answer: ``Compiled`` or ``CaseFailed``."""

    case: Case


class Measure(Struct, frozen=True, tag=True):
    """Verify, warm up, time, verify again. Answer: ``CaseMeasured``, ``Waiting`` or ``CaseFailed``."""

    case: Case
    seed: int
    round: int
    effort: Effort
    started_at: float
    """``time.monotonic()`` of the run's begin (system-wide on Linux), for ``start_s``."""
    verify_only: bool = False
    best_adds_per_cycle: float = 0.0
    """The most independent adds a cycle seen so far in the run: what a core of one's own can do."""
    last: bool = True
    """False: where too few quiet moments were met so far, keep the case ready and answer ``Waiting``."""


class ProbeCeilings(Struct, frozen=True, tag=True):
    """Measure ceilings at this worker's threads. Answer: ``Ceilings``."""

    machine: str
    """Machine id for the ceilings' field."""
    levels: tuple[tuple[str, int], ...]
    """(level name, bytes of one thread's share), nearest first; the last is ("DRAM", bytes to touch)."""
    started_at: float
    scope: str = "full"
    """"full": everything. "quick": everything, the ladder at half its points. "compute": compute ceilings only.
    "memory": the quick ladder only.
    "check": the few that prove that known ceilings still hold. "pulse": those of them that need no memory."""
    isa_levels: tuple[str, ...] = ()
    """Instruction-set levels usable here, rising."""
    probe_s: float = 0.002
    """Least time spent on one point."""
    patience_s: float = 1.0
    """Extra time of the whole pass for points that met no moment without a neighbour on the core."""


class Exit(Struct, frozen=True, tag=True):
    """End the process. No answer."""


Request = Catalogue | Describe | Compile | Measure | ProbeCeilings | Exit


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


class Waiting(Struct, frozen=True, tag=True):
    """The case is verified and warm, but the core was not quiet for long enough: ask again later."""

    case_id: str


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


Reply = Ready | Stage | CatalogueReply | Described | Compiled | CaseMeasured | Waiting | CaseFailed | Ceilings | Broken
