"""Chains of dependent instructions around a loop, found in LLVM IR and cut: each iteration begins anew.

A value is carried around a loop when a phi node depends on itself. Counters and pointers that only step are none of
it: no kernel waits for those. What remains is what Agner Fog calls a loop-carried dependency chain (Optimizing
software in C++, 11.4): its latency a turn is the least time of an iteration.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from kernelbench.native.irtext import LOCAL, NUMBER, kept_alive

_DEFINED = re.compile(rf"^  ({LOCAL}) = (.*)$")
_NAME = re.compile(LOCAL)
_PHI = re.compile(rf"^phi (?:(?:fast|nnan|ninf|nsz|arcp|contract|afn|reassoc) )*({NUMBER}|i\d+) (.*)$")
_INCOMING = re.compile(rf"\[ ([^\[\]]+?), ({LOCAL}) \]")
_TO_INTEGER = re.compile(r"^(?:fptosi|fptoui|bitcast) (?:\w+ )*?(?:half|float|double) \S+ to i\d+$")
_STEPS = re.compile(r"^(?:add|sub|getelementptr|phi|trunc|zext|sext|or|select|freeze)\b")
"""What counters are made of."""


class Carried(Struct, frozen=True):
    """One value that is carried around a loop."""

    phi: str
    line: int
    """Of the phi, within its function."""
    kind: str
    initial: str
    """What it begins with."""
    back: tuple[str, ...]
    """What comes around."""


def cut_chains(text: str) -> tuple[str, int]:
    """(``text`` where each iteration of a loop begins with the first one's values, how many were cut)."""
    parts, count = [], 0
    for part in functions(text):
        changed, cut = _cut(part) if part.startswith("define") else (part, 0)
        parts.append(changed)
        count += cut
    return "\n".join(parts), count


def carried(function: list[str]) -> list[Carried]:
    """Numbers carried around loops of one function (its lines), counters left out."""
    defined = {found[1]: (number, found[2]) for number, line in enumerate(function) if (found := _DEFINED.match(line))}
    uses = {name: set(_NAME.findall(body)) & defined.keys() for name, (_, body) in defined.items()}
    return [one for name in defined if (one := _carried(name, defined, uses))]


def steering(function: list[str]) -> set[str]:
    """Names whose values become integers: a number of turns, an index. Changing one would change what is done."""
    defined = {found[1]: found[2] for line in function if (found := _DEFINED.match(line))}
    todo = [used for body in defined.values() if _TO_INTEGER.match(body) for used in _NAME.findall(body)]
    steers: set[str] = set()
    while todo:
        name = todo.pop()
        if name in defined and name not in steers:
            steers.add(name)
            todo += _NAME.findall(defined[name])
    return steers


def _carried(name: str, defined: dict[str, tuple[int, str]], uses: dict[str, set[str]]) -> Carried | None:
    number, body = defined[name]
    found = _PHI.match(body)
    if not found:
        return None
    incoming = [value for value, _ in _INCOMING.findall(found[2])]
    around = {value: _between(value, name, uses) for value in incoming if value in uses}
    back = tuple(dict.fromkeys(value for value, through in around.items() if through))
    first = [value for value in incoming if value not in back]
    through = set().union(*around.values()) if around else set()
    if not back or not first or _is_counter(found[1], through, defined):
        return None
    return Carried(name, number, found[1], first[0], back)


def _is_counter(kind: str, through: set[str], defined: dict[str, tuple[int, str]]) -> bool:
    """A scalar integer that nothing but steps leads back to itself; one that comes from memory is no counter."""
    return re.fullmatch(r"i\d+", kind) is not None and all(_STEPS.match(defined[name][1]) for name in through)


def _between(start: str, goal: str, uses: dict[str, set[str]]) -> set[str]:
    """The values on some way from ``start`` back to ``goal``; empty where there is none."""
    reached, todo = set(), [start]
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += uses[name]
    if goal not in reached:
        return set()
    users: dict[str, set[str]] = {}
    for name in reached:
        for used in uses[name]:
            users.setdefault(used, set()).add(name)
    leading, todo = set(), [goal]
    while todo:
        name = todo.pop()
        if name not in leading:
            leading.add(name)
            todo += users.get(name, set()) & reached
    return leading & reached


def functions(text: str) -> Iterator[str]:
    """The text in parts, each a function or what lies between two."""
    part: list[str] = []
    for line in text.split("\n"):
        if line.startswith("define") and part:
            yield "\n".join(part)
            part = []
        part.append(line)
        if line == "}":
            yield "\n".join(part)
            part = []
    if part:
        yield "\n".join(part)


def _cut(function: str) -> tuple[str, int]:
    lines = function.split("\n")
    found = carried(lines)
    kept: dict[str, str] = {}
    for one in found:
        for value in one.back:
            lines[one.line] = re.sub(rf"\[ {re.escape(value)},", f"[ {one.initial},", lines[one.line])
            kept[value] = kept_alive(one.kind, value)
    done = []
    for line in lines:
        done.append(line)
        named = _DEFINED.match(line)
        if named and kept.get(named[1]) and not named[2].startswith("phi"):
            done.append(kept[named[1]])
    return "\n".join(done), len(found)
