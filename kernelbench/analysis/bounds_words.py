"""What the search for a bound says: names of bounds and sentences of evidence."""

from collections.abc import Mapping

from msgspec import UnsetType

from kernelbench.model.profile import (
    CHAINS_CUT,
    NO_ARITHMETIC,
    NO_DIVIDES,
    NO_MEMORY,
    NO_TRANSCENDENTALS,
    NO_UNPACKING,
    SORTED,
)
from kernelbench.units import percent, ratio, seconds

NAMES = {
    "compute": "arithmetic throughput",
    "divide": "the divider (divides and square roots)",
    "latency": "latency of one dependency chain",
    "gather": "irregular access (gather)",
    "dispatch": "dispatch overhead",
    "imbalance": "imbalance between threads",
    "transcendental": "transcendental functions",
    "unpacking": "unpacking and conversion",
}
CHANGES = {
    CHAINS_CUT: "with its dependency chains cut",
    NO_DIVIDES: "with multiplications for its divides",
    NO_TRANSCENDENTALS: "without its transcendental functions",
    NO_UNPACKING: "without conversions, shifts and shuffles",
    NO_ARITHMETIC: "without its arithmetic, all loads and stores kept",
    NO_MEMORY: "without its loads and stores, all arithmetic kept",
    SORTED: "with the same indices in rising order",
}
MIXES = {"fma": "FMA throughput", "add": "add throughput", "fma_add": "FMA and add throughput", "dot": "dot throughput"}
SAME = 1.05


def named(kind: str, mix: str | UnsetType) -> str:
    """The bound's name for people."""
    if kind == "compute" and not isinstance(mix, UnsetType):
        return MIXES.get(mix, NAMES[kind])
    return NAMES[kind]


def evidence(name: str, gain: Mapping[str, float]) -> str:
    """What one counterfactual showed: "2.00x as fast with its dependency chains cut"."""
    change = CHANGES.get(name, f"with a working set {name}, per unit of work")
    factor = gain[name]
    return f"as fast as before {change}" if 1 / SAME < factor < SAME else f"{ratio(factor)} as fast {change}"


def lives(level: str) -> str:
    """Where the working set is."""
    return f"its working set lives in {level}"


def wasted(level: str, share: float) -> str:
    """Why it is not the bandwidth of ``level`` as such."""
    return (
        f"its operands pass at {percent(share)} of the bandwidth measured there: they are fetched more than once, "
        "little of each line is used, or each access waits for the one before"
    )


def remains(dispatch_s: float, call_s: float) -> str:
    """What a call takes that hardly does anything."""
    share = percent(min(1.0, dispatch_s / call_s))
    return f"{seconds(dispatch_s)} of {seconds(call_s)} a call ({share}) remain at the smallest size"


def threads(count: int, efficiency: float) -> str:
    """What the threads gain."""
    return f"{count} threads are {ratio(count * efficiency)} as fast as one"


def not_shared(name: str) -> str:
    """What holds one thread, which others do not take from it."""
    return f"one thread alone is held by {name}, which threads do not share"


def nothing(gain: Mapping[str, float]) -> str:
    """When no change made it clearly faster."""
    if not gain:
        return "not known: nothing about it could be changed and measured"
    return "not known: no measured change of it was clearly faster"
