"""kernelbench from Python: look kernels up, call them, and time a function of your own.

    import kernelbench as kb

    tiled = kb.get("matmul/tiled")
    c = tiled.call(tiled.make_inputs(256, "f32", seed=0))      # c[256,256]

    x, y = np.ones(4096, np.float32), np.empty(4096, np.float32)
    print(kb.measure(my_relu, (x, y), flop=4096, bytes=2 * 4 * 4096))
    # 41.2 ns best, 41.5 ns median of 12 samples; 99.4 GFLOP/s; 795 GB/s

``measure`` is for trying things out: it runs in this process, on the operands it is given. What it leaves out
of `kernelbench run` is verification, pinning, and the fresh processes that a comparison needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, Struct, UnsetType

from kernelbench import units
from kernelbench.errors import UsageError
from kernelbench.protocol import Effort

if TYPE_CHECKING:
    from kernelbench.kernels._registry import Variant
    from kernelbench.timing.sampling import Runner
    from kernelbench.worker.entry import Block, Entry


def variants() -> dict[str, Variant]:
    """Every variant by full name, the catalogue's and those declared in this process.

    >>> kb.variants()["matmul/tiled"].style
    'tiled'
    """
    from kernelbench.kernels import _registry

    _registry.load_catalogue()
    return _registry.variants()


def get(name: str) -> Variant:
    """The variant ``name`` ("matmul/tiled"), with ``make_inputs(shape, dtype, seed)`` and ``call(inputs)``.

    Raises UsageError with the nearest names when there is none.

    >>> relu = kb.get("relu/naive")
    >>> relu.call(relu.make_inputs(8, "f64", seed=1)).shape
    (8,)
    """
    from kernelbench.config_check import did_you_mean

    known = variants()
    if name not in known:
        raise UsageError(f"no variant is called {name!r}; {did_you_mean(name, known)}")
    return known[name]


class Measurement(Struct, frozen=True):
    """How long one call takes in this process. ``str`` gives it in one line."""

    best_s: float
    """Seconds per call of the fastest sample."""
    median_s: float
    """Seconds per call of the median sample."""
    samples_s: tuple[float, ...]
    """Seconds per call, one per sample, in the order taken."""
    calls_per_sample: int
    includes_python_call: bool
    """True when the function is called from Python, and the time includes that."""
    disturbed_samples: int
    """Samples beside which this process was preempted or the core's clock was low."""
    flop: float | UnsetType = UNSET
    """Operations of one call, as given; absent when not given."""
    bytes: float | UnsetType = UNSET
    """Bytes moved by one call, as given; absent when not given."""

    @property
    def gflops(self) -> float | UnsetType:
        """10^9 operations a second of the fastest sample; absent without ``flop``."""
        return UNSET if self.flop is UNSET else self.flop / self.best_s / 1e9

    @property
    def gbps(self) -> float | UnsetType:
        """10^9 bytes a second of the fastest sample; absent without ``bytes``."""
        return UNSET if self.bytes is UNSET else self.bytes / self.best_s / 1e9

    def __str__(self) -> str:
        parts = [
            f"{units.seconds(self.best_s)} best, {units.seconds(self.median_s)} median of {len(self.samples_s)} samples"
        ]
        if self.flop is not UNSET:
            parts.append(f"{units.giga(self.flop / self.best_s)} GFLOP/s")
        if self.bytes is not UNSET:
            parts.append(f"{units.giga(self.bytes / self.best_s)} GB/s")
        if self.includes_python_call:
            parts.append("includes the call from Python")
        if self.disturbed_samples:
            parts.append(f"{self.disturbed_samples} disturbed")
        return "; ".join(parts)


_EFFORT = Effort()


def measure(
    fn: Callable[..., Any],
    args: Sequence[Any] = (),
    *,
    flop: float | None = None,
    bytes: float | None = None,
    effort: Effort = _EFFORT,
) -> Measurement:
    """Time ``fn(*args)``: calibrated samples after a warm-up, at the default effort in about half a second.

    A Numba function is entered without Python, from a compiled loop; it takes arrays, integers and floats,
    writes into its arguments and returns nothing. Any other callable is called from Python, and
    ``includes_python_call`` says so. ``fn`` is called many times on the same operands, which are left where
    they are: keep them bounded when it works in place. ``flop`` and ``bytes`` are what one call does (a
    multiply-add is 2 FLOP), for the rates. ``effort`` says how long to sample (``kb.Effort``).

    Raises UsageError when ``flop`` or ``bytes`` is not above zero, when a Numba function cannot be entered so,
    or when it raises in a timed call; what ``fn`` raises when first called comes out unchanged.

    >>> x, y = np.ones(4096, np.float32), np.empty(4096, np.float32)
    >>> kb.measure(np.abs, (x, y), bytes=2 * x.nbytes).gbps > 0
    True
    """
    import time

    from kernelbench.timing import sampling
    from kernelbench.timing.warmup import calibrate, warm_up
    from kernelbench.worker.cost import Watch

    declared = {"flop": _positive("flop", flop), "bytes": _positive("bytes", bytes)}
    fn(*args)  # an exception in compiled code would only be a status word
    timed = _timed(fn, args)
    resolution = time.get_clock_info("perf_counter").resolution
    shortest = sampling.shortest_sample_s(effort, resolution)
    calls, took = calibrate(timed.run, sampling.shortest_slice_s(resolution))
    many = max(1, int(shortest / took))
    warm_up(timed.run, many * calls, many * took, effort.warmup_s)
    samples = sampling.sample(timed.run, calls, effort, Watch(), shortest_s=shortest)
    if timed.block is not UNSET and timed.block.status:
        raise UsageError(f"{_name(fn)} raised an exception in a timed call; it must bear being called repeatedly")
    return Measurement(
        best_s=min(samples.seconds_per_call),
        median_s=median(samples.seconds_per_call),
        samples_s=samples.seconds_per_call,
        calls_per_sample=samples.calls_per_sample,
        includes_python_call=timed.block is UNSET,
        disturbed_samples=samples.disturbed.count(True),
        **declared,
    )


def _positive(name: str, value: float | None) -> float | UnsetType:
    """``value``, absent when not given. Raises UsageError unless it is above zero and finite."""
    if value is None:
        return UNSET
    if not 0 < value < float("inf"):
        raise UsageError(f"{name}={value!r} must be above 0 and finite; leave it out when it is not known")
    return value


@dataclass(frozen=True)
class _Timed:
    """A function ready to be timed, with what must stay alive meanwhile."""

    run: Runner
    entry: Entry | UnsetType = UNSET
    """The compiled code; absent when it is called from Python."""
    block: Block | UnsetType = UNSET
    """Its arguments; absent with ``entry``."""


def _timed(fn: Callable[..., Any], args: Sequence[Any]) -> _Timed:
    """``fn(*args)`` through the trampoline where Numba compiled it, else from Python. Raises UsageError."""
    from kernelbench.timing.loops import Calls
    from kernelbench.worker.entry import Block, CannotEnter, PythonCalls, compile_entry

    if not hasattr(fn, "overloads"):
        return _Timed(PythonCalls(fn, [args]))
    try:
        entry = compile_entry(fn, args)
    except CannotEnter as error:
        raise UsageError(f"{_name(fn)}: {error}. To time it as called from Python, pass a lambda") from error
    block = Block(args)
    return _Timed(Calls(entry.address, [block.address]), entry, block)


def _name(fn: Callable[..., Any]) -> str:
    return str(getattr(fn, "__name__", type(fn).__name__))
