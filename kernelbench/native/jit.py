"""LLVM IR text -> machine code -> address, with nothing but llvmlite.

Used where Numba would be in the way: timing loops and ceiling probes, whose code must be exactly what
is written, for any instruction-set level, in one process. Numba's intrinsics made in a closure never
hit its disk cache, while these small modules compile in a few milliseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import llvmlite.binding as llvm

_ready = False


def _initialise() -> None:
    global _ready
    if not _ready:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        llvm.initialize_native_asmparser()
        _ready = True


@dataclass(frozen=True)
class Code:
    """Compiled functions; keep it alive for as long as an address is used."""

    _engine: Any = field(repr=False)
    _emit: Callable[[], str] = field(repr=False)

    @cached_property
    def assembly(self) -> str:
        """What was emitted, AT&T syntax on x86; nothing where the code was loaded. Made when it is first asked for."""
        return self._emit()

    def address(self, name: str) -> int:
        """Entry address of the function ``name``; raises KeyError when the module has none."""
        address: int = self._engine.get_function_address(name)
        if not address:
            raise KeyError(name)
        return address

    def variable(self, name: str) -> int:
        """Address of the global variable ``name``; 0 when there is none."""
        return int(self._engine.get_global_value_address(name))


def compile_ir(text: str, *, cpu: str = "", features: str | None = None) -> Code:
    """Compile a module of IR (opaque pointers, ``ptr``) for this host, or for ``cpu`` and ``features``.

    ``features`` is LLVM's list ("+avx2,+fma"); None takes all that the host has. Raises RuntimeError
    when the text is not valid IR.
    """
    _initialise()
    module, machine = _parsed(text, cpu, features)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()

    def emit() -> str:
        again, target = _parsed(text, cpu, features)
        return str(target.emit_assembly(again))

    return Code(engine, emit)


def _parsed(text: str, cpu: str, features: str | None) -> tuple[Any, Any]:
    """(module, target machine), as ``compile_ir`` takes them."""
    module = llvm.parse_assembly(text)
    module.verify()
    if features is None:
        features = llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(
        cpu=cpu or llvm.get_host_cpu_name(), features=features, opt=3, jit=True, codemodel="jitdefault"
    )
    module.triple = target.triple
    module.data_layout = str(machine.target_data)
    return module, machine


def load_object(content: bytes) -> Code:
    """Machine code from an object file that LLVM's compiler made for this host, in memory of its own.

    What it needs from elsewhere must be known to LLVM (``has_symbol``): where it is not, LLVM ends the process.
    """
    _initialise()
    module = llvm.parse_assembly("")
    engine = llvm.create_mcjit_compiler(module, llvm.Target.from_default_triple().create_target_machine(jit=True))
    engine.add_object_file(llvm.ObjectFileRef.from_data(content))
    engine.finalize_object()
    return Code(engine, str)


def has_symbol(name: str) -> bool:
    """Whether code that is loaded may call ``name``."""
    return bool(llvm.address_of_symbol(name))
