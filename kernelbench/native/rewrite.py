"""Compiled code with one kind of instruction taken out: what a kernel would take without it can then be measured.

Works on the text of optimised LLVM IR, after every pass that could use the change for more than it is: what comes
out goes straight to the code generator. The results of rewritten code are wrong by design; it is only ever timed.
No address is changed: what is computed from integers that are no vectors stays as it was.
"""

import itertools
import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from kernelbench.native.chains import cut_chains, functions, steering
from kernelbench.native.irtext import FLOATING, LOCAL, NUMBER, VECTOR, kept_alive, opaque

OPERAND = r"(?:%\"[^\"]*\"|%[\w.$-]+|<[^>]*>|splat \([^)]*\)|[^\s,()]+)"
_FLAGS = r"(?:(?:fast|nnan|ninf|nsz|arcp|contract|afn|reassoc|nuw|nsw|exact|disjoint|nneg|samesign) )*"
_BINARY = re.compile(
    rf"^  ({LOCAL}) = (fadd|fsub|fmul|fdiv|frem|add|sub|mul|and|or|xor|shl|lshr|ashr) {_FLAGS}({NUMBER}) ({OPERAND}), "
)
_NEGATED = re.compile(rf"^  ({LOCAL}) = (fneg) {_FLAGS}({NUMBER}) ({OPERAND})")
_SELECT = re.compile(rf"^  ({LOCAL}) = (select) {_FLAGS}(?:<\d+ x i1>|i1) {OPERAND}, ({NUMBER}) ({OPERAND}), ")
_CALL = re.compile(
    rf"^  ({LOCAL}) = (?:tail |musttail |notail )?call {_FLAGS}(?:\w+ )*?({NUMBER}) @([\w.$]+)"
    rf"\(\3 (?:noundef )?({OPERAND})".replace(r"\3", r"\2")
)
_CONVERT = re.compile(
    rf"^  ({LOCAL}) = (sitofp|uitofp|fptosi|fptoui|sext|zext|trunc|fpext|fptrunc) {_FLAGS}({VECTOR}) ({OPERAND}) to"
    rf" ({VECTOR})"
)
_SHUFFLE = re.compile(rf"^  ({LOCAL}) = shufflevector ({VECTOR}) ({OPERAND}), \2 {OPERAND}, <(\d+) x i32>")
_LOAD = re.compile(rf"^  ({LOCAL}) = load ({NUMBER}), ptr ")
_STORE = re.compile(rf"^  store ({NUMBER}) ({OPERAND}), ptr ")
_COPY = re.compile(r"^  (?:tail )?call void @llvm\.mem(?:cpy|move|set)\.")
_TRANSCENDENTAL = re.compile(
    r"(?:^|[._]|svml_)(?:exp|log|sin|cos|tan|tanh|sinh|cosh|asin|acos|atan|erf|erfc|pow|cbrt|expm1|log1p|exp2|exp10"
    r"|log2|log10|atan2|tgamma|lgamma)(?:f?[248]?|f?16)?(?:_.*|\.[vf].*)?$"
)
_UNPACKED = re.compile(r"^  \S+ = (?:and|or|xor|shl|lshr|ashr) ")

CHAINS_CUT = "chains cut"
NO_DIVIDES = "no divides"
NO_TRANSCENDENTALS = "no transcendentals"
NO_UNPACKING = "no unpacking"
NO_ARITHMETIC = "no arithmetic"
NO_MEMORY = "no loads and stores"


class Rewritten(Struct, frozen=True):
    """Code with something taken out."""

    text: str
    count: int
    """Instructions changed; 0: there is nothing of the kind."""


def rewrite(text: str, name: str) -> Rewritten:
    """``text`` (a module of LLVM IR) with what ``name`` says taken out. Raises KeyError for a name there is not."""
    return REWRITES[name](text)


def _each(text: str, changed: Callable[[str, Iterator[int]], str]) -> Rewritten:
    numbers = itertools.count()
    parts, count = [], 0
    for part in functions(text):
        lines = part.split("\n")
        kept = steering(lines)
        after = [line if _name(line) in kept else changed(line, numbers) for line in lines]
        count += sum(old != new for old, new in zip(lines, after, strict=True))
        parts.append("\n".join(after))
    return Rewritten("\n".join(parts), count)


def _name(line: str) -> str:
    """What the line defines; "" for none."""
    return line[2:].split(" = ", 1)[0] if line.startswith("  %") else ""


def _passed(name: str, kind: str, operand: str) -> str:
    """``name`` is its operand, by an instruction that costs nothing."""
    return f"  {name} = bitcast {kind} {operand} to {kind}"


def _no_divides(text: str) -> Rewritten:
    def changed(line: str, _: Iterator[int]) -> str:
        found = _BINARY.match(line)
        if found and found[2] == "fdiv":
            return line.replace(" = fdiv ", " = fmul ", 1)
        called = _CALL.match(line)
        if called and re.search(r"sqrt", called[3]):
            return _passed(called[1], called[2], called[4])
        return line

    return _each(text, changed)


def _no_transcendentals(text: str) -> Rewritten:
    def changed(line: str, _: Iterator[int]) -> str:
        called = _CALL.match(line)
        return _passed(called[1], called[2], called[4]) if called and _TRANSCENDENTAL.search(called[3]) else line

    return _each(text, changed)


def _no_unpacking(text: str) -> Rewritten:
    """Conversions, and shifts, masks and shuffles of vectors; the loads that feed them stay."""

    def changed(line: str, numbers: Iterator[int]) -> str:
        converted = _CONVERT.match(line)
        if converted:
            return opaque(converted[1], converted[5], next(numbers))
        found = _BINARY.match(line)
        if found and _UNPACKED.match(line) and found[3].startswith("<"):
            return _passed(found[1], found[3], found[4])
        mixed = _SHUFFLE.match(line)
        if mixed and mixed[2].startswith(f"<{mixed[4]} x "):
            return _passed(mixed[1], mixed[2], mixed[3])
        return line

    return _loads_kept(_each(text, changed))


def _no_arithmetic(text: str) -> Rewritten:
    """Every operation on numbers is its first operand; the loads stay, though nothing may need them."""

    def changed(line: str, _: Iterator[int]) -> str:
        found = _BINARY.match(line) or _NEGATED.match(line) or _SELECT.match(line)
        if found and (re.fullmatch(FLOATING, found[3]) or found[3].startswith("<")):
            return _passed(found[1], found[3], found[4])
        called = _CALL.match(line)
        return _passed(called[1], called[2], called[4]) if called else line

    return _loads_kept(_each(text, changed))


def _no_memory(text: str) -> Rewritten:
    """Loads of numbers give a number at hand, and stores go nowhere; indices are still loaded."""

    def changed(line: str, numbers: Iterator[int]) -> str:
        if "volatile" in line or "atomic" in line:
            return line
        loaded = _LOAD.match(line)
        if loaded:
            return opaque(loaded[1], loaded[2], next(numbers))
        stored = _STORE.match(line)
        if stored and not stored[2].startswith(("zeroinitializer", "0", "<")):
            return kept_alive(stored[1], stored[2]) or line
        return "" if _COPY.match(line) else line

    return _each(text, changed)


def _loads_kept(done: Rewritten) -> Rewritten:
    """What nothing needs any more is loaded all the same: it is arithmetic that was to be taken out."""
    if not done.count:
        return done

    def changed(line: str, _: Iterator[int]) -> str:
        loads = _LOAD.match(line) and "volatile" not in line and "atomic" not in line
        return line.replace(" = load ", " = load volatile ", 1) if loads else line

    return Rewritten(_each(done.text, changed).text, done.count)


def _cut(text: str) -> Rewritten:
    return Rewritten(*cut_chains(text))


REWRITES: dict[str, Callable[[str], Rewritten]] = {
    CHAINS_CUT: _cut,
    NO_DIVIDES: _no_divides,
    NO_TRANSCENDENTALS: _no_transcendentals,
    NO_UNPACKING: _no_unpacking,
    NO_ARITHMETIC: _no_arithmetic,
    NO_MEMORY: _no_memory,
}
"""What can be taken out, by the name of its counterfactual."""
