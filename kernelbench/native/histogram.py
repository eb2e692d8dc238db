"""What a loop consists of: its instructions by kind and width, its operations and its bytes."""

from collections import Counter
from collections.abc import Iterable

from kernelbench.model.inspection import Mix
from kernelbench.native.instructions import KINDS, WIDTHS, Instruction, parse

ARITHMETIC = ("fma", "dot", "add/mul", "divide", "compare", "convert")
"""Kinds that prove a width: what computes on data, not what moves it or counts."""


def histogram(lines: Iterable[str]) -> Mix:
    """Count the instructions in ``lines``, labels skipped."""
    found = instructions(lines)
    counted: Counter[tuple[str, str]] = Counter()
    for one in found:
        counted[one.kind, one.width] += 1
        for kind in _also(one):
            counted[kind, one.width] += 1
    counts = {
        kind: {width: counted[kind, width] for width in WIDTHS if counted[kind, width]}
        for kind in KINDS
        if any(counted[kind, width] for width in WIDTHS)
    }
    ours = [one for one in found if not one.stack]
    return Mix(
        counts,
        len(found),
        width_of(found),
        flop=sum(one.flop for one in found),
        int_ops=sum(one.int_ops for one in found),
        load_bytes=sum(one.load_bytes for one in ours),
        store_bytes=sum(one.store_bytes for one in ours),
        stack_bytes=sum(one.load_bytes + one.store_bytes for one in found if one.stack),
    )


def instructions(lines: Iterable[str]) -> list[Instruction]:
    """The instructions in ``lines``, without labels."""
    return [parse(line) for line in lines if not line.endswith(":")]


def width_of(found: Iterable[Instruction]) -> str:
    """The width that most operations are done in, or most bytes moved in where nothing computes."""
    done: Counter[str] = Counter()
    moved: Counter[str] = Counter()
    for one in found:
        computes = one.kind in ARITHMETIC and "blend" not in one.mnemonic  # it selects single numbers as well
        if computes or (one.kind == "integer" and one.width != "scalar"):
            done[one.width] += max(1, int(one.flop + one.int_ops))
        moved[one.width] += int(one.load_bytes + one.store_bytes)
    best = done or moved
    return max(best, key=lambda width: (best[width], -WIDTHS.index(width))) if any(best.values()) else "scalar"


def _also(one: Instruction) -> list[str]:
    """Further rows: memory traffic of what is not a mere move."""
    if one.kind in ("load", "store", "spill", "gather", "scatter", "branch", "call"):
        return []
    if one.stack:
        return ["spill"]
    return [kind for kind, size in (("load", one.load_bytes), ("store", one.store_bytes)) if size]
