"""Entering a compiled variant: one trampoline per variant and dtype, one argument block per set of operands.

The trampoline is ``void enter(void *block)``. The block holds a status word and then every argument laid out
as Numba passes it, so shapes are data and one compilation serves every size. Numba functions return a status:
an exception inside would otherwise end the kernel early and make it look fast, so the trampoline stores it.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np

from kernelbench.native.jit import Code, compile_ir
from kernelbench.timing import clock
from kernelbench.timing.sampling import Batch

STATUS_OK = 0
STATUS_NONE = -2  # Numba's RETCODE_NONE: a function that returns nothing
STACK_ALIGN = 4096
"""The trampoline's frame begins on a page, so that a kernel's spills lie alike in every process. Left to chance, the
environment's size decides whether a spilled vector crosses a cache line (Mytkowicz et al., ASPLOS 2009)."""
_ARRAY_HEAD = ("ptr", "ptr", "i64", "i64", "ptr")  # meminfo, parent, nitems, itemsize, data


CACHE_LINE = 64


class CannotEnter(Exception):
    """The function does not compile for these operands, or its signature is not a kernel's."""


@dataclass(frozen=True)
class Entry:
    """A compiled variant, ready to be called on blocks."""

    address: int
    """Of the trampoline."""
    result: Any = field(repr=False)
    """Numba's compile result."""
    cache_hits: int
    """Loads from Numba's cache that this compilation took."""
    cache_misses: int
    """Real compilations."""
    _code: Code = field(repr=False)
    extra: ctypes.c_int64 = field(repr=False)
    """Dependent steps of extra work before each call, a cycle each: 0 but where a slower kernel is wanted."""


class Block:
    """The arguments of one call, in memory that compiled code reads. Keeps the arrays alive."""

    def __init__(self, arguments: Sequence[Any], memory: mmap.mmap | memoryview | None = None, offset: int = 0) -> None:
        """In a page of its own, or at ``offset`` of ``memory``, which has room for it."""
        words = [0]
        for argument in arguments:
            words += _words(argument)
        # At one place within a page, whatever the heap looks like: stores to an operand that happen to share the
        # lower 12 bits of an argument's address would hold up the next call.
        if memory is None:
            memory = mmap.mmap(-1, mmap.PAGESIZE * -(-8 * len(words) // mmap.PAGESIZE))
        self._memory = (ctypes.c_int64 * len(words)).from_buffer(memory, offset)
        self._words = (ctypes.c_int64 * len(words))(*words)
        self._arguments = tuple(arguments)
        self.write()

    def write(self) -> None:
        """Put all arguments in place, where something else may have used the memory since; no call has raised."""
        ctypes.memmove(self._memory, self._words, ctypes.sizeof(self._words))

    @staticmethod
    def many(calls: Sequence[Sequence[Any]], memory: np.ndarray | None = None) -> list[Block]:
        """One for each of ``calls``, whose arguments are alike, side by side in cache lines of their own."""
        size = CACHE_LINE * -(-8 * (1 + sum(len(_words(argument)) for argument in calls[0])) // CACHE_LINE)
        # The last line is for the extra work of a slowed kernel.
        fits = memory is not None and size * len(calls) <= memory.nbytes - CACHE_LINE
        room = memory.data if memory is not None and fits else mmap.mmap(-1, size * len(calls))
        return [Block(arguments, room, index * size) for index, arguments in enumerate(calls)]

    @property
    def address(self) -> int:
        """Where the block lies."""
        return ctypes.addressof(self._memory)

    @property
    def status(self) -> int:
        """0, or the status of the last call that raised."""
        return int(self._memory[0])


def _words(argument: Any) -> list[int]:
    """One argument as 64-bit words, in Numba's order."""
    if isinstance(argument, np.ndarray):
        head = [0, 0, argument.size, argument.itemsize, argument.ctypes.data]
        return [*head, *argument.shape, *argument.strides]
    if isinstance(argument, float):
        return [struct.unpack("<q", struct.pack("<d", argument))[0]]
    return [int(argument)]


def _kinds(argument: Any) -> list[str]:
    """LLVM types of those words."""
    if isinstance(argument, np.ndarray):
        return [*_ARRAY_HEAD, *["i64"] * (2 * argument.ndim)]
    if isinstance(argument, bool) or not isinstance(argument, int | float):
        raise CannotEnter(
            f"a compiled kernel takes arrays, integers and floats, not {type(argument).__name__}; "
            "convert it in prepare()"
        )
    return ["double"] if isinstance(argument, float) else ["i64"]


def _trampoline(target: int, kinds: Sequence[str], extra: int) -> str:
    """``extra`` is the address of the number of extra steps; 0: code that cannot do any."""
    loads = [
        f"  %p{i} = getelementptr i64, ptr %arguments, i64 {i + 1}\n  %a{i} = load {kind}, ptr %p{i}"
        for i, kind in enumerate(kinds)
    ]
    passed = ", ".join(["ptr %returned", "ptr %raised", *(f"{kind} %a{i}" for i, kind in enumerate(kinds))])
    return f"""
define void @enter(ptr %block) {{
entry:
  %page = alloca i8, align {STACK_ALIGN}
  store volatile i8 0, ptr %page
  %returned = alloca ptr
  %raised = alloca ptr
{_EXTRA.format(address=extra) if extra else _NO_EXTRA}
{chr(10).join(loads)}
  %kernel = inttoptr i64 {target} to ptr
  %status = call i32 %kernel({passed})
  %fine = icmp eq i32 %status, {STATUS_OK}
  %none = icmp eq i32 %status, {STATUS_NONE}
  %good = or i1 %fine, %none
  br i1 %good, label %done, label %bad
bad:
  %word = sext i32 %status to i64
  store i64 %word, ptr %block
  br label %done
done:
  ret void
}}
"""


_NO_EXTRA = "  %arguments = getelementptr i64, ptr %block, i64 0"
_EXTRA = """  %steps = load i64, ptr inttoptr (i64 {address} to ptr)
  br label %step
step:
  %left = phi i64 [%steps, %entry], [%fewer, %again]
  %any = icmp sgt i64 %left, 0
  br i1 %any, label %again, label %ready
again:
  %seen = call i64 asm sideeffect "", "=r,0"(i64 %left)
  %fewer = sub i64 %seen, 1
  br label %step
ready:
  ; 0, which only the last step knows: the kernel cannot begin beside the steps.
  %nothing = call i64 asm sideeffect "", "=r,0"(i64 %left)
  %arguments = getelementptr i64, ptr %block, i64 %nothing"""
"""A chain of dependent subtractions before the kernel, whose arguments wait for its end."""


def compile_entry(
    function: Any, arguments: Sequence[Any], *, can_do_extra: bool = False, memory: np.ndarray | None = None
) -> Entry:
    """Compile (or load from Numba's cache) ``function`` for ``arguments`` and build its trampoline.

    With ``can_do_extra`` each call can be given extra work (``Entry.extra``, at the end of ``memory`` where there is
    one), to see whether that is noticed.

    Raises CannotEnter when it does not compile or returns a value.
    """
    kinds = [kind for argument in arguments for kind in _kinds(argument)]
    signature = tuple(numba.typeof(argument) for argument in arguments)
    before = _hits_and_misses(function)
    try:
        function.compile(signature)
    except (numba.core.errors.NumbaError, TypeError) as error:  # TypeError: the wrong number of arguments
        raise CannotEnter(_first_lines(str(error))) from error
    result = function.overloads[signature]
    if result.fndesc.restype is not numba.core.types.none:
        raise CannotEnter(f"a kernel writes its outputs and returns nothing; this one returns {result.fndesc.restype}")
    target = result.library.get_pointer_to_function(result.fndesc.llvm_func_name)
    extra = ctypes.c_int64(0) if memory is None else ctypes.c_int64.from_buffer(memory.data, memory.nbytes - CACHE_LINE)
    extra.value = 0
    code = compile_ir(_trampoline(target, kinds, ctypes.addressof(extra) if can_do_extra else 0))
    hits, misses = (now - then for now, then in zip(_hits_and_misses(function), before, strict=True))
    return Entry(code.address("enter"), result, hits, misses, code, extra)


def compiled_again(function: Any, arguments: Sequence[Any]) -> Any:
    """Numba's result of really compiling ``function``, which is left as it is: code from the cache has no assembly."""
    twin = type(function)(
        function.py_func,
        locals=function.locals,
        targetoptions=function.targetoptions,
        pipeline_class=function._compiler.pipeline_class,
    )
    signature = tuple(numba.typeof(argument) for argument in arguments)
    twin.compile(signature)
    return twin.overloads[signature]


def _hits_and_misses(function: Any) -> tuple[int, int]:
    stats = function.stats
    return sum(stats.cache_hits.values()), sum(stats.cache_misses.values())


def _first_lines(text: str, lines: int = 3) -> str:
    """The part of a Numba error that says what is wrong, on one line."""
    kept = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(kept[:lines])


class PythonCalls:
    """A variant that can only be called from Python; its time includes that call."""

    def __init__(self, function: Callable[..., Any], argument_sets: Sequence[Sequence[Any]]) -> None:
        self._function = function
        self._sets = [tuple(arguments) for arguments in argument_sets]
        self._next = 0

    def __call__(self, calls: int) -> float:
        """Call it ``calls`` times over the argument sets in turn; returns seconds for all of them."""
        from time import perf_counter_ns

        function, sets = self._function, self._sets
        if len(sets) == 1:
            arguments = sets[0]
            start = perf_counter_ns()
            for _ in range(calls):
                function(*arguments)
            return (perf_counter_ns() - start) * 1e-9
        first, self._next = self._next, (self._next + calls) % len(sets)
        start = perf_counter_ns()
        for i in range(first, first + calls):
            function(*sets[i % len(sets)])
        return (perf_counter_ns() - start) * 1e-9

    def slices(self, calls: int, count: int) -> Batch:
        """``count`` slices of ``calls`` calls in a row, each between two looks at the core."""
        look = clock.adds_per_s if clock.available() else float
        looks, seconds = [look()], []
        for _ in range(count):
            seconds.append(self(calls))
            looks.append(look())
        return Batch(tuple(seconds), tuple(looks))
