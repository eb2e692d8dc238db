"""One case in one round: operands, verify, warm up, time, verify again, all through the timed entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kernelbench.errors import UsageError
from kernelbench.kernels._check import Verification, WrongResult
from kernelbench.kernels._registry import NUMPY, Variant
from kernelbench.model import Accuracy, Case
from kernelbench.timing.arena import PAGE, Arena
from kernelbench.timing.guards import PATTERN, words
from kernelbench.timing.loops import Calls
from kernelbench.timing.sampling import Runner
from kernelbench.worker.entry import Block, CannotEnter, Entry, PythonCalls, compile_entry, enter_c, is_c
from kernelbench.worker.failing import CaseError as CaseError
from kernelbench.worker.failing import one_line as one_line
from kernelbench.worker.hints import arity_problem, unwritten
from kernelbench.worker.problems import Problem
from kernelbench.worker.returned import as_struct

SENTINEL = {"i8": -128, "u8": 255, "i32": -(2**31), "bf16": 0x7FC0}
"""What outputs that NumPy holds as integers contain before a call: values no kernel of ours leaves there unless it
never wrote (bf16: the bits of a NaN)."""


class Bench:
    """A case ready to be called: operands placed, code compiled. Build it, then ``verify`` and ``run``."""

    def __init__(
        self,
        variant: Variant,
        case: Case,
        problem: Problem,
        cpus: Sequence[int],
        sets: int,
        arena: Arena | None = None,
    ) -> None:
        """``sets`` operand sets are placed; more than one makes every call find its operands cold.

        They lie in ``arena`` where one is given. Raises MemoryError where that is too small.
        """
        self._variant, self._case, self._problem = variant, case, problem
        prepared = variant.prepare(problem.inputs, variant.whole({**case.settings, **case.tuning}))
        shapes = variant.outputs(case.settings, case.dtype)
        self._place(prepared, shapes, sets, arena or Arena(sets * _room(prepared, shapes), cpus, guarded=True))
        self._entry: Entry | None = None
        self._blocks: list[Block] = []
        self.run: Runner = PythonCalls(variant.function, [i + o for i, o in self._sets])
        self._right: list[np.ndarray] = []

    def _place(self, prepared: tuple[Any, ...], shapes: Any, sets: int, arena: Arena) -> None:
        self.arena = arena
        self._pristine = [x for x in prepared if isinstance(x, np.ndarray)]
        first = len(arena.guards)
        self._sets = [
            (
                tuple(self.arena.copy(x) if isinstance(x, np.ndarray) else x for x in prepared),
                tuple(self.arena.empty(shape, NUMPY[kind]) for shape, kind in shapes),
            )
            for _ in range(sets)
        ]
        self._kinds = [kind for _, kind in shapes]
        self._guards, self._pattern = arena.guards[first:], PATTERN

    @property
    def operands(self) -> list[np.ndarray]:
        """Every input and output array of every set, in the order they were placed."""
        return [x for inputs, outputs in self._sets for x in (*inputs, *outputs) if isinstance(x, np.ndarray)]

    @property
    def inputs(self) -> list[np.ndarray]:
        """The input arrays of every set."""
        return [x for inputs, _ in self._sets for x in inputs if isinstance(x, np.ndarray)]

    def restore_inputs(self) -> None:
        """Write every input anew, where something else has used its memory."""
        for placed, pristine in zip(self.inputs, len(self._sets) * self._pristine, strict=True):
            placed[...] = pristine
        self.fill_guards(self._pattern)

    def fill_guards(self, pattern: int) -> None:
        """Write ``pattern`` around every operand: other bytes than before, or where something else has been there."""
        self._pattern = pattern
        for guard in self._guards:
            guard.fill(pattern)

    def verify_guards(self, stage: str) -> None:
        """Raise CaseError when a kernel wrote beside an operand of any set."""
        names = [f"input {i}" for i, x in enumerate(self._sets[0][0]) if isinstance(x, np.ndarray)]
        names += [f"output {i}" for i in range(len(self._kinds))]
        for at, (guard, operand) in enumerate(zip(self._guards, self.operands, strict=False)):
            said = words(names[at % len(names)], operand.itemsize, guard.trespass(self._pattern))
            if said:
                raise CaseError(stage, f"the kernel {said}; it must stay within its operands")

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the variant is called with: inputs, then outputs, of the first set."""
        inputs, outputs = self._sets[0]
        return inputs + outputs

    def compile(self, *, can_do_extra: bool = False) -> Entry | None:
        """Compile a Numba variant and enter it through its trampoline; None for one called from Python."""
        problem = arity_problem(self._variant.function, len(self._sets[0][0]), len(self._kinds))
        if problem:
            raise CaseError("compile", problem)
        if self._variant.compiled:
            function, memory = self._variant.function, self.arena.arguments
            room = self.arena.code if self._case.threads == 1 else None
            calls = [inputs + outputs for inputs, outputs in self._sets]
            try:
                if is_c(function):
                    calls = [function.bound(call, self._case.settings, len(self._kinds)) for call in calls]
                    self._entry = enter_c(function, can_do_extra=can_do_extra, memory=memory)
                else:
                    self._entry = compile_entry(function, calls[0], can_do_extra=can_do_extra, memory=memory, room=room)
            except (CannotEnter, UsageError) as error:
                raise CaseError("compile", str(error)) from error
            self._blocks = Block.many(calls, memory)
            # Threads of a pool have stacks of their own, and schedulers look at where the first one's lies.
            stack = self.arena.stack if self._case.threads == 1 else 0
            self.run = Calls(self._entry.address, [block.address for block in self._blocks], stack)
        return self._entry

    def write_arguments(self) -> None:
        """Put the arguments of all calls, and the code, in place, where something else has used their memory."""
        for block in self._blocks:
            block.write()
        if self._entry is not None:
            self._entry.placed.write()

    def fill_outputs(self) -> None:
        """NaN or a sentinel everywhere, so that an element never written is seen."""
        for _, outputs in self._sets:
            for kind, output in zip(self._kinds, outputs, strict=True):
                output.fill(SENTINEL.get(kind, np.nan))

    def call_once(self, stage: str) -> float:
        """One call on every operand set, through the timed entry; returns seconds per call."""
        took: float = self.guarded(lambda: self.run(len(self._sets)), stage)
        self.verify_guards(stage)
        return took / len(self._sets)

    def guarded(self, action: Callable[[], Any], stage: str) -> Any:
        """Run ``action``; a kernel's exception or bad status becomes a CaseError of ``stage``."""
        try:
            result = action()
        except MemoryError as error:
            raise CaseError(stage, f"out of memory: {error}" if str(error) else "out of memory") from error
        except Exception as error:
            raise CaseError(stage, one_line(error)) from error
        self.raise_status(stage)
        return result

    def raise_status(self, stage: str) -> None:
        """Raise CaseError when any call since the start has raised inside compiled code."""
        bad = next((block.status for block in self._blocks if block.status), 0)
        if bad and is_c(self._variant.function):
            raise CaseError(stage, f"the kernel returned {bad}; 0 means that all went well")
        if bad:
            raise CaseError(stage, f"the kernel raised an exception inside the compiled call{self._why()}")

    def _why(self) -> str:
        """Call it from Python, where Numba can tell which exception it was."""
        try:
            self._variant.function(*self.arguments)
        except Exception as error:
            return f" ({one_line(error)})"
        return ""

    def verify(self, stage: str) -> Accuracy:
        """Check the outputs as they are and remember them as right. Raises CaseError."""
        inputs, outputs = self._sets[0]
        case, problem = self._case, self._problem
        check = self._variant.check
        for known, accuracy in problem.verified.get(check, ()):
            if _same(outputs, known):  # bit for bit what this very check has passed before
                self._right = known
                return accuracy
        found = Verification(case.settings, case.dtype, problem.seed, problem.inputs, inputs, outputs, problem.memo)
        try:
            accuracy = as_struct(check(found), Accuracy)
        except WrongResult as error:
            raise CaseError(stage, self._unwritten() or f"wrong result: {error}") from error
        except UsageError as error:
            raise CaseError(stage, str(error)) from error
        self._right = [output.copy() for output in outputs]
        problem.verified.setdefault(check, []).append((self._right, accuracy))
        return accuracy

    def _unwritten(self) -> str:
        """What is wrong with a kernel whose outputs are all as ``fill_outputs`` left them; empty for any other."""
        outputs = self._sets[0][1]
        for kind, output in zip(self._kinds, outputs, strict=True):
            if not (output == SENTINEL[kind] if kind in SENTINEL else np.isnan(output)).all():
                return ""
        return unwritten(self._variant.function, self.arguments, len(outputs))

    def verify_again(self, stage: str) -> None:
        """Check every set's outputs after more calls: bit for bit what was right, or right by a full check."""
        for _, outputs in self._sets:
            if not _same(outputs, self._right):
                for mine, other in zip(self._sets[0][1], outputs, strict=True):
                    mine[...] = other
                self.verify(stage)

    def verify_inputs(self, stage: str) -> None:
        """Raise CaseError when a kernel wrote where it should only read."""
        for inputs, _ in self._sets:
            placed = [x for x in inputs if isinstance(x, np.ndarray)]
            pairs = [pair for pair in zip(placed, self._pristine, strict=True) if not _may_be_written(pair[1])]
            if not _same([mine for mine, _ in pairs], [pristine for _, pristine in pairs]):
                raise CaseError(stage, "the kernel changed its inputs; a kernel writes to its outputs only")


def _room(prepared: tuple[Any, ...], shapes: Any) -> int:
    """Bytes that one operand set takes in an arena."""
    sizes = [x.nbytes for x in prepared if isinstance(x, np.ndarray)]
    sizes += [int(np.prod(shape, dtype=np.int64)) * NUMPY[kind].itemsize for shape, kind in shapes]
    return Arena.room(sizes) + PAGE


def _may_be_written(prepared: np.ndarray) -> bool:
    """Whether it is scratch. By the attribute: a tree under test has a class of its own, or an older one none."""
    return bool(getattr(prepared, "may_be_written", False))


def _same(arrays: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> bool:
    """Equal bit for bit: -0.0 differs from 0.0, a NaN equals itself."""
    return all(x.shape == y.shape and _bytes_equal(x, y) for x, y in zip(arrays, others, strict=True))


def _bytes_equal(x: np.ndarray, y: np.ndarray) -> bool:
    return np.array_equal(x.reshape(-1).view(np.uint8), np.ascontiguousarray(y).reshape(-1).view(np.uint8))


def cold_sets(case: Case, working_set_bytes: float, last_level_bytes: int) -> int:
    """Operand sets so that together they are at least four times the last-level cache; 1 for warm cases."""
    if case.cache == "warm":
        return 1
    return max(2, -(-4 * last_level_bytes // max(1, int(working_set_bytes))))
