"""Loops in compiled code, and which of them does the work.

Assembly -> basic blocks -> dominators -> natural loops (Aho, Lam, Sethi, Ullman, "Compilers", 9.6): a jump back to a
block that dominates it closes a loop. A compiler makes several loops of one: a wide, unrolled main loop, a narrower
epilogue, a scalar remainder, a fallback for overlapping arrays. The one that does most per iteration is what runs.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.model.inspection import Mix
from kernelbench.native.assembly import Body, bodies
from kernelbench.native.blocks import Block, blocks, natural_loops
from kernelbench.native.histogram import histogram

_MOST_LINES = 3000
"""A body longer than this is no loop that is worth reading, but a function with a retry around it."""


class Loop(Struct, frozen=True):
    """One natural loop."""

    function: str
    """Symbol of the function that it is in."""
    label: str
    """Of its first block (".LBB0_6")."""
    lines: tuple[str, ...]
    """Its instructions in the order they lie, one blank between words, and the labels of its blocks."""
    places: tuple[int, ...]
    """For each of ``lines``, its index in the function's listing (``assembly.bodies``)."""
    depth: int
    """1 for an outermost loop; callers' loops count as well."""
    innermost: bool


def loops(assembly: str) -> tuple[Loop, ...]:
    """Every loop of every kernel function in ``assembly``, outer loops before those inside them."""
    found = bodies(assembly)
    outside = _depths(found)
    return tuple(loop for name, body in found.items() for loop in _of_function(name, body, outside[name]))


def hot_loop(assembly: str) -> Loop | UnsetType:
    """The innermost loop that does the work, as far as the code alone tells; absent where there is no loop."""
    inner = [loop for loop in loops(assembly) if loop.innermost]
    return max(inner, key=lambda loop: weight(histogram(loop.lines), loop.depth)) if inner else UNSET


def most_run(assembly: str, counts: Mapping[str, Sequence[int]]) -> Loop | UnsetType:
    """The innermost loop whose instructions ran most; absent where no loop ran.

    ``counts`` are those of ``counting.CountingCopy``: function -> how often each line was run.
    """
    ran = [(sum(counts[loop.function][place] for place in loop.places), loop) for loop in loops(assembly)]
    inner = [(count, loop) for count, loop in ran if loop.innermost and count]
    return max(inner, key=lambda one: one[0])[1] if inner else UNSET


def weight(counts: Mix, depth: int) -> tuple[float, ...]:
    """How much a loop looks like the one that does the work: the larger, the more.

    Multiply-adds outweigh other arithmetic, which outweighs moving: a product's packing loops move far more per
    iteration than its kernel. Then the wider and the more unrolled, then the deeper.
    """
    heavy = sum(sum(counts.counts.get(kind, {}).values()) for kind in ("fma", "dot"))
    lanes = counts.flop + counts.int_ops
    slow = sum(counts.counts.get("divide", {}).values())
    moved = counts.load_bytes + counts.store_bytes
    return (lanes if heavy else 0.0, lanes + 4 * slow, moved, depth)


def _of_function(name: str, body: Body, outside: int) -> Iterator[Loop]:
    parts = blocks(body)
    nested = natural_loops(parts)
    for header, members in sorted(nested.items(), key=lambda item: (-len(item[1]), item[0])):
        places = [place for member in sorted(members) for place in _places(parts[member], body)]
        if len(places) > _MOST_LINES:
            continue
        around = sum(1 for other, theirs in nested.items() if other != header and header in theirs)
        innermost = not any(other != header and other in members for other in nested)
        label = parts[header].label or name
        yield Loop(name, label, tuple(body.lines[i] for i in places), tuple(places), outside + around + 1, innermost)


def _places(block: Block, body: Body) -> Iterator[int]:
    start = block.start - 1 if block.start and body.lines[block.start - 1].endswith(":") else block.start
    return iter(range(start, block.stop))


def _depths(found: Mapping[str, Body]) -> dict[str, int]:
    """Function -> loops around it: the deepest nest of loops that it is called from, in turn."""
    calls: dict[str, dict[str, int]] = {name: {} for name in found}
    for caller, body in found.items():
        parts = blocks(body)
        nested = natural_loops(parts)
        for index, part in enumerate(parts):
            around = sum(1 for members in nested.values() if index in members)
            text = "\n".join(body.lines[part.start : part.stop])
            for callee in found:
                if callee != caller and callee in text:
                    calls[callee][caller] = max(around, calls[callee].get(caller, 0))
    depths: dict[str, int] = {}

    def depth(name: str, seen: frozenset[str]) -> int:
        if name not in depths:
            callers = {c: n for c, n in calls[name].items() if c not in seen}
            depths[name] = max((n + depth(c, seen | {name}) for c, n in callers.items()), default=0)
        return depths[name]

    return {name: depth(name, frozenset()) for name in found}
