"""Basic blocks of a function's assembly, and the natural loops they form."""

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from kernelbench.native.assembly import Body

_JUMP = re.compile(r"^(j\w+)\s+(\*?)(\S.*)$")
_ENDS = re.compile(r"^(ret|ud2|hlt)")


class Block(Struct, frozen=True):
    """Instructions that run one after the other: entered at the first only, left at the last only."""

    label: str
    """Its first local label; empty without one."""
    start: int
    """Index of its first instruction in the body's lines."""
    stop: int
    """One past its last."""
    next: tuple[int, ...]
    """Indices of the blocks that may follow."""


def blocks(body: Body) -> list[Block]:
    """The basic blocks of ``body``, in the order they lie; the first is the entry."""
    cuts = _cuts(body.lines)
    where: dict[str, int] = {}
    for index, (labels, _, _) in enumerate(cuts):
        where.update(dict.fromkeys(labels, index))
    found = []
    for index, (labels, start, stop) in enumerate(cuts):
        last = body.lines[stop - 1] if stop > start else ""
        follow = _follow(last, index, len(cuts), where, body.targets)
        found.append(Block(labels[0] if labels else "", start, stop, tuple(sorted(follow))))
    return found


def _cuts(lines: Sequence[str]) -> list[tuple[list[str], int, int]]:
    """(labels, first line, one past the last line) of each block."""
    cuts: list[tuple[list[str], int, int]] = []
    labels: list[str] = []
    start = 0
    for index, line in enumerate(lines):
        if line.endswith(":"):
            if index > start:
                cuts.append((labels, start, index))
                labels = []
            labels.append(line[:-1])
            start = index + 1
        elif _JUMP.match(line) or _ENDS.match(line):
            cuts.append((labels, start, index + 1))
            labels, start = [], index + 1
    if start < len(lines) or labels:
        cuts.append((labels, start, len(lines)))
    return cuts


def _follow(last: str, index: int, count: int, where: dict[str, int], targets: Iterable[str]) -> set[int]:
    falls = {index + 1} if index + 1 < count else set()
    jump = _JUMP.match(last)
    if _ENDS.match(last):
        return set()
    if not jump:
        return falls
    if jump.group(2):  # through a table: to any of the function's
        return {where[target] for target in targets if target in where}
    goes = {where[jump.group(3)]} if jump.group(3) in where else set()
    return goes if jump.group(1).startswith("jmp") else goes | falls


def natural_loops(parts: Sequence[Block]) -> dict[int, frozenset[int]]:
    """Header -> members, of every natural loop; loops with one header are one."""
    before: list[list[int]] = [[] for _ in parts]
    for index, part in enumerate(parts):
        for follow in part.next:
            before[follow].append(index)
    order = _reverse_postorder(parts)
    nearest = _dominators(order, before)
    found: dict[int, set[int]] = {}
    for index in order:
        for header in parts[index].next:
            if _dominates(header, index, nearest):
                found.setdefault(header, {header}).update(_backwards(index, header, before, nearest))
    return {header: frozenset(members) for header, members in found.items()}


def _reverse_postorder(parts: Sequence[Block]) -> list[int]:
    if not parts:
        return []
    seen, order = {0}, []
    stack = [(0, iter(parts[0].next))]
    while stack:
        index, rest = stack[-1]
        follow = next((block for block in rest if block not in seen), None)
        if follow is None:
            order.append(index)
            stack.pop()
        else:
            seen.add(follow)
            stack.append((follow, iter(parts[follow].next)))
    return order[::-1]


def _dominators(order: Sequence[int], before: Sequence[Sequence[int]]) -> dict[int, int]:
    """Block -> its immediate dominator (Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm")."""
    if not order:
        return {}
    rank = {block: place for place, block in enumerate(order)}
    nearest = {order[0]: order[0]}
    changed = True
    while changed:
        changed = False
        for block in order[1:]:
            known = [b for b in before[block] if b in nearest]
            best = known[0]
            for other in known[1:]:
                best = _meet(best, other, nearest, rank)
            if nearest.get(block) != best:
                nearest[block], changed = best, True
    return nearest


def _meet(a: int, b: int, nearest: dict[int, int], rank: dict[int, int]) -> int:
    while a != b:
        while rank[a] > rank[b]:
            a = nearest[a]
        while rank[b] > rank[a]:
            b = nearest[b]
    return a


def _dominates(header: int, block: int, nearest: dict[int, int]) -> bool:
    while block != header and nearest[block] != block:
        block = nearest[block]
    return block == header


def _backwards(start: int, header: int, before: Sequence[Sequence[int]], reachable: dict[int, int]) -> set[int]:
    """Every block from which ``start`` is reached without passing ``header``."""
    found, todo = {start}, [start]
    while todo:
        block = todo.pop()
        if block == header:
            continue
        new = [b for b in before[block] if b not in found and b in reachable]
        found.update(new)
        todo += new
    return found
