"""What a compiler made of a kernel: its hot loop, what it consists of, and what it takes. Data for ``inspect``."""

from msgspec import UNSET, Struct, UnsetType

from kernelbench.model.case import Case


class Mix(Struct, frozen=True):
    """The instructions of one pass through a loop."""

    counts: dict[str, dict[str, int]]
    """Kind ("fma", "load", ...) -> width ("zmm", "ymm", "xmm", "scalar") -> instructions. One that computes on an
    operand in memory counts as what it computes and as a load; one on the stack as a spill."""
    instructions: int
    width: str
    """The width that most of the arithmetic is done in; of loads and stores where nothing computes."""
    flop: float
    int_ops: float
    """Operations on integers in vectors."""
    load_bytes: float
    store_bytes: float
    stack_bytes: float
    """Spills and reloads; not in the bytes above."""

    @property
    def operations(self) -> float:
        """FLOP, or integer operations where there are no FLOP."""
        return self.flop or self.int_ops

    @property
    def per_byte(self) -> float | UnsetType:
        """Operations per byte loaded and stored by the loop's instructions; absent where it moves none."""
        moved = self.load_bytes + self.store_bytes
        return self.operations / moved if moved else UNSET


class LoopLine(Struct, frozen=True, omit_defaults=True):
    """One line of the loop."""

    text: str
    """As LLVM printed it; a label ends in ":"."""
    note: str = ""
    """What it does ("fma zmm, loads 64 B"); empty for a label."""
    count: int | UnsetType = UNSET
    """How often it ran in one call; absent where that was not counted."""


class Carried(Struct, frozen=True):
    """A chain of instructions each of which waits for the one before, around the loop."""

    registers: tuple[str, ...]
    instructions: tuple[str, ...]
    cycles: float
    """Least cycles per iteration."""
    kind: str
    """"arithmetic", "address" or "memory"."""


class Foreseen(Struct, frozen=True):
    """OSACA's prediction for one iteration."""

    architecture: str
    pressure: dict[str, float]
    """Port -> cycles."""
    chain_cycles: float
    cycles: float
    """The busiest port or the longest chain."""
    unknown: tuple[str, ...]
    """Instructions without data, left out of it."""


class Said(Struct, frozen=True):
    """One remark of LLVM's vectoriser."""

    where: str
    """ "relu.py:118"; empty where not known."""
    text: str
    of_hot_loop: bool
    """Whether its line is one of the hot loop's."""


class Ran(Struct, frozen=True):
    """What one innermost loop did in one call."""

    function: str
    label: str
    width: str
    iterations: int
    share: float
    """Of all instructions executed."""
    work_share: float
    """Of all operations (FLOP and integer operations in vectors) executed."""


class Inspection(Struct, frozen=True, omit_defaults=True):
    """The hot loop of one case. Times in seconds, per call."""

    case: Case
    isa_used: str
    """Widest level in all of its code."""
    function: str
    """Name of the compiled function that the loop is in, readable."""
    label: str
    lines: tuple[LoopLine, ...]
    mix: Mix
    depth: int
    """1 for a loop in no other."""
    loops: int
    """Innermost loops in all of its code, the hot one among them."""
    vectorized: bool
    reasons: tuple[str, ...]
    """Why it is vectorized or not, in sentences."""
    remarks: tuple[Said, ...] = ()
    where: str = ""
    """Source line of the loop ("relu.py:118"); empty where not known."""
    chains: tuple[Carried, ...] = ()
    """Longest first."""
    latencies: str = ""
    """Whose latencies the chains are told in ("zen4")."""
    iterations: int | UnsetType = UNSET
    """Of the loop, in one call, counted; absent where no copy that counts could be made."""
    share: float | UnsetType = UNSET
    """Of all instructions that a call executes, those in this loop."""
    ran: tuple[Ran, ...] = ()
    """The innermost loops that ran most, the hot one first; empty where nothing was counted."""
    uncounted: str = ""
    """Why nothing was counted; empty where it was."""
    foreseen: Foreseen | UnsetType = UNSET
    unforeseen: str = ""
    """Why there is no prediction; empty where there is one."""
    call_s: float | UnsetType = UNSET
    """Fastest sample."""
    clock_hz: float | UnsetType = UNSET
    untimed: str = ""
    """Why the call was not timed, or no clock is known; empty where all is well."""

    @property
    def cycles(self) -> float | UnsetType:
        """Cycles per iteration: of the whole call, on all its threads, shared out over the loop's iterations.

        What runs besides the loop is in it: the less ``share`` is, the more it says about the rest of the call.
        """
        if self.call_s is UNSET or self.clock_hz is UNSET or self.iterations is UNSET or not self.iterations:
            return UNSET
        return self.call_s * self.clock_hz * self.case.threads / self.iterations
