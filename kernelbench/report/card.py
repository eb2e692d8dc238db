"""What a machine card says, whatever shows it: its numbers in tables ready to print, and what is missing.

Rates of a card are ceilings: the best probe counts. A clock is that of the very probe that was best, so that
a rate per cycle never joins a rate with the clock of another moment.
"""

from collections.abc import Iterable, Sequence
from statistics import median

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.ladder import usable, value_of
from kernelbench.analysis.roofline import threads_text
from kernelbench.analysis.shares import shares
from kernelbench.model import ISA_LEVELS, Ceiling, Machine, Probe, Unknown
from kernelbench.model.result import SMALL_DRAM
from kernelbench.report.text import safe_text
from kernelbench.units import giga, seconds, size_bytes, three_digits

MIXES = ("read", "write", "copy", "triad", "update", "copy_nt", "triad_nt")
AMX = "amx"

RFO = (
    "Bytes are those of the source: what a loop loads and stores. Where a store first reads the line it writes to "
    "(read for ownership) the memory moves more: write +100%, copy +50%, triad +33%; update, copy_nt and triad_nt +0%."
)
"""Of n bytes a write stores n, a copy n/2 and a triad n/3, each of them read once more."""

_DTYPES = ("f64", "f32", "bf16", "i8")
_COMPUTE = ("fma", "add", "fma_add", "dot")
_LEVELS = ("L1", "L2", "L3", "L4", "DRAM")
_SCALING_COLUMNS = 4
"""Thread counts in one table: as many as 80 columns carry."""


class Table(Struct, frozen=True):
    """One table for people; the first column names the row, the others are numbers."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """Empty cells: not measured, and ``missing`` says why."""


class Missing(Struct, frozen=True):
    """Ceilings that share one reason for having no value."""

    what: str
    """"bf16 dot avx2, i8 dot avx2"."""
    reason: str


def thread_counts(ceilings: Iterable[Ceiling], kind: str) -> tuple[int, ...]:
    """Thread counts with a value, rising."""
    return tuple(sorted({c.threads for c in usable(ceilings, kind)}))


def ends(counts: Sequence[int]) -> tuple[int, ...]:
    """The fewest and the most: what is shown where there is no room for all."""
    return tuple(dict.fromkeys((counts[0], counts[-1]))) if counts else ()


def clock_hz(ceilings: Iterable[Ceiling]) -> float | UnsetType:
    """Median clock beside all compute probes; absent where no clock can be measured."""
    seen = [probe.clock_hz for c in usable(ceilings, "compute") for probe in c.probes]
    known = [hz for hz in seen if not isinstance(hz, UnsetType)]
    return median(known) if known else UNSET


def best_clock_hz(ceiling: Ceiling) -> float | UnsetType:
    """Clock beside the ceiling's best probe."""
    if not ceiling.probes:
        return UNSET
    pick = min if ceiling.kind == "latency" else max
    best: Probe = pick(ceiling.probes, key=lambda probe: probe.value)
    return best.clock_hz


def per_cycle(ceiling: Ceiling) -> float | UnsetType:
    """FLOP, OP or bytes per cycle of one thread's core (rate / clock / threads); of a latency its cycles."""
    hz = best_clock_hz(ceiling)
    if isinstance(hz, UnsetType):
        return UNSET
    return value_of(ceiling) * hz if ceiling.kind == "latency" else value_of(ceiling) / hz / ceiling.threads


def isa_order(ceilings: Iterable[Ceiling]) -> tuple[str, ...]:
    """The instruction-set levels that occur, in rising order, unknown ones last; without AMX, which is no level."""
    known = [name for names in ISA_LEVELS.values() for name in names]
    found = {c.isa for c in ceilings if c.kind == "compute" and not isinstance(c.isa, UnsetType)} - {AMX}
    return tuple(sorted(found, key=lambda name: (known.index(name) if name in known else len(known), name)))


def compute_table(ceilings: Sequence[Ceiling], threads: int) -> Table:
    """Number type and mix by instruction set: 10^9 operations a second, and operations per cycle in brackets."""
    levels = isa_order(ceilings)
    cells = {(operation(c), c.isa): _rate(c) for c in usable(ceilings, "compute") if c.threads == threads}
    kinds = operations(c for c in ceilings if c.threads == threads)
    rows = tuple((kind, *(cells.get((kind, isa), "") for isa in levels)) for kind in kinds)
    title = f"Compute, {threads_text(threads)}: GFLOP/s (i8: GOP/s), per cycle of a core in brackets"
    return Table(title, ("", *map(safe_text, levels)), rows)


def scaling_tables(ceilings: Sequence[Ceiling]) -> tuple[Table, ...]:
    """The fastest instruction set of each kind by threads, with its speedup over one thread's; some threads a table."""
    counts = thread_counts(ceilings, "compute")
    if len(counts) < 2:
        return ()
    rows = [_scaling_row(ceilings, kind, counts) for kind in operations(ceilings)]
    title = f"Compute by threads: GFLOP/s (i8: GOP/s) of the fastest instruction set, over t={counts[0]} in brackets"
    later = counts[1:]
    return tuple(
        Table(
            title,
            ("", *(f"t={count}" for count in (counts[0], *later[at : at + _SCALING_COLUMNS]))),
            tuple((row[0], row[1], *row[2 + at : 2 + at + _SCALING_COLUMNS]) for row in rows),
        )
        for at in range(0, len(later), _SCALING_COLUMNS)
    )


def memory_table(ceilings: Sequence[Ceiling], threads: int) -> Table:
    """Level by access mix: GB/s of all threads together, and the spread."""
    levelled = [c for c in usable(ceilings, "memory") if c.threads == threads]
    cells = {(c.level, c.mix): f"{giga(value_of(c))} {spread_text(c)}".strip() for c in levelled}
    mixes = [mix for mix in MIXES if any((level, mix) in cells for level, _ in cells)]
    rows = tuple(
        (safe_text(level), *(cells.get((level, mix), "") for mix in mixes)) for level in levels(levelled, "memory")
    )
    # One pass of probes has no spread to show.
    spread = " and spread" if any(spread_text(c) for c in levelled) else ""
    return Table(f"Bandwidth, {threads_text(threads)}: GB/s{spread}", ("", *mixes), rows)


def latency_table(ceilings: Sequence[Ceiling]) -> Table:
    """Level, working set, seconds and cycles of one dependent load."""
    by_level = {c.level: c for c in usable(ceilings, "latency")}
    rows = []
    for level in levels(ceilings, "latency"):
        c = by_level[level]
        rows.append((safe_text(level), footprint(c), seconds(value_of(c)), cycles_text(c), spread_text(c)))
    title = "Load latency, 1 thread: a dependent load at random"
    return Table(title, ("", "working set", "time", "cycles", "spread"), tuple(rows))


def levels(ceilings: Iterable[Ceiling], kind: str) -> tuple[str, ...]:
    """Levels that points of one kind stand for, nearest first; free names last."""
    found = {c.level for c in usable(ceilings, kind) if not isinstance(c.level, UnsetType)}
    return tuple(sorted(found, key=lambda name: (_LEVELS.index(name) if name in _LEVELS else len(_LEVELS), name)))


def footprints(ceilings: Iterable[Ceiling], threads: int) -> str:
    """Where each level's number was taken: "L1 16 KiB, L2 512 KiB" of one thread."""
    own = [c for c in usable(ceilings, "memory") if c.threads == threads]
    first = {level: next(c for c in own if c.level == level) for level in levels(own, "memory")}
    return ", ".join(f"{safe_text(level)} {footprint(c)}" for level, c in first.items())


def cautions(machine: Machine, ceilings: Sequence[Ceiling]) -> tuple[str, ...]:
    """What limits the figures: a quota below one core, one kind of core out of several, a DRAM probe too small."""
    found = []
    quota = machine.limits.cpu_quota
    if not isinstance(quota, Unknown) and quota < 1:
        found.append(
            f"The CPU quota is {quota:g} of a core: the ceilings are what the core does while it may run, "
            "which over time is that share of them."
        )
    kinds = {count: shares(machine, count).kinds for count in thread_counts(ceilings, "compute")}
    found += [f"At {threads_text(n)} the threads run on {' and '.join(k)} cores." for n, k in kinds.items() if k]
    small = [c for c in usable(ceilings, "memory") if c.level == "DRAM" and SMALL_DRAM in c.provenance]
    texts = (f"DRAM at {threads_text(c.threads)}: {footprint(c)} a thread are {SMALL_DRAM}." for c in small)
    found += dict.fromkeys(texts)
    return tuple(map(safe_text, found))


def footprint(ceiling: Ceiling) -> str:
    """Working set of one thread: "16 KiB"; empty for compute."""
    return "" if isinstance(ceiling.working_set_bytes, UnsetType) else size_bytes(ceiling.working_set_bytes)


def operations(ceilings: Iterable[Ceiling]) -> tuple[str, ...]:
    """The kinds of arithmetic that were measured, widest number type first."""

    def rank(ceiling: Ceiling) -> tuple[int, int, str]:
        words = (_DTYPES.index(ceiling.dtype) if ceiling.dtype in _DTYPES else len(_DTYPES),
                 _COMPUTE.index(ceiling.mix) if ceiling.mix in _COMPUTE else len(_COMPUTE))  # fmt: skip
        return (*words, operation(ceiling))

    return tuple(dict.fromkeys(operation(c) for c in sorted(usable(ceilings, "compute"), key=rank)))


def operation(ceiling: Ceiling) -> str:
    """Number type and instruction mix: "f32 fma"."""
    words = (ceiling.dtype, ceiling.mix)
    return safe_text(" ".join(str(word) for word in words if word is not UNSET))


def cycles_text(ceiling: Ceiling) -> str:
    """``per_cycle`` in digits; empty where the clock is unknown."""
    each = per_cycle(ceiling)
    return "" if isinstance(each, UnsetType) else three_digits(each)


def spread_text(ceiling: Ceiling) -> str:
    """In whole percent, so that seven mixes fit on a line; empty with fewer than two probes."""
    return "" if isinstance(ceiling.spread, UnsetType) else f"{100 * ceiling.spread:.0f}%"


def missing(ceilings: Iterable[Ceiling]) -> tuple[Missing, ...]:
    """What was not measured, by reason; AMX apart, in ``amx``."""
    grouped: dict[str, dict[str, None]] = {}
    for c in ceilings:
        if not isinstance(c.skipped, UnsetType) and c.isa != AMX:
            grouped.setdefault(c.skipped, {})[_what(c)] = None
    return tuple(Missing(safe_text(", ".join(names)), safe_text(reason)) for reason, names in grouped.items())


def amx(ceilings: Iterable[Ceiling]) -> str:
    """ "AMX (i8, bf16): present, not measured"; empty on a CPU without it."""
    tiles = [c for c in ceilings if c.isa == AMX and not isinstance(c.skipped, UnsetType)]
    types = dict.fromkeys("" if c.dtype is UNSET else str(c.dtype) for c in tiles)
    return safe_text(f"AMX ({', '.join(types)}): {tiles[0].skipped}") if tiles else ""


def _what(ceiling: Ceiling) -> str:
    """A skipped ceiling in words, whatever its threads: "bf16 dot avx2", or the id where it has no such name."""
    if ceiling.kind != "compute" or ceiling.isa is UNSET:
        return ceiling.id
    return f"{operation(ceiling)} {ceiling.isa}"


def _rate(ceiling: Ceiling) -> str:
    """ "117 (32.0)"; without the brackets where the clock is unknown."""
    each = cycles_text(ceiling)
    return giga(value_of(ceiling)) + (each and f" ({each})")


def _scaling_row(ceilings: Sequence[Ceiling], kind: str, counts: Sequence[int]) -> tuple[str, ...]:
    """One instruction set for the whole row, the fastest at the most threads, else the speedups mean nothing."""
    own = [c for c in usable(ceilings, "compute") if operation(c) == kind]
    isa = max(own, key=lambda c: (c.threads, value_of(c))).isa
    rates = {c.threads: value_of(c) for c in own if c.isa == isa}
    cells = [giga(rates[count]) if count in rates else "" for count in counts]
    if counts[0] in rates:
        base = rates[counts[0]]
        cells[1:] = [
            f"{text} ({three_digits(rates[count] / base)}x)" if text else ""
            for count, text in zip(counts[1:], cells[1:], strict=True)
        ]
    return (f"{kind} {safe_text(str(isa))}", *cells)
