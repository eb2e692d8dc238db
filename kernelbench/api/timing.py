"""Timing a function in this process, on the operands it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType, structs

from kernelbench.api import operands
from kernelbench.api.measurement import Measurement
from kernelbench.errors import UsageError
from kernelbench.model import DTYPE_BYTES, Work
from kernelbench.protocol import Effort

if TYPE_CHECKING:
    from kernelbench.timing.sampling import Runner, Samples
    from kernelbench.worker.entry import Block, Entry

_EFFORT = Effort()


def measure(
    fn: Callable[..., Any],
    args: Sequence[Any] = (),
    *,
    flop: float | None = None,
    bytes: float | None = None,
    work: Work | None = None,
    dtype: str | None = None,
    threads: int = 1,
    name: str = "",
    effort: Effort = _EFFORT,
) -> Measurement:
    """Time ``fn(*args)``: calibrated samples after a warm-up, at the default effort in about half a second.

    A Numba function or one of ``kb.c_function`` is entered without Python, from a compiled loop; it takes arrays,
    integers and floats, writes into its arguments and returns nothing. Any other callable is called from Python,
    and ``includes_python_call`` says so. ``fn`` is called many times on the same operands, which are left where
    they are: keep them bounded when it works in place. ``flop`` and ``bytes`` are what one call does (a
    multiply-add is 2 FLOP), for the rates and the share of the roof; ``work`` (``kb.Work``) says it in full, with
    the bytes that are written and the instruction mix. ``dtype`` ("f32") where the arrays do not tell it. ``threads``
    chooses the roofs and starts none. ``effort`` says how long to sample (``kb.Effort``).

    Raises UsageError when ``flop`` or ``bytes`` is not above zero, when a Numba function cannot be entered so,
    or when it raises in a timed call; what ``fn`` raises when first called comes out unchanged.

    >>> x, y = np.ones(4096, np.float32), np.empty(4096, np.float32)
    >>> kb.measure(np.abs, (x, y), bytes=2 * x.nbytes).gbps > 0
    True
    """
    declared = declare(flop=flop, bytes=bytes, work=work, dtype=dtype, threads=threads, name=name)
    prepared = prepare(fn, args, effort)
    busy = BusyCpus()
    return measured(prepared, declared, [sampled(prepared, effort, threads)], busy.now())


@dataclass(frozen=True)
class Declared:
    """What the caller says of a function."""

    work: Work
    dtype: str | UnsetType = UNSET
    threads: int = 1
    name: str = ""


def declare(
    *,
    flop: float | None,
    bytes: float | None,
    work: Work | None,
    dtype: str | None,
    threads: int,
    name: str,
) -> Declared:
    """The arguments of ``measure`` that say what a function does. Raises UsageError for what cannot be."""
    if dtype is not None and dtype not in DTYPE_BYTES:
        raise UsageError(f"dtype={dtype!r} is not a number type; it may be {', '.join(DTYPE_BYTES)}")
    if threads < 1:
        raise UsageError(f"threads={threads!r} must be 1 or more")
    return Declared(_declared_work(flop, bytes, work), UNSET if dtype is None else dtype, threads, name)


def _declared_work(flop: float | None, bytes: float | None, work: Work | None) -> Work:
    """``work``, or one of ``flop`` and ``bytes``; bytes of which nothing more is said count as read.

    Raises UsageError when both are given, or a number is not above zero.
    """
    if work is not None:
        if flop is not None or bytes is not None:
            raise UsageError("work says what a call does: leave flop and bytes out beside it")
        return work
    if flop is None and bytes is None:
        return Work("absent")
    return Work("declared", flop=_positive("flop", flop), read_bytes=_positive("bytes", bytes))


def _positive(name: str, value: float | None) -> float | UnsetType:
    """``value``, absent when not given. Raises UsageError unless it is above zero and finite."""
    if value is None:
        return UNSET
    if not 0 < value < float("inf"):
        raise UsageError(f"{name}={value!r} must be above 0 and finite; leave it out when it is not known")
    return value


@dataclass(frozen=True)
class Prepared:
    """A function ready to be timed, with what must stay alive meanwhile."""

    name: str
    args: Sequence[Any]
    returned: Any
    """Of its first call."""
    run: Runner
    calls: int = 1
    """Of a slice."""
    slice_s: float = 0.0
    """What a slice took."""
    shortest_s: float = 0.0
    """The least time of a sample."""
    entry: Entry | UnsetType = UNSET
    """The compiled code; absent when it is called from Python."""
    block: Block | UnsetType = UNSET
    """Its arguments; absent with ``entry``."""

    def check(self) -> None:
        """Raises UsageError when a call in compiled code has raised: it would look fast."""
        if self.block is not UNSET and self.block.status:
            raise UsageError(f"{self.name} raised an exception in a timed call; it must bear being called repeatedly")


def prepare(fn: Callable[..., Any], args: Sequence[Any], effort: Effort = _EFFORT) -> Prepared:
    """``fn`` called once, compiled where Numba can, calibrated and warm. Raises UsageError."""
    import time

    from kernelbench.timing import sampling
    from kernelbench.timing.warmup import calibrate, warm_up
    from kernelbench.worker.threads import wait_until_idle

    check_call(fn, args)
    # What ran before may have left threads that spin for a while.
    wait_until_idle()
    returned = fn(*args)  # an exception in compiled code would only be a status word
    found = entered(fn, args, returned)
    resolution = time.get_clock_info("perf_counter").resolution
    shortest = sampling.shortest_sample_s(effort, resolution)
    calls, took = calibrate(found.run, sampling.shortest_slice_s(resolution))
    many = max(1, int(shortest / took))
    warm_up(found.run, many * calls, many * took, effort.warmup_s)
    return Prepared(found.name, args, returned, found.run, calls, took, shortest, found.entry, found.block)


def check_call(fn: Callable[..., Any], args: Sequence[Any]) -> None:
    """Raises UsageError for what is no function, or no tuple of arguments."""
    if not callable(fn):
        raise UsageError(f"fn={fn!r} cannot be called; give the function itself, and its arguments as args")
    if hasattr(args, "dtype"):
        raise UsageError("args is one array; give a tuple of all that the function takes: (x,)")


def entered(fn: Callable[..., Any], args: Sequence[Any], returned: Any) -> Prepared:
    """``fn(*args)`` through the trampoline where it is Numba's or a C function, else from Python. Raises UsageError."""
    from kernelbench.timing.loops import Calls
    from kernelbench.worker.entry import Block, CannotEnter, PythonCalls, compile_entry, enter_c, is_c, is_jitted

    name = name_of(fn)
    if not (is_jitted(fn) or is_c(fn)):
        return Prepared(name, args, returned, PythonCalls(fn, [args]))
    try:
        entry = enter_c(fn) if is_c(fn) else compile_entry(fn, args)
    except CannotEnter as error:
        raise UsageError(f"{name}: {error}. To time it as called from Python, pass a lambda") from error
    block = Block(fn.bound(args, {}) if is_c(fn) else args)
    return Prepared(name, args, returned, Calls(entry.address, [block.address]), entry=entry, block=block)


def sampled(prepared: Prepared, effort: Effort, threads: int = 1) -> Samples:
    """One round of samples of a function on ``threads``. Raises UsageError when a call raised."""
    from kernelbench.timing import sampling
    from kernelbench.worker.cost import Watch

    shortest = prepared.shortest_s
    # Threads that nobody has placed may share a core: fewer adds a cycle are then no neighbour's doing.
    watch = Watch(own_cores=threads == 1)
    found = sampling.sample(prepared.run, prepared.calls, effort, watch, shortest_s=shortest)
    prepared.check()
    return found


class BusyCpus:
    """How many CPUs this process keeps busy, from now on."""

    def __init__(self) -> None:
        import time

        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def now(self) -> float:
        """CPU seconds of all threads per second since construction."""
        import time

        return (time.process_time() - self._cpu) / max(1e-9, time.perf_counter() - self._wall)


def measured(prepared: Prepared, declared: Declared, rounds: Sequence[Samples], busy_cpus: float) -> Measurement:
    """The measurement that ``rounds`` of samples amount to."""
    samples = [one for samples in rounds for one in samples.seconds_per_call]
    args, returned = prepared.args, prepared.returned
    work = declared.work
    if isinstance(work.working_set_bytes, UnsetType):
        work = structs.replace(work, working_set_bytes=operands.working_set_bytes(args, returned))
    return Measurement(
        name=declared.name or prepared.name,
        best_s=min(samples),
        median_s=median(samples),
        samples_s=tuple(samples),
        calls_per_sample=rounds[0].calls_per_sample,
        includes_python_call=prepared.block is UNSET,
        disturbed_samples=sum(one.disturbed.count(True) for one in rounds),
        work=work,
        dtype=operands.dtype_of(args, returned) if isinstance(declared.dtype, UnsetType) else declared.dtype,
        threads=declared.threads,
        busy_cpus=busy_cpus,
        clock_hz=max((clock for one in rounds for clock in one.clock_hz), default=0.0),
    )


def name_of(fn: Callable[..., Any]) -> str:
    """What a function calls itself."""
    return str(getattr(fn, "__name__", type(fn).__name__))
