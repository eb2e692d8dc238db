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
from typing import TYPE_CHECKING, Any, TypeGuard

import numba
import numpy as np
from msgspec import UNSET

from kernelbench.errors import UsageError
from kernelbench.native.jit import Code, compile_ir
from kernelbench.timing import clock
from kernelbench.timing.codepages import CodeRoom
from kernelbench.timing.sampling import Batch
from kernelbench.worker.apart import Placed, loaded_apart
from kernelbench.worker.hints import typing_problem
from kernelbench.worker.trampoline import STATUS_OK as STATUS_OK
from kernelbench.worker.trampoline import into_c, into_numba

if TYPE_CHECKING:  # a tree under test may be older than C functions
    from kernelbench.kernels._symbol import CFunction

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
    """Numba's compile result; absent for a C function."""
    cache_hits: int
    """Loads from Numba's cache that this compilation took."""
    cache_misses: int
    """Real compilations."""
    _code: Code = field(repr=False)
    extra: ctypes.c_int64 = field(repr=False)
    """Dependent steps of extra work before each call, a cycle each: 0 but where a slower kernel is wanted."""
    placed: Placed = field(repr=False)
    """Where the code lies."""


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


def word_kinds(argument: Any) -> list[str]:
    """LLVM types of those words."""
    if isinstance(argument, np.ndarray):
        return [*_ARRAY_HEAD, *["i64"] * (2 * argument.ndim)]
    if isinstance(argument, bool) or not isinstance(argument, int | float):
        raise CannotEnter(
            f"a compiled kernel takes arrays, integers and floats, not {type(argument).__name__}; "
            "convert it in prepare()"
        )
    return ["double"] if isinstance(argument, float) else ["i64"]


def is_jitted(function: Any) -> bool:
    """Whether Numba compiles it. By the attribute, as for all that a tree under test may have classes of its own of."""
    return hasattr(function, "overloads")


def is_c(function: Any) -> TypeGuard[CFunction]:
    """Whether it is a function of a shared library."""
    return hasattr(function, "bound")


def compile_entry(
    function: Any,
    arguments: Sequence[Any],
    *,
    can_do_extra: bool = False,
    memory: np.ndarray | None = None,
    room: CodeRoom | None = None,
) -> Entry:
    """Compile (or load from Numba's cache) ``function`` for ``arguments`` and build its trampoline.

    With ``can_do_extra`` each call can be given extra work (``Entry.extra``, at the end of ``memory`` where there is
    one), to see whether that is noticed. With ``room`` the code that is entered lies there, as far as that can be.

    Raises CannotEnter when it does not compile or returns a value.
    """
    kinds = [kind for argument in arguments for kind in word_kinds(argument)]
    signature = tuple(numba.typeof(argument) for argument in arguments)
    before = _hits_and_misses(function)
    try:
        function.compile(signature)
    except (numba.core.errors.NumbaError, TypeError) as error:  # TypeError: the wrong number of arguments
        raise CannotEnter(typing_problem(str(error))) from error
    result = function.overloads[signature]
    if result.fndesc.restype is not numba.core.types.none:
        raise CannotEnter(f"a kernel writes its outputs and returns nothing; this one returns {result.fndesc.restype}")
    hits, misses = (now - then for now, then in zip(_hits_and_misses(function), before, strict=True))
    placed = Placed(room, lambda: loaded_apart(function, signature, result))
    name = result.fndesc.llvm_func_name
    target = placed.own.address(name) if placed.own else result.library.get_pointer_to_function(name)
    extra = _steps(memory)
    code = placed.enter(lambda: compile_ir(into_numba(target, kinds, ctypes.addressof(extra) if can_do_extra else 0)))
    return Entry(code.address("enter"), result, hits, misses, code, extra, placed)


def enter_c(function: CFunction, *, can_do_extra: bool = False, memory: np.ndarray | None = None) -> Entry:
    """The trampoline of a C function; its blocks hold what ``function.bound`` gives. The rest as ``compile_entry``.

    Raises CannotEnter when there is no such library or symbol in it.
    """
    try:
        target = function.address()
    except UsageError as error:
        raise CannotEnter(str(error)) from error
    extra = _steps(memory)
    code = compile_ir(into_c(target, function.signature, ctypes.addressof(extra) if can_do_extra else 0))
    return Entry(code.address("enter"), UNSET, 0, 0, code, extra, Placed())


def _steps(memory: np.ndarray | None) -> ctypes.c_int64:
    """The number of extra steps, none yet, at the end of ``memory`` where there is one."""
    steps = ctypes.c_int64(0) if memory is None else ctypes.c_int64.from_buffer(memory.data, memory.nbytes - CACHE_LINE)
    steps.value = 0
    return steps


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
