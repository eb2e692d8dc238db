"""What the compiler made of one case: compiled anew for its text, its loops counted in a copy, the hot one read."""

from __future__ import annotations

import ctypes
import platform
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import numba
from msgspec import UNSET, structs

from kernelbench.kernels import _registry as registry
from kernelbench.kernels._registry import Variant
from kernelbench.model.inspection import Carried, Foreseen, Inspection, LoopLine, Ran, Said
from kernelbench.native import remarks
from kernelbench.native.assembly import bodies, isa_used
from kernelbench.native.carried import loop_carried
from kernelbench.native.counting import CannotCount, CountingCopy
from kernelbench.native.histogram import histogram
from kernelbench.native.instructions import parse
from kernelbench.native.jit import compile_ir
from kernelbench.native.latencies import latencies_of
from kernelbench.native.loops import Loop, hot_loop, loops, most_run
from kernelbench.native.prediction import CannotPredict, predict
from kernelbench.native.reasons import reasons, vectorized
from kernelbench.protocol.inspect import Inspect, Inspected
from kernelbench.worker.bench import Bench, CaseError
from kernelbench.worker.entry import Block, is_jitted, word_kinds
from kernelbench.worker.trampoline import into_numba

InStage = Callable[[str], AbstractContextManager[None]]
Counts = Mapping[str, tuple[int, ...]]
MOST_LOOPS = 6
"""Loops told of beside the hot one: what runs less than all of these matters to nobody."""


def inspect(request: Inspect, bench: Bench, stage: InStage) -> Inspected:
    """The hot loop of the case. Raises CaseError where there is none to see: no code of ours, no loop in it."""
    variant = registry.variants()[request.case.variant]
    _refuse(variant)
    with stage("compile"):
        assembly, symbol, said = _compiled(variant.function, bench.arguments)
    counts, uncounted = _counted(request, assembly, symbol, bench, stage)
    loop = most_run(assembly, counts) if counts else hot_loop(assembly)
    if not isinstance(loop, Loop):
        raise CaseError("inspect", "there is no loop in its code")
    with stage("inspect"):
        found = _described(request, assembly, loop, said)
        counted = _with_counts(found, assembly, loop, counts) if counts else structs.replace(found, uncounted=uncounted)
        return Inspected(counted)


def _refuse(variant: Variant) -> None:
    if platform.machine() != "x86_64":
        raise CaseError("inspect", f"only x86-64 assembly can be read, and this is {platform.machine()}")
    if not is_jitted(variant.function):
        what = "compiled elsewhere" if variant.compiled else "called from Python"
        raise CaseError("inspect", f"it is {what}: only what Numba compiles here can be inspected")


def _compiled(function: Any, arguments: tuple[Any, ...]) -> tuple[str, str, tuple[str, list[remarks.Remark]]]:
    """(assembly, symbol of the kernel, (assembly with debug information, remarks)) of ``function`` compiled anew."""
    result = _twin(function, arguments, {})
    with remarks.caught() as said:
        informed = _twin(function, arguments, {"debug": True})
    return result.library.get_asm_str(), result.fndesc.llvm_func_name, (informed.library.get_asm_str(), said)


def _twin(function: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Numba's result of compiling ``function`` with further options; it itself is left as it is."""
    twin = type(function)(
        function.py_func,
        locals=function.locals,
        targetoptions={**function.targetoptions, **options},
        pipeline_class=function._compiler.pipeline_class,
    )
    signature = tuple(numba.typeof(argument) for argument in arguments)
    twin.compile(signature)
    return twin.overloads[signature]


def _counted(request: Inspect, assembly: str, symbol: str, bench: Bench, stage: InStage) -> tuple[Counts, str]:
    """(How often each line ran in one call, why that is not known)."""
    if not request.count:
        return {}, "counting was not asked for"
    try:
        with stage("count"):
            copy = CountingCopy(assembly, symbol)
    except (CannotCount, CaseError) as error:
        return {}, str(error)
    kinds = [kind for argument in bench.arguments for kind in word_kinds(argument)]
    entry = compile_ir(into_numba(copy.address, kinds, 0))
    block = Block(bench.arguments)
    with stage("count"):
        bench.fill_outputs()
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(entry.address("enter"))(block.address)
        if block.status:
            return {}, "the copy that counts raised an exception"
        bench.verify("count")
    return copy.counts(), ""


def _all_that_ran(assembly: str, counts: Counts) -> tuple[Ran, ...]:
    """The innermost loops by the instructions they executed, most first."""
    code = bodies(assembly)
    work = {name: _work(body.lines, counts[name]) for name, body in code.items()}
    instructions = max(1, sum(map(sum, counts.values())))
    operations = max(1.0, sum(map(sum, work.values())))
    found = []
    for loop in loops(assembly):
        ran = [counts[loop.function][place] for place in loop.places]
        if loop.innermost and any(ran):
            done = sum(work[loop.function][place] for place in loop.places)
            share, work_share = sum(ran) / instructions, done / operations
            width = histogram(loop.lines).width
            iterations = _iterations(loop, ran)
            found.append(Ran(readable(loop.function), loop.label, width, iterations, share, work_share))
    return tuple(sorted(found, key=lambda one: -one.share)[:MOST_LOOPS])


def _work(lines: tuple[str, ...], ran: tuple[int, ...]) -> list[float]:
    """Operations that each line executed."""
    return [_operations(line) * count if count else 0.0 for line, count in zip(lines, ran, strict=True)]


def _operations(line: str) -> float:
    one = parse(line)
    return one.flop + one.int_ops


def _described(request: Inspect, assembly: str, loop: Loop, said: tuple[str, list[remarks.Remark]]) -> Inspection:
    """What the code alone tells of ``loop``."""
    mix = histogram(loop.lines)
    whose, table = latencies_of(request.design)
    chains = tuple(Carried(c.registers, c.instructions, c.cycles, c.kind) for c in loop_carried(loop.lines, table))
    foreseen, unforeseen = _foreseen(loop, request.design)
    places = _source(loop, said[0])
    spoken = _said(said[1], places)
    of_loop = [one.text for one in spoken if one.of_hot_loop] if places else UNSET
    return Inspection(
        case=request.case,
        isa_used=isa_used(assembly),
        function=readable(loop.function),
        label=loop.label,
        lines=tuple(LoopLine(text, note(text)) for text in loop.lines),
        mix=mix,
        depth=loop.depth,
        loops=sum(1 for one in loops(assembly) if one.innermost),
        vectorized=vectorized(mix),
        reasons=reasons(loop.lines, mix, chains, of_loop),
        remarks=spoken,
        where=f"{places[0][0]}:{places[0][1]}" if places else "",
        chains=chains,
        latencies=whose,
        foreseen=foreseen,
        unforeseen=unforeseen,
    )


def _with_counts(found: Inspection, assembly: str, loop: Loop, counts: Counts) -> Inspection:
    """``found`` with what a counted call told."""
    ran = [counts[loop.function][place] for place in loop.places]
    lines = [
        line if line.text.endswith(":") else structs.replace(line, count=count)
        for line, count in zip(found.lines, ran, strict=True)
    ]
    return structs.replace(
        found,
        lines=tuple(lines),
        iterations=_iterations(loop, ran),
        share=sum(ran) / max(1, sum(map(sum, counts.values()))),
        ran=_all_that_ran(assembly, counts),
    )


def _iterations(loop: Loop, ran: list[int]) -> int:
    """How often the loop's first instruction ran: the header is run once an iteration."""
    first = loop.lines.index(f"{loop.label}:") if f"{loop.label}:" in loop.lines else -1
    return next(n for text, n in list(zip(loop.lines, ran, strict=True))[first + 1 :] if not text.endswith(":"))


def _foreseen(loop: Loop, design: str) -> tuple[Any, str]:
    try:
        found = predict(loop.lines, design)
    except CannotPredict as error:
        return UNSET, str(error)
    return Foreseen(found.architecture, found.pressure, found.chain_cycles, found.cycles, found.unknown), ""


def note(line: str) -> str:
    """What one line does, in a few words; empty for a label."""
    if line.endswith(":"):
        return ""
    one = parse(line)
    parts = [f"{one.kind} {one.width}" if one.width != "scalar" or one.flop else one.kind]
    if one.flop or one.int_ops:
        parts.append(f"{one.flop or one.int_ops:.0f} {'FLOP' if one.flop else 'OP'}")
    kept = " of stack" if one.stack else ""
    parts += [f"{what} {size:.0f} B{kept}" for what, size in (("in", one.load_bytes), ("out", one.store_bytes)) if size]
    return ", ".join(parts)


def readable(symbol: str) -> str:
    """ "_ZN11kernelbench7kernels4relu10vectorizedB2v1B40..." -> "kernelbench.kernels.relu.vectorized"."""
    if "parfor_gufunc" in symbol:
        return "the body of a parallel loop"
    rest, names = symbol.removeprefix("_ZN"), []
    while (length := re.match(r"\d+", rest)) is not None:
        start, size = length.end(), int(length.group())
        names.append(rest[start : start + size])
        rest = rest[start + size :]
    return ".".join(names) or symbol


def _source(loop: Loop, informed: str) -> list[tuple[str, int]]:
    """Source lines of the loop, most frequent first, where the code with debug information has the same loop."""
    rows, code = remarks.source_lines(informed), bodies(informed)
    wanted = (readable(loop.function), _shape(loop))
    for other in loops(informed):
        if other.innermost and (readable(other.function), _shape(other)) == wanted:
            met = [rows[code[other.function].rows[place]] for place in other.places]
            known = [place for place in met if place[1]]
            return sorted(set(known), key=lambda place: (-known.count(place), place))
    return []


def _shape(loop: Loop) -> dict[str, dict[str, int]]:
    """What a loop computes and moves: debug information changes registers and bookkeeping, not that."""
    counts = histogram(loop.lines).counts
    return {kind: row for kind, row in counts.items() if kind not in ("integer", "move", "branch", "spill")}


def _said(found: list[remarks.Remark], places: list[tuple[str, int]]) -> tuple[Said, ...]:
    """The remarks on source lines, those of the hot loop first."""
    said = [Said(f"{r.file}:{r.line}" if r.file else "", r.text, (r.file, r.line) in places) for r in found]
    return tuple(sorted(said, key=lambda one: not one.of_hot_loop))
