"""How a row's numbers read: the one place where reports turn a number into digits."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from msgspec import Struct, UnsetType
from msgspec.structs import fields

from kernelbench.analysis.above import CAUSES
from kernelbench.report.rows import Number, Row
from kernelbench.report.text import safe_text
from kernelbench.units import error as error
from kernelbench.units import percent, ratio, seconds, three_digits

FIELDS = tuple(f.name for f in fields(Row) if f.name not in ("above", "higher", "own_params"))
"""The columns of the CSV, in order: a contract that scripts depend on. JSON has them and the others."""


class Column(Struct, frozen=True):
    """One column of the tables for people."""

    title: str
    meaning: str
    """One sentence for the reader."""
    text: Callable[[Row], str]
    numeric: bool = True


class Group(Struct, frozen=True):
    """The rows that answer one question: one op at one shape."""

    title: str
    """"matmul n=512", "attention b=1,h=8 causal=1 cold cache"; with the machine's id where the rows are of several."""
    rows: tuple[Row, ...]


def groups(rows: Iterable[Row]) -> Iterator[Group]:
    """The rows (in ladder order) by machine, op, shape, parameters of all its variants, and cache state."""
    of_machines: dict[str, list[Row]] = {}
    for row in rows:
        of_machines.setdefault(row.machine, []).append(row)
    for machine, own in of_machines.items():
        where = f"on {machine}" if len(of_machines) > 1 else ""
        for _, members in groupby(own, key=lambda r: (r.op, r.shape, _shared_params(r), r.cache)):
            found = tuple(members)
            first = found[0]
            words = [first.op, first.shape, _shared_params(first), "cold cache" if first.cache == "cold" else "", where]
            yield Group(safe_text(" ".join(w for w in words if w)), found)


def _shared_params(row: Row) -> str:
    own = row.own_params.split(",")
    return ",".join(word for word in row.params.split(",") if word not in own)


def name(row: Row) -> str:
    """The variant without its op, and what else tells the case from its neighbours: "int4 group=32 isa=avx2"."""
    tail = row.case_id.partition(f"/t={row.threads}")[2].strip("/").split("/")
    words = [row.variant.removeprefix(f"{row.op}/"), row.own_params, *(w for w in tail if w and w != "cold")]
    words = [word for word in words if word]
    return safe_text(" ".join(words))


def plus_minus(row: Row) -> str:
    """The longer arm of the interval as a share of the median: "±1.2%"; empty without an interval."""
    middle, low, high = row.median_s, row.ci_low_s, row.ci_high_s
    if isinstance(middle, UnsetType) or isinstance(low, UnsetType) or isinstance(high, UnsetType):
        return ""
    arm = max(high - middle, middle - low) / middle
    return f"±{percent(arm)}"


def speedup(value: float) -> str:
    """A speedup: "12.3x", and "1/105x" where 0.00951x would be hard to read."""
    return ratio(value) if value >= 0.1 else f"1/{ratio(1 / value)}"


def interval(row: Row) -> str:
    """Both ends of the interval: "8.12 us to 8.40 us"; empty without one."""
    low, high = show(row.ci_low_s, seconds), show(row.ci_high_s, seconds)
    return f"{low} to {high}" if low and high else ""


def show(value: Number, form: Callable[[float], str]) -> str:
    """``form(value)``; empty when the number does not apply."""
    return "" if isinstance(value, UnsetType) else form(value)


def roof_rate(row: Row) -> str:
    """The roof in the unit the row is judged in: "117 GFLOP/s", or "58.1 GB/s" without FLOP."""
    if not isinstance(row.roof_gflops, UnsetType):
        return f"{three_digits(row.roof_gflops)} {'GOP/s' if integer(row) else 'GFLOP/s'}"
    return "" if isinstance(row.roof_gbps, UnsetType) else f"{three_digits(row.roof_gbps)} GB/s"


def which_roof(row: Row) -> str:
    """The roof in words, and what a higher instruction set would allow: "f32 AVX2 FMA 1 thread; AVX-512..."."""
    return safe_text("; ".join(text for text in (row.roof_name, row.higher) if text))


def flags(row: Row) -> str:
    """The flags; in place of the cause of "above-roof" its text with the numbers."""
    short = [flag for flag in row.flags if not row.above or flag not in CAUSES]
    return safe_text(", ".join([*short, *([row.above] if row.above else [])]))


def integer(row: Row) -> bool:
    """True when the row's work is integer operations, not floating point."""
    return row.dtype in ("i8", "u8", "i32")


COLUMNS = {
    "variant": Column("variant", "Implementation, in the order of the ladder.", name, numeric=False),
    "dtype": Column("type", "Number type of the operands.", lambda r: safe_text(r.dtype), numeric=False),
    "threads": Column("t", "Threads.", lambda r: str(r.threads)),
    "median": Column("median", "Median over the process rounds, per call.", lambda r: show(r.median_s, seconds)),
    "interval": Column(
        "±", "Longer arm of the 95% sign-test interval of the median; empty below 6 rounds.", plus_minus
    ),
    "gflops": Column(
        "GFLOP/s", "Rate at the best sample (GOP/s for integers).", lambda r: show(r.gflops, three_digits)
    ),
    "gbps": Column("GB/s", "Compulsory bytes a second at the best sample.", lambda r: show(r.gbps, three_digits)),
    "intensity": Column(
        "FLOP/B", "Modelled FLOP per compulsory byte: an upper bound.", lambda r: show(r.intensity, three_digits)
    ),
    "roof": Column("roof", "What the measured ceilings allow.", roof_rate),
    "fraction": Column("% roof", "Roof time over best time.", lambda r: show(r.roof_fraction, percent)),
    "bound": Column("bound", "Which roof is lower here.", lambda r: safe_text(r.bound), numeric=False),
    "roof_name": Column("which roof", "The roof in words.", which_roof, numeric=False),
    "naive": Column(
        "x naive", "Speedup over the naive variant at 1 thread, by median.", lambda r: show(r.speedup_vs_naive, speedup)
    ),
    "library": Column(
        "x lib",
        "Speedup over the fastest library variant of its number type, else of f32, at the same threads, by median.",
        lambda r: show(r.speedup_vs_library, speedup),
    ),
    "error": Column("error", "Worst error against the reference.", lambda r: show(r.accuracy, error)),
    "flags": Column("flags", "What to beware of.", flags, numeric=False),
}
"""The columns of the tables for people, in order."""

FLAGS = {
    "above-roof": "faster than its roof allows by more than noise, for the reason that stands with it",
    "fadd-pipes": "above an FMA roof by no more than separate add pipes give beside the FMA pipes",
    "cache-residency": "near the end of a cache, and no faster than that cache: part of the operands may live in it",
    "streaming-stores": "no faster than stores that pass the caches by",
    "clock": "the core ran at a higher clock than when its roof was measured",
    "noisy-roof": "above its roof by less than the roof's own probes scatter: neighbours use that memory as well",
    "model?": "no measured reason for being above its roof: its work model or the roof is wrong, not a triumph",
    "disturbed": "never got a quiet moment: preempted, at a slow clock, or a neighbour on the same core",
    "noisy": "rounds scatter by more than 10%: measure again on a quieter machine before trusting the median",
    "rounds-dropped": "fewer rounds than planned: the time was spent, or the run was interrupted",
    "dispatch": "the time includes a call from Python",
    "leaks": "its memory grows with every call; free what it allocates",
    "prints": "it prints while it is called, which takes time",
    "threads": "it runs threads of its own beside the timed one: declare it parallel=True",
    "fast-math": "the compiler was allowed to reorder its floating-point sums; its tolerance says what that costs",
}
"""What a flag tells the reader."""
