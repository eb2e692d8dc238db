"""A compiled kernel once more, in memory that nothing else lies in.

Numba puts all code of a process into one engine, one function's beside another's, and of a helper that two kernels use
the second takes the first's. Here the same object code is loaded by an engine of its own, from the start of a page on.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from kernelbench.native.jit import Code, has_symbol, load_object
from kernelbench.timing.codepages import CodeRoom, SharedCode, code_pages, made_since

_ENVIRONMENT = "_ZN08NumbaEnv"
"""How the names begin of pointers that Numba sets in code it has loaded."""


class CannotCopy(Exception):
    """Why there is no second copy of a kernel's code."""


class Placed:
    """Where the code of an entry lies: the kernel's and the trampoline's, in ``room`` where that is possible."""

    def __init__(self, room: CodeRoom | None = None, load: Callable[[], Code] | None = None) -> None:
        """``load`` makes a copy of the kernel's code; it is called where there is a room. It may raise CannotCopy."""
        self._room = room
        self._before: set[int] = set()
        self._shared: SharedCode | None = None
        self.own: Code | None = None
        """The copy."""
        self.why_private = ""
        """Why the code is not in the room, in words; empty where it is, and where none was given."""
        if room is None or load is None:
            return
        try:
            self._before = code_pages()
            self.own = load()
        except CannotCopy as error:
            self.why_private = str(error)

    def enter(self, compile_it: Callable[[], Code]) -> Code:
        """What ``compile_it`` compiles to enter the kernel; all there is then goes to the room."""
        if self._room is None or self.own is None:
            return compile_it()
        code = compile_it()
        try:
            self._shared = SharedCode(made_since(self._before), self._room)
        except OSError as error:
            self.why_private = error.strerror or str(error)
        return code

    def write(self) -> None:
        """Put the code in place, where something else has used the room."""
        if self._shared is not None:
            self._shared.write()


def loaded_apart(function: Any, signature: tuple[Any, ...], result: Any) -> Code:
    """The machine code of ``result``, Numba's compilation of ``function`` for ``signature``, loaded once more.

    Raises CannotCopy where Numba has kept no object code, and where that needs what only Numba's engine knows.
    """
    content = _kept(result.library) or _stored(function, signature, result)
    if not content:
        raise CannotCopy("Numba has kept no object code of it")
    module = result.library._get_module_for_linking()
    for each in module.functions:
        if each.is_declaration and not each.name.startswith("llvm.") and not has_symbol(each.name):
            raise CannotCopy(f"it calls {each.name}, which is Numba's own")
    environments = []
    for each in module.global_variables:
        if each.name.startswith(_ENVIRONMENT):
            environments.append(each.name)
        elif each.is_declaration and not has_symbol(each.name):
            raise CannotCopy(f"it uses {each.name}, which is Numba's own")
    code = load_object(content)
    theirs = result.library.codegen._engine
    for name in environments:
        mine, other = code.variable(name), theirs.get_global_value_address(name)
        if mine and other:
            ctypes.memmove(mine, other, ctypes.sizeof(ctypes.c_void_p))
    return code


def _kept(library: Any) -> bytes:
    """The object code of a library compiled in this process, if it was kept; what is loaded from a cache is dropped."""
    return bytes(library._compiled_object or b"")


def _stored(function: Any, signature: tuple[Any, ...], result: Any) -> bytes:
    """The object code in Numba's cache on disk; empty where it is not there."""
    files = getattr(function._cache, "_cache_file", None)
    stored = files.load(function._cache._index_key(signature, result.library.codegen)) if files is not None else None
    if stored is None:
        return b""
    (_, kind, data), *_ = stored
    return bytes(data[0]) if kind == "object" else b""
