"""What a worker process is asked."""

from msgspec import Struct

from kernelbench.model import Case
from kernelbench.protocol.inspect import Inspect
from kernelbench.protocol.profile import Dissect
from kernelbench.protocol.setup import Effort


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


class Open(Struct, frozen=True, tag=True):
    """Place, verify and warm up ``case`` and keep it to be timed in turns. Answer: ``Opened`` or ``CaseFailed``."""

    case: Case
    seed: int
    warmup_s: float = 0.02
    slowdown: float = 0.0
    """Share of extra work in every call (0.05 = 5%), dependent adds beside the kernel: to try the gate with."""
    extra_steps: int = 0
    """So many steps of extra work, as an earlier process sized them: a slower code is as slow in every process. 0: size
    them now."""
    like_slowed: bool = False
    """Without extra work, but entered as a side that has some: the ways in differ by a few cycles a call."""


class Burst(Struct, frozen=True, tag=True):
    """Time the open case: slices of ``calls`` calls in a row. Answer: ``Slices`` or ``CaseFailed``."""

    calls: int
    slices: int
    restore: bool
    """Write the operands anew before: the other side has other bytes there."""


class Shut(Struct, frozen=True, tag=True):
    """Verify the open case once more and let it go. Answer: ``CaseMeasured`` (without a round) or ``CaseFailed``."""

    restore: bool = False
    """Write the operands anew before: the other side has other bytes there. Else they are checked as the turns of
    both sides left them."""


class Exit(Struct, frozen=True, tag=True):
    """End the process. No answer."""


Request = Catalogue | Describe | Compile | Measure | ProbeCeilings | Open | Burst | Shut | Dissect | Inspect | Exit
