"""Forms of one case to be timed in turns: its code with something taken out, its operands in another order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kernelbench.native.jit import Code, compile_ir
from kernelbench.native.rewrite import rewrite
from kernelbench.native.targets import TARGETS
from kernelbench.timing import sampling
from kernelbench.timing.loops import Calls, empty_kernel
from kernelbench.timing.sampling import AGAIN_SLICES, LONG_S, Runner
from kernelbench.timing.warmup import calibrate, warm_up
from kernelbench.worker.bench import CaseError
from kernelbench.worker.entry import Block, PythonCalls, word_kinds
from kernelbench.worker.trampoline import STATUS_OK, into_numba

SAMPLE_S = 1e-3
"""A turn lasts at least this."""
MOST_SLICES = 20


class NoForm(CaseError):
    """This form cannot be had here; the text says why."""

    def __init__(self, why: str) -> None:
        super().__init__("changing", why)


@dataclass
class Form:
    """A kernel in one form, timed a turn at a time."""

    name: str
    run: Runner
    change: str = ""
    calls: int = 0
    """Of a slice."""
    sample_calls: int = 0
    """Of the last turn."""
    best_s: float = float("inf")
    """Least seconds per call of any slice."""
    turns_s: list[float] = field(default_factory=list)
    """Seconds per call of each turn."""
    keeps: tuple[Any, ...] = ()
    """What must live as long as this does."""

    def prepare(self, warmup_s: float) -> None:
        """Find the calls of a slice and warm up."""
        slice_s = sampling.shortest_slice_s(time.get_clock_info("perf_counter").resolution)
        self.calls, took = calibrate(self.run, slice_s, self.run(1))
        warm_up(self.run, self.calls, took, warmup_s)
        self.best_s = took / self.calls

    def turn(self) -> None:
        """One turn, after a few slices that bring the caches back, and threads that sleep."""
        # By the best time so far: a slice that was disturbed while it was sized says little.
        slice_s = self.best_s * self.calls
        if slice_s <= LONG_S:
            self.run.slices(self.calls, AGAIN_SLICES)
        count = 1 if slice_s > LONG_S else min(MOST_SLICES, max(2, int(SAMPLE_S / slice_s) + 1))
        seconds = self.run.slices(self.calls, count).seconds
        self.turns_s.append(sum(seconds) / (self.calls * count))
        self.sample_calls = self.calls * count
        self.best_s = min(self.best_s, min(seconds) / self.calls)


def empty_form(arguments: Sequence[Any], *, jitted: bool, python: bool) -> Form:
    """A call of nothing with the same ``arguments``, by the same way in."""
    if python:
        return Form("empty body", PythonCalls(lambda *_: None, [arguments]))
    if not jitted:
        block = Block(arguments)
        return Form("empty body", Calls(empty_kernel(), [block.address]), keeps=(block,))
    kinds = [kind for argument in arguments for kind in word_kinds(argument)]
    taken = ", ".join(["ptr", "ptr", *kinds])
    code = compile_ir(f"define i32 @nothing({taken}) {{\n  ret i32 {STATUS_OK}\n}}\n")
    return _entered("empty body", code, "nothing", arguments)


def rewritten_form(name: str, text: str, symbol: str, arguments: Sequence[Any], isa: str) -> Form:
    """The kernel's code with ``name`` taken out of it.

    Raises NoForm when there is nothing of the kind in it, or what is left is no valid code.
    """
    done = rewrite(text, name)
    if not done.count:
        raise NoForm("there is nothing of the kind in its code")
    target = TARGETS.get(isa)
    try:
        code = compile_ir(done.text, cpu=target.cpu if target else "", features=target.features if target else None)
    except RuntimeError as error:
        raise NoForm(f"the changed code is not valid: {str(error).splitlines()[0]}") from error
    plural = "s" if done.count != 1 else ""
    return _entered(name, code, symbol, arguments, f"{done.count} instruction{plural} changed")


def in_order(arguments: Sequence[Any], inputs: int) -> list[Any]:
    """``arguments`` with every input that may be an index in rising order.

    Raises NoForm where there is none to sort.
    """
    changed = list(arguments)
    for position, operand in enumerate(arguments[:inputs]):
        if isinstance(operand, np.ndarray) and _is_unordered_index(operand):
            changed[position] = np.sort(operand, axis=None).reshape(operand.shape)
    if all(new is old for new, old in zip(changed, arguments, strict=True)):
        raise NoForm("no operand is an array of indices out of order")
    return changed


def _is_unordered_index(operand: np.ndarray) -> bool:
    """Whether it may be an array of indices: integers wide enough, none negative, not rising already."""
    if operand.dtype.kind not in "iu" or operand.dtype.itemsize < 4 or operand.size < 2:
        return False
    flat = operand.reshape(-1)
    return bool(flat.min() >= 0) and not bool(np.all(flat[:-1] <= flat[1:]))


def _entered(name: str, code: Code, symbol: str, arguments: Sequence[Any], change: str = "") -> Form:
    kinds = [kind for argument in arguments for kind in word_kinds(argument)]
    entry = compile_ir(into_numba(code.address(symbol), kinds, 0))
    block = Block(arguments)
    return Form(name, Calls(entry.address("enter"), [block.address]), change, keeps=(code, entry, block))
