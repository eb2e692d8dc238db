"""Chains carried around a loop: what one iteration must wait for of the one before.

A register that an iteration reads before it writes it, and writes for the next, carries a value around. The longest
path from what came in to what goes out, in latencies, is the least time of an iteration, however many ports are free.
Memory carries too: a sum kept in C[i, j] goes through store and load each time.
"""

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from kernelbench.native.histogram import instructions
from kernelbench.native.instructions import Instruction
from kernelbench.native.latencies import LATENCIES, latency

_REGISTER = re.compile(r"%(\w+)")
_VECTOR = re.compile(r"[xyz]mm(\d+)")
_NAMES = {"ax": "a", "bx": "b", "cx": "c", "dx": "d", "si": "si", "di": "di", "bp": "bp", "sp": "sp"}
_NO_RESULT = re.compile(
    r"cmp[bwlq]?|test[bwlq]|bt[wlq]?|v?u?comis[sd]|v?ptest|kortest\w|ktest\w|j\w+|prefetch\w+|nop\w*"
)
_OVERWRITES = re.compile(r"v(?!fn?m|pdp|dpbf|pternlog|perm[it]2|pmadd52|psh[lr]dv|p?gather)\w+|mov\w*|lea[lq]?|set\w+")
_KEPT = re.compile(r"v?mov[hl]p[sd]|movs[sd]")
_ZEROS = re.compile(r"v?p?xor(p[sd]|[dqlw])?$")


class Chain(Struct, frozen=True):
    """One chain of dependent instructions around the loop."""

    registers: tuple[str, ...]
    """What carries the value from one iteration to the next: "v0" (a vector register whatever its width), "a", "r9",
    or an address "(%rax)"."""
    instructions: tuple[str, ...]
    """The instructions on it, in order; once around."""
    cycles: float
    """Least cycles an iteration, by the latencies given."""
    kind: str
    """"arithmetic" where a vector register's instruction computes on it, "address" where it only counts and points,
    "memory" where it goes through a store and a load."""


class _Step(Struct, frozen=True):
    """One instruction's part in the flow of data."""

    reads: frozenset[str]
    writes: frozenset[str]
    cycles: float
    one: Instruction


def loop_carried(lines: Iterable[str], latencies: Mapping[str, float] = LATENCIES["zen4"]) -> tuple[Chain, ...]:
    """The chains carried around a loop of ``lines`` (as ``Loop.lines``; labels are skipped), the longest first.

    Branches within the loop are taken as not there: every instruction counts. ``latencies`` are those of
    ``latencies_of(design)``, cycles.
    """
    steps = _steps(instructions(lines), latencies)
    written = frozenset().union(*(step.writes for step in steps)) if steps else frozenset()
    carried = [name for name in sorted(written) if _read_first(name, steps)]
    arcs = {name: _paths(name, steps, carried) for name in carried}
    found = {frozenset(c.registers): c for name in carried for c in _around(name, arcs)}
    return tuple(sorted(found.values(), key=lambda chain: (-chain.cycles, chain.registers)))


def registers(operand: str) -> frozenset[str]:
    """The registers named in ``operand``, each by one name whatever its width: "%zmm3" -> "v3", "%eax" -> "a"."""
    return frozenset(_canonical(name) for name in _REGISTER.findall(operand))


def _canonical(name: str) -> str:
    vector = _VECTOR.fullmatch(name)
    if vector:
        return f"v{vector.group(1)}"
    if re.fullmatch(r"r\d+[dwb]?", name):
        return name.rstrip("dwb")
    core = name.lstrip("re") if name[-1] in "xip" and len(name) == 3 else name
    if re.fullmatch(r"[abcd][lh]", name):
        return name[0]
    return _NAMES.get(core.removesuffix("l") if core in ("sil", "dil", "bpl", "spl") else core, core)


def _steps(found: list[Instruction], table: Mapping[str, float]) -> list[_Step]:
    raw = [(one, *_flow(one)) for one in found]
    moving = frozenset().union(*(writes for _, _, writes in raw)) if raw else frozenset()
    steps = []
    for one, reads, writes in raw:
        place = one.memory
        fixed = place and "(%rip" not in place and not registers(place) & moving
        cycles = latency(one, table)
        if fixed and one.load_bytes:
            reads |= {place}
        if fixed and one.store_bytes:
            writes |= {place}
            cycles = table["forward"] + (cycles if one.kind not in ("store", "spill") else 0.0)
        steps.append(
            _Step(
                reads, writes, 0.0 if fixed and one.kind in ("load", "spill") and not one.store_bytes else cycles, one
            )
        )
    return steps


def _flow(one: Instruction) -> tuple[frozenset[str], frozenset[str]]:
    """(registers read, registers written)."""
    everything = frozenset().union(*(registers(operand) for operand in one.operands)) if one.operands else frozenset()
    if _NO_RESULT.fullmatch(one.mnemonic) or not one.operands:
        return everything, frozenset()
    last = one.operands[-1]
    if "(" in last:
        return everything, frozenset()
    target = last.split("{")[0]
    writes = registers(target)
    sources = [registers(operand) for operand in one.operands[:-1]]
    if _ZEROS.match(one.mnemonic) and len(set(one.operands)) == 1:
        return frozenset(), writes
    reads = frozenset().union(*sources, registers(last.partition("{")[2])) if sources else frozenset()
    merges = "{%k" in last and "{z}" not in last
    if (
        (len(one.operands) == 1 and not one.mnemonic.startswith(("set", "pop")))
        or merges
        or not _OVERWRITES.fullmatch(one.mnemonic)
        or (_KEPT.fullmatch(one.mnemonic) and not one.memory)
    ):
        reads |= writes
    return reads, writes


def _read_first(name: str, steps: list[_Step]) -> bool:
    """Whether the loop reads what the iteration before left in ``name``."""
    for step in steps:
        if name in step.reads:
            return True
        if name in step.writes:
            return False
    return False


_Path = tuple[float, tuple[Instruction, ...]]


def _paths(start: str, steps: list[_Step], carried: Iterable[str]) -> dict[str, _Path]:
    """What goes out in each of ``carried`` that depends on what came in in ``start``: the longest way there."""
    now: dict[str, _Path] = {start: (0.0, ())}
    for step in steps:
        ways = [now[name] for name in step.reads if name in now]
        longest = max(ways, key=lambda way: way[0], default=None)
        for name in step.writes:
            if longest is None:
                now.pop(name, None)
            else:
                now[name] = (longest[0] + step.cycles, (*longest[1], step.one))
    return {name: now[name] for name in carried if name in now}


def _around(name: str, arcs: Mapping[str, dict[str, _Path]]) -> Iterable[Chain]:
    """The chain from ``name`` back to itself in one iteration, and in two through another register."""
    straight = arcs[name].get(name)
    if straight is not None and straight[1]:
        yield _chain((name,), straight[1], straight[0])
    for other, there in arcs[name].items():
        back = arcs[other].get(name) if other > name else None
        if back is not None and there[1] and back[1]:
            yield _chain((name, other), (*there[1], *back[1]), (there[0] + back[0]) / 2)


def _chain(names: tuple[str, ...], on_it: tuple[Instruction, ...], cycles: float) -> Chain:
    if any("(" in name for name in names):
        kind = "memory"
    else:
        kind = "arithmetic" if any(re.fullmatch(r"v\d+", name) for name in names) else "address"
    return Chain(names, tuple(one.text for one in on_it), cycles, kind)
