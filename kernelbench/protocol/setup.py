"""How a worker process is started, and how hard it measures: what cannot change during its life, or a request."""

from msgspec import UNSET, Struct, UnsetType

STACK_BYTES = 6 << 20
"""Of a shared memory, room for a stack: less than a thread of Linux has by default, far more than a kernel needs."""
ARGUMENT_BYTES = 2 << 20
"""Room for the arguments of calls."""
CODE_BYTES = 2 << 20
"""Room for the kernels' own code: the largest of ours has 32 KiB."""
RESERVED_BYTES = STACK_BYTES + ARGUMENT_BYTES + CODE_BYTES
"""What of a shared memory is not for operands."""


class SharedMemory(Struct, frozen=True):
    """Memory that two workers map at one address, so that both work on the same physical bytes."""

    fd: int
    """Inherited file descriptor of the memory."""
    address: int
    """Where both map it."""
    size_bytes: int
    stack_skips_bytes: int = 0
    """The stack begins so far below the top of its room: another page in every round, the same on both sides."""


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
    anywhere: bool = False
    """Import on any CPU, where it does not matter yet; pinned before it says that it is ready."""
    memory: SharedMemory | UnsetType = UNSET
    """Where operands go; absent: memory of its own."""


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
