"""Kernels in a shared library: a C symbol with a declared signature, handed to ``op.variant`` like a Numba function.

    relu.variant(style="vectorized", dtypes=("f32",), name="c")(
        kb.c_function("librelu.so", "relu", "void(const float *x, float *y, int64_t n)")
    )

Pointers take the arrays in order, inputs before outputs. A number takes the dimension or parameter of its name, or
else the next operand that is a number.
"""

from __future__ import annotations

import ctypes
import difflib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kernelbench.errors import UsageError
from kernelbench.kernels import _elf
from kernelbench.kernels._signature import ANY, Parameter, Signature, parse


class CFunction:
    """A function of a shared library, loaded when it is first needed. Calling it goes through Python (ctypes)."""

    def __init__(self, library: Path, symbol: str, signature: Signature, module: str, summary: str) -> None:
        self.library, self.symbol, self.signature = library, symbol, signature
        self.__name__, self.__qualname__, self.__module__ = symbol, symbol, module
        self.__doc__ = summary or f"{symbol} of {library.name}."

    def unavailable(self) -> str:
        """Why a case of it is skipped: the library has not been built. What else is wrong with it is an error."""
        return "" if self.library.is_file() else f"{self.library}: no such library; build it first"

    def address(self) -> int:
        """Where it lies in this process. Raises UsageError when there is no such library or symbol in it."""
        _elf.check_library(self.library)
        try:
            loaded = ctypes.CDLL(str(self.library))
        except OSError as error:
            said = str(error).removeprefix(f"{self.library}: ")
            raise UsageError(f"{self.library}: cannot be loaded: {said}; correct how it is built") from error
        try:
            found = ctypes.cast(getattr(loaded, self.symbol), ctypes.c_void_p).value
        except (AttributeError, ValueError) as error:
            raise UsageError(f"{self.library}: no symbol {self.symbol!r}; {self._near()}") from error
        assert found, "a symbol that was found has an address"
        return found

    def _near(self) -> str:
        names = _elf.exported(self.library)
        mangled = [name for name in names if name.startswith("_Z") and f"{len(self.symbol)}{self.symbol}" in name]
        if mangled:
            return f'it has {mangled[0]}: declare the function extern "C"'
        near = difflib.get_close_matches(self.symbol, names, n=3, cutoff=0.5)
        if near:
            return f"did you mean {' or '.join(near)}?"
        return f"it exports {', '.join(names[:10]) or 'no functions'}{' ...' * (len(names) > 10)}"

    def bound(self, operands: Sequence[Any], settings: Mapping[str, Any], outputs: int = 0) -> tuple[int | float, ...]:
        """What each parameter is given: addresses for pointers, numbers else.

        ``operands`` are inputs then outputs, the last ``outputs`` of them outputs; ``settings`` are the dimensions
        and parameters by name. Raises UsageError naming the parameter that does not fit.
        """
        arrays = [(x, at >= len(operands) - outputs) for at, x in enumerate(operands) if isinstance(x, np.ndarray)]
        self._check_count(len(arrays))
        numbers = [x for x in operands if not isinstance(x, np.ndarray)]
        named = [settings[p.name] for p in self.signature.parameters if not p.pointer and p.name in settings]
        # A number that prepare() appends may be one that the signature already takes by its name.
        waiting = [x for x in numbers if x not in named] if named else numbers
        given: list[int | float] = []
        for parameter in self.signature.parameters:
            if parameter.pointer:
                given.append(self._address_of(parameter, *arrays.pop(0)))
            elif parameter.name in settings:
                given.append(self._number(parameter, settings[parameter.name]))
            elif waiting:
                given.append(self._number(parameter, waiting.pop(0)))
            else:
                known = ", ".join(map(str, settings)) or "none"
                raise self._unfit(
                    f"parameter {parameter.name!r} is neither a dimension or parameter of the op ({known}) nor an"
                    " operand that is a number"
                )
        if waiting:
            raise self._unfit(f"no parameter takes the operand {waiting[0]!r}")
        return tuple(given)

    def __call__(self, *operands: Any, **settings: Any) -> None:
        """Call it once through Python. Raises UsageError as ``bound`` does, and for a status other than 0."""
        values = self.bound(operands, settings)
        kinds = [
            ctypes.c_void_p if p.pointer else np.ctypeslib.as_ctypes_type(p.dtype) for p in self.signature.parameters
        ]
        function = ctypes.CFUNCTYPE(ctypes.c_int if self.signature.returns_status else None, *kinds)(self.address())
        status = function(*values)
        if status:
            raise UsageError(f"{self.symbol} returned {status}; a kernel returns 0 when all went well")

    def _check_count(self, arrays: int) -> None:
        pointers = sum(parameter.pointer for parameter in self.signature.parameters)
        if pointers != arrays:
            raise self._unfit(f"it has {pointers} pointers for {arrays} arrays (inputs, then outputs)")

    def _address_of(self, parameter: Parameter, array: np.ndarray, is_output: bool) -> int:
        if parameter.dtype not in (ANY, array.dtype):
            raise self._unfit(f"{parameter.text!r} is given an array of {array.dtype}")
        if is_output and parameter.const:
            raise self._unfit(f"{parameter.text!r} is given an output, which it may not write")
        if not array.flags.c_contiguous:
            raise self._unfit(f"{parameter.text!r} is given an array with gaps; pass np.ascontiguousarray of it")
        return int(array.ctypes.data)

    def _number(self, parameter: Parameter, value: Any) -> int | float:
        kind = parameter.dtype
        if isinstance(value, bool | str) or not isinstance(value, int | float | np.number):
            raise self._unfit(f"{parameter.text!r} is given {type(value).__name__}, not a number")
        if kind.kind == "f":
            return float(value)
        if not float(value).is_integer() or not np.iinfo(kind).min <= value <= np.iinfo(kind).max:
            raise self._unfit(f"{parameter.text!r} cannot hold {value}")
        return int(value)

    def _unfit(self, what: str) -> UsageError:
        return UsageError(f"{self.symbol}: signature {self.signature.text!r} does not fit the operands: {what}")


def c_function(library: str | Path, symbol: str, signature: str, *, summary: str = "") -> CFunction:
    """The function ``symbol`` of a shared library, to be declared as a variant or measured.

    ``library`` is relative to the file that calls this. ``signature`` is C: ``void`` or ``int`` (a status, 0 when all
    went well), then ``const float *x, float *y, int64_t n``. ``summary`` is what `kernelbench list` says of it.

    The library is loaded when the kernel is first used: until it is built its cases are skipped with that reason.
    Raises UsageError for a signature that is not understood.

    >>> kb.c_function("librelu.so", "relu", "void(const float *x, float *y, int64_t n)")
    """
    caller = sys._getframe(1)
    beside = Path(caller.f_code.co_filename).resolve().parent
    module = str(caller.f_globals.get("__name__", "__main__"))
    return CFunction(beside / library, symbol, parse(signature), module, summary)
